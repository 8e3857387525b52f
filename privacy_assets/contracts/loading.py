"""Loads a project's contracts and purposes. The only place that opens a YAML file.

Belongs here: where the two folders lie, finding the files, reading each, checking all against each other, and
answering where each promise stands. Does not belong here: what a contract or a purpose must be (`_odcs.py`,
`purpose.py`, `checks.py`).

All faults of all files are gathered and raised at once, each with its file and line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from privacy_assets.contracts import _odcs, _yaml, anonymity, columns, linked_tables, synthesis
from privacy_assets.contracts._faults import Faults, parse
from privacy_assets.contracts._tables import files_of, with_tables
from privacy_assets.contracts._yaml import Document
from privacy_assets.contracts.checks import check_contracts, check_purpose, paying
from privacy_assets.contracts.contract import Contract
from privacy_assets.contracts.features_sql import FeatureQuery
from privacy_assets.contracts.linked_tables import LinkedTable
from privacy_assets.contracts.meaning import digest_of, text_of
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.errors import BadDeclaration, Fault, raise_gathered
from privacy_assets.words import AssetName, Column, Stage

CONTRACTS = "data/contracts"
PURPOSES = "data/purposes"
SETTINGS = "pyproject.toml"
TABLE = "tool.privacy_assets"
CONTRACT_ENDING = ".odcs.yaml"
PURPOSE_ENDING = ".yaml"
# what follows the file in the place of a fault: line and column, or a place in folded SQL
_NUMBERED = re.compile(r"(.*?)((?::[0-9]+)*)( \(SQL [0-9:]+\))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Folders:
    """The two folders that hold the declarations of a project. Raises BadDeclaration where they are one."""

    contracts: Path
    purposes: Path

    def __post_init__(self) -> None:
        if self.contracts == self.purposes:
            raise BadDeclaration.of(
                "contracts and purposes are looked for in one folder",
                where=str(self.contracts),
                expected="a folder for each: what a file is, is known by its folder",
                next_step="put the purposes into a folder of their own, and name that",
            )

    @classmethod
    def of(cls, root: Path) -> Folders:
        """Where the project at `root` says that they are: in [tool.privacy_assets] of its pyproject.toml, if at all.

        What is not said there lies in data/contracts and data/purposes. Raises BadDeclaration where the file cannot
        be read, or its table holds something else.
        """
        told = {"contracts": CONTRACTS, "purposes": PURPOSES}
        faults = []
        for key, value in _settings(root).items():
            if key in told and isinstance(value, str) and value.strip():
                told[key] = value
            else:
                faults.append(
                    Fault(
                        f"`{key}` cannot stand here as it is" if key in told else f"there is no key `{key}` here",
                        where=f"{SETTINGS}: [{TABLE}]",
                        expected="`contracts` and `purposes`, each the path of a folder from here, as text",
                        next_step="mend this line",
                    )
                )
        raise_gathered(BadDeclaration, faults)
        return cls(root / told["contracts"], root / told["purposes"])


@dataclass(frozen=True)
class Project:
    """Everything that is declared, checked, by name. Made by `load`."""

    root: Path
    contracts: Mapping[str, Contract]
    purposes: Mapping[str, Purpose]
    _features: Mapping[str, FeatureQuery] = field(repr=False)
    _documents: Mapping[tuple[str, str], Document] = field(repr=False)

    def where(self, kind: str, name: str, *place: str | int) -> str:
        """The file and line in which a promise stands: `data/purposes/x.yaml:12`.

        `kind` is "contract" or "purpose". `place` is the way to it in the file; of a contract also ("privacy", ...),
        ("source", ...) and ("columns", name, "privacy", ...). What is not written there has the line that it would
        stand in. KeyError where there is no such contract or purpose.
        """
        document = self._documents[kind, name]
        if kind == "contract":
            known = _odcs.aliases(document)
            for length in range(len(place), 0, -1):
                if place[:length] in known:
                    return document.where((*known[place[:length]], *place[length:]))
        return document.where(place)

    def raw_columns(self, dataset: str) -> tuple[Column, ...]:
        """The columns of a dataset as its contract promises them, with `_row` where that names the subject."""
        return columns.raw_columns(self.contracts[dataset])

    def minimized_columns(self, purpose: str, dataset: str) -> tuple[Column, ...]:
        """The columns of a dataset that a purpose needs, in the purpose's order, before any technique."""
        return columns.minimized_columns(self.contracts[dataset], self.purposes[purpose].datasets[dataset])

    def pseudonymized_columns(self, purpose: str, dataset: str) -> tuple[Column, ...]:
        """The same columns as the purpose's techniques leave them."""
        return columns.pseudonymized_columns(self.contracts[dataset], self.purposes[purpose].datasets[dataset])

    def features(self, purpose: str) -> FeatureQuery:
        """The purpose's SQL, resolved against its pseudonymized tables, and the columns that it makes."""
        return self._features[purpose]

    def anonymized_columns(self, purpose: str) -> tuple[Column, ...]:
        """The columns of a purpose's features as they are anonymized."""
        return anonymity.anonymized_columns(self.purposes[purpose], self.features(purpose).columns)

    def synthetic_columns(self, purpose: str) -> tuple[Column, ...]:
        """The columns of a purpose's features as they are synthesized."""
        return synthesis.synthetic_columns(self.purposes[purpose], self.features(purpose).columns)

    def linked_tables(self, purpose: str) -> tuple[LinkedTable, ...]:
        """The tables that a purpose's synthesizer sees, people's first; none where it sees the features."""
        asked = self.purposes[purpose]
        tables = {dataset: self.pseudonymized_columns(purpose, dataset) for dataset in asked.datasets}
        return linked_tables.linked_tables(asked, self.contracts, tables, self.features(purpose))

    def training_columns(self, purpose: str) -> tuple[Column, ...]:
        """The columns of a purpose's training set: those of what it is made from, and the split."""
        asked = self.purposes[purpose].training
        if asked is not None and asked.source == "anonymized":
            return self.anonymized_columns(purpose)
        if asked is not None and asked.source == "synthetic":
            return self.synthetic_columns(purpose)
        return (*self.features(purpose).columns, anonymity.split_column())

    def digest(self, purpose: str) -> str:
        """The SHA-256 (hex) of what a purpose means: the same for another order of keys, spacing or comment."""
        return digest_of(text_of(self.purposes[purpose]))

    def by_digest(self) -> Mapping[str, Contract | Purpose]:
        """Every contract and purpose by its digest."""
        contracts = {contract.digest: contract for contract in self.contracts.values()}
        return {**contracts, **{self.digest(name): purpose for name, purpose in self.purposes.items()}}

    def paying(self, purpose: str) -> tuple[str, ...]:
        """The datasets whose people pay for what is released for a purpose: where its rows and decisions come from."""
        return paying([self.contracts[name] for name in self.purposes[purpose].datasets], self.contracts)

    def paid(self, purpose: str) -> frozenset[AssetName]:
        """The assets of a purpose of which each materialization is asked for by name: it costs people."""
        asked = self.purposes[purpose]
        found = {Stage.STATISTICS} if asked.statistics else set()
        if asked.synthetic and asked.synthetic.differential is not None:
            found.add(Stage.SYNTHETIC)
        if asked.model and asked.model.differential is not None:
            found.add(Stage.MODEL)
        return frozenset(AssetName(stage, purpose) for stage in found)

    def assets(self) -> frozenset[AssetName]:
        """Every asset that is declared."""
        found = {AssetName(Stage.RAW, dataset=name) for name in self.contracts}
        for name, purpose in self.purposes.items():
            for dataset in purpose.datasets:
                found |= {AssetName(stage, name, dataset) for stage in (Stage.MINIMIZED, Stage.PSEUDONYMIZED)}
            found.add(AssetName(Stage.FEATURES, name))
            if purpose.anonymized:
                found.add(AssetName(Stage.ANONYMIZED, name))
            if purpose.synthetic:
                found.add(AssetName(Stage.SYNTHETIC, name))
            if purpose.statistics:
                found.add(AssetName(Stage.STATISTICS, name))
            if purpose.training:
                found.add(AssetName(Stage.TRAINING, name))
            if purpose.model:
                found.add(AssetName(Stage.MODEL, name))
        return frozenset(found)


def load(root: Path, folders: Folders | None = None) -> Project:
    """The project at `root`; raises BadDeclaration with all faults of all files.

    `folders` hold its declarations, wherever they lie; left out, they are where the project says.
    """
    project, faults = _load(root, folders or Folders.of(root))
    raise_gathered(BadDeclaration, faults)
    return project


def check(root: Path) -> list[Fault]:
    """All faults of all contracts and purposes of the project at `root`, in the order of files and lines."""
    return _load(root, Folders.of(root))[1]


def named_tables(root: Path, folders: Folders) -> tuple[str, ...]:
    """The files outside of the two folders that loading reads: as purposes name them, where these can be read."""
    opened = _open(root, folders.purposes, PURPOSE_ENDING, [])
    purposes = (parse(Purpose, faults) for faults in opened.values() if faults is not None)
    return tuple(dict.fromkeys(file for purpose in purposes if purpose is not None for file in files_of(purpose)))


def _load(root: Path, folders: Folders) -> tuple[Project, list[Fault]]:
    found: dict[str, list[Fault]] = {"contract": [], "purpose": []}
    contract_files = _open(root, folders.contracts, CONTRACT_ENDING, found["contract"])
    purpose_files = _open(root, folders.purposes, PURPOSE_ENDING, found["purpose"])
    if not contract_files and not any(found.values()):
        found["contract"].append(
            Fault(
                "there is no contract",
                where=shown(folders.contracts, root),
                expected=f"a file <dataset>{CONTRACT_ENDING}",
                next_step="write one, or run the command in the project's folder",
            )
        )
    contracts: dict[str, Contract] = {}
    for name, faults in contract_files.items():
        if faults is not None and (contract := _odcs.contract(faults.document, name, faults)) is not None:
            contracts[name] = contract
    readable = {name: faults for name, faults in contract_files.items() if faults is not None}
    check_contracts(contracts, contract_files.keys(), readable)
    purposes: dict[str, Purpose] = {}
    features: dict[str, FeatureQuery] = {}
    for name, faults in purpose_files.items():
        if faults is not None and (purpose := parse(Purpose, faults)) is not None:
            purpose = with_tables(root, purpose, faults)
            query = check_purpose(purpose, name, contracts, contract_files.keys(), faults)
            purposes[name] = purpose
            if query is not None:
                features[name] = query
    documents: dict[tuple[str, str], Document] = {}
    for kind, files in (("contract", contract_files), ("purpose", purpose_files)):
        for name, faults in files.items():
            if faults is not None:
                documents[kind, name] = faults.document
                found[kind] += faults.found
    project = Project(root, MappingProxyType(contracts), MappingProxyType(purposes), features, documents)
    helpful = [fault for kind, faults in found.items() for fault in _with_next_step(kind, faults)]
    return project, sorted(helpful, key=_position)


def _settings(root: Path) -> dict[str, object]:
    """What the project's pyproject.toml says about us: nothing, where there is none."""
    try:
        value = tomllib.loads((root / SETTINGS).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadDeclaration.of(
            "the project's settings cannot be read",
            where=str(root / SETTINGS),
            found=str(error) if isinstance(error, tomllib.TOMLDecodeError) else type(error).__name__,
            next_step=f"mend the file: [{TABLE}] in it may say where the declarations lie",
        ) from None
    for part in TABLE.split("."):
        value = value.get(part, {}) if isinstance(value, dict) else {}
    return value if isinstance(value, dict) else {TABLE: value}


def shown(path: Path, root: Path) -> str:
    """A path as faults show it: from the project's folder on, where it lies in there."""
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def _open(root: Path, folder: Path, ending: str, found: list[Fault]) -> dict[str, Faults | None]:
    """The documents of a folder by the stem of their file; None for one that cannot be read."""
    files: dict[str, Faults | None] = {}
    if not folder.is_dir() and folder not in (root / CONTRACTS, root / PURPOSES):
        found.append(
            Fault(
                "there is no such folder",
                where=shown(folder, root),
                expected=f"a folder with files <name>{ending}",
                next_step="make it, or mend its name where it is named",
            )
        )
    for path in sorted(folder.glob("*")):
        if path.suffix.lower() not in (".yaml", ".yml"):
            continue
        file = shown(path, root)
        if not path.name.endswith(ending):
            found.append(
                Fault(
                    "this file would not be read", where=f"{file}:1", expected=f"<name>{ending}", next_step="rename it"
                )
            )
            continue
        name = path.name.removesuffix(ending)
        files[name] = None
        try:
            files[name] = Faults(_yaml.read(path, file))
        except BadDeclaration as error:
            found += error.faults
    return files


def _with_next_step(kind: str, faults: Iterable[Fault]) -> list[Fault]:
    """Nobody is left with a fault and no idea: what may stand in a line can be looked up."""
    look = f"mend this line; `privacy-assets schema {kind}` prints what may stand there"
    return [fault if fault.next_step else replace(fault, next_step=look) for fault in faults]


def _position(fault: Fault) -> tuple[str, list[int]]:
    place = _NUMBERED.fullmatch(fault.where)
    assert place is not None  # every text is one
    return place[1], [int(number) for number in place[2].split(":")[1:]]
