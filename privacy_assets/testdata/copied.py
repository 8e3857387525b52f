"""Which columns of the sources a purpose's features hand on as they are, and what declarations say about values.

Belongs here: reading that off contracts, purposes and the lineage of the features' SQL. Does not belong here: data.

A feature is a *copy* of a source's column where the column lineage has that column as its only direct source, the SQL
passes the value on as it stands, and type and declared categories are those of the contract: then a value of the
feature is one that the source could have. A text that a technique cut is one too: what begins with it can be written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from privacy_assets.contracts.contract import ContractColumn
from privacy_assets.contracts.loading import Project
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.lineage.columns import column_lineage
from privacy_assets.techniques.pseudonymize import PSEUDONYMIZE
from privacy_assets.words import Column, Role

Place = tuple[str, str]
"""Dataset and column."""

Span = tuple[float, float]
"""The least and the greatest number."""

REST = " TEST"
"""What follows where a technique cuts the rest of a text off."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A column of the features that is one of a source. `labels` are its declared values as the source writes them.

    `kept` is how many characters of the source's text it has, None where it has all.
    """

    feature: str
    labels: tuple[str, ...] | None
    kept: int | None

    def written(self, label: str) -> str:
        """A value of the feature as the source writes it."""
        return label + REST if self.kept is not None and len(label) == self.kept else label


def copies(project: Project, purpose: Purpose) -> Mapping[Place, Copy]:
    """Every column of a source that the purpose's features have a copy of; of several copies the first."""
    query = project.features(purpose.purpose)
    tables = {
        dataset: [column.name for column in project.pseudonymized_columns(purpose.purpose, dataset)]
        for dataset in purpose.datasets
    }
    lineage = column_lineage(query.expression, tables)
    found: dict[Place, Copy] = {}
    for feature in query.columns:
        sources = lineage.direct[feature.name]
        # what the SQL makes anew was made by no technique
        if not feature.technique or len(sources) != 1:
            continue
        ((dataset, name),) = sources
        copy = _copy(project, purpose, dataset, name, feature)
        if copy is not None:
            found.setdefault((dataset, name), copy)
    return found


def _copy(project: Project, purpose: Purpose, dataset: str, name: str, feature: Column) -> Copy | None:
    held = next((column for column in project.contracts[dataset].columns if column.name == name), None)
    technique = purpose.datasets[dataset].columns[name].technique
    if held is None or feature.type != held.type or held.privacy.free_text or is_identifier(held):
        return None
    if getattr(PSEUDONYMIZE[technique.kind], "MAPS", None) == "value":
        return None
    kept = technique.keep if technique.kind == "truncate_text" else None
    copy = Copy(feature.name, None, kept)
    if feature.domain is None:
        return copy if held.domain is None and held.type != "VARCHAR" else None
    labels = tuple(copy.written(label) for label in feature.domain)
    if held.domain is not None and not set(labels) <= set(held.domain):
        return None
    return Copy(feature.name, labels, kept)


def is_identifier(column: ContractColumn) -> bool:
    """Whether the column tells people, or what is theirs, apart."""
    return column.privacy.role is Role.DIRECT_IDENTIFIER or column.privacy.identifier_domain is not None


@dataclass(frozen=True, slots=True)
class Declared:
    """What purposes declare of the values of a source's column: `labels` or a `span` of numbers; `by` says who."""

    labels: tuple[str, ...] | None
    span: Span | None
    by: str


def declared(project: Project, purpose: Purpose) -> Mapping[Place, Declared]:
    """What is declared of the columns of sources beyond their contracts: by this purpose, else by another.

    A file that one purpose can use is then of use to the others, too.
    """
    found: dict[Place, Declared] = {}
    for one in (purpose, *(other for name, other in project.purposes.items() if name != purpose.purpose)):
        copied = copies(project, one)
        for place, copy in copied.items():
            if copy.labels is not None and project.contracts[place[0]].column(place[1]).domain is None:
                found.setdefault(
                    place, Declared(copy.labels, None, f"the categories of {copy.feature} in {one.purpose}")
                )
        for place, span in _spans(one, copied).items():
            found.setdefault(place, Declared(None, span, f"the bounds in {one.purpose}"))
    return found


def _spans(purpose: Purpose, copied: Mapping[Place, Copy]) -> Mapping[Place, Span]:
    """Between which numbers a purpose declares that a column lies: its techniques, and the bounds of its features."""
    found: dict[Place, Span] = {}
    bounds = dict(purpose.model.bounds) if purpose.model else {}
    bounds |= purpose.synthetic.bounds if purpose.synthetic else {}
    for dataset, use in purpose.datasets.items():
        for name, need in use.columns.items():
            copy = copied.get((dataset, name))
            if copy is not None and copy.feature in bounds and isinstance(bounds[copy.feature].low, float):
                found[dataset, name] = bounds[copy.feature].days
                continue
            edges = getattr(need.technique, "edges", ())
            low = getattr(need.technique, "low", None)
            high = getattr(need.technique, "high", None)
            if edges:
                low, high = min(0, edges[0] - 1), edges[-1] + max(edges[-1] - edges[0], 1)
            if isinstance(high, int | float) and not isinstance(high, bool):
                found[dataset, name] = (float(low if low is not None else min(0, high - 1)), float(high))
    return found
