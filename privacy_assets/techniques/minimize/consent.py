"""Admits the rows of those who said yes to this purpose, and have not taken it back.

Belongs here: purposes whose lawful basis is consent (GDPR art. 6(1)(a), 7(3)). Does not belong here: other bases
(`no_objection`), where silence does not forbid.
"""

from __future__ import annotations

from typing import Literal

from sqlglot import exp

from privacy_assets.techniques.minimize._decisions import Records, deciders, known


class Parameters(Records):
    """Where decisions are recorded."""

    kind: Literal["consent"]


def admits(parameters: Parameters, row: str, consents: exp.Table | None) -> exp.Expr:
    """True where the subject's last decision about the purpose is `granted`; without records nobody has consented."""
    if consents is None:
        return exp.false()
    return exp.and_(known(parameters, row), deciders(parameters, row, consents, granted=True))
