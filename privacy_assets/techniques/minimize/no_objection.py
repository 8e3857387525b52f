"""Admits the rows of everybody but those who objected to this purpose or withdrew from it.

Belongs here: purposes on a lawful basis other than consent, where people may object (GDPR art. 21). Does not belong
here: consent, where silence is a no (`consent`).
"""

from __future__ import annotations

from typing import Literal

from sqlglot import exp

from privacy_assets.techniques.minimize._decisions import Records, deciders, known


class Parameters(Records):
    """Where decisions are recorded."""

    kind: Literal["no_objection"]


def admits(parameters: Parameters, row: str, consents: exp.Table | None) -> exp.Expr:
    """True unless the subject's last decision about the purpose is a refusal; without records nobody has refused."""
    if consents is None:
        return known(parameters, row)
    return exp.and_(known(parameters, row), exp.not_(deciders(parameters, row, consents, granted=False)))
