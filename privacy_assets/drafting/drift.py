"""What a contract says and its source no longer holds; the contract that would fit, as a version of the right size.

    contract + source as it is now ─► differences ─► text with them in it ─► loaded in a shadow ─► shown, or written

Belongs here: which difference asks for which change, and how large it is. Does not belong here: looking (`looking.py`),
guessing (`judging.py`), changing text (`editing.py`).

    patch   the evidence alone: what judged, and what it thought
    minor   who reads on as before: a column more, a category more
    major   who reads has to look: a column less, another type, another role, a value that may be missing

No role is lowered and no promise made: a source is evidence of what is, not of what should be. Names of columns and
counts are told, and values only where so many people share them that a draft would list them (decision 13).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from privacy_assets.contracts.contract import ROW, Contract, ContractColumn, Drafted
from privacy_assets.contracts.loading import CONTRACT_ENDING, CONTRACTS, PURPOSES, Folders, Project, load
from privacy_assets.contracts.versions import Size, next_version
from privacy_assets.drafting.combinations import with_combinations
from privacy_assets.drafting.editing import Editor
from privacy_assets.drafting.judged import judged
from privacy_assets.drafting.judging import Guess, judge_all
from privacy_assets.drafting.looking import CATEGORIES, SHARED, Delivered, look_at
from privacy_assets.drafting.naming import could_be_somebody
from privacy_assets.drafting.writing import LOGICAL, as_yaml, column_lines, guessed_lines, stated
from privacy_assets.errors import BadDeclaration, BadSource, Fault, raise_gathered
from privacy_assets.words import PROTECTION, Role

WIDER = {"BIGINT": "DOUBLE", "INTEGER": "DOUBLE", "SMALLINT": "DOUBLE", "DATE": "TIMESTAMP"}
"""The next type that holds all that this one holds, and more."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference that the new version has, in words, and what it makes of the version."""

    what: str
    size: Size


@dataclass(frozen=True, slots=True)
class Drift:
    """How a contract and its source differ.

    `notes` are differences that change nothing by themselves. `faults` are why the new text cannot be written as it is.
    """

    path: Path
    file: str
    before: str
    after: str
    versions: tuple[str, str]
    changes: tuple[Change, ...]
    notes: tuple[str, ...]
    faults: tuple[Fault, ...]

    @property
    def diff(self) -> str:
        """The change of the file, as `diff -u` writes it."""
        lines = difflib.unified_diff(
            self.before.splitlines(), self.after.splitlines(), f"{self.file} {self.versions[0]}",
            f"{self.file} {self.versions[1]}", lineterm="",
        )  # fmt: skip
        return "\n".join(lines)


def drift(dataset: str, root: Path) -> Drift:
    """Compare the contract of `dataset` with its source as it is now; nothing is written.

    Raises BadDeclaration where the project does not load or has no such contract, BadSource where the source cannot be
    read, or has so few of the declared columns that it is another table.
    """
    project = load(root)
    contract = project.contracts.get(dataset)
    if contract is None:
        raise BadDeclaration.of(
            "there is no such contract", where="--drift", expected="one of " + ", ".join(project.contracts)
        )
    now = look_at(contract, root)
    _check_it_is_the_table(contract, now)
    path = Folders.of(root).contracts / f"{dataset}{CONTRACT_ENDING}"
    with path.open(encoding="utf-8", newline="") as file:
        before = file.read()
    found = _Comparison(
        project, contract, now, Editor(before, lambda *place: project.where("contract", dataset, *place))
    )
    found.compare()
    size = max((change.size for change in found.changes), default=None)
    version = contract.version if size is None else next_version(contract.version, size)
    after = before
    if size is not None:
        found.editor.put(("version",), "version", version)
        after = found.editor.text()
    faults = [*found.editor.faults, *found.faults]
    if size is not None and not faults:
        faults += _shadowed(root, contract, after, replace(found.expected(), version=version))
    return Drift(
        path, contract.path, before, after, (contract.version, version), tuple(found.changes), tuple(found.notes),
        tuple(faults),
    )  # fmt: skip


def apply(found: Drift) -> None:
    """Write the new version over the contract; raises BadDeclaration where something stands against it."""
    raise_gathered(BadDeclaration, found.faults)
    with found.path.open(encoding="utf-8", newline="") as file:
        if file.read() != found.before:
            raise BadDeclaration.of(
                "the contract was changed meanwhile", where=found.file, next_step="look at it, and run it again"
            )
    new = found.path.with_name(f".{found.path.name}.new")
    new.write_text(found.after, encoding="utf-8", newline="")
    new.chmod(found.path.stat().st_mode)
    new.replace(found.path)


@dataclass
class _Comparison:
    """The differences as they are found, each with its change of the text and of the contract that is expected."""

    project: Project
    contract: Contract
    now: Delivered
    editor: Editor
    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    columns: dict[str, ContractColumn] = field(default_factory=dict)
    drafted: Drafted | None = None

    def compare(self) -> None:
        """Find them all, in the order of the contract, then what is new."""
        contract, subject = self.contract, self.contract.subject_column
        alone = judge_all(self.now.columns)
        guesses, _ = with_combinations(alone, self.now.codes, rows=self.now.rows, subject=subject)
        here = {guess.facts.name: guess for guess in guesses}
        self.drafted = contract.drafted
        for column in contract.columns:
            if column.name not in here:
                self._removed(column)
            else:
                self._still_there(column, here[column.name])
        self._added(guesses)
        self._judged_again(guesses)

    def expected(self) -> Contract:
        """The contract that the new text has to state."""
        keys = tuple(name for name in self.contract.primary_key if name in self.columns)
        return replace(self.contract, columns=tuple(self.columns.values()), primary_key=keys, drafted=self.drafted)

    @property
    def _shared(self) -> str:
        """Of how many a value is common: people, where a column tells them apart."""
        return f"{SHARED} {'rows' if self.contract.subject_column in (None, ROW) else 'people'}"

    def _change(self, size: Size, what: str) -> None:
        self.changes.append(Change(what, size))

    def _removed(self, column: ContractColumn) -> None:
        name = column.name
        self._change(Size.MAJOR, f"{name}: the source has it no more")
        self.editor.take_column_away(("columns", name))
        for purpose in self.project.purposes.values():
            use = purpose.datasets.get(self.contract.name)
            if use is not None and name in use.columns:
                self.faults.append(
                    Fault(
                        f"the purpose `{purpose.purpose}` needs `{name}`, which the source has no more",
                        self.project.where("purpose", purpose.purpose, "datasets", self.contract.name, "columns", name),
                        next_step="have the column delivered again, or take it out of the purpose first",
                    )
                )

    def _still_there(self, column: ContractColumn, guess: Guess) -> None:
        new = self._role(self._retyped(column, guess), guess)
        self.columns[column.name] = self._required(self._categories(new), guess)

    def _retyped(self, column: ContractColumn, guess: Guess) -> ContractColumn:
        name, unread = column.name, self.now.against[column.name].unread
        place = ("columns", name)
        if not unread:
            found = guess.facts.type
            if WIDER.get(found) == column.type:
                self.notes.append(f"{name}: every value is {found} now, which is narrower than {column.type}; it stays")
            return column
        share = unread / self.now.rows
        if share <= self.contract.privacy.quarantine_at_most:
            self.notes.append(f"{name}: {_many(unread, 'value')} of another type than {column.type}, quarantined")
            return column
        type_ = guess.facts.type
        self._change(
            Size.MAJOR,
            f"{name}: {unread:,} of {_many(self.now.rows, 'value')} of another type than {column.type}: now {type_}",
        )
        self.editor.put((*place, "logicalType"), "logicalType", LOGICAL[type_])
        if self._stands(*place, "physicalType"):
            self.editor.take_away((*place, "physicalType"), "physicalType")
        if column.domain is not None:
            self.editor.take_away((*place, "enum"), "enum")
        return replace(column, type=type_, domain=None)

    def _categories(self, column: ContractColumn) -> ContractColumn:
        against, name = self.now.against[column.name], column.name
        if column.domain is None or not against.outside:
            return column
        more = against.outside_common
        if len(column.domain) + len(more) > max(CATEGORIES, len(column.domain)):
            self.notes.append(
                f"{name}: with {len(more)} more categories it would be none; its rows with these are broken"
            )
            return column
        if rare := against.outside_different - len(more):
            self.notes.append(
                f"{name}: {_many(rare, 'value')} outside of its categories, of fewer than {self._shared} each, "
                "not added but quarantined"
            )
        if not more:
            return column
        self._change(Size.MINOR, f"{name}: {_many(len(more), 'category')} more, of at least {self._shared} each")
        written = [as_yaml(text) if column.type == "VARCHAR" else text for text in more]
        self.editor.add_category(("columns", column.name, "enum"), len(column.domain), written)
        return replace(column, domain=(*column.domain, *more))

    def _required(self, column: ContractColumn, guess: Guess) -> ContractColumn:
        name, missing = column.name, guess.facts.rows - guess.facts.filled
        if not missing or not column.required:
            return column
        share = missing / self.now.rows
        if share <= self.contract.privacy.quarantine_at_most:
            self.notes.append(f"{name}: required, and missing in {_many(missing, 'row')}, quarantined")
            return column
        self._change(Size.MAJOR, f"{name}: missing in {missing:,} of {_many(self.now.rows, 'row')}: required no more")
        if name in self.contract.primary_key:
            self.faults.append(
                Fault(
                    f"`{name}` tells rows apart, so it cannot be left out of any",
                    self.project.where("contract", self.contract.name, "columns", name),
                    next_step="have it delivered, or declare another primary key first",
                )
            )
            return column
        self.editor.put(("columns", name, "required"), "required", "false")
        return replace(column, required=False)

    def _role(self, column: ContractColumn, guess: Guess) -> ContractColumn:
        """The declared role, or the one that is guessed now, if another was guessed before and this protects more."""
        kept, name, declared = self.contract.drafted, column.name, column.privacy.role
        before = kept.guessed.get(name) if kept is not None else None
        if before is None or before is guess.role:
            return column
        said = f"{name}: {guess.role.value} ({guess.kind}) is guessed now, {before.value} before"
        if PROTECTION.rank(guess.role) <= PROTECTION.rank(declared):
            self.notes.append(f"{said}; it stays {declared.value}")
            return column
        self._change(Size.MAJOR, f"{said}: {guess.evidence}")
        self.editor.swap(("columns", name, "privacy", "role"), "role", declared.value, guess.role.value)
        new = replace(column, privacy=column.privacy.model_copy(update={"role": guess.role}))
        if guess.role is Role.DIRECT_IDENTIFIER and column.domain is not None:
            self.editor.take_away(("columns", name, "enum"), "enum")
            new = replace(new, domain=None)
        return new

    def _added(self, guesses: Sequence[Guess]) -> None:
        declared = {column.name for column in self.contract.columns}
        last = self.contract.columns[-1].name
        hidden = 0
        somebody = could_be_somebody([guess.facts.name for guess in guesses])
        for guess, is_somebody in zip(guesses, somebody, strict=True):
            name = guess.facts.name
            if name in declared:
                last = name
                continue
            if is_somebody:
                hidden += 1
                continue
            if not _can_be_declared(name, self.columns):
                self.notes.append(f"{as_yaml(name)}: a new column whose name cannot be declared; it stays in raw")
                continue
            self._change(Size.MINOR, f"{name}: a new column, {guess.facts.type}, {guess.role.value} ({guess.kind})")
            self.editor.add_column(("columns", last), list(column_lines(guess)))
            self._insert(last, guess)
        if hidden:
            self.notes.append(f"{_many(hidden, 'new column')} not shown: the name looks like something of a person")

    def _insert(self, after: str, guess: Guess) -> None:
        """Behind the column `after` and what was put behind it before, in the order of the text."""
        known = [column.name for column in self.contract.columns]
        items = list(self.columns.items())
        at = next((place for place, (name, _) in enumerate(items, 1) if name == after), len(items))
        while at < len(items) and items[at][0] not in known:
            at += 1
        items.insert(at, (guess.facts.name, stated(guess)))
        self.columns = dict(items)

    def _judged_again(self, guesses: Sequence[Guess]) -> None:
        kept = self.contract.drafted
        if kept is None:
            return
        fresh = judged(guesses)
        if fresh.detectors != kept.detectors:
            self._change(Size.PATCH, "what guesses has changed: every column was judged again")
        if not self.changes:
            if fresh.counts != kept.counts:
                self.notes.append(
                    f"{kept.rows:,} rows then, {fresh.rows:,} now: every column was judged again, as before"
                    if fresh.guessed == kept.guessed
                    else f"{kept.rows:,} rows then, {fresh.rows:,} now: every column was judged again"
                )
            return
        known = {name: role for name, role in fresh.guessed.items() if name in self.columns}
        self.drafted = fresh.model_copy(update={"guessed": known})
        self.editor.put(("drafted", "detectors"), "detectors", f'"{fresh.detectors}"')
        self.editor.put(("drafted", "rows"), "rows", str(fresh.rows))
        self.editor.put(("drafted", "counts"), "counts", f'"{fresh.counts}"')
        self.editor.rewrite(("drafted", "guessed"), "guessed", list(guessed_lines(known)))

    def _stands(self, *place: str) -> bool:
        """Whether a key is written: else its place is that of what it would stand in."""
        return self.project.where("contract", self.contract.name, *place) != self.project.where(
            "contract", self.contract.name, *place[:-1]
        )


def _many(number: int, what: str) -> str:
    """A number of things: `1 row`, `2 categories`."""
    plural = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{number:,} {what if number == 1 else plural}"


def _check_it_is_the_table(contract: Contract, now: Delivered) -> None:
    """A file without its header has the first person's values for names: these are neither shown nor declared."""
    held = sum(column.name in now.against for column in contract.columns)
    if held * 2 < len(contract.columns):
        raise BadSource.of(
            "the source does not look like the table of this contract",
            where=contract.source.place,
            expected=f"most of the {len(contract.columns)} declared columns",
            found=f"{held} of them" if held else "none of them: the header may be missing",
            next_step="deliver it again, or draft it as another dataset",
        )


def _can_be_declared(name: str, known: Mapping[str, object]) -> bool:
    plain = {_plain(one) for one in known}
    proper = name.strip() == name and name.isprintable() and 0 < len(name) <= 128 and not name.startswith("_")
    return proper and _plain(name) not in plain


def _plain(name: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name.casefold())


def _shadowed(root: Path, contract: Contract, text: str, expected: Contract) -> Iterator[Fault]:
    """What is wrong with the whole project if the contract had this text; the project itself is not touched."""
    real = Folders.of(root)
    with TemporaryDirectory(prefix="privacy_assets_") as folder:
        shadow = Path(folder)
        folders = Folders(
            _within(shadow, real.contracts, root, CONTRACTS), _within(shadow, real.purposes, root, PURPOSES)
        )
        for kept, copied in ((real.contracts, folders.contracts), (real.purposes, folders.purposes)):
            copied.mkdir(parents=True, exist_ok=True)
            for path in sorted(kept.glob("*.y*ml")):
                (copied / path.name).write_bytes(path.read_bytes())
        (folders.contracts / f"{contract.name}{CONTRACT_ENDING}").write_text(text, encoding="utf-8", newline="")
        try:
            changed = load(shadow, folders).contracts[contract.name]
        except BadDeclaration as error:
            yield from error.faults
            return
        if _meaning(changed) != _meaning(expected):
            yield Fault(
                "the new text would not say what was meant", contract.path,
                next_step="change it by hand after the diff; report how the contract is written",
            )  # fmt: skip


def _within(shadow: Path, folder: Path, root: Path, usual: str) -> Path:
    """Where a folder of the project lies in its shadow: as it does there, so that faults name it so."""
    return shadow / (folder.relative_to(root) if folder.is_relative_to(root) else usual)


def _meaning(contract: Contract) -> Contract:
    return replace(contract, digest="", path="")
