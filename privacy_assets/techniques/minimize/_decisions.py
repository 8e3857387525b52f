"""What a subject last decided about a purpose, read from a table of decisions.

Belongs here: how records of decisions are read, alike for every rule that asks for them. Does not belong here: what
follows from a decision; that is the rule.

Of two readings the more protective one is taken: whatever is not `granted` refuses; of decisions with one time the
refusal counts; a refusal without a time counts as made now, a grant without a time never.
"""

from __future__ import annotations

from typing import Annotated

from sqlglot import exp

from privacy_assets.weakening import Weaker
from privacy_assets.words import Frozen


class Records(Frozen):
    """Whose decision (`subject`, a column of the row), about which `purpose`, and the columns that record it."""

    subject: Annotated[str, Weaker.ANY]
    purpose: Annotated[str, Weaker.ANY]
    records_subject: Annotated[str, Weaker.ANY]
    records_purpose: Annotated[str, Weaker.ANY]
    records_decision: Annotated[str, Weaker.ANY]
    records_decided_at: Annotated[str, Weaker.ANY]


def subject(parameters: Records, row: str) -> exp.Column:
    """The row's subject."""
    return exp.column(parameters.subject, table=row, quoted=True)


def known(parameters: Records, row: str) -> exp.Expr:
    """True for a row that is about somebody."""
    return exp.Is(this=subject(parameters, row), expression=exp.null()).not_()


def deciders(parameters: Records, row: str, consents: exp.Table, *, granted: bool) -> exp.Expr:
    """True where the subject of `row` decided about the purpose until `$now`, and the last decision grants it (or not).

    The subquery names nothing of the row: an engine computes it once, one pass and one group per subject, and joins by
    hash. NULL where the subject is NULL.
    """
    decided_at, decision = _said(parameters.records_decided_at), _said(parameters.records_decision)
    now, granting = exp.Placeholder(this="now"), exp.Literal.string("granted")
    grants = exp.NullSafeEQ(this=decision, expression=granting)
    refuses = exp.NullSafeNEQ(this=decision.copy(), expression=granting.copy())
    last_grant = _last(decided_at, grants)
    last_refusal = _last(exp.Coalesce(this=decided_at.copy(), expressions=[now]), refuses)
    stands = exp.Coalesce(
        this=exp.GT(this=last_grant, expression=last_refusal),
        expressions=[exp.Is(this=last_grant.copy(), expression=exp.null()).not_()],
    )
    who = _said(parameters.records_subject)
    said = (
        exp.select(who)
        .from_(exp.alias_(consents.copy(), "said", table=True))
        .where(
            exp.Is(this=who.copy(), expression=exp.null()).not_(),
            exp.EQ(this=_said(parameters.records_purpose), expression=exp.Literal.string(parameters.purpose)),
            exp.or_(
                exp.LTE(this=decided_at.copy(), expression=now.copy()),
                exp.and_(exp.Is(this=decided_at.copy(), expression=exp.null()), refuses.copy()),
            ),
        )
        .group_by(who.copy())
        .having(stands if granted else exp.not_(stands))
    )
    return exp.In(this=subject(parameters, row), query=said.subquery())


def _said(column: str) -> exp.Column:
    return exp.column(column, table="said", quoted=True)


def _last(moment: exp.Expr, which: exp.Expr) -> exp.Expr:
    return exp.Filter(this=exp.Max(this=moment), expression=exp.Where(this=which))
