"""What is known of each column on its way from raw to pseudonymized, from the declarations alone.

Belongs here: the columns of a dataset as its contract promises them, as a purpose takes them, and as its techniques
leave them. Does not belong here: data, SQL, what the features' SQL makes of them (`features_sql.py`).
"""

from __future__ import annotations

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
