"""Anonymized: rows that nobody stands out in, and what is told of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from privacy_assets.build import steps
from privacy_assets.errors import NotKept, Refused
from privacy_assets.gate import Gate
from privacy_assets.reading import load_model, read
from privacy_assets.stages.step import carry_out
from privacy_assets.words import AssetName, Verdict
from tests.contracts.test_anonymity import ASKED, BEFORE

ANONYMIZED = AssetName.parse("anonymized/smoking")
CORRIDOR = [
    "raw/consents", "raw/patients", "minimized/smoking/patients", "pseudonymized/smoking/patients", "features/smoking",
    "anonymized/smoking",
]  # fmt: skip
SMOKING = "data/purposes/smoking.yaml"

Rows = Callable[..., list[tuple[Any, ...]]]
Make = Callable[..., Any]
Edit = Callable[[str, str, str], None]


@pytest.fixture
def asked(published: Gate, edit: Edit) -> Edit:
    """The tiny project, of which everything stands, whose purpose asks for anonymity now; edits its files."""
    edit(SMOKING, BEFORE, ASKED)
    return edit


def made(gate: Gate, make: Make, *more: str, since: str = "pseudonymized/smoking/patients") -> Gate:
    """All that a change of the purpose may change; or since the asset that is named."""
    assets = CORRIDOR[CORRIDOR.index(since) :]
    make(gate, *(AssetName.parse(asset) for asset in (*assets, *more)))
    return gate


def test_what_is_published_keeps_what_is_asked(asked: Edit, reopen: Callable[[], Gate], make: Make, rows: Rows):
    """Counted by hand, from the rows that somebody reads."""
    gate = made(reopen(), make)
    found = rows(gate, ANONYMIZED, "SELECT sex, age, count(*), count(DISTINCT smoker) FROM DATA GROUP BY ALL")
    assert all(people >= 3 and values >= 2 for _, _, people, values in found)
    passport = gate.latest(ANONYMIZED)
    assert passport.rows == sum(people for _, _, people, _ in found)
    assert {measured.finding.verdict for measured in passport.measured} == {Verdict.KEPT}
    assert [name for name, _ in passport.columns] == ["sex", "age", "smoker", "split"]


def test_no_order_of_rows_tells_where_they_stood(asked: Edit, reopen: Callable[[], Gate], make: Make, rows: Rows):
    """They lie in the order of what they are."""
    gate = made(reopen(), make)
    as_it_lies = rows(gate, ANONYMIZED, "SELECT * FROM DATA")
    assert as_it_lies == sorted(as_it_lies)


def test_what_it_cost_is_told_with_names_and_numbers_alone(asked: Edit, reopen: Callable[[], Gate], make: Make):
    """Loss, risk, which technique was taken, what it costs each group of the fairness columns."""
    passport = made(reopen(), make).latest(ANONYMIZED)
    measures = passport.measures
    assert {"loss", "discernibility", "average_class", "entropy", "prosecutor_risk", "marketer_risk"} <= set(measures)
    assert measures["published"] + measures["suppressed"] == 59
    assert measures["chosen[full_domain]"] + measures["chosen[top_down]"] == 1
    chosen = min(measures["loss[full_domain]"], measures["loss[top_down]"])
    assert measures["loss"] == chosen
    assert measures["proven_optimal[full_domain]"] == 1
    assert {name for name in measures if name.startswith("suppressed_share[")} == {
        f"suppressed_share[sex={sex}]" for sex in "FMX"
    }


def test_a_group_that_loses_more_than_everybody_stops_the_release(asked: Edit, reopen: Callable[[], Gate], make: Make):
    """One sex has too few people for the k that is asked, and would be left out as a whole."""
    asked(
        SMOKING,
        "criteria: [{kind: k_anonymity, k: 3}, {kind: l_diversity, l: 2}]",
        "criteria: [{kind: k_anonymity, k: 20}]",
    )
    asked(SMOKING, "techniques: [{kind: full_domain}, {kind: top_down}]", "techniques: [{kind: full_domain}]")
    asked(SMOKING, "weights: {sex: 2}", "weights: {sex: 100}")
    asked(SMOKING, "suppressed_at_most: 0.2", "suppressed_at_most: 0.5")
    gate = made(reopen(), make)
    shares = [value for name, value in gate.latest(ANONYMIZED).measures.items() if name.startswith("suppressed_share[")]
    assert max(shares) == 1 and min(shares) == 0
    most = 1 - gate.latest(ANONYMIZED).measures["suppressed_share"]
    for ceiling, kept in ((most + 0.01, True), (most - 0.01, False)):
        asked(SMOKING, "columns: [sex]", f"columns: [sex], disparity_at_most: {ceiling:.4f}")
        outcome = carry_out(steps(reopen().project)[ANONYMIZED], reopen())
        assert [fault.what for fault in outcome.faults] == (
            [] if kept else ["anonymized/smoking: fidelity__disparity is broken"]
        )
        asked(SMOKING, f"columns: [sex], disparity_at_most: {ceiling:.4f}", "columns: [sex]")


def test_the_class_table_stays_inside_the_version(asked: Edit, reopen: Callable[[], Gate], make: Make, rows: Rows):
    """Generalized tuples with their rows and people, for those who compare releases."""
    gate = made(reopen(), make)
    classes = rows(gate, ANONYMIZED, "SELECT * FROM held.main.classes")
    assert sum(row[-2] for row in classes) == gate.latest(ANONYMIZED).rows
    assert all(row[-1] >= 3 for row in classes)


def test_measuring_again_needs_no_token(asked: Edit, reopen: Callable[[], Gate], make: Make):
    """What was measured while tokens stood beside the rows is judged on what was measured then."""
    from privacy_assets.stages.step import measure_again

    gate = made(reopen(), make)
    outcome = measure_again(steps(gate.project)[ANONYMIZED], gate, gate.latest(ANONYMIZED))
    assert not outcome.faults
    assert outcome.recalled == 2
    assert len(outcome.measured) == 9


def test_a_stricter_k_is_judged_on_what_was_measured(asked: Edit, reopen: Callable[[], Gate], make: Make):
    """Without a run: the published version keeps what it keeps, and is refused for more."""
    gate = made(reopen(), make)
    smallest = min(
        measured.finding.numbers["smallest"]
        for measured in gate.latest(ANONYMIZED).measured
        if measured.finding.invariant in ("k_anonymity", "persons_per_class")
    )
    asked(SMOKING, "k_anonymity, k: 3", f"k_anonymity, k: {smallest}")
    assert reopen().examine(ANONYMIZED).standing.value == "kept"
    asked(SMOKING, f"k_anonymity, k: {smallest}", f"k_anonymity, k: {smallest + 1}")
    assert reopen().examine(ANONYMIZED).standing.value == "broken"


def test_what_cannot_be_kept_publishes_nothing_and_says_the_nearest(
    asked: Edit, reopen: Callable[[], Gate], make: Make
):
    """59 people are no class of 60."""
    gate = made(reopen(), make)
    before = gate.latest(ANONYMIZED).version
    asked(SMOKING, "k_anonymity, k: 3", "k_anonymity, k: 60")
    gate = reopen()
    with pytest.raises(NotKept, match="cannot be kept by any recoding") as caught:
        make(gate, ANONYMIZED)
    assert "k of at most 59" in caught.value.faults[0].expected
    assert gate.latest(ANONYMIZED).version == before


def test_a_model_learns_from_anonymized_rows(
    asked: Edit,
    reopen: Callable[[], Gate],
    make: Make,
    tiny_project: Path,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
):
    """From training to the card: nothing of a token is left, and nobody is in two splits."""
    gate = made(reopen(), make, "training/smoking", "model/smoking")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert read("training/smoking", purpose="smoking", root=tiny_project).columns == ["sex", "age", "smoker", "split"]
    assert load_model("model/smoking", purpose="smoking", root=tiny_project) is not None
    numbers = {one.finding.name: one.finding.numbers for one in gate.latest(ANONYMIZED).measured}
    assert numbers["splits_disjoint__split"]["subjects"] == 59


def test_persons_are_counted_where_they_have_several_rows(
    asked: Edit, reopen: Callable[[], Gate], make: Make, rows: Rows, edit: Edit
):
    """Each person twice: six rows are three people, and a person is in one split."""
    twice = "FROM patients CROSS JOIN (VALUES (1), (2)) AS v(visit)"
    asked(SMOKING, "age, smoker\n    FROM patients", f"age, smoker, visit\n    {twice}")
    asked(SMOKING, "key: [patient_id]", "key: [patient_id, visit]")
    gate = made(reopen(), make)
    numbers = {one.finding.name: one.finding.numbers for one in gate.latest(ANONYMIZED).measured}
    assert numbers["k_anonymity"]["smallest"] >= 2 * numbers["persons_per_class__patient_id"]["smallest"] >= 6
    assert numbers["splits_disjoint__split"]["shared"] == 0


def test_a_population_hides_who_is_published(asked: Edit, reopen: Callable[[], Gate], make: Make, rows: Rows):
    """Those who smoke are published, among everybody: in no class more than two thirds."""
    asked(SMOKING, "{kind: l_diversity, l: 2}", "{kind: delta_presence, member: smokes, at_most: 0.67}")
    asked(SMOKING, "sex, age, smoker\n", "sex, age, smoker, smoker AS smokes\n")
    gate = made(reopen(), make)
    assert rows(gate, ANONYMIZED, "SELECT DISTINCT smoker FROM DATA") == [(True,)]
    numbers = {one.finding.name: one.finding.numbers for one in gate.latest(ANONYMIZED).measured}
    assert numbers["delta_presence__smokes"]["population"] == 59
    assert numbers["delta_presence__smokes"]["highest"] <= 0.67
    assert gate.latest(ANONYMIZED).measures["journalist_risk"] < gate.latest(ANONYMIZED).measures["prosecutor_risk"]


def test_what_is_learned_from_the_data_stays_in_the_version(
    asked: Edit, reopen: Callable[[], Gate], make: Make, rows: Rows, tiny_project: Path
):
    """Ages as they are, in halves of halves; the labels stand in the encrypted file, and nowhere else."""
    asked(SMOKING, "{kind: bucket, edges: [30, 50]}", "{kind: keep}")
    asked(SMOKING, "  hierarchies:", "  hierarchies:\n    age: {kind: learned, depth: 3}")
    purpose = tiny_project / SMOKING
    purpose.write_text(purpose.read_text("utf-8").partition("model:\n")[0], "utf-8")
    gate = made(reopen(), make)
    learned = rows(gate, ANONYMIZED, "SELECT value, labels FROM held.main.hierarchies WHERE \"column\" = 'age'")
    assert len(learned) == 59
    assert all(labels[0] == value and labels[-1] == "*" for value, labels in learned)
    labels = {label for _, labels in learned for label in labels}
    assert {age for (age,) in rows(gate, ANONYMIZED, "SELECT DISTINCT age FROM DATA")} <= labels
    told = str(gate.latest(ANONYMIZED).body(""))
    assert not any(label in told for label in labels if label.startswith("["))


@pytest.mark.parametrize("leaves", ["NULL", "all alike", "all different"])
def test_extreme_columns_are_generalized_too(
    asked: Edit, reopen: Callable[[], Gate], make: Make, rows: Rows, leaves: str
):
    """NULL is a value of its own; a column of one value costs nothing; one of all different values ends in the root."""
    sql = {
        "NULL": "CASE WHEN age = '<30' THEN NULL ELSE age END",
        "all alike": "CASE WHEN age = '<30' THEN '[30,50)' ELSE '[30,50)' END",
        "all different": "age",
    }[leaves]
    if leaves == "all different":
        asked(SMOKING, "{kind: bucket, edges: [30, 50]}", "{kind: keep}")
        asked(SMOKING, "  hierarchies:", "  hierarchies:\n    age: {kind: intervals, widths: [100], low: 0, high: 100}")
    else:
        asked(SMOKING, "sex, age, smoker\n", f"sex, {sql} AS age, smoker\n")
        asked(SMOKING, "  subject: patient_id\n", "  subject: patient_id\n  categories: {age: ['[30,50)', '>=50']}\n")
    gate = made(reopen(), make)
    found = rows(gate, ANONYMIZED, "SELECT sex, age, count(*) FROM DATA GROUP BY ALL")
    assert min(people for *_, people in found) >= 3
    if leaves == "NULL":
        assert any(age is None for _, age, _ in found)


# ---- releases


@pytest.fixture
def delivering(
    asked: Edit,
    reopen: Callable[[], Gate],
    make: Make,
    tiny_project: Path,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Any]:
    """Makes the anonymized table of the patients as they are, after a change; reads it unless told not to."""
    asked(SMOKING, "{kind: full_domain}, {kind: top_down}", "{kind: full_domain}")
    asked(SMOKING, "{kind: k_anonymity, k: 3}, {kind: l_diversity, l: 2}", "{kind: k_anonymity, k: 3}")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def deliver(change: Callable[[list[str]], list[str]] | None = None, *, reading: bool = True) -> Any:
        if change is not None:
            path = tiny_project / "data/samples/patients.csv"
            head, *lines = path.read_text("utf-8").splitlines()
            path.write_text("\n".join([head, *change(lines)]) + "\n", "utf-8")
        made(reopen(), make, since="features/smoking" if change is None else CORRIDOR[0])
        return read("anonymized/smoking", purpose="smoking", root=tiny_project) if reading else None

    return deliver


def without(*people: str) -> Callable[[list[str]], list[str]]:
    return lambda lines: [line for line in lines if not line.startswith(tuple(f"{person};" for person in people))]


def test_a_rebuild_of_the_same_is_read_again(delivering: Callable[..., Any], reopen: Callable[[], Gate]):
    """Nothing changed, so nothing stands apart."""
    first, second = delivering(), delivering()
    assert first.equals(second)
    assert len(reopen().delivered(ANONYMIZED)) == 2


def test_one_person_less_waits_and_more_are_batched(delivering: Callable[..., Any], reopen: Callable[[], Gate]):
    """What was delivered before less what is delivered now would be one person; with the others of a class it is more.

    Three go of the class that the one was of: then three stand apart, which is as many as are asked for.
    """
    before = delivering()
    with pytest.raises(Refused, match="fewer than k people apart, so it waits") as caught:
        delivering(without("p-33"))
    assert "a group of 1" in caught.value.faults[0].found
    assert "materialize anonymized/smoking again then" in caught.value.faults[0].next_step
    gate = reopen()
    assert gate.examine(ANONYMIZED).standing.value == "kept"
    assert gate.latest(ANONYMIZED).rows == before.height - 1
    same = [f"p-{number:02}" for number in (36, 39)]
    assert delivering(without(*same)).height == before.height - 3


def test_versions_that_nobody_read_are_not_compared(delivering: Callable[..., Any], reopen: Callable[[], Gate]):
    """Internal rebuilds tell nobody anything."""
    delivering(reading=False)
    assert delivering(without("p-33")).height == 58
    assert len(reopen().delivered(ANONYMIZED)) == 1


def test_a_training_set_of_anonymized_rows_is_a_release(
    delivering: Callable[..., Any], reopen: Callable[[], Gate], make: Make, tiny_project: Path
):
    """Who read it has read the rows: the next version is compared with them, whatever it is called."""
    delivering(reading=False)
    make(reopen(), AssetName.parse("training/smoking"))
    read("training/smoking", purpose="smoking", root=tiny_project)
    with pytest.raises(Refused, match="so it waits"):
        delivering(without("p-33"))
    make(reopen(), AssetName.parse("training/smoking"))
    with pytest.raises(Refused, match="so it waits"):
        read("training/smoking", purpose="smoking", root=tiny_project)


def test_what_was_delivered_is_remembered_when_its_version_is_gone(
    delivering: Callable[..., Any], reopen: Callable[[], Gate], rows: Rows
):
    """Three versions later the file is destroyed, and its class table is still compared with."""
    delivering()
    first = reopen().latest(ANONYMIZED)
    for _ in range(3):
        delivering(reading=False)
    gate = reopen()
    assert gate.latest(ANONYMIZED) != first
    assert not gate.is_sound(first)
    assert (first.version,) in rows(gate, ANONYMIZED, "SELECT DISTINCT version FROM held.main.releases")
    with pytest.raises(Refused, match="so it waits"):
        delivering(without("p-33"))


@pytest.mark.parametrize(
    ("own", "recipients", "waits"),
    [("[]", "[]", True), ("[a clinic]", "[another]", False), ("[a clinic]", "[another, a clinic]", True)],
    ids=["those who work here", "others", "one in common"],
)
def test_another_purpose_for_the_same_readers_is_a_release_too(
    delivering: Callable[..., Any],
    asked: Edit,
    reopen: Callable[[], Gate],
    make: Make,
    tiny_project: Path,
    own: str,
    recipients: str,
    waits: bool,
):
    """What two purposes tell of one dataset is compared where somebody gets both: one more person is in the second."""
    asked("data/contracts/consents.odcs.yaml", "{value: smoking}", "{value: smoking}, {value: habits}")
    asked(SMOKING, "recipients: [the clinic's own doctors]", f"recipients: {own}")
    text = (tiny_project / SMOKING).read_text("utf-8").replace("purpose: smoking", "purpose: habits")
    text = text.replace("lawful_basis: consent", "lawful_basis: legitimate_interests")
    (tiny_project / "data/purposes/habits.yaml").write_text(
        text.replace(f"recipients: {own}", f"recipients: {recipients}"), "utf-8"
    )
    delivering(without())
    gate = reopen()
    others = [name.replace("/smoking", "/habits") for name in CORRIDOR]
    make(gate, *map(AssetName.parse, dict.fromkeys(others)))
    if waits:
        with pytest.raises(Refused, match="so it waits") as caught:
            read("anonymized/habits", purpose="habits", root=tiny_project)
        assert "and in anonymized/smoking version" in str(caught.value)
    else:
        assert read("anonymized/habits", purpose="habits", root=tiny_project).height
