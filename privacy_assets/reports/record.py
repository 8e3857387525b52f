"""The record of processing activities (GDPR art. 30), generated: one section for each purpose.

Belongs here: what such a record tells, from declarations, graph and ledger. Does not belong here: measured facts one by
one (`assessment.py`), what keeps a clause (`audit.py`).

Categories of data are those of the columns that reach the purpose by the graph, its own and those that decide about its
rows; not those that somebody listed.
"""

from __future__ import annotations

from collections.abc import Iterator

from privacy_assets.contracts.promises import promises
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.gate import Gate
from privacy_assets.lineage.flows import Flows, Place, origins
from privacy_assets.reports._document import OPEN, Section, Table
from privacy_assets.reports._told import ALWAYS, DOES, Known, chosen, standing, state
from privacy_assets.words import Stage

TITLE = "Record of processing activities"


def record(gate: Gate, flows: Flows, purpose: str | None = None) -> Section:
    """The record of all purposes, or of one. Raises BadDeclaration where there is none of this name."""
    known = Known.of(gate, flows)
    measures = Section("Measures for every purpose", [Table(("", "measure"), [("", one) for one in ALWAYS])])
    each = [_of(known, one) for one in chosen(gate, purpose)]
    return Section(TITLE, state(gate), [*each, measures])


def reached(known: Known, purpose: Purpose) -> dict[Place, bool]:
    """The columns of raw that reach a purpose, and whether by value; else they only decide about its rows."""
    found: dict[Place, bool] = {}
    for sources in origins(known.flows, known.flows.places(known.assets(purpose.purpose))).values():
        for place, direct in sources.items():
            found[place] = found.get(place, False) or direct
    order = {place: at for at, place in enumerate(known.flows.places(known.flows.made))}
    return dict(sorted(found.items(), key=lambda one: order.get(one[0], len(order))))


def activity(known: Known, purpose: Purpose) -> Table:
    """The activity in a table: what art. 30(1) asks for, as far as it is declared."""
    project = known.gate.project
    places = reached(known, purpose)
    datasets = list(dict.fromkeys(place[0].dataset for place in places))
    contracts = [project.contracts[name] for name in datasets]
    subjects = sorted({one.privacy.subject.kind for one in contracts if one.privacy.subject})
    columns = [column for place in places if (column := known.flows.column(place))]
    third = [f"{one.name}: {', '.join(one.privacy.third_parties) or 'none declared'}" for one in contracts]
    kept = [
        f"rows of {one.name} {one.privacy.retention.days:,} days after {one.privacy.retention.column}"
        for one in contracts
        if one.privacy.retention
    ]
    lines = [
        ("name", f"{purpose.title} ({purpose.purpose}, version {purpose.version})"),
        ("owner", purpose.owner),
        ("controller, representative, data protection officer", f"{OPEN}: nobody declares them"),
        ("purpose", purpose.why),
        ("lawful basis (art. 6(1))", purpose.lawful_basis.value),
        ("categories of data subjects", ", ".join(subjects) or "nobody"),
        ("categories of personal data", ", ".join(sorted({one.category for one in columns if one.category})) or "none"),
        ("datasets, and who owns them", "; ".join(f"{one.name} ({one.owner})" for one in contracts)),
        ("recipients", ", ".join(purpose.recipients) or "nobody outside is named"),
        ("third parties of the datasets", "; ".join(third)),
        ("transfers to third countries", f"{OPEN}: no declaration says in which country a recipient is"),
        ("time limits for erasure", "; ".join([f"results {purpose.retention_days:,} days", *kept])),
        ("after consent is taken back", f"what was built may be read for {purpose.withdrawal_effect_hours} hours"),
        ("notice of a breach", "; ".join(f"{one.name} {one.privacy.breach_notice_hours} hours" for one in contracts)),
    ]
    return Table(("", ""), lines)


def _of(known: Known, purpose: Purpose) -> Section:
    return Section(
        f"{purpose.title} ({purpose.purpose})",
        [activity(known, purpose)],
        [
            Section("Personal data that reaches it", [_data(known, purpose)]),
            Section("Technical and organisational measures", [_measures(known, purpose)]),
            Section("Where it stands", [standing(known, known.assets(purpose.purpose))]),
        ],
    )


def _data(known: Known, purpose: Purpose) -> Table:
    def lines() -> Iterator[tuple[str, ...]]:
        for place, direct in reached(known, purpose).items():
            asset, name = place
            column = known.flows.column(place)
            if column is None:
                continue
            use = purpose.datasets.get(asset.dataset)
            need = use.columns.get(name) if use else None
            why = need.why if need else "it decides which rows are used"
            how = "values" if direct else "decides about rows"
            technique = need.technique.kind if need else "-"
            yield f"{asset.dataset}.{name}", column.role.value, column.category or "-", how, technique, why

    return Table(("column", "role", "category", "what of it", "technique", "why"), list(lines()))


def _measures(known: Known, purpose: Purpose) -> Table:
    def lines() -> Iterator[tuple[str, ...]]:
        for stage in Stage:
            assets = [asset for asset in known.assets(purpose.purpose) if asset.stage is stage]
            if stage is Stage.RAW:
                names = {place[0] for place in reached(known, purpose)}
                assets = [asset for asset in known.flows.made if asset in names]
            if not assets:
                continue
            columns = [column for asset in assets for column in known.flows.made[asset].columns]
            asked = [promise.parameters.kind for asset in assets for promise in promises(known.gate.project, asset)]
            techniques = sorted({one.technique for one in columns if one.technique})
            yield stage.value, DOES[stage], ", ".join(techniques) or "-", ", ".join(sorted(set(asked))) or "-"

    return Table(("stage", "what is done", "techniques", "what is measured"), list(lines()))
