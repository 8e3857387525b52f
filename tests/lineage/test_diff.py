"""What a change of declarations does to people: each kind of change alone, and what follows from it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from privacy_assets.build import flows, steps
from privacy_assets.contracts.loading import load
from privacy_assets.contracts.versions import Size
from privacy_assets.gate import Gate
from privacy_assets.lineage.diff import Change, Diff, Side, diff, measured
from privacy_assets.stages.step import carry_out
from privacy_assets.weakening import Effect
from privacy_assets.words import AssetName, Role, Stage
from tests.conftest import environment_in, write_tiny_project
from tests.contracts.test_anonymity import ASKED, BEFORE

ROOT = Path(__file__).parents[2]
PATIENTS, PURPOSE = "data/contracts/patients.odcs.yaml", "data/purposes/smoking.yaml"
Edit = tuple[str, str, str]
W, C, S, O, T = Effect.WEAKER, Effect.CHANGED, Effect.STRONGER, Effect.OTHER, Effect.WORDS  # noqa: E741
SINCE = """\
      registered:
        why: since when somebody is known
        technique: {kind: truncate_date, to: year}
"""
DECADES = "    age: {kind: intervals, widths: [10], low: 20, high: 80, exact: false}\n"
THREAT = "  withstands: {kind: public_release}\n"
UTILITY = "  utility: {metric: roc_auc, at_least: 0.6}\n"


def _write(root: Path) -> Path:
    """The tiny project, with anonymized rows, a threat model and a floor."""
    write_tiny_project(root)
    text = (root / PURPOSE).read_text("utf-8")
    asked = ASKED.replace("  fairness: {columns: [sex]}\n", f"  fairness: {{columns: [sex]}}\n{THREAT}{UTILITY}")
    text = text.replace(BEFORE, asked).replace("      smoker:\n", f"{SINCE}      smoker:\n")
    (root / PURPOSE).write_text(text, "utf-8")
    return root


def _edit(root: Path, *edits: Edit) -> None:
    for file, before, after in edits:
        text = (root / file).read_text("utf-8")
        assert before in text, before
        (root / file).write_text(text.replace(before, after, 1), "utf-8")


def _side(root: Path) -> Side:
    project = load(root)
    return Side(project, flows(steps(project)))


@pytest.fixture(scope="module")
def base_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def base(base_root: Path) -> Side:
    return _side(base_root)


@pytest.fixture
def head(base_root: Path, tmp_path: Path) -> Callable[..., Side]:
    """The project after these edits."""

    def edited(*edits: Edit) -> Side:
        root = shutil.copytree(base_root, tmp_path / f"head{len(list(tmp_path.iterdir()))}")
        _edit(root, *edits)
        return _side(root)

    return edited


def _effects(found: Diff) -> dict[str, Effect]:
    return {f"{one.of.name} {one.what}".strip(): one.effect for one in found.changes}


def _version(found: Diff) -> Mapping[str, Size | None]:
    return {one.of.name: one.needed for one in found.versions}


def _in_purpose(before: str, after: str) -> Edit:
    return PURPOSE, before, after


def _in_contract(before: str, after: str) -> Edit:
    return PATIENTS, before, after


SHOES = """\
      - name: shoe_size
        logicalType: integer
        customProperties:
          - property: privacy
            value: {role: attribute, category: user.account}
"""
K5 = ("{kind: k_anonymity, k: 3}", "{kind: k_anonymity, k: 5}")
EACH: dict[str, tuple[list[Edit], dict[str, Effect]]] = {
    "a recipient more": (
        [_in_purpose("recipients: [", "recipients: [an insurer, ")], {"smoking recipients": W}),
    "a recipient less": (
        [_in_purpose("recipients: [the clinic's own doctors]", "recipients: []")], {"smoking recipients": S}),
    "a third party": (
        [_in_contract("third_parties: []", "third_parties: [a laboratory]")], {"patients privacy.third_parties": W}),
    "longer retention of results": (
        [_in_purpose("retention_days: 365", "retention_days: 400")], {"smoking retention_days": W}),
    "longer retention of rows": ([_in_contract("days: 3650", "days: 4000")], {"patients privacy.retention.days": W}),
    "shorter retention of rows": ([_in_contract("days: 3650", "days: 365")], {"patients privacy.retention.days": S}),
    "no retention of rows": (
        [_in_contract("      retention:\n        column: registered\n        days: 3650\n", "")],
        {"patients privacy.retention": W, "smoking patients.registered": S},
    ),
    "another lawful basis": (
        [_in_purpose("lawful_basis: consent", "lawful_basis: legitimate_interests")], {"smoking lawful_basis": C}),
    "a lawful basis more": (
        [_in_contract("lawful_bases: [", "lawful_bases: [public_task, ")], {"patients privacy.lawful_bases": W}),
    "consents are not asked": (
        [
            _in_contract("lawful_bases: [consent, legitimate_interests]", "lawful_bases: [legitimate_interests]"),
            _in_contract("      consents: consents\n", ""),
            _in_purpose("lawful_basis: consent", "lawful_basis: legitimate_interests"),
        ],
        {
            "patients privacy.lawful_bases": S,
            "patients privacy.consents": C,
            "smoking lawful_basis": C,
            **{f"smoking consents.{name}": S for name in ("patient_id", "purpose", "decision", "decided_at")},
        },
    ),
    "a lower k": (
        [_in_purpose("k: 3}", "k: 2}")], {"smoking anonymized: k_anonymity.k": W}),
    "a higher k": (
        [_in_purpose(*K5)], {"smoking anonymized: k_anonymity.k": S}),
    "a lower l": (
        [_in_purpose("l: 2}", "l: 1}")],
        {"smoking anonymized: l_diversity.l of distinct_smoker": W},
    ),
    "no l": (
        [_in_purpose(", {kind: l_diversity, l: 2}", "")],
        {
            "smoking anonymized: l_diversity of distinct_smoker": W,
            "smoking patients.smoker": W,  # it is sensitive still, where it is anonymized
        },
    ),
    "a t besides": (
        [_in_purpose("l: 2}]", "l: 2}, {kind: t_closeness, t: 0.3}]")],
        {"smoking anonymized: t_closeness of equal_smoker": S},
    ),
    "criteria in another order": (
        [_in_purpose("[{kind: k_anonymity, k: 3}, {kind: l_diversity, l: 2}]",
                     "[{kind: l_diversity, l: 2}, {kind: k_anonymity, k: 3}]")],
        {"smoking guarantee.anonymity": O},
    ),
    "a transfer besides": (
        [_in_purpose("suppressed_at_most: 0.2\n",
                     "suppressed_at_most: 0.2\n    transfer: {metric: roc_auc, at_least: 0.6, loses_at_most: 0.1}\n")],
        {"smoking guarantee.anonymity.transfer": S},
    ),
    "more may be suppressed": (
        [_in_purpose("suppressed_at_most: 0.2", "suppressed_at_most: 0.3")],
        {"smoking anonymized: suppressed_share.at_most": W},
    ),
    "a profile in the place of criteria": (
        [_in_purpose("criteria: [{kind: k_anonymity, k: 3}, ", "profile: {kind: k5}\n    criteria: [")],
        {"smoking anonymized: k_anonymity.k": S},
    ),
    "a higher ceiling": (
        [_in_purpose("{kind: public_release}", "{kind: public_release, excess_at_most: 0.2}")],
        {"smoking guarantee.withstands.excess_at_most": W},
    ),
    "no threat model": (
        [_in_purpose(THREAT, "")],
        {
            "smoking guarantee.withstands": W,
            "smoking anonymized: attack_excess of downcoding__everyone, homogeneity__smoker__everyone, "
            "minimality__smoker__everyone": W,
            "smoking model: attack_excess of canaries__fpr_1_percent__everyone, canaries__fpr_50_percent__everyone, "
            "shadow_models__fpr_01_percent__everyone, shadow_models__fpr_1_percent__everyone, "
            "shadow_models__fpr_50_percent__everyone": W,
        },
    ),
    "a lower utility floor": (
        [_in_purpose("at_least: 0.6}", "at_least: 0.55}")], {"smoking guarantee.utility.at_least": W}),
    "a fairness floor": (
        [_in_purpose("fairness: {columns: [sex]}", "fairness: {columns: [sex], disparity_at_most: 0.5}")],
        {"smoking guarantee.fairness.disparity_at_most": S},
    ),
    "fewer people are enough": (
        [_in_purpose("at_least_subjects: 5", "at_least_subjects: 4")], {"smoking guarantee.at_least_subjects": W}),
    "a weaker technique": (
        [_in_purpose("{kind: bucket, edges: [30, 50]}", "{kind: bucket, edges: [30, 40, 50]}")],
        {"smoking datasets.patients.columns.age.technique.edges": W},
    ),
    "a technique that keeps all": (
        [_in_purpose("{kind: bucket, edges: [30, 50]}", "{kind: keep}"),
         _in_purpose("  hierarchies:\n", f"  hierarchies:\n{DECADES}")],
        {"smoking datasets.patients.columns.age.technique": W, "smoking anonymized.hierarchies.age": C},
    ),
    "a technique that nobody can rank": (
        [_in_purpose("{kind: truncate_date, to: year}", "{kind: shift_dates, max_days: 30}")],
        {"smoking datasets.patients.columns.registered.technique": C},
    ),
    "rows of people in the place of anonymized ones": (
        [_in_purpose("  from: anonymized", "  from: features\n  reason: nothing less holds the rare complications")],
        {"smoking training.from": W, "smoking training.reason": T, "smoking patients.age": W,
         "smoking patients.sex": W, "smoking patients.smoker": W, "smoking patients.patient_id": W},
    ),
    "a weaker role": (
        [_in_contract("role: sensitive", "role: attribute"), _in_purpose(", {kind: l_diversity, l: 2}", "")],
        {
            "patients columns.smoker.privacy.role": W,
            "smoking anonymized: l_diversity of distinct_smoker": W,
            "smoking anonymized: attack_excess of homogeneity__smoker__everyone, minimality__smoker__everyone": W,
        },
    ),
    "a budget": (
        [_in_contract("      third_parties: []", "      third_parties: []\n      budget: {epsilon: 1.0}")],
        {"patients privacy.budget": W},
    ),
    "a category more": (
        [_in_contract("          - value: X\n", "          - value: X\n          - value: Z\n"),
         _in_purpose('[X, "*"]]', '[X, "*"], [Z, "*"]]')],
        {"patients columns.sex.domain": O, "smoking anonymized.hierarchies.sex.rows": C},
    ),
    "a column that nobody needs": (
        [_in_contract("      - name: cost", f"{SHOES}      - name: cost")],
        {"patients columns.shoe_size": O},
    ),
    "another source": (
        [_in_contract("samples/patients.csv", "samples/others.csv")], {"patients source.path": C}),
    "another owner": ([_in_purpose("owner: team:clinic-data", "owner: team:sales")], {"smoking owner": C}),
    "another why": ([_in_purpose("why: Tell whom", "why: Tell all whom")], {"smoking why": T}),
    "another seed": ([_in_purpose("{kind: logistic_regression}\n  seed: 7", "{kind: logistic_regression}\n  seed: 8")],
                     {"smoking model.seed": O}),
    "SQL with other spaces": ([_in_purpose("sex, age, smoker", "sex,   age, smoker")], {"smoking features.sql": T}),
    "SQL that means something else": (
        [_in_purpose("    FROM patients\n", "    FROM patients WHERE sex <> 'X'\n")],
        {"smoking features.sql": C},
    ),
    "nothing but a comment": ([_in_purpose("title:", "# who smokes\ntitle:")], {}),
}  # fmt: skip


@pytest.mark.parametrize("what", EACH)
def test_each_change_alone_is_told_with_its_effect(base: Side, head: Callable[..., Side], what: str):
    """That change, what follows from it, and nothing else; the version that it asks for."""
    edits, effects = EACH[what]
    found = diff(base, head(*edits), "main")
    assert _effects(found) == effects
    assert found.weakens == any(effect in (W, C) for effect in effects.values())
    assert found.versioned is not bool(effects)
    needed = {W: Size.MAJOR, C: Size.MAJOR, S: Size.MINOR, O: Size.MINOR, T: Size.PATCH}
    for name, size in _version(found).items():
        assert size == max(needed[effect] for of, effect in effects.items() if of.startswith(name))
    assert not effects or found.versions


def test_noise_synthesizers_and_threat_models_are_ranked_by_what_they_prove(tmp_path: Path):
    """A larger ε, a smaller δ, noise that is given up, another adversary: on the sample's purposes."""
    for name in ("base", "head"):
        for folder in ("data/contracts", "data/purposes"):
            shutil.copytree(ROOT / folder, tmp_path / name / folder)
    planning, sharing = "data/purposes/capacity_planning.yaml", "data/purposes/research_sharing.yaml"
    _edit(
        tmp_path / "head",
        (planning, "epsilon: 0.5, delta: 1.0e-6", "epsilon: 1.5, delta: 1.0e-7"),
        (planning, "{kind: trusted_partner}", "{kind: public_release, excess_at_most: 0.2}"),
        (sharing, "{kind: marginal_tree, epsilon: 1.0, delta: 1.0e-6, target: emergency}", "{kind: sequential_trees}"),
    )
    before, after = _side(tmp_path / "base"), _side(tmp_path / "head")
    effects = _effects(diff(before, after, "main"))
    assert effects["capacity_planning statistics.privacy.epsilon"] is W
    assert effects["capacity_planning statistics.privacy.delta"] is S
    assert effects["capacity_planning guarantee.withstands"] is S
    assert effects["capacity_planning guarantee.withstands.excess_at_most"] is W
    assert effects["research_sharing synthetic.synthesizer"] is W
    back = _effects(diff(after, before, "main"))
    assert back["research_sharing synthetic.synthesizer"] is S and back["capacity_planning guarantee.withstands"] is W


def test_the_same_is_nothing(base: Side, base_root: Path):
    """No change, no version, nobody to ask."""
    found = diff(base, _side(base_root), "main")
    assert not (found.changes or found.versions or found.approvals or found.models)
    assert found.versioned and not found.weakens


ONE_MORE = (
    _in_purpose(
        "      smoker:\n",
        "      cost:\n        why: who pays smokes less\n        technique: {kind: keep}\n      smoker:\n",
    ),
    _in_purpose("age, smoker", "age, cost, smoker"),
)  # fmt: skip


def _flow(found: Diff, column: str) -> Change:
    (flow,) = [one for one in found.changes if one.topic == "flow" and one.what == column]
    return flow


def test_a_column_more_is_a_new_flow_with_the_stages_that_it_reaches(base: Side, head: Callable[..., Side]):
    """As far as the model, by value; its file and line are told."""
    found = diff(base, head(*ONE_MORE), "main")
    flow = _flow(found, "patients.cost")
    assert flow.effect is W and flow.before is None
    assert [str(asset) for asset in flow.after][-1] == "model/smoking"
    assert all(way.by_value for way in flow.after.values())
    assert flow.where.startswith(f"{PURPOSE}:")
    assert [str(model) for model in found.models] == ["model/smoking"]


def test_roles_are_told_as_far_as_they_travel(base: Side, head: Callable[..., Side]):
    """What is anonymized carries no role by its promises; the features do, and a wider role is a wider flow."""
    found = diff(
        base, head(_in_purpose("{kind: k_anonymity, k: 3}, ", "{kind: hipaa_safe_harbor, ages: [age]}, ")), "x"
    )
    assert not [one for one in found.changes if one.topic == "flow"]  # another criterion lowers the same role
    edits = EACH["rows of people in the place of anonymized ones"][0]
    flow = _flow(diff(base, head(*edits), "x"), "patients.sex")
    training = AssetName(Stage.TRAINING, "smoking")
    assert not flow.before[training].roles and flow.after[training].roles == {Role.QUASI_IDENTIFIER}


def test_a_column_less_is_an_ended_flow(base: Side, head: Callable[..., Side]):
    """Stronger, and minor; promises that went with the column are no weaker ones."""
    found = diff(
        base,
        head(
            _in_purpose("      sex:\n        why: smoking differs by sex\n        technique: {kind: keep}\n", ""),
            _in_purpose("sex, age", "age"),
            _in_purpose("  fairness: {columns: [sex]}\n", ""),
            _in_purpose('    sex: {kind: table, rows: [[F, "*"], [M, "*"], [X, "*"]]}\n  weights: {sex: 2}\n',
                        "    age: {kind: flat}\n"),
        ),
        "main",
    )  # fmt: skip
    assert _flow(found, "patients.sex").effect is S and _flow(found, "patients.sex").after is None
    assert not [one for one in found.changes if "k_anonymity" in one.what or "attack" in one.what]


def test_a_renamed_column_is_one_that_ended_and_one_that_began(base: Side, head: Callable[..., Side]):
    """Nobody guesses that it is the same: both are told, and it is major."""
    found = diff(
        base,
        head(
            _in_contract("- name: smoker", "- name: smokes"), _in_purpose("      smoker:\n", "      smokes:\n"),
            _in_purpose("age, smoker", "age, smokes AS smoker"),
        ),
        "main",
    )  # fmt: skip
    assert (_flow(found, "patients.smoker").effect, _flow(found, "patients.smokes").effect) == (S, W)
    assert _version(found) == {"patients": Size.MINOR, "smoking": Size.MAJOR}


def test_a_removed_purpose_ends_its_flows_and_needs_no_version(base: Side, head: Callable[..., Side]):
    """Its owner is asked, its model is touched, nothing is weaker."""
    root_of = head()
    (root_of.project.root / PURPOSE).unlink()
    found = diff(base, _side(root_of.project.root), "main")
    assert {one.effect for one in found.changes} == {S} and not found.versions and found.versioned
    assert [str(model) for model in found.models] == ["model/smoking"]
    assert ("smoking", "team:clinic-data") in {(one.of.name, one.owner) for one in found.approvals}
    back = diff(_side(root_of.project.root), base, "main")
    assert back.weakens and back.versioned
    assert {one.effect for one in back.changes} == {W}


@pytest.mark.parametrize(
    ("edit", "version", "kept"),
    [
        (("k: 3}", "k: 2}"), "1.0.0", False),
        (("k: 3}", "k: 2}"), "1.1.0", False),
        (("k: 3}", "k: 2}"), "2.0.0", True),
        (("k: 3}", "k: 2}"), "0.9.0", False),
        (K5, "1.0.0", False),
        (K5, "1.0.1", False),
        (K5, "1.1.0", True),
        (K5, "2.0.0", True),
        (("why: Tell whom", "why: Tell all whom"), "1.0.0", False),
        (("why: Tell whom", "why: Tell all whom"), "1.0.1", True),
        (("title:", "# who\ntitle:"), "1.0.0", True),
        (("title:", "# who\ntitle:"), "1.0.1", True),
        (("title:", "# who\ntitle:"), "0.9.9", False),
    ],
)
def test_a_version_says_how_much_was_changed(
    base: Side, head: Callable[..., Side], edit: tuple[str, str], version: str, kept: bool
):
    """Weaker is major, stronger is minor, words are a patch; an earlier version says nothing."""
    found = diff(base, head(_in_purpose(*edit), _in_purpose("version: 1.0.0", f"version: {version}")), "main")
    assert found.versioned is kept


def test_what_a_contract_does_to_a_purpose_is_answered_for_by_the_contract(base: Side, head: Callable[..., Side]):
    """The purpose's text is the same, so its version is; the contract's has to be major."""
    age = "category: user.demographic.age_range"
    edit = _in_contract(f"role: quasi_identifier, {age}", f"role: sensitive, {age}")
    found = diff(base, head(edit, _in_contract("version: 1.0.0", "version: 1.1.0")), "main")
    promises = {one.what: one.effect for one in found.changes if one.of.name == "smoking"}
    assert promises["anonymized: k_anonymity.quasi_identifiers"] is W
    assert not found.versioned and _version(found) == {"patients": Size.MAJOR}


def test_owners_on_either_side_and_clauses_are_asked(base: Side, head: Callable[..., Side]):
    """Who hands a purpose over is asked as who takes it; a contract is asked with its clauses on third parties."""
    found = diff(base, head(_in_purpose("owner: team:clinic-data", "owner: team:sales"), *ONE_MORE,
                            _in_contract("third_parties: []", "third_parties: [a laboratory]")), "main")  # fmt: skip
    asked = {(one.of.name, one.owner, one.third_parties) for one in found.approvals}
    assert asked == {
        ("smoking", "team:sales", ()),
        ("smoking", "team:clinic-data", ()),
        ("patients", "team:clinic-data", ("a laboratory",)),
        ("patients", "team:clinic-data", ()),
    }


def test_a_contract_touches_whoever_reads_it(base: Side, head: Callable[..., Side]):
    """Longer retention of rows reaches the model downstream, and its owner; words reach nobody."""
    found = diff(base, head(_in_contract("days: 3650", "days: 4000")), "main")
    assert [str(model) for model in found.models] == ["model/smoking"]
    assert {one.of.name for one in found.approvals} == {"patients", "smoking"}


def test_what_was_measured_under_both_is_compared(base: Side, base_root: Path, tmp_path: Path):
    """By the ledger alone: the smallest class under k = 3, and the one under k = 5; nothing, where one is not made."""
    root = shutil.copytree(base_root, tmp_path / "project")
    edits = (
        _in_purpose(THREAT, ""),
        _in_purpose(UTILITY, ""),
        _in_purpose("suppressed_at_most: 0.2", "suppressed_at_most: 0.9"),
    )
    _edit(root, *edits)
    before = _side(root)
    environment = environment_in(tmp_path)

    def make() -> Gate:
        gate = Gate.open(root, environment)
        for asset, step in steps(gate.project).items():
            if asset.stage not in (Stage.TRAINING, Stage.MODEL):
                carry_out(step, gate).raise_faults()
        return gate

    make()
    _edit(root, _in_purpose("{kind: k_anonymity, k: 3}", "{kind: k_anonymity, k: 16}"), _in_purpose("1.0.0", "1.1.0"))
    after = _side(root)
    assert not measured(Gate.open(root, environment), before, after)
    found = {one.what: one for one in measured(make(), before, after)}
    smallest = found["k_anonymity smallest"]
    assert str(smallest.asset) == "anonymized/smoking" and 3 <= smallest.before < 16 <= smallest.after
    assert found["prosecutor_risk"].before > found["prosecutor_risk"].after
    assert not measured(Gate.open(root, environment), base, after)
