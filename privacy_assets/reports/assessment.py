"""The skeleton of a data-protection impact assessment (GDPR art. 35): measured facts filled in, judgements left open.

Belongs here: which facts an assessment needs, each with the version and ledger entry that it comes from; which
questions only people can answer. Does not belong here: answers to them, the activity's description (`record.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from privacy_assets.contracts.purpose import Purpose
from privacy_assets.errors import Refused
from privacy_assets.gate import Gate
from privacy_assets.lineage.audit import Evidence
from privacy_assets.lineage.flows import Flows
from privacy_assets.reports._document import Section, Table, questions
from privacy_assets.reports._told import Known, attributes, by_entry, chosen, numbers_of, standing, state
from privacy_assets.reports.record import activity
from privacy_assets.words import AssetName, Stage

TITLE = "Data-protection impact assessment"

KINDS: Mapping[str, tuple[str, ...]] = {
    "Who is in it": (
        "has_subjects", "consent_valid", "within_retention", "quarantine_share", "rows_accounted", "splits_disjoint",
    ),
    "Identifiers": (
        "identifiers_absent", "own_identifiers_absent", "subjects_kept_apart", "large_domain", "masked",
    ),
    "Anonymity": (
        "k_anonymity", "persons_per_class", "l_diversity", "t_closeness", "delta_presence", "hipaa_safe_harbor",
        "suppressed_share",
    ),
    "Attacks": ("attack_excess",),
    "Noise and suppression": ("noise_declared", "told_cells", "untold_cells"),
    "What it is worth, and to whom": ("fidelity", "utility_floor"),
}  # fmt: skip
"""Under which heading which finding stands; the others, which speak of form, stand under "Form"."""

NOT_ASKED = "Not measured: no clause asks for it."

_NECESSITY = (
    "Is each column needed, or would the purpose be reached with fewer, or with a coarser form?",
    "Why is this lawful basis the right one, and, where it is a legitimate interest, what outweighs it?",
    "How are people told of this purpose, and how do they exercise their rights?",
    "Is it fair to those groups of whom most is left out, or of whom most is learned?",
)
_RISKS = (
    "What could happen to a person if a release were linked with what others know? How likely, how severe?",
    "What could happen to a person because of what a model says of them or of people like them?",
    "Which adversary is realistic here, and is that the threat model that was declared?",
    "Are the ceilings and thresholds that were declared the right ones for these people?",
    "Who could reach home, key file and witness together, and what follows if they did?",
)
_DECISION = (
    "What did the data protection officer advise?",
    "What did the people concerned, or those who speak for them, say? If nobody was asked, why?",
    "Which risk is left, who accepts it, and is the supervisory authority to be consulted (art. 36)?",
    "When, or upon which change, is this assessed again?",
)


def assessment(gate: Gate, flows: Flows, purpose: str | None = None) -> Section:
    """The skeletons of all purposes, or of one. Raises BadDeclaration where there is none of this name."""
    known = Known.of(gate, flows)
    return Section(TITLE, state(gate), [_of(known, one) for one in chosen(gate, purpose)])


def _of(known: Known, purpose: Purpose) -> Section:
    evidence = [one for asset in _assets(known, purpose) for one in known.evidence(asset)]
    headed = {kind: head for head, kinds in KINDS.items() for kind in kinds}
    facts = []
    for head in (*KINDS, "Form"):
        own = [one for one in evidence if headed.get(one.promise.parameters.kind, "Form") == head]
        facts.append(Section(head, [_facts(own) if own else NOT_ASKED]))
    return Section(
        f"{purpose.title} ({purpose.purpose})",
        (),
        [
            Section("The processing (art. 35(7)(a))", [activity(known, purpose)]),
            Section(
                "Necessity and proportionality (art. 35(7)(b))",
                [_needs(known, purpose), questions(_NECESSITY)],
            ),
            Section(
                "What was measured",
                [
                    "Each number with the version that it was measured on, and the entry of the ledger that holds it. "
                    "What says not measured is no fact.",
                ],
                [
                    *facts,
                    Section("Privacy budget", [_budget(known, purpose), _debits(known, purpose)]),
                    Section("Rows left out", [_left_out(known, purpose)]),
                    Section("Retention", [_retention(known, purpose)]),
                    Section("Where it stands", [standing(known, known.assets(purpose.purpose))]),
                ],
            ),
            Section("Risks to people (art. 35(7)(c))", [questions(_RISKS)]),
            Section("Advice and decision", [questions(_DECISION)]),
        ],
    )


def _assets(known: Known, purpose: Purpose) -> list[AssetName]:
    raw = [AssetName(Stage.RAW, dataset=dataset) for dataset in purpose.datasets]
    return [*raw, *known.assets(purpose.purpose)]


def _facts(evidence: list[Evidence]) -> Table:
    lines = []
    for one in evidence:
        told = numbers_of(one.promise.parameters.kind, one.numbers)
        lines.append((str(one.asset), one.promise.name, str(one.verdict), told, *by_entry(one)))
    return Table(("asset", "finding", "verdict", "measured", "version", "ledger entry", "when"), lines)


def _needs(known: Known, purpose: Purpose) -> Table:
    lines = [
        (f"{dataset}.{column}", purpose.datasets[dataset].columns[column].why)
        for dataset, column, _ in attributes(purpose)
    ]
    for dataset, use in purpose.datasets.items():
        held = len(known.gate.project.raw_columns(dataset))
        lines.append((f"{dataset}, all other columns", f"{held - len(use.columns)} of {held} do not leave raw"))
    return Table(("column", "why it is needed"), lines)


def _budget(known: Known, purpose: Purpose) -> Table:
    def lines() -> Iterator[tuple[str, ...]]:
        for dataset in known.gate.project.paying(purpose.purpose):
            try:
                account = known.gate.account(dataset)
            except Refused:  # the clock is behind the ledger: what counts in the period is not known
                yield dataset, "-", "not known: the clock is behind the ledger", "-", "-"
                continue
            if account is None:
                yield dataset, "none declared", "-", "-", "-"
                continue
            budget = account.budget
            yield (
                dataset,
                f"ε {budget.epsilon:g} in {budget.period_days} days"
                + (f", δ {budget.delta:g}" if budget.delta else ""),
                f"{account.epsilon_spent:.4g}",
                f"{account.epsilon_left:.4g}",
                f"{account.epsilon_lifetime:.4g}",
            )

    return Table(
        ("dataset", "budget of all purposes", "ε spent in the period", "ε left for one release", "ε in the lifetime"),
        list(lines()),
    )


def _debits(known: Known, purpose: Purpose) -> Table:
    own = [one for one in known.gate.debits() if AssetName.parse(one.asset).purpose == purpose.purpose]
    lines = [
        (
            one.asset,
            f"{one.loss.epsilon:.4g}",
            f"{one.loss.delta:g}",
            str(one.position),
            f"{one.time:%Y-%m-%d %H:%M:%S} UTC" if one.time else "-",
        )
        for one in own
    ]
    return Table(("debited for", "ε", "δ", "ledger entry", "when"), lines)


def _left_out(known: Known, purpose: Purpose) -> Table:
    lines = [
        (str(passport.asset), reason, f"{rows:,}", passport.version, str(passport.position))
        for asset in _assets(known, purpose)
        for passport in known.latest(asset)
        for reason, rows in passport.counts.items()
    ]
    return Table(("asset", "why", "rows", "version", "ledger entry"), lines)


def _retention(known: Known, purpose: Purpose) -> Table:
    lines = [
        (
            str(passport.asset),
            passport.version,
            str(passport.position),
            f"{passport.time:%Y-%m-%d}",
            f"{passport.time + timedelta(days=purpose.retention_days):%Y-%m-%d}",
        )
        for passport in known.gate.held()
        if passport.asset.purpose == purpose.purpose
    ]
    return Table(("asset", "version that is kept", "ledger entry", "published", "refused from"), lines)
