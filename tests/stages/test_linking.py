"""Synthetic rows of several tables: people of nobody, whose features the purpose's SQL makes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from privacy_assets.build import steps
from privacy_assets.coded import Coded
from privacy_assets.contracts import promises
from privacy_assets.contracts.loading import load
from privacy_assets.errors import BadDeclaration, EngineFailed, NotKept, Refused
from privacy_assets.gate import PERSON, Gate, Standing
from privacy_assets.stages._linking import Linking
from privacy_assets.stages.redteam import redteam
from privacy_assets.stages.step import Work, carry_out, showing
from privacy_assets.techniques.synthesize import SYNTHESIZE
from privacy_assets.techniques.synthesize._linked import Child, Linked
from privacy_assets.words import AssetName, Stage
from tests.conftest import environment_in, write_tiny_project

Make = Callable[..., Any]
Edit = Callable[[str, str, str], None]

SYNTHETIC, FEATURES = AssetName.parse("synthetic/smoking"), AssetName.parse("features/smoking")
PURPOSE, VISITS = "data/purposes/smoking.yaml", "data/contracts/visits.odcs.yaml"
PEOPLE = 360
BEFORE = (Stage.RAW, Stage.MINIMIZED, Stage.PSEUDONYMIZED, Stage.FEATURES)

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: tiny-visits
version: 1.0.0
team: {name: clinic-data}
servers: [{server: file, type: local, path: data/samples/visits.csv, format: csv}]
customProperties:
  - property: privacy
    value:
      subject: {kind: patient, column: patient_id}
      lawful_bases: [consent]
      consents: consents
schema:
  - name: visits
    properties:
      - name: visit_id
        logicalType: string
        primaryKey: true
        primaryKeyPosition: 1
        required: true
        customProperties:
          - property: privacy
            value: {role: direct_identifier, category: user.unique_id, identifier_domain: {name: visit_id}}
      - name: patient_id
        logicalType: string
        required: true
        customProperties:
          - property: privacy
            value: {role: direct_identifier, category: user.unique_id, identifier_domain: {name: patient_id}}
      - name: bed_id
        logicalType: string
        customProperties:
          - property: privacy
            value: {role: direct_identifier, category: user.unique_id, identifier_domain: {name: bed_id}}
      - name: weight
        logicalType: integer
        customProperties:
          - property: privacy
            value: {role: quasi_identifier, category: user.health_and_medical}
      - name: ward
        logicalType: string
        customProperties:
          - property: privacy
            value: {role: attribute, category: user.health_and_medical}
"""
DECLARED = """\
kind: Purpose
purpose: smoking
version: 1.0.0
title: Who smokes
why: Tell whom a course against smoking would help
owner: team:clinic-data
lawful_basis: consent
recipients: [the clinic's own doctors]
retention_days: 365
datasets:
  patients:
    columns:
      patient_id: {why: it joins, technique: {kind: token}}
      sex: {why: smoking differs by sex, technique: {kind: keep}}
      smoker: {why: this is what is predicted, technique: {kind: keep}}
  visits:
    columns:
      visit_id: {why: tells visits apart, technique: {kind: token}}
      patient_id: {why: it joins, technique: {kind: token}}
      weight: {why: it differs by sex, technique: {kind: keep}}
      ward: {why: nobody knows, technique: {kind: keep}}
features:
  unit: visit
  key: [visit_id]
  subject: patient_id
  sql: |
    SELECT visits.visit_id, visits.patient_id, patients.sex, patients.smoker, visits.weight,
      lag(visits.weight) OVER (PARTITION BY visits.patient_id ORDER BY visits.visit_id) AS weight_before
    FROM visits JOIN patients ON patients.patient_id = visits.patient_id
guarantee:
  at_least_subjects: 5
  withstands:
    kind: trusted_partner
    tries: 1000
    tries_at_least: 20
    most_exposed_at_least: 5
    excess_at_most: 0.6
    most_exposed_at_most: 0.6
    members_at_least: 20
    members_at_most: 0.6
    members_at_most_of_few: 0.6
    members_at_most_of_half: 0.6
  fidelity: {marginals: 0.5, pairs: 0.7, rows_per_person: 0.5}
synthetic:
  synthesizer: {kind: hma, people: 100}
  contribution: {rows: 5}
  bounds: {weight: {low: 30, high: 150}, weight_before: {low: 30, high: 150}}
  tables:
    visits:
      bounds: {weight: {low: 30, high: 150}}
  seed: 3
"""


def write_linked_project(root: Path) -> None:
    """The tiny project with many people who smoke or not, and weigh at each of their visits what they always weigh."""
    write_tiny_project(root)
    dice = np.random.default_rng(5)
    people, visits = ["patient_id;email;sex;age;smoker;cost;registered"], ["visit_id,patient_id,bed_id,weight,ward"]
    for number in range(PEOPLE):
        who, sex = f"p-{number:04}", "FM"[int(dice.integers(2))]
        people.append(f"{who};a{number}@example.org;{sex};40;{str(dice.random() < 0.4).lower()};1.50;2026-01-02")
        usual = dice.normal(60 + 20 * (sex == "M"), 10)
        for visit in range(int(dice.choice([0, 1, 2, 3, 6], p=[0.1, 0.3, 0.3, 0.2, 0.1]))):
            weight = int(np.clip(dice.normal(usual, 2), 35, 140))
            visits.append(f"{who}-{visit},{who},b-{number},{weight},{'xy'[visit % 2]}")
    said = [f"p-{number:04},smoking,granted,2026-02-02 09:00:00" for number in range(PEOPLE)]
    samples = root / "data/samples"
    (samples / "patients.csv").write_text("\n".join(people) + "\n", encoding="utf-8")
    (samples / "visits.csv").write_text("\n".join(visits) + "\n", encoding="utf-8")
    (samples / "consents.csv").write_text("\n".join(["patient_id,purpose,decision,decided_at", *said]) + "\n", "utf-8")
    (root / VISITS).write_text(CONTRACT, encoding="utf-8")
    (root / PURPOSE).write_text(DECLARED, encoding="utf-8")


@pytest.fixture
def declared(tiny_project: Path) -> Path:
    """The folder of that project, of which nothing was made."""
    write_linked_project(tiny_project)
    return tiny_project


@pytest.fixture(scope="session")
def linked_features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with that project, whose features are there. To be copied."""
    folder = tmp_path_factory.mktemp("linked")
    write_linked_project(folder / "project")
    gate = Gate.open(folder / "project", environment_in(folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(promises, "SMALLEST_DOMAIN", 10)
        for step in steps(gate.project).values():
            if step.asset.stage in BEFORE:
                carry_out(step, gate).raise_faults()
    return folder


@pytest.fixture(scope="session")
def linked_release(linked_features: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with its synthetic rows, which SDV drew. To be copied."""
    folder = tmp_path_factory.mktemp("release") / "copy"
    shutil.copytree(linked_features, folder)
    gate = Gate.open(folder / "project", environment_in(folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(promises, "SMALLEST_DOMAIN", 10)
        carry_out(steps(gate.project)[SYNTHETIC], gate).raise_faults()
    return folder


def _copied(folder: Path, tmp_path: Path, reopen: Callable[[], Gate], monkeypatch: pytest.MonkeyPatch) -> Gate:
    monkeypatch.setattr(promises, "SMALLEST_DOMAIN", 10)
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    return reopen()


@pytest.fixture
def linking(
    linked_features: Path, tiny_project: Path, tmp_path: Path, reopen: Any, monkeypatch: pytest.MonkeyPatch
) -> Gate:
    """The gate of a copy of that project, with its features."""
    return _copied(linked_features, tmp_path, reopen, monkeypatch)


@pytest.fixture
def released(
    linked_release: Path, tiny_project: Path, tmp_path: Path, reopen: Any, monkeypatch: pytest.MonkeyPatch
) -> Gate:
    """The same with its synthetic rows."""
    return _copied(linked_release, tmp_path, reopen, monkeypatch)


# ---- what SDV draws


def test_rows_come_out_as_the_features_are(released: Gate, rows: Any) -> None:
    """The columns that leave, inside their domains, no key and no token; as many as drawn people have."""
    assert rows(released, SYNTHETIC, "SELECT column_name FROM (DESCRIBE FROM DATA)") == [
        ("sex",), ("smoker",), ("weight",), ("weight_before",)
    ]  # fmt: skip
    ((low, high, sexes, number),) = rows(
        released, SYNTHETIC, "SELECT min(weight), max(weight), list(DISTINCT sex ORDER BY sex), count(*) FROM DATA"
    )
    assert low >= 30 and high <= 150 and sexes == ["F", "M"]
    real = rows(released, FEATURES, "SELECT count(*) FROM DATA")[0][0]
    assert number == pytest.approx(100 * real / PEOPLE, rel=0.15)


def test_a_persons_rows_hang_together(released: Gate, rows: Any) -> None:
    """Weight goes with the weight before, which a drawn person had, and the first visit of a person has none before."""
    together = "SELECT corr(weight, weight_before), avg((weight_before IS NULL)::INT) FROM DATA"
    ((drawn, first),) = rows(released, SYNTHETIC, together)
    ((real, really),) = rows(released, FEATURES, together)
    assert real > 0.9 and drawn > 0.5
    assert first == pytest.approx(really, abs=0.15)
    passport = released.latest(SYNTHETIC)
    assert passport.measures["synthesizer[hma]"] == 1.0
    (numbers,) = [one.finding for one in passport.measured if one.finding.name == "fidelity__rows_per_person"]
    assert numbers.kept and 0 < numbers.numbers["value"] == passport.measures["rows_per_person"] < 0.5


def test_it_is_pending_until_the_red_team_was_there(released: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shadows are releases that were learned anew from all tables of other people."""
    assert released.examine(SYNTHETIC).standing is Standing.PENDING
    with pytest.raises(Refused, match="waits for the red team"):
        released.require(SYNTHETIC, PERSON)
    seen: list[Linked] = []
    monkeypatch.setattr(SYNTHESIZE["hma"], "synthesize", _taking(lambda table, people: table, seen))
    (one,) = redteam(released, {SYNTHETIC: steps(released.project)[SYNTHETIC]}, seed=1)
    assert len(seen) == 48 and one.passes is (released.examine(SYNTHETIC).standing is Standing.KEPT)
    sizes = {table.people.rows for table in seen}
    assert min(sizes) > 100 and max(sizes) < PEOPLE
    assert all(table.children[0].rows.rows for table in seen)


# ---- what is learned from, and what is not published


def _taking(change: Callable[[Linked, int | None], Linked], seen: list[Linked] | None = None) -> Callable[..., Linked]:
    """A synthesizer that gives back what it was given, changed."""

    def synthesize(parameters: Any, table: Linked, *, people: int | None, **_: Any) -> Linked:
        if seen is not None:
            seen.append(table)
        return change(table, people)

    return synthesize


def _held(gate: Gate) -> Any:
    """What the step would read now."""
    step, purpose = steps(gate.project)[SYNTHETIC], gate.project.purposes["smoking"]
    linking = Linking.of(gate.project, purpose, purpose.synthetic)
    with showing(step, gate) as con:
        passports = {name: (gate.require(view.asset, Stage.SYNTHETIC),) for name, view in step.views.items()}
        return linking.read(Work(SYNTHETIC, con, gate, gate.moment(), passports))


def test_only_people_of_train_are_learned_from(linking: Gate, monkeypatch: pytest.MonkeyPatch, rows: Any) -> None:
    """With all their rows up to the bound, and without any token: a person is a place."""
    held = _held(linking)
    seen: list[Linked] = []
    monkeypatch.setattr(SYNTHESIZE["hma"], "synthesize", _taking(lambda table, people: table, seen))
    carry_out(steps(linking.project)[SYNTHETIC], linking)
    (table,) = seen
    assert table.people.rows == held.learned.sum() == pytest.approx(PEOPLE * 0.7, rel=0.1)
    assert np.array_equal(table.people.codes, held.linked.people.codes[held.learned])
    numbers = np.bincount(held.linked.children[0].of, minlength=PEOPLE)
    of_train = np.bincount(table.children[0].of, minlength=table.people.rows)
    assert np.array_equal(of_train, numbers[held.learned]) and numbers.max() == 5
    (same,) = rows(
        linking, FEATURES, "SELECT count(*) FROM (SELECT patient_id FROM DATA GROUP BY 1 HAVING count(*) > 5)"
    )
    assert same[0] > 10  # who has six visits is learned from with five
    assert {domain.name for domain in table.people.domains} == {"sex", "smoker"}
    assert {domain.name for domain in table.children[0].rows.domains} == {"weight"}


def _changed(table: Linked, weight: int) -> Linked:
    """Three visits with another weight."""
    (child,) = table.children
    codes = child.rows.codes.copy()
    codes[:3, 0] = weight
    return Linked(table.people, (Child(Coded(child.rows.domains, codes), child.of),))


def _alone(table: Linked) -> Linked:
    """Nobody has more than one visit: as a synthesizer of rows would have it."""
    (child,) = table.children
    first = np.unique(child.of, return_index=True)[1]
    return Linked(table.people, (Child(child.rows.take(first), child.of[first]),))


def _files(gate: Gate) -> list[Path]:
    return sorted(path for path in gate.home.versions.rglob("*") if path.is_file())


def _crash(table: Linked, people: int | None) -> Linked:
    raise EngineFailed.of("the synthesizer failed (ValueError)")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_crash, "the synthesizer failed"),
        (lambda table, _: _changed(table, weight=121), "`weight` was made with NULL"),
        (lambda table, _: table.take(np.arange(table.people.rows) < 60), "has_rows is broken"),
        (lambda table, _: _alone(table), "fidelity__rows_per_person is broken"),
    ],
    ids=["crash", "null", "few", "alone"],
)
def test_what_is_not_as_it_should_be_is_not_published(
    linking: Gate, monkeypatch: pytest.MonkeyPatch, edit: Edit, reopen: Callable[[], Gate], change: Any, said: str
) -> None:
    """No version, and no file is left of it."""
    edit(PURPOSE, "  contribution: {rows: 5}\n", "  contribution: {rows: 5}\n  rows: 200\n")
    _is_not_published(reopen(), monkeypatch, change, said)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (
            "CASE WHEN visits.weight = 30 THEN 'X' ELSE patients.sex END AS sex",
            "`sex` holds what is outside its domain",
        ),
        (
            "patients.sex, CAST(CASE visits.weight WHEN 30 THEN 'nan' ELSE '1' END AS DOUBLE) AS strange",
            "`strange` holds what is outside",
        ),
        (
            "patients.sex, CAST(CASE visits.weight WHEN 30 THEN 'x' ELSE '1' END AS INTEGER) AS strange",
            "features of drawn",
        ),
    ],
    ids=["category", "nan", "engine"],
)
def test_what_the_sql_makes_of_drawn_values_has_to_lie_in_the_features_domains(
    linking: Gate,
    monkeypatch: pytest.MonkeyPatch,
    edit: Edit,
    reopen: Callable[[], Gate],
    make: Make,
    column: str,
    said: str,
) -> None:
    """No real person weighs 30, a drawn one does: a category that is none, no number, a failure of the engine."""
    edit(PURPOSE, "patients.sex,", f"{column},")
    if "AS sex" in column:
        edit(PURPOSE, "guarantee:\n", "  categories: {sex: [F, M]}\nguarantee:\n")
    else:
        edit(PURPOSE, "weight_before: {low", "strange: {low: 0, high: 9}, weight_before: {low")
    gate = reopen()
    make(gate, FEATURES)
    _is_not_published(gate, monkeypatch, lambda table, _: _changed(table, weight=0), said)


@pytest.mark.parametrize(
    ("joined", "subject"),
    [
        ("FROM visits JOIN patients ON visits.weight = 30 OR", "visits.patient_id"),
        ("FROM visits LEFT JOIN patients ON visits.weight > 30 AND", "patients.patient_id"),
    ],
    ids=["key", "nobody"],
)
def test_rows_that_are_no_units_or_nobodys_are_not_published(
    linking: Gate,
    monkeypatch: pytest.MonkeyPatch,
    edit: Edit,
    reopen: Callable[[], Gate],
    make: Make,
    joined: str,
    subject: str,
) -> None:
    """Of a drawn visit of somebody who weighs 30 the join makes one for each other person, or one for none."""
    edit(PURPOSE, "FROM visits JOIN patients ON", joined)
    edit(PURPOSE, "visits.patient_id, patients.sex", f"{subject}, patients.sex")
    gate = reopen()
    make(gate, FEATURES)
    _is_not_published(
        gate, monkeypatch, lambda table, _: _changed(table, weight=0), "no units of their own, or nobody's"
    )


def _is_not_published(gate: Gate, monkeypatch: pytest.MonkeyPatch, change: Any, said: str) -> None:
    files = _files(gate)
    monkeypatch.setattr(SYNTHESIZE["hma"], "synthesize", _taking(change))
    with pytest.raises((EngineFailed, NotKept, ValueError), match=said):
        carry_out(steps(gate.project)[SYNTHETIC], gate).raise_faults()
    assert gate.latest(SYNTHETIC) is None
    assert _files(gate) == files


def test_the_sql_never_runs_over_real_tables(linking: Gate, monkeypatch: pytest.MonkeyPatch, rows: Any) -> None:
    """What is written holds drawn people alone: all of them weigh what nobody does."""

    def heavy(table: Linked, _: int | None) -> Linked:
        (child,) = table.children
        return Linked(table.people, (Child(Coded(child.rows.domains, np.full_like(child.rows.codes, 120)), child.of),))

    monkeypatch.setattr(SYNTHESIZE["hma"], "synthesize", _taking(heavy))
    monkeypatch.setattr("privacy_assets.contracts.promises._withstands", lambda *_: iter(()))
    carry_out(steps(linking.project)[SYNTHETIC], linking)
    assert rows(linking, SYNTHETIC, "SELECT DISTINCT weight FROM DATA") == [(150,)]


def test_the_same_drawn_people_give_the_same_rows_in_splits_of_their_own(
    linking: Gate, monkeypatch: pytest.MonkeyPatch, edit: Edit, reopen: Callable[[], Gate], make: Make, rows: Any
) -> None:
    """Twice the same; and whoever is drawn is in one split, with all their rows."""

    def once(table: Linked, _: int | None) -> Linked:
        """Each person of their own weight, as far as there are weights."""
        (child,) = table.children
        kept = child.of < 121
        visits = Coded(child.rows.domains, child.of[kept, None])
        return Linked(table.people, (Child(visits, child.of[kept]),))

    monkeypatch.setattr(SYNTHESIZE["hma"], "synthesize", _taking(once))
    monkeypatch.setattr("privacy_assets.contracts.promises._withstands", lambda *_: iter(()))
    edit(PURPOSE, "guarantee:\n", "training: {from: synthetic}\nguarantee:\n")
    gate = reopen()
    digests = []
    for _ in range(2):
        make(gate, SYNTHETIC)
        digests.append(gate.latest(SYNTHETIC).content_digest)
    assert digests[0] == digests[1]
    dealt = rows(gate, SYNTHETIC, "SELECT weight, count(DISTINCT split), count(*) FROM DATA GROUP BY 1")
    assert len(dealt) > 80 and {splits for _, splits, _ in dealt} == {1} and max(number for *_, number in dealt) == 5
    assert len(rows(gate, SYNTHETIC, "SELECT DISTINCT split FROM DATA")) == 3


def test_days_of_a_table_are_learned_from_together(
    linking: Gate, monkeypatch: pytest.MonkeyPatch, edit: Edit, reopen: Callable[[], Gate], make: Make
) -> None:
    """A person's visits of two days are theirs; a day that came after the features is not learned from unnoticed."""
    deliveries = "customProperties: [{property: deliveries, value: {by: day, since: '2026-11-01'}}]"
    edit(VISITS, "visits.csv, format: csv", f'visits-{{day}}.csv", format: csv, {deliveries}')
    edit(VISITS, "path: data/", 'path: "data/')
    samples = linking.project.root / "data/samples"
    head, *visits = (samples / "visits.csv").read_text("utf-8").splitlines()
    days = ["2026-11-01", "2026-11-02"]
    for place, day in enumerate(days):
        (samples / f"visits-{day}.csv").write_text("\n".join([head, *visits[place::2]]) + "\n", "utf-8")
    gate, seen = reopen(), list[Linked]()
    made = steps(gate.project)
    chain = ["raw/visits", "minimized/smoking/visits", "pseudonymized/smoking/visits"]

    def arrive(day: str) -> None:
        for name in chain:
            carry_out(made[AssetName.parse(name)].of(day), gate).raise_faults()

    monkeypatch.setattr(SYNTHESIZE["hma"], "synthesize", _taking(lambda table, people: table, seen))
    arrive(days[0])
    make(gate, FEATURES)
    carry_out(made[SYNTHETIC], gate)
    arrive(days[1])
    with pytest.raises(Refused, match="newer than the features"):
        carry_out(made[SYNTHETIC], gate)
    make(gate, FEATURES)
    carry_out(made[SYNTHETIC], gate)
    first, both = (table.children[0] for table in seen)
    assert both.rows.rows > 1.7 * first.rows.rows and np.bincount(both.of).max() == 5


def test_tables_that_are_newer_than_the_features_are_refused(linking: Gate, make: Make) -> None:
    """Rows of one version would be compared with features of another."""
    make(linking, AssetName.parse("pseudonymized/smoking/visits"))
    with pytest.raises(Refused, match="newer than the features"):
        carry_out(steps(linking.project)[SYNTHETIC], linking)
    make(linking, FEATURES)
    assert _held(linking).tokens.len() == PEOPLE


# ---- who reads what, and what it says


def test_pseudonymized_tables_are_read_only_where_a_purpose_asks_for_several(
    linking: Gate, edit: Edit, reopen: Callable[[], Gate]
) -> None:
    """By this stage, and by no other; another synthesizer, and it is refused."""
    visits = AssetName.parse("pseudonymized/smoking/visits")
    assert linking.require(visits, Stage.SYNTHETIC).asset == visits
    for reader in {*Stage, PERSON} - {Stage.SYNTHETIC, Stage.FEATURES}:
        with pytest.raises(Refused, match="may not read"):
            linking.require(visits, reader)
    edit(PURPOSE, "synthesizer: {kind: hma, people: 100}", "synthesizer: {kind: sequential_trees}")
    edit(PURPOSE, ", rows_per_person: 0.5", "")
    edit(PURPOSE, "  tables:\n    visits:\n      bounds: {weight: {low: 30, high: 150}}\n", "")
    gate = reopen()
    with pytest.raises(Refused, match="may not read"):
        gate.require(visits, Stage.SYNTHETIC)
    assert not [asset for asset in steps(gate.project)[SYNTHETIC].inputs if asset.stage is Stage.PSEUDONYMIZED]


def test_the_lineage_says_what_is_read_and_where_a_cell_was_learned(linking: Gate) -> None:
    """Cells come from the tables' columns as the features' do, and whatever is shown decides something."""
    step = steps(linking.project)[SYNTHETIC]
    direct, indirect = step.lineage.direct, step.lineage.indirect
    assert direct["sex"] == {("real_patients", "sex")}
    assert direct["weight_before"] == {("real_visits", "weight")}
    assert ("real_visits", "visit_id", "window") in indirect["weight_before"]
    assert ("real_patients", "patient_id", "join") in indirect["sex"]
    shown = {(name, column) for name, view in step.views.items() for column in view.columns}
    for column in step.columns:
        assert direct[column.name] | {edge[:2] for edge in indirect[column.name]} == shown
    assert ("real_visits", "ward") not in shown
    assert {view.asset for view in step.views.values()} == {
        FEATURES, AssetName.parse("pseudonymized/smoking/patients"), AssetName.parse("pseudonymized/smoking/visits")
    }  # fmt: skip


def test_other_sql_is_another_program(linking: Gate, edit: Edit, reopen: Callable[[], Gate]) -> None:
    """What the rows are made by is the SQL, too."""
    before = steps(linking.project)[SYNTHETIC]
    edit(PURPOSE, "visits.weight,", "visits.weight + 0 AS weight,")
    after = steps(reopen().project)[SYNTHETIC]
    assert (before.code_version, before.declared) != (after.code_version, after.declared)


COMPOSITE = ("        required: true\n        customProperties:\n          - property: privacy\n            value: "
             "{role: direct_identifier, category: user.unique_id, identifier_domain: {name: patient_id}}")  # fmt: skip


@pytest.mark.parametrize(
    ("edits", "said", "line"),
    [
        (((PURPOSE, "  contribution: {rows: 5}\n", ""),), "nothing says how many rows of a person", "synthetic:"),
        (
            ((PURPOSE, "      bounds: {weight: {low: 30, high: 150}}\n", "      bounds: {}\n"),),
            "nothing says what `weight` can be",
            "bounds: {}",
        ),
        (
            ((PURPOSE, "bounds: {weight: {low: 30, high: 150}}\n", "bounds: {weight: {low: 30.5, high: 150}}\n"),),
            "`weight` holds whole numbers",
            "30.5",
        ),
        (((PURPOSE, "    visits:\n      bounds", "    visit:\n      bounds"),), "is no dataset", "    visit:"),
        (
            ((PURPOSE, "bounds: {weight: {low: 30, high: 150}}\n", "bounds: {wait: {low: 30, high: 150}}\n"),),
            "no such column of `visits` is drawn",
            "wait:",
        ),
        (
            ((PURPOSE, "visits.weight,", "visits.weight, visits.ward = 'x' AS of_x,"),),
            "values of `ward` are not",
            "visits:",
        ),
        (
            (
                (PURPOSE, "visits.weight,", "visits.weight, visits.bed_id IS NULL AS bedless,"),
                (
                    PURPOSE,
                    "      ward: {why",
                    "      bed_id: {why: where they lay, technique: {kind: token}}\n      ward: {why",
                ),
            ),
            "a third level of tables",
            "bed_id:",
        ),
        (
            ((VISITS, COMPOSITE, "        primaryKey: true\n        primaryKeyPosition: 2\n" + COMPOSITE),),
            "told apart by several columns",
            "visits:",
        ),
        (
            (
                (VISITS, "        primaryKey: true\n        primaryKeyPosition: 1\n", ""),
                (VISITS, COMPOSITE, "        primaryKey: true\n" + COMPOSITE),
            ),
            "several tables have one row a person",
            "synthesizer:",
        ),
        (
            (("data/contracts/patients.odcs.yaml", "        primaryKey: true\n", ""),),
            "no table has one row a person",
            "synthesizer:",
        ),
        (((PURPOSE, "{kind: hma, people: 100}", "{kind: sequential_trees}"),), "sees the features alone", "tables:"),
        (
            ((PURPOSE, "{kind: hma, people: 100}", "{kind: sequential_trees}"),),
            "draws rows, and nobody whose they are",
            "rows_per_person",
        ),
        (
            ((PURPOSE, "{kind: hma, people: 100}", "{kind: hma, people: 5}"),),
            "greater than or equal to 100",
            "people: 5",
        ),
    ],
)
def test_what_cannot_be_drawn_is_said_with_its_line(
    declared: Path,
    edit: Edit,
    edits: tuple[tuple[str, str, str], ...],
    said: str,
    line: str,
) -> None:
    """Before anything runs."""
    for each in edits:
        edit(*each)
    with pytest.raises(BadDeclaration) as refused:
        load(declared)
    (fault,) = [fault for fault in refused.value.faults if said in str(fault)]
    file, _, number = fault.where.rpartition(":")
    assert line in (declared / file).read_text("utf-8").splitlines()[int(number) - 1]
    assert fault.next_step


def test_more_tables_than_it_takes_are_said(declared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything runs."""
    monkeypatch.setattr("privacy_assets.contracts.linked_tables.MOST_TABLES", 1)
    with pytest.raises(BadDeclaration, match="too many tables hang together"):
        load(declared)


def test_a_table_about_nobody_is_said(declared: Path, edit: Edit) -> None:
    """Nobody can be drawn with its rows."""
    edit(VISITS, "      subject: {kind: patient, column: patient_id}\n", "      subject: null\n")
    edit(VISITS, "      consents: consents\n", "")
    for role in ("direct_identifier", "quasi_identifier"):
        edit(VISITS, f"role: {role}", "role: attribute")
    with pytest.raises(BadDeclaration, match="nothing says whom the rows of `visits` are about"):
        load(declared)
