"""The promise about one dataset: an ODCS v3.1 contract, with what we need to know about people in it.

Belongs here: the typed `privacy` extension and the frozen form of a contract that the house works with. Does not
belong here: opening files (`loading.py`), comparing versions, SQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from privacy_assets.weakening import Ranked, Weaker
from privacy_assets.words import PROTECTION, Frozen, LawfulBasis, Role
from privacy_assets.words import IdentifierDomain as IdentifierDomain
from privacy_assets.words import Name as Name

ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3)]
Secret = Annotated[str, Field(pattern=r"^\$\{[A-Z_][A-Z0-9_]*\}$")]
"""The variable that holds a secret, as `${NAME}`; what stands in its place is never echoed."""
Version = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]

ROW = "_row"
"""The column that raw adds where every row is another person: the number of the row in its source, from 1."""


class ColumnPrivacy(Frozen):
    """What a column says about a person. `category` is a key of the Fides taxonomy of data categories.

    `free_text` says that it is text which people wrote, in which anybody can be named: it leaves raw only redacted.
    """

    role: Annotated[Role, PROTECTION]
    category: Annotated[str, Weaker.ANY]
    identifier_domain: Annotated[IdentifierDomain | None, Weaker.ANY] = None
    free_text: Annotated[bool, Weaker.LESS] = False


class Subject(Frozen):
    """Whom the rows are about. Without a `column` every row is another person, named by its number (`_row`)."""

    kind: Annotated[Sentence, Weaker.ANY]
    column: Annotated[ColumnName | None, Weaker.ANY] = None


class ConsentRecords(Frozen):
    """Says that this dataset records decisions of subjects, and in which columns; the last decision counts.

    `purpose` holds the name of a purpose; `decision` holds one of `granted`, `withdrawn`, `objected`.
    """

    subject: Annotated[ColumnName, Weaker.ANY]
    purpose: Annotated[ColumnName, Weaker.ANY]
    decision: Annotated[ColumnName, Weaker.ANY]
    decided_at: Annotated[ColumnName, Weaker.ANY]


class Retention(Frozen):
    """How long a row may be kept: `days` after the date in `column`."""

    column: Annotated[ColumnName, Weaker.ANY]
    days: Annotated[int, Field(ge=1, le=36525), Weaker.MORE]


class PrivacyBudget(Frozen):
    """What releases about this dataset may cost one person, under differential privacy.

    In any `period_days` days that follow each other the releases together cost at most `epsilon`: pure where `delta`
    is 0, else (ε, δ), counted in ρ. `lifetime_epsilon` is a cap on all releases there ever were; None: no cap.
    """

    epsilon: Annotated[float, Field(gt=0, le=100), Weaker.MORE]
    delta: Annotated[float, Field(ge=0, le=1e-3), Weaker.MORE] = 0.0
    period_days: Annotated[int, Field(ge=1, le=36525), Weaker.LESS] = 365
    lifetime_epsilon: Annotated[Annotated[float, Field(gt=0, le=1000)] | None, Weaker.MORE] = None

    @model_validator(mode="after")
    def _period_within_lifetime(self) -> PrivacyBudget:
        if self.lifetime_epsilon is not None and self.lifetime_epsilon < self.epsilon:
            raise ValueError("`lifetime_epsilon` is under `epsilon`: one period alone may cost more than all of them")
        return self


class DatasetPrivacy(Frozen):
    """The `privacy` property of a contract."""

    subject: Annotated[Subject | None, Weaker.ANY]
    lawful_bases: Annotated[tuple[LawfulBasis, ...], Field(min_length=1), Weaker.ADDED]
    consents: Annotated[Name | None, Weaker.ANY] = None
    consent_records: Annotated[ConsentRecords | None, Weaker.ANY] = None
    retention: Annotated[Retention | None, Weaker.REMOVED] = None
    third_parties: Annotated[tuple[Sentence, ...], Weaker.ADDED] = ()
    breach_notice_hours: Annotated[int, Field(ge=1), Weaker.MORE] = 72
    quarantine_at_most: Annotated[float, Field(ge=0, le=1), Weaker.MORE] = 0.05
    budget: Annotated[PrivacyBudget | None, Weaker.ADDED] = None


class Drafted(Frozen):
    """By what a contract was drafted and from what: the `drafted` property of a contract that nobody wrote at first.

    `detectors` is the version of what guessed, `rows` and `counts` (a digest of names, types and counts, never of
    values) stand for the data as it was, `guessed` is the role that each column was thought to have. A later look
    compares itself with them. They promise nothing: the contract means the same without them.
    """

    detectors: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$"), Weaker.WORDS]
    rows: Annotated[int, Field(ge=1), Weaker.WORDS]
    counts: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$"), Weaker.WORDS]
    guessed: Annotated[dict[ColumnName, Role], Weaker.WORDS]


class Reading(Frozen):
    """How a delimited file is read: the `reading` property of a server."""

    header: Annotated[bool, Weaker.NONE] = True
    null_text: Annotated[tuple[str, ...], Weaker.NONE] = ("",)
    trim: Annotated[bool, Weaker.NONE] = False


class S3Connection(Frozen):
    """How an S3-compatible store is reached: the `connection` property of a server of type `s3`.

    Credentials are found as every tool for S3 finds them: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, a profile
    in `~/.aws` (`AWS_PROFILE`), or the machine's role. `ca_file` is the certificate of who signed the store's (default:
    the system's). An endpoint without TLS needs its reason in `plaintext_because`.
    """

    region: Annotated[str | None, Weaker.ANY] = None
    ca_file: Annotated[str | None, Weaker.ANY] = None
    plaintext_because: Annotated[Sentence | None, Weaker.ADDED] = None


class PostgresConnection(Frozen):
    """How a PostgreSQL server is reached: the `connection` property of a server of type `postgres`.

    `password` is the name of a variable, as `${NAME}`; without it libpq finds one: `PGPASSWORD`, `PGPASSFILE` or
    `~/.pgpass`. `ca_file` is the certificate of who signed the server's (default: `~/.postgresql/root.crt`;
    `system`: whom the machine trusts). Less than a verified certificate needs its reason in `sslmode_because`.
    """

    user: Annotated[str, Weaker.NONE]
    password: Annotated[Secret | None, Weaker.NONE] = None
    ca_file: Annotated[str | None, Weaker.ANY] = None
    sslmode: Annotated[
        Literal["verify-full", "verify-ca", "require", "disable"],
        Ranked(("disable", "require", "verify-ca", "verify-full")),
    ] = "verify-full"
    sslmode_because: Annotated[Sentence | None, Weaker.WORDS] = None


class Deliveries(Frozen):
    """Says that every day has files of its own: `{day}` in their path, from the day `since` on (`YYYY-MM-DD`).

    The `deliveries` property of a server of type `local` or `s3`.
    """

    by: Annotated[Literal["day"], Weaker.ANY]
    since: Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"), Weaker.ANY]


class Invention(Frozen):
    """How many rows are invented, and from which seed: the `generator` property of a server of type `custom`."""

    rows: Annotated[int, Field(ge=1, le=100_000_000), Weaker.NONE]
    seed: Annotated[int, Field(ge=0), Weaker.NONE] = 0


_AS_USUAL = Reading()
_AS_FOUND = S3Connection()


@dataclass(frozen=True, slots=True)
class Files:
    """Files of one format. `${NAME}` in `path`, `endpoint` and `connection` is taken from the environment.

    Local, `path` is relative to the project; in a store it is `s3://BUCKET/KEY`, and `endpoint` a URL (None: AWS).
    """

    type: Annotated[Literal["local", "s3"], Weaker.ANY]
    path: Annotated[str, Weaker.ANY]
    format: Annotated[Literal["csv", "parquet", "ndjson"], Weaker.NONE]
    delimiter: Annotated[str, Weaker.NONE] = ","
    encoding: Annotated[str, Weaker.NONE] = "utf-8"
    reading: Reading = _AS_USUAL
    endpoint: Annotated[str | None, Weaker.ANY] = None
    connection: S3Connection = _AS_FOUND
    deliveries: Annotated[Deliveries | None, Weaker.ANY] = None

    @property
    def place(self) -> str:
        """What to call it where something is wrong with it."""
        return self.path


@dataclass(frozen=True, slots=True)
class Postgres:
    """A table or view of a PostgreSQL server. `${NAME}` in the texts is taken from the environment."""

    host: Annotated[str, Weaker.ANY]
    port: Annotated[int, Weaker.ANY]
    database: Annotated[str, Weaker.ANY]
    schema: Annotated[str, Weaker.ANY]
    table: Annotated[str, Weaker.ANY]
    connection: PostgresConnection

    @property
    def place(self) -> str:
        """What to call it where something is wrong with it."""
        return f"{self.host}:{self.port}/{self.database} {self.schema}.{self.table}"


@dataclass(frozen=True, slots=True)
class Generator:
    """Rows that are invented as the contract describes them, for trying things out before there is any data."""

    invention: Invention

    @property
    def place(self) -> str:
        """What to call it where something is wrong with it."""
        return "the generator"


Source = Files | Postgres | Generator
"""Where a dataset comes from."""


@dataclass(frozen=True, slots=True)
class ContractColumn:
    """One column as promised. `type` is the engine's type, `domain` the declared categories if there are any."""

    name: Annotated[str, Weaker.ELSEWHERE]
    type: Annotated[str, Weaker.ANY]
    privacy: ColumnPrivacy
    required: Annotated[bool, Weaker.LESS] = False
    unique: Annotated[bool, Weaker.LESS] = False
    domain: Annotated[tuple[str, ...] | None, Weaker.UNDECLARED] = None
    description: Annotated[str, Weaker.WORDS] = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract as the house works with it.

    `digest` is the SHA-256 (hex) of what it means, so that editing a comment does not change it. `primary_key` may be
    empty. `fresh_within_hours` is from the SLA property `latency`, None if there is none; `drafted` is None where the
    contract was written by hand.
    """

    name: Annotated[str, Weaker.ELSEWHERE]
    version: Annotated[str, Weaker.ELSEWHERE]
    title: Annotated[str, Weaker.WORDS]
    description: Annotated[str, Weaker.WORDS]
    owner: Annotated[str, Weaker.ANY]
    columns: Annotated[tuple[ContractColumn, ...], Weaker.NONE]
    primary_key: Annotated[tuple[str, ...], Weaker.ANY]
    privacy: DatasetPrivacy
    source: Annotated[Source, Weaker.ANY]
    fresh_within_hours: Annotated[int | None, Weaker.NONE]
    path: Annotated[str, Weaker.ELSEWHERE]
    digest: Annotated[str, Weaker.ELSEWHERE]
    drafted: Annotated[Drafted | None, Weaker.WORDS] = None

    @property
    def deliveries(self) -> Deliveries | None:
        """How the dataset comes day by day; None where it comes as a whole."""
        return self.source.deliveries if isinstance(self.source, Files) else None

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
