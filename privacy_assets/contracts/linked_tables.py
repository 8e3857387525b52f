"""The tables that a synthesizer of several tables sees of a purpose, from the declarations alone.

    people's table      its subject is its primary key: one row a person
    other tables        any number of rows of a person, whom their subject names

Of each, the columns that the features' SQL uses: subject and row key are drawn anew, of all others it is declared what
they can hold. Belongs here: which these are, and what is wrong with that. Does not belong here: data, how people are
drawn (`techniques/synthesize/`), what comes out of the SQL (`synthesis.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from privacy_assets.coded import Domain
from privacy_assets.contracts import synthesis
from privacy_assets.contracts._faults import Faults
from privacy_assets.contracts._yaml import Place
from privacy_assets.contracts.contract import ROW, Contract
from privacy_assets.contracts.features_sql import FeatureQuery
from privacy_assets.contracts.purpose import Purpose, Synthetic, TableDomains
from privacy_assets.techniques.synthesize import is_linked
from privacy_assets.words import Column, Role

MOST_TABLES = 5
"""What SDV's HMA takes."""

_NEXT_STEP = "change the features' SQL or the techniques, or ask a synthesizer of one table, such as `sequential_trees`"


@dataclass(frozen=True, slots=True)
class LinkedTable:
    """One dataset: the columns that name person and row (`key` is None where no row is named), and the others."""

    dataset: str
    subject: Column
    key: Column | None
    columns: tuple[Column, ...]
    domains: tuple[Domain, ...]

    @property
    def read(self) -> tuple[str, ...]:
        """The names of all of them, each once."""
        named = (self.subject, *((self.key,) if self.key else ()), *self.columns)
        return tuple(dict.fromkeys(column.name for column in named))


def asks_for_tables(purpose: Purpose) -> bool:
    """Whether the purpose's synthesizer sees its tables instead of its features."""
    return purpose.synthetic is not None and is_linked(purpose.synthetic.synthesizer)


def linked_tables(
    purpose: Purpose,
    contracts: Mapping[str, Contract],
    tables: Mapping[str, Sequence[Column]],
    features: FeatureQuery,
) -> tuple[LinkedTable, ...]:
    """The tables of a purpose that `check` found nothing wrong with, people's first; none where none are asked for.

    `tables` are the columns of its pseudonymized datasets.
    """
    asked = purpose.synthetic
    if asked is None or not is_linked(asked.synthesizer):
        return ()
    found = []
    for dataset, columns in tables.items():
        subject, key, others = _parts(contracts[dataset], columns, _used(features.expression, dataset, columns))
        declared = asked.tables.get(dataset, TableDomains())
        assert subject is not None
        others = tuple(_with_domain(column, declared) for column in others)
        found.append(LinkedTable(dataset, subject, key, others, synthesis.domains(declared.bounds, others)))
    return tuple(sorted(found, key=lambda one: not _is_of_people(contracts[one.dataset])))


def check(
    purpose: Purpose,
    asked: Synthetic,
    contracts: Mapping[str, Contract],
    tables: Mapping[str, Sequence[Column]],
    features: FeatureQuery,
    faults: Faults,
) -> None:
    """Note what of the tables cannot be drawn; what is declared of them where nothing sees them."""
    if not is_linked(asked.synthesizer):
        if asked.tables:
            faults.add(
                ("synthetic", "tables"),
                f"`{asked.synthesizer.kind}` sees the features alone",
                next_step="declare `bounds` of the features, or ask a synthesizer of several tables, such as `hma`",
            )
        if purpose.guarantee.fidelity and purpose.guarantee.fidelity.rows_per_person is not None:
            faults.add(
                ("guarantee", "fidelity", "rows_per_person"),
                f"`{asked.synthesizer.kind}` draws rows, and nobody whose they are",
                next_step="leave it out, or ask a synthesizer of several tables, such as `hma`",
            )
        return
    if asked.contribution is None:
        faults.add(
            ("synthetic",),
            "nothing says how many rows of a person there can be in a table, and the largest number is somebody's",
            expected="`contribution: {rows: …}`",
        )
    for dataset in asked.tables:
        if dataset not in tables:
            faults.unknown(
                ("synthetic", "tables", dataset), f"`{dataset}` is no dataset of the purpose", dataset, tables
            )
    of_people = [dataset for dataset in tables if _is_of_people(contracts[dataset])]
    if len(of_people) != 1:
        faults.add(
            ("synthetic", "synthesizer"),
            "several tables have one row a person" if of_people else "no table has one row a person",
            expected="one dataset whose subject is its primary key: people are drawn from it, and others hang on it",
            found=", ".join(of_people),
            next_step=_NEXT_STEP,
        )
    if len(tables) > MOST_TABLES:
        faults.add(
            ("synthetic", "synthesizer"),
            "too many tables hang together",
            expected=f"at most {MOST_TABLES}",
            found=f"{len(tables)}",
            next_step=_NEXT_STEP,
        )
    for dataset, columns in tables.items():
        _check_table(asked, contracts[dataset], columns, features, faults)


def _check_table(
    asked: Synthetic, contract: Contract, columns: Sequence[Column], features: FeatureQuery, faults: Faults
) -> None:
    dataset = contract.name
    place: Place = ("datasets", dataset)
    used = _used(features.expression, dataset, columns)
    subject, key, others = _parts(contract, columns, used)
    if subject is None:
        faults.add(
            place,
            f"nothing says whom the rows of `{dataset}` are about, so that nobody can be drawn with them",
            expected="the subject of its contract among its columns",
            next_step=_NEXT_STEP,
        )
        return
    if len(contract.primary_key) > 1 and {*contract.primary_key} & used - {subject.name}:
        faults.add(
            place,
            f"the rows of `{dataset}` are told apart by several columns ({', '.join(contract.primary_key)})",
            expected="one, which can be drawn anew",
            next_step=_NEXT_STEP,
        )
        return
    for column in (subject, *((key,) if key else ())):
        if column.type not in ("UUID", "VARCHAR"):
            faults.add(
                (*place, "columns", column.name),
                f"keys are drawn as tokens, and `{column.name}` is a {column.type}",
                next_step="`technique: {kind: token}`",
            )
    declared = asked.tables.get(dataset, TableDomains())
    names = [column.name for column in others]
    for kind, held in (("bounds", declared.bounds), ("categories", declared.categories)):
        for name in held:
            if name not in names:
                mentioned: Place = ("synthetic", "tables", dataset, kind, name)
                faults.unknown(mentioned, f"no such column of `{dataset}` is drawn", name, names)
    at: Place = ("synthetic", "tables", dataset)
    for column in others:
        if column.identifier_domain is not None or column.role is Role.DIRECT_IDENTIFIER:
            faults.add(
                (*place, "columns", column.name),
                f"`{dataset}.{column.name}` names something else than the person and the row: a third level of tables, "
                "which is not drawn",
                expected="people, and rows that hang on them",
                next_step=_NEXT_STEP,
            )
        elif column.free_text:
            faults.add((*place, "columns", column.name), f"`{column.name}` is free text", next_step=_NEXT_STEP)
        elif column.domain and column.name in declared.categories:
            faults.add((*at, "categories", column.name), f"`{column.name}` has declared values in its contract")
        else:
            synthesis.check_column(at, _with_domain(column, declared), declared.bounds, faults)


def _with_domain(column: Column, declared: TableDomains) -> Column:
    return synthesis.with_domain(column, declared.categories.get(column.name))


def _parts(
    contract: Contract, columns: Sequence[Column], used: frozenset[str]
) -> tuple[Column | None, Column | None, tuple[Column, ...]]:
    """The columns of subject and row key, and the other ones that are used."""
    subject = next((column for column in columns if column.name == contract.subject_column), None)
    named = contract.primary_key[0] if len(contract.primary_key) == 1 else ROW
    key = next((column for column in columns if column.name == named and column.name in used), None)
    if key is subject or (key is not None and key.domain is not None):
        key = None
    others = tuple(column for column in columns if column.name in used and column not in (subject, key))
    return subject, key, others


def _is_of_people(contract: Contract) -> bool:
    subject = contract.subject_column
    return subject is not None and (subject == ROW or contract.primary_key == (subject,))


def _used(query: exp.Query, dataset: str, columns: Sequence[Column]) -> frozenset[str]:
    """The columns of a dataset that a resolved query may use: those that a name of it stands before, wherever."""
    own = [table for table in query.find_all(exp.Table) if table.name == dataset]
    known = frozenset(column.name for column in columns)
    if any(table.alias_column_names for table in own):
        return known
    names = {table.alias_or_name for table in own}
    return frozenset(column.name for column in query.find_all(exp.Column) if column.table in names) & known
