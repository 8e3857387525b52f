"""Where the project holds direct identifiers of the people of a dataset, from the declarations alone.

Belongs here: which columns of which datasets name the same person. Does not belong here: taking them out of a text
(`techniques/pseudonymize/redact_identifiers.py`), or asking whether they are out (`invariants/`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from privacy_assets.contracts.columns import raw_columns, subject_domain
from privacy_assets.contracts.contract import ROW, Contract
from privacy_assets.words import Column, Role


@dataclass(frozen=True, slots=True)
class Known:
    """A dataset that knows identifiers of people: `subject` is the column that says whose, `names` those of
    `identifiers` that hold names, of which each word counts by itself."""

    dataset: str
    subject: str
    identifiers: tuple[str, ...]
    names: tuple[str, ...]


def known_identifiers(contract: Contract, contracts: Mapping[str, Contract]) -> tuple[Known, ...]:
    """What `contract` itself knows of its subjects, first, then every other dataset that has more than their key.

    Another dataset is asked if its subjects are of the same identifier domain; they are matched as they are written.
    Empty where the rows are about nobody.
    """
    domain = subject_domain(contract)
    if contract.subject_column is None or domain is None:
        return ()
    found = [_known(contract, contract.subject_column)]
    for other in contracts.values():
        subject = other.subject_column
        if other.name != contract.name and subject is not None and subject_domain(other) == domain:
            known = _known(other, subject)
            if set(known.identifiers) - {subject}:
                found.append(known)
    return tuple(known for known in found if known.identifiers)


def _known(contract: Contract, subject: str) -> Known:
    identifying = [
        column
        for column in raw_columns(contract)
        if column.role is Role.DIRECT_IDENTIFIER and not column.free_text and column.name != ROW
    ]
    return Known(
        contract.name,
        subject,
        tuple(column.name for column in identifying),
        tuple(column.name for column in identifying if _is_name(column)),
    )


def _is_name(column: Column) -> bool:
    domain = column.identifier_domain
    return f"{column.category}.".startswith("user.name.") or (domain is not None and domain.normalization == "name")
