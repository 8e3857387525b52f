"""The promise about one dataset: an ODCS v3.1 contract, with what we need to know about people in it.

Belongs here: the typed `privacy` extension and the frozen form of a contract that the house works with. Does not
belong here: opening files (`loading.py`), comparing versions, SQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from privacy_assets.words import Frozen, LawfulBasis, Role
from privacy_assets.words import IdentifierDomain as IdentifierDomain
from privacy_assets.words import Name as Name

ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3)]
Version = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]

ROW = "_row"
"""The column that raw adds where every row is another person: the number of the row in its source, from 1."""


class ColumnPrivacy(Frozen):
    """What a column says about a person. `category` is a key of the Fides taxonomy of data categories.

    `free_text` says that it is text which people wrote, in which anybody can be named: it leaves raw only redacted.
    """

    role: Role
    category: str
    identifier_domain: IdentifierDomain | None = None
    free_text: bool = False


class Subject(Frozen):
    """Whom the rows are about. Without a `column` every row is another person, named by its number (`_row`)."""

    kind: Sentence
    column: ColumnName | None = None


class ConsentRecords(Frozen):
    """Says that this dataset records decisions of subjects, and in which columns; the last decision counts.

    `purpose` holds the name of a purpose; `decision` holds one of `granted`, `withdrawn`, `objected`.
    """

    subject: ColumnName
    purpose: ColumnName
    decision: ColumnName
    decided_at: ColumnName


class Retention(Frozen):
    """How long a row may be kept: `days` after the date in `column`."""

    column: ColumnName
    days: Annotated[int, Field(ge=1, le=36525)]


class DatasetPrivacy(Frozen):
    """The `privacy` property of a contract."""

    subject: Subject | None
    lawful_bases: Annotated[tuple[LawfulBasis, ...], Field(min_length=1)]
    consents: Name | None = None
    consent_records: ConsentRecords | None = None
    retention: Retention | None = None
    third_parties: tuple[Sentence, ...] = ()
    breach_notice_hours: Annotated[int, Field(ge=1)] = 72
    quarantine_at_most: Annotated[float, Field(ge=0, le=1)] = 0.05


class Reading(Frozen):
    """How a delimited file is read: the `reading` property of a server."""

    header: bool = True
    null_text: tuple[str, ...] = ("",)
    trim: bool = False


_AS_USUAL = Reading()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a dataset comes from: `path` is relative to the project, `${NAME}` in it is taken from the environment."""

    type: str
    path: str
    format: Literal["csv", "parquet"]
    delimiter: str = ","
    encoding: str = "utf-8"
    reading: Reading = _AS_USUAL


@dataclass(frozen=True, slots=True)
class ContractColumn:
    """One column as promised. `type` is the engine's type, `domain` the declared categories if there are any."""

    name: str
    type: str
    privacy: ColumnPrivacy
    required: bool = False
    unique: bool = False
    domain: tuple[str, ...] | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract as the house works with it.

    `digest` is the SHA-256 (hex) of what it means, so that editing a comment does not change it. `primary_key` may be
    empty. `fresh_within_hours` is from the SLA property `latency`, None if there is none.
    """

    name: str
    version: str
    title: str
    description: str
    owner: str
    columns: tuple[ContractColumn, ...]
    primary_key: tuple[str, ...]
    privacy: DatasetPrivacy
    source: Source
    fresh_within_hours: int | None
    path: str
    digest: str

    @property
    def subject_column(self) -> str | None:
        """The column that names the person: declared, `_row` where every row is another, None where nobody is meant."""
        if self.privacy.subject is None:
            return None
        return self.privacy.subject.column or ROW

    def column(self, name: str) -> ContractColumn:
        """The column of this name; KeyError if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)
