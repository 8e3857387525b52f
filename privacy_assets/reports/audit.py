"""The audit pack: each clause, what keeps it, which check measures that, and the latest evidence; and what is wrong.

Belongs here: how it is told. Does not belong here: clauses, controls, evidence and findings (`lineage/audit.py`), of
which `verify` fails on the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from privacy_assets.errors import Fault
from privacy_assets.gate import Gate
from privacy_assets.invariants import INVARIANTS
from privacy_assets.ledger.erasures import BEGUN, DONE, SPARED, Erasure
from privacy_assets.ledger.log import Entry
from privacy_assets.lineage.audit import CONTRADICTIONS, PEOPLE, Answered, audit
from privacy_assets.lineage.diff import PURPOSE
from privacy_assets.lineage.flows import Flows
from privacy_assets.reports._document import Section, Table
from privacy_assets.reports._told import DOES, by_entry, chosen, numbers_of, state
from privacy_assets.words import AssetName

TITLE = "Audit pack"

HEADS = (
    "clause", "where", "control", "check", "verdict", "measured", "version", "ledger entry", "when", "measured under",
)  # fmt: skip


def pack(gate: Gate, flows: Flows, purpose: str | None = None) -> Section:
    """The pack of all contracts and purposes, or of one purpose and its contracts; BadDeclaration for another name."""
    found = audit(gate, flows)
    named = {one.purpose for one in chosen(gate, purpose)}
    datasets = {name for one in named for name in gate.project.purposes[one].datasets}
    datasets |= {
        read.dataset for asset, made in flows.made.items() if asset.purpose in named for read in made.reads.values()
    }
    datasets = set(gate.project.contracts) if purpose is None else datasets

    def of(asset: AssetName) -> bool:
        return purpose is None or (asset.purpose in named if asset.purpose else asset.dataset in datasets)

    def wrong(title: str, what: str, every: Sequence[tuple[AssetName, Fault]]) -> Section:
        lines = [(str(asset), one.what, one.where, one.expected, one.found) for asset, one in every if of(asset)]
        return Section(title, [what, Table(("asset", "what", "where", "expected", "found"), lines)])

    by_declaration: dict[str, list[Answered]] = {}
    for one in found.answered:
        if one.clause.of.name in (named if one.clause.of.kind == PURPOSE else datasets):
            by_declaration.setdefault(str(one.clause.of), []).append(one)
    kinds = {
        one.promise.parameters.kind for every in by_declaration.values() for each in every for one in each.evidence
    }
    measures = Table(("check", "what it says of the data"), [(kind, says(kind)) for kind in sorted(kinds)])
    looked = Table(("fact", "what is held against what"), list(CONTRADICTIONS.items()))
    return Section(
        TITLE,
        (*state(gate), "Every finding on this page fails the command verify."),
        [
            Section(
                "Findings",
                (),
                [
                    wrong("Orphan clauses", "Declared, and nothing keeps it.", found.orphan_clauses),
                    wrong("Orphan controls", "Measured, and no clause asks for it.", found.orphan_controls),
                    wrong("Stale evidence", "Measured, but not of what stands and is asked today.", found.stale),
                    Section(
                        "Contradicted facts",
                        ["What is declared is held against what is on record:", looked],
                        [wrong("Found", "Declared, and the ledger shows something else.", found.contradicted)],
                    ),
                ],
            ),
            *([_erasures(gate)] if purpose is None else []),
            *(
                Section(name[0].upper() + name[1:], [Table(HEADS, [line for one in every for line in _lines(one)])])
                for name, every in by_declaration.items()
            ),
            Section("What each check says", ["It is measured on what was written.", measures]),
        ],
    )


def _erasures(gate: Gate) -> Section:
    """Each erasure, from its first entry to its last: of whom is not known any more once it is finished."""
    title, entries = "Erasures", gate.ledger.entries()
    lines = []
    for begun in (entry for entry in entries if entry.body["action"] == BEGUN):
        erasure = Erasure.parse(begun)
        own = [entry for entry in entries[begun.position :] if entry.body.get("erasure") == erasure.id]
        counted = Counter(entry.body["action"] for entry in own)
        done = next((entry for entry in own if entry.body["action"] == DONE), None)
        lines.append(
            (
                erasure.id,
                erasure.reason,
                str(len(erasure.subjects) or "-"),
                _when(begun),
                str(counted["destroy"]),
                str(counted[SPARED]),
                ", ".join(done.body["not_made_again"]) or "-" if done else "-",
                f"{done.body['stores_with_hits']} of {done.body['stores']}" if done else "-",
                _when(done) if done else "NOT FINISHED",
            )
        )
    heads = (
        "erasure", "why", "people", "begun", "versions destroyed", "left as it is", "not made again",
        "stores in which something was found", "finished",
    )  # fmt: skip
    return Section(title, [Table(heads, lines) if lines else "Nobody was erased, and nothing lapsed was."])


def _when(entry: Entry) -> str:
    return f"entry {entry.position}, {entry.time:%Y-%m-%d %H:%M:%S} UTC"


def says(kind: str) -> str:
    """What an invariant says of the data, in its own words: the first sentence of its module."""
    return (INVARIANTS[kind].__doc__ or "").partition("\n")[0].partition(":")[2].strip()


def _lines(answered: Answered) -> Iterator[tuple[str, ...]]:
    """One line for each check of the clause, on each asset and day; one for what else keeps it."""
    clause, shown = answered.clause, answered.shown_by
    if clause.kept_by:
        when = ("-", "-", "-") if shown is None else ("-", str(shown.position), f"{shown.time:%Y-%m-%d %H:%M:%S} UTC")
        verdict = "open" if clause.kept_by.startswith(PEOPLE) else "-"
        told = f"shows as {shown.body['action']}" if shown else "-"
        yield clause.name, clause.where, clause.kept_by, "-", verdict, told, *when, "-"
    for one in answered.evidence:
        yield (
            clause.name,
            clause.where,
            f"{one.asset}: {DOES[one.asset.stage]}",
            one.promise.name,
            "stale" if one.stale else str(one.verdict),
            numbers_of(one.promise.parameters.kind, one.numbers),
            *by_entry(one),
            ", ".join(one.declared or ()) or "-",
        )
    if not clause.kept_by and not answered.evidence:
        yield clause.name, clause.where, "none", "none", "orphan", "-", "-", "-", "-", "-"
