"""Loads a project's contracts and purposes. The only place that opens a YAML file.

Belongs here: finding the files, reading each, checking all against each other, and answering where each promise
stands. Does not belong here: what a contract or a purpose must be (`_odcs.py`, `purpose.py`, `checks.py`).

All faults of all files are gathered and raised at once, each with its file and line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from privacy_assets.contracts import _odcs, _yaml, columns
from privacy_assets.contracts._faults import Faults, parse
from privacy_assets.contracts._yaml import Document
from privacy_assets.contracts.checks import check_contracts, check_purpose
from privacy_assets.contracts.contract import Contract
from privacy_assets.contracts.features_sql import FeatureQuery
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.errors import BadDeclaration, Fault, raise_gathered
from privacy_assets.words import AssetName, Column, Stage

CONTRACTS = "data/contracts"
PURPOSES = "data/purposes"
CONTRACT_ENDING = ".odcs.yaml"
PURPOSE_ENDING = ".yaml"


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

    def digest(self, purpose: str) -> str:
        """The SHA-256 (hex) of what a purpose means: the same for another order of keys, spacing or comment."""
        return _odcs.digest(self.purposes[purpose])

    def assets(self) -> frozenset[AssetName]:
        """Every asset that is declared."""
        found = {AssetName(Stage.RAW, dataset=name) for name in self.contracts}
        for name, purpose in self.purposes.items():
            for dataset in purpose.datasets:
                found |= {AssetName(stage, name, dataset) for stage in (Stage.MINIMIZED, Stage.PSEUDONYMIZED)}
            found.add(AssetName(Stage.FEATURES, name))
            if purpose.training:
                found.add(AssetName(Stage.TRAINING, name))
            if purpose.model:
                found.add(AssetName(Stage.MODEL, name))
        return frozenset(found)


def load(root: Path) -> Project:
    """The project at `root`; raises BadDeclaration with all faults of all files."""
    project, faults = _load(root)
    raise_gathered(BadDeclaration, faults)
    return project


def check(root: Path) -> list[Fault]:
    """All faults of all contracts and purposes of the project at `root`, in the order of files and lines."""
    return _load(root)[1]


def _load(root: Path) -> tuple[Project, list[Fault]]:
    found: list[Fault] = []
    contract_files = _open(root, CONTRACTS, CONTRACT_ENDING, found)
    purpose_files = _open(root, PURPOSES, PURPOSE_ENDING, found)
    if not contract_files and not found:
        found.append(
            Fault(
                "there is no contract",
                where=CONTRACTS,
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
            query = check_purpose(purpose, name, contracts, contract_files.keys(), faults)
            purposes[name] = purpose
            if query is not None:
                features[name] = query
    documents: dict[tuple[str, str], Document] = {}
    for kind, files in (("contract", contract_files), ("purpose", purpose_files)):
        for name, faults in files.items():
            if faults is not None:
                documents[kind, name] = faults.document
                found += faults.found
    project = Project(root, MappingProxyType(contracts), MappingProxyType(purposes), features, documents)
    return project, sorted(map(_with_next_step, found), key=_position)


def _open(root: Path, folder: str, ending: str, found: list[Fault]) -> dict[str, Faults | None]:
    """The documents of a folder by the stem of their file; None for one that cannot be read."""
    files: dict[str, Faults | None] = {}
    for path in sorted((root / folder).glob("*")):
        if path.suffix.lower() not in (".yaml", ".yml"):
            continue
        file = f"{folder}/{path.name}"
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


def _with_next_step(fault: Fault) -> Fault:
    """Nobody is left with a fault and no idea: what may stand in a line can be looked up."""
    kind = "contract" if fault.where.startswith(CONTRACTS) else "purpose"
    look = f"mend this line; `privacy-assets schema {kind}` prints what may stand there"
    return fault if fault.next_step else replace(fault, next_step=look)


def _position(fault: Fault) -> tuple[str, list[int]]:
    file, *numbers = fault.where.split(" ")[0].split(":")
    return file, [int(number) for number in numbers]
