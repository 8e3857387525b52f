"""What a named profile asks of a table, measured by the invariants of the same names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from privacy_assets.invariants import INVARIANTS
from privacy_assets.techniques.anonymize import full_domain
from privacy_assets.techniques.profiles import PROFILES
from privacy_assets.words import Column, Role, Verdict
from tests.invariants.engine import measured
from tests.techniques.anonymize.tables import Row, tuples_of

ILL = Column("ill", "VARCHAR", Role.SENSITIVE, "user.health_and_medical")


def asked_of(profile: str, columns: Sequence[Column]) -> list[Any]:
    """The profile's criteria, those of sensitive columns once for each."""
    module = PROFILES[profile]
    found = []
    for criterion in module.criteria(module.Parameters(kind=profile), columns):
        if "column" in type(criterion).model_fields and criterion.column is None:
            sensitive = [column.name for column in columns if column.role is Role.SENSITIVE]
            found += [criterion.model_copy(update={"column": name}) for name in sensitive]
        else:
            found.append(criterion)
    return found


def broken(profile: str, columns: Sequence[Column], table: Sequence[dict[str, Any]]) -> list[str]:
    """Which parts a table breaks, as `kind` or `kind of column`."""
    found = []
    for criterion in asked_of(profile, columns):
        of_invariant = INVARIANTS[criterion.kind].Parameters
        asks = criterion.model_dump(exclude={"kind"})
        if "quasi_identifiers" in of_invariant.model_fields:
            asks["quasi_identifiers"] = [column.name for column in columns if column.role is Role.QUASI_IDENTIFIER]
        numbers = measured(criterion.kind, asks, output=table)
        finding = INVARIANTS[criterion.kind].judge(of_invariant(kind=criterion.kind, **asks), numbers)
        assert finding.verdict is not Verdict.INCONCLUSIVE
        if not finding.kept:
            found.append(criterion.kind + (f" of {asks['column']}" if asks.get("column") else ""))
    return found


def classes(*counts: Sequence[int]) -> list[dict[str, Any]]:
    """A table of so many rows with each illness, class after class."""
    return [
        {"place": str(place), "ill": ill}
        for place, of_class in enumerate(counts)
        for ill, number in zip(("cold", "flu", "gout", None), of_class, strict=False)
        for _ in range(number)
    ]


def left_out(profile: str, rows: Sequence[Row]) -> int:
    """How many rows the best levels leave out under a profile's criteria, as many as it lets be."""
    tuples = tuples_of(rows)
    parameters = full_domain.Parameters(kind="full_domain")
    at_most = PROFILES[profile].SUPPRESSED_AT_MOST
    recoding = full_domain.recode(parameters, tuples, asked_of(profile, [ILL]), at_most)
    return int(tuples.rows[recoding.classes < 0].sum())
