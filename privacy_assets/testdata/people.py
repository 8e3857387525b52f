"""Who there is in the test data, and the rows of each dataset that are theirs.

    one row a person      where the subject's column is the key
    one to five rows      where it is not
    decisions             `granted` by everybody for every purpose, this one first
    rows about nobody     one for each declared value of the key, or twenty

Belongs here: whose each row is, columns that have to fit each other (keys, foreign keys, days, noisy rows), and the
table of what each column was made from. Does not belong here: single values (`values.py`, `keys.py`), files.

Columns of one identifier domain join: the domain's keys are dealt in the dataset whose only key it is, or to people,
and taken from there everywhere else, from rows of the same person where there are such.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from privacy_assets.contracts.contract import ROW, Contract, ContractColumn, Files
from privacy_assets.contracts.loading import Project
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.errors import BadDeclaration, Fault, raise_gathered
from privacy_assets.testdata import keys, values
from privacy_assets.testdata.copied import Copy, Declared, Place, is_identifier

MOST_ROWS = 5
"""A person has from one to so many rows where they may have several."""
_ABOUT_NOBODY = 20
_OTHERS = 50
"""So many others there are of an identifier that no dataset is about, such as staff."""
_EMPTY = 0.02

CONTRACT = "contract"
OF_NOBODY = "contract: keys of nobody"

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Noisy:
    """The rows under differential privacy, by which columns are drawn, and how to call them."""

    frame: pl.DataFrame
    name: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What is made: for which purpose, how many people, by which seed and day, and from which noisy rows, if any."""

    project: Project
    purpose: Purpose
    people: int
    seed: int
    day: date
    copied: Mapping[Place, Copy]
    declared: Mapping[Place, Declared]
    noisy: Noisy | None = None


@dataclass(frozen=True, slots=True)
class MadeFrom:
    """What a column of a dataset was made from, in words."""

    dataset: str
    column: str
    source: str


@dataclass(frozen=True, slots=True)
class Invented:
    """A table for each dataset, in the contract's columns and types, and what each column was made from."""

    tables: Mapping[str, pl.DataFrame]
    made_from: tuple[MadeFrom, ...]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Of one dataset: whose each row is (numbers of people from 0, none where it is about nobody).

    `one_each` says that every person has one. `domain` is the subject's identifier domain, "" where there is none.
    """

    contract: Contract
    owners: Numbers
    one_each: bool
    domain: str

    @property
    def size(self) -> int:
        return len(self.owners)


def datasets(project: Project, purpose: Purpose) -> tuple[str, ...]:
    """The datasets that a purpose needs, and those in which its people's decisions are."""
    decided = [project.contracts[name].privacy.consents for name in purpose.datasets]
    return tuple(dict.fromkeys((*purpose.datasets, *(name for name in decided if name))))


def require_makeable(asked: Asked) -> None:
    """Raise BadDeclaration with every column that cannot be made, and why."""
    work = _Work(asked)
    found = [work.fault(held.contract, column) for held in work.rows.values() for column in held.contract.columns]
    raise_gathered(BadDeclaration, [fault for fault in found if fault is not None])


def invent(asked: Asked) -> Invented:
    """All tables. Raises what `require_makeable` raises."""
    require_makeable(asked)
    work = _Work(asked)
    tables = {name: work.table(held.contract) for name, held in work.rows.items()}
    return Invented(tables, tuple(work.told))


def _as_read(contract: Contract) -> Contract:
    """The contract without the declared values that a reader of its file would take for what is missing."""
    source = contract.source
    if not isinstance(source, Files) or source.format != "csv":
        return contract
    reading = source.reading

    def is_read(text: str) -> bool:
        return text not in reading.null_text and (not reading.trim or text == text.strip())

    columns = (
        replace(column, domain=tuple(filter(is_read, column.domain))) if column.domain is not None else column
        for column in contract.columns
    )
    return replace(contract, columns=tuple(columns))


def _generator(seed: int, *names: str) -> np.random.Generator:
    """Chances of their own for what is named: another column more changes no other."""
    return np.random.default_rng([seed, *"/".join(names).encode()])


def _rows(asked: Asked, contract: Contract) -> _Rows:
    everyone = np.arange(asked.people)
    subject = contract.subject_column
    if subject is None:
        return _Rows(contract, np.arange(_size_about_nobody(contract)), False, "")
    if subject == ROW:
        return _Rows(contract, everyone, True, f"{contract.name}{ROW}")
    column = contract.column(subject)
    domain = column.privacy.identifier_domain
    assert domain is not None  # a subject's column has one
    once = contract.primary_key == (subject,) or column.unique
    if contract.privacy.consent_records is not None:
        if not _records_yes(contract):
            # a register of refusals: it needs a row, which is of somebody who is in no other dataset
            return _Rows(contract, np.array([asked.people]), True, domain.name)
        if not once:
            return _Rows(contract, np.repeat(everyone, len(_decided_about(asked, contract))), False, domain.name)
    if once:
        return _Rows(contract, everyone, True, domain.name)
    many = _generator(asked.seed, "rows", contract.name).integers(1, MOST_ROWS + 1, asked.people)
    return _Rows(contract, np.repeat(everyone, many), False, domain.name)


def _size_about_nobody(contract: Contract) -> int:
    sizes = [len(column.domain) for column in contract.columns if column.domain and _is_key(contract, column)]
    return min(sizes, default=_ABOUT_NOBODY)


def _records_yes(contract: Contract) -> bool:
    records = contract.privacy.consent_records
    return records is None or "granted" in (contract.column(records.decision).domain or ("granted",))


def _decided_about(asked: Asked, contract: Contract) -> tuple[str, ...]:
    """The purposes about which everybody decides, this one first."""
    records = contract.privacy.consent_records
    known = (contract.column(records.purpose).domain if records else None) or (asked.purpose.purpose,)
    return tuple(sorted(known, key=lambda name: (name != asked.purpose.purpose, known.index(name))))


def _is_key(contract: Contract, column: ContractColumn) -> bool:
    """Whether no two rows may share a value of the column."""
    return column.unique or contract.primary_key == (column.name,)


class _Work:
    """The tables while they are made; what columns were made from is gathered on the way."""

    def __init__(self, asked: Asked) -> None:
        contracts = [_as_read(asked.project.contracts[name]) for name in datasets(asked.project, asked.purpose)]
        self.asked = asked
        self.rows: Mapping[str, _Rows] = {contract.name: _rows(asked, contract) for contract in contracts}
        self.told: list[MadeFrom] = []
        self._dealt: dict[tuple[str, str], pl.Series] = {}

    def table(self, contract: Contract) -> pl.DataFrame:
        """The rows of one dataset, in the contract's columns and types."""
        rows = self.rows[contract.name]
        held = self._days(contract, rows) | self._noisy(contract, rows) | self._decisions(contract, rows)
        made = []
        for column in contract.columns:
            series, source = self._column(contract, rows, column, held)
            self.told.append(MadeFrom(contract.name, column.name, source))
            if _may_be_empty(contract, column):
                chance = self._chance("empty", contract, column)
                kept = pl.Series(chance.random(rows.size) >= _EMPTY)
                series = series.zip_with(kept, pl.Series([None], dtype=series.dtype).new_from_index(0, rows.size))
            made.append(series.alias(column.name))
        frame = pl.DataFrame(made)
        if len(contract.primary_key) > 1:
            # a key of several columns may come twice by chance; of such rows the first is kept
            frame = frame.unique(contract.primary_key, keep="first", maintain_order=True)
        return frame

    def _chance(self, what: str, contract: Contract, column: ContractColumn) -> np.random.Generator:
        return _generator(self.asked.seed, what, contract.name, column.name)

    def _column(
        self, contract: Contract, rows: _Rows, column: ContractColumn, held: Mapping[str, tuple[pl.Series, str]]
    ) -> tuple[pl.Series, str]:
        """The values of a column, and what they are made from."""
        place, chance = (contract.name, column.name), self._chance("values", contract, column)
        own = _is_key(contract, column)
        if column.privacy.identifier_domain is not None:
            return self._identifier(contract, rows, column), OF_NOBODY
        if is_identifier(column) and (own or not _is_described(column)):
            return keys.keys(column, rows.size, chance, different=own), OF_NOBODY
        if column.name in held:
            return held[column.name]
        if own:
            return self._once(rows, column, chance), CONTRACT
        told = self.asked.declared.get(place)
        if told is not None and told.labels is not None:
            at = chance.integers(len(told.labels), size=rows.size).tolist()
            return pl.Series([told.labels[one] for one in at], dtype=pl.String), f"{CONTRACT}, {told.by}"
        made = values.values(column, rows.size, chance, told.span if told else None)
        if values.is_text_of_faker(column):
            return made, "faker"
        return made, f"{CONTRACT}, {told.by}" if told and column.domain is None else CONTRACT

    def _once(self, rows: _Rows, column: ContractColumn, chance: np.random.Generator) -> pl.Series:
        """Different values of a column that identifies nobody, and in which none may come twice."""
        if column.domain is not None:
            return pl.Series(column.domain[: rows.size], dtype=pl.String).cast(values.dtype(column.type))
        if column.type in ("DATE", "TIMESTAMP"):
            return values.in_a_row(column, rows.size, self.asked.day)
        return keys.keys(column, rows.size, chance, different=True)

    def fault(self, contract: Contract, column: ContractColumn) -> Fault | None:
        """Why a column cannot be made; None where it can."""
        found = self._hindrance(contract, column)
        if found is None:
            return None
        expected, held = found
        return Fault(
            f"the column {column.name} of {contract.name} cannot be made",
            where=self.asked.project.where("contract", contract.name, "columns", column.name),
            expected=expected,
            found=held,
            next_step="ask for fewer people, or give the column another type in the contract, as a new version",
        )

    def _hindrance(self, contract: Contract, column: ContractColumn) -> tuple[str, str] | None:
        """What is expected of a column in which values must differ or be nobody's, and what there is instead."""
        domain, own = column.privacy.identifier_domain, _is_key(contract, column)
        size = self.rows[contract.name].size
        if column.domain == ():
            return "a declared value that a reader of the file does not take for a missing one", "none"
        if is_identifier(column) and not keys.form(column):
            return "text or a whole number, which can be written as nobody's is", column.type
        if not own and domain is None:
            return None
        if not is_identifier(column):
            if column.domain is not None:
                short = len(column.domain) < size
                return (f"{size:,} different values", f"{len(column.domain):,} declared ones") if short else None
            if column.type in ("DATE", "TIMESTAMP"):
                most_days = _days_kept(contract) // 2 if column.name == _retained_by(contract) else values.FAR_BACK
                short = column.type == "DATE" and most_days < size
                return (f"{size:,} different days", f"{most_days:,} that may be") if short else None
        if not keys.form(column):
            return "text or a whole number, which can be written as nobody's is", column.type
        count = self._dealt_to(contract, domain.name, column.name)[0] if domain else size
        at_most = keys.most(column)
        if (own or (domain is not None and self._is_told_apart(domain.name))) and at_most is not None:
            there_are = f"{at_most:,} {keys.form(column)}s of nobody that a {column.type} can hold"
            return (f"{count:,} different ones", there_are) if count > at_most else None
        return None

    # ---- keys

    def _identifier(self, contract: Contract, rows: _Rows, column: ContractColumn) -> pl.Series:
        """The key of each row: its person's, its own, or that of a row of another dataset."""
        domain = column.privacy.identifier_domain
        assert domain is not None
        count, whose = self._dealt_to(contract, domain.name, column.name)
        dealt = self._dealt.get((domain.name, column.type))
        if dealt is None:
            chance, different = _generator(self.asked.seed, "keys", domain.name), self._is_told_apart(domain.name)
            dealt = self._dealt[domain.name, column.type] = keys.keys(column, count, chance, different=different)
        return dealt.gather(whose(rows, self._chance("whose", contract, column)))

    def _dealt_to(
        self, contract: Contract, domain: str, column: str
    ) -> tuple[int, Callable[[_Rows, np.random.Generator], Numbers]]:
        """How many keys of a domain there are, and which of them each row of a dataset has in this column."""
        rows = self.rows[contract.name]
        of_people = {held.domain for held in self.rows.values()}
        if domain in of_people:
            if column == contract.subject_column:
                return self.asked.people + 1, lambda own, _: own.owners
            return self.asked.people + 1, lambda own, chance: chance.integers(self.asked.people, size=own.size)
        home = self._home(domain)
        if home is not None:
            if home.contract.name == contract.name and _is_key(contract, contract.column(column)):
                return home.size, lambda own, _: np.arange(own.size)
            if rows.domain and home.domain == rows.domain:
                return home.size, lambda own, chance: _row_of_the_same(home.owners, own.owners, chance)
            return home.size, lambda own, chance: chance.integers(home.size, size=own.size)
        if any(held.one_each and _has(held.contract, domain) for held in self.rows.values()) and rows.domain:
            return self.asked.people + 1, lambda own, _: own.owners
        return _OTHERS, lambda own, chance: chance.integers(_OTHERS, size=own.size)

    def _home(self, domain: str) -> _Rows | None:
        """The dataset whose rows the keys of this domain tell apart."""
        for held in self.rows.values():
            for column in held.contract.columns:
                own = column.privacy.identifier_domain
                if own is not None and own.name == domain and _is_key(held.contract, column):
                    return held
        return None

    def _is_told_apart(self, domain: str) -> bool:
        return self._home(domain) is not None or domain in {held.domain for held in self.rows.values()}

    # ---- columns that fit each other

    def _days(self, contract: Contract, rows: _Rows) -> dict[str, tuple[pl.Series, str]]:
        dated = [one for one in contract.columns if one.type in ("DATE", "TIMESTAMP") and not _is_key(contract, one)]
        chance = _generator(self.asked.seed, "days", contract.name)
        made = values.days(dated, rows.size, chance, self.asked.day, _days_kept(contract))
        source = {_retained_by(contract): f"{CONTRACT}: within retention"}
        return {name: (series, source.get(name, CONTRACT)) for name, series in made.items()}

    def _noisy(self, contract: Contract, rows: _Rows) -> dict[str, tuple[pl.Series, str]]:
        """Columns whose values are those of noisy rows: one such row for each row, and for a person the same traits.

        A person's first row has the very noisy row that the person has; every further one has another of those that
        agree with it in what the person has once.
        """
        noisy = self.asked.noisy
        copied = {name: copy for (dataset, name), copy in self.asked.copied.items() if dataset == contract.name}
        if noisy is None or not copied or not rows.domain or rows.domain != self._domain_of_features():
            return {}
        base = _generator(self.asked.seed, "noisy").integers(noisy.frame.height, size=self.asked.people + 1)
        taken = base[rows.owners]
        if not rows.one_each:
            traits = self._traits()
            further = np.concatenate([[False], rows.owners[1:] == rows.owners[:-1]])
            chance = _generator(self.asked.seed, "noisy", contract.name)
            taken = np.where(further, _alike(noisy.frame, traits, taken, chance), taken)
        found = {}
        for name, copy in copied.items():
            if copy.feature not in noisy.frame.columns:  # a key of the features leaves with no release
                continue
            series = noisy.frame[copy.feature].gather(taken)
            if copy.kept is not None:
                cut = (label if label is None else copy.written(label) for label in series.to_list())
                series = pl.Series(name, list(cut), pl.String)
            column = contract.column(name)
            if column.domain is not None:
                text = series.cast(pl.String)
                series = text.set(~text.is_in(list(column.domain)), None)
            if series.null_count() and not _may_be_empty(contract, column):
                told = self.asked.declared.get((contract.name, name))
                chance, span = self._chance("values", contract, column), told.span if told else None
                series = series.cast(values.dtype(column.type))
                series = series.fill_null(values.values(column, rows.size, chance, span))
            found[name] = (series.cast(values.dtype(column.type)), noisy.name)
        return found

    def _domain_of_features(self) -> str:
        columns = self.asked.project.features(self.asked.purpose.purpose).columns
        domains = [one.identifier_domain for one in columns if one.name == self.asked.purpose.features.subject]
        return domains[0].name if domains and domains[0] is not None else ""

    def _traits(self) -> list[str]:
        """The features that a person has once."""
        once = {name for name, held in self.rows.items() if held.one_each and held.domain == self._domain_of_features()}
        released = self.asked.noisy.frame.columns if self.asked.noisy else []
        copied = {copy.feature for (dataset, _), copy in self.asked.copied.items() if dataset in once}
        return sorted(copied & set(released))

    def _decisions(self, contract: Contract, rows: _Rows) -> dict[str, tuple[pl.Series, str]]:
        records = contract.privacy.consent_records
        if records is None:
            return {}
        about, decisions = _decided_about(self.asked, contract), contract.column(records.decision).domain or ("",)
        decision = "granted" if _records_yes(contract) else decisions[0]
        said = {records.purpose: np.resize(about, rows.size).tolist(), records.decision: [decision] * rows.size}
        return {name: (pl.Series(texts), f"{CONTRACT}: everybody's decisions") for name, texts in said.items()}


def _may_be_empty(contract: Contract, column: ContractColumn) -> bool:
    source = contract.source
    if isinstance(source, Files) and source.format == "csv" and not source.reading.null_text:
        return False
    return not (
        column.required or _is_key(contract, column) or column.name in (contract.subject_column, *contract.primary_key)
    )


def _retained_by(contract: Contract) -> str:
    """The column from which a row's retention runs, "" where none does."""
    return contract.privacy.retention.column if contract.privacy.retention else ""


def _days_kept(contract: Contract) -> int:
    """How many days a row may be kept, or those of two lives."""
    return contract.privacy.retention.days if contract.privacy.retention else values.FAR_BACK


def _is_described(column: ContractColumn) -> bool:
    """Whether the category says what an identifier looks like, beyond that it is one."""
    if keys.form(column) == "text":
        return values.is_known(column)
    return not keys.form(column)


def _has(contract: Contract, domain: str) -> bool:
    held = (column.privacy.identifier_domain for column in contract.columns)
    return any(one is not None and one.name == domain for one in held)


def _row_of_the_same(owners: Numbers, wanted: Numbers, chance: np.random.Generator) -> Numbers:
    """For each of `wanted` a row of that owner, by chance; `owners` are sorted, and have a row of each."""
    first, past = np.searchsorted(owners, wanted, "left"), np.searchsorted(owners, wanted, "right")
    return first + (chance.random(len(wanted)) * (past - first)).astype(np.int64)


def _alike(frame: pl.DataFrame, traits: Sequence[str], rows: Numbers, chance: np.random.Generator) -> Numbers:
    """For each of `rows` of the frame one that has the same in `traits`, by chance."""
    if not traits:
        return chance.integers(frame.height, size=len(rows))
    groups: Any = frame.select(pl.struct(traits).rank("dense")).to_series().to_numpy().astype(np.int64)
    order = np.argsort(groups, kind="stable")
    return order[_row_of_the_same(groups[order], groups[rows], chance)]
