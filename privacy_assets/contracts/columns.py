"""What is known of each column on its way from raw to pseudonymized, from the declarations alone.

Belongs here: the columns of a dataset as its contract promises them, as a purpose takes them, and as its techniques
leave them. Does not belong here: data, SQL, what the features' SQL makes of them (`features_sql.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

from privacy_assets.contracts.contract import ROW, Contract
from privacy_assets.contracts.purpose import DatasetUse
from privacy_assets.techniques.pseudonymize import PSEUDONYMIZE
from privacy_assets.words import Column, IdentifierDomain, Role

SMALLEST_DOMAIN = 10_000
"""Fewer distinct identifiers than this are found by frequency, whatever the key (see docs/threat-model.md)."""


def raw_columns(contract: Contract) -> tuple[Column, ...]:
    """The columns that the contract promises, in its order; then `_row` where every row is another person."""
    columns = tuple(
        Column(
            name=column.name,
            type=column.type,
            role=column.privacy.role,
            category=column.privacy.category,
            domain=column.domain,
            description=column.description,
            identifier_domain=column.privacy.identifier_domain,
            free_text=column.privacy.free_text,
        )
        for column in contract.columns
    )
    return (*columns, row_column(contract)) if contract.subject_column == ROW else columns


def subject_domain(contract: Contract) -> IdentifierDomain | None:
    """The identifier domain of the subject; None where the rows are about nobody, or their subject has none."""
    subjects = (column for column in raw_columns(contract) if column.name == contract.subject_column)
    return next((column.identifier_domain for column in subjects), None)


@dataclass(frozen=True, slots=True)
class Naming:
    """A column that says whose a row is, and the domain of what it holds."""

    name: str
    type: str
    domain: IdentifierDomain


def naming_columns(contract: Contract) -> tuple[Naming, ...]:
    """By which columns of a dataset a person is found in it: the subject; where rows are people, every identifier.

    Empty where the rows are about nobody.
    """
    if contract.subject_column is None:
        return ()
    if contract.subject_column != ROW:
        column = contract.column(contract.subject_column)
        domain = column.privacy.identifier_domain or IdentifierDomain(name=column.name)
        return (Naming(column.name, column.type, domain),)
    return identifier_columns(contract)


def identifier_columns(contract: Contract) -> tuple[Naming, ...]:
    """The columns of a dataset whose values are identifiers of a domain."""
    return tuple(
        Naming(column.name, column.type, column.privacy.identifier_domain)
        for column in contract.columns
        if column.privacy.identifier_domain is not None
    )


def row_column(contract: Contract) -> Column:
    """The number of the row, which names the person where no declared column does."""
    return Column(
        name=ROW,
        type="BIGINT",
        role=Role.DIRECT_IDENTIFIER,
        category="user.unique_id",
        description="number of the row in its source, from 1",
        identifier_domain=IdentifierDomain(name=f"{contract.name}_row"),
    )


def needed_columns(contract: Contract, use: DatasetUse) -> tuple[Column, ...]:
    """The columns that a purpose needs, in its order, as raw has them; KeyError where it has no such column."""
    known = {column.name: column for column in raw_columns(contract)}
    return tuple(known[name] for name in use.columns)


def minimized_columns(contract: Contract, use: DatasetUse) -> tuple[Column, ...]:
    """The columns that a purpose needs, in its order: as raw has them, but for free text, which is redacted."""
    return tuple(
        PSEUDONYMIZE[need.technique.kind].output(need.technique, column) if column.free_text else column
        for column, need in zip(needed_columns(contract, use), use.columns.values(), strict=True)
    )


def pseudonymized_columns(contract: Contract, use: DatasetUse) -> tuple[Column, ...]:
    """The same columns as their techniques leave them."""
    return tuple(
        PSEUDONYMIZE[need.technique.kind].output(need.technique, column)
        for column, need in zip(needed_columns(contract, use), use.columns.values(), strict=True)
    )
