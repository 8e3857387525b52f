"""What an adversary is taken to know and to want, and that a threat model always asks for something."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from privacy_assets.contracts.loading import load
from privacy_assets.contracts.promises import promises
from privacy_assets.contracts.withstanding import adversary, withstood
from privacy_assets.errors import BadDeclaration
from privacy_assets.words import AssetName, Stage

ROOT = Path(__file__).parents[2]
PURPOSE = "data/purposes/research_sharing.yaml"


@pytest.fixture
def sample(tmp_path: Path) -> Callable[..., Any]:
    """The declarations of the sample's other purposes with (file, old, new) replaced."""
    for folder in ("contracts", "purposes"):
        shutil.copytree(ROOT / "data" / folder, tmp_path / "data" / folder)

    (tmp_path / "data/purposes/readmission_model.yaml").unlink()  # it asks for more of its columns' roles

    def loaded(*edits: tuple[str, str, str]) -> Any:
        for file, old, new in edits:
            text = (tmp_path / file).read_text("utf-8")
            assert old in text
            (tmp_path / file).write_text(text.replace(old, new), "utf-8")
        return load(tmp_path)

    return loaded


def test_quasi_identifiers_are_known_and_sensitive_columns_are_wanted(sample: Callable[..., Any]) -> None:
    """By the roles of the contracts, of what leaves."""
    project = sample()
    who = adversary(project.purposes["research_sharing"], project.features("research_sharing").columns)
    assert set(who.known) == {"decade", "sex", "length_of_stay"}
    assert set(who.secret) == {"ward", "severity", "emergency"}
    assert not set(who.known) & set(who.secret)


def test_without_a_sensitive_column_what_is_learned_is_wanted(sample: Callable[..., Any]) -> None:
    """The target of the model by which the rows are measured: somebody is always after something."""
    every = ("data/contracts/visits.odcs.yaml", "role: sensitive", "role: quasi_identifier")
    project = sample(every, ("data/contracts/patients.odcs.yaml", "role: sensitive", "role: quasi_identifier"))
    who = adversary(project.purposes["research_sharing"], project.features("research_sharing").columns)
    assert who.secret == ("emergency",)
    assert len(who.known) == 5


def test_who_knows_one_column_knows_what_it_takes_to_link(sample: Callable[..., Any]) -> None:
    """With one quasi-identifier all that is not secret is known: one column has no two halves."""
    edits = [("data/contracts/patients.odcs.yaml", "role: quasi_identifier", "role: attribute")]
    project = sample(*edits)
    who = adversary(project.purposes["research_sharing"], project.features("research_sharing").columns)
    assert len(who.known) >= 2 and not set(who.known) & set(who.secret)


def test_every_stage_of_the_sample_is_attacked_by_what_its_threat_model_names() -> None:
    """Each variation has ceilings; only what is judged on few people is judged as counted."""
    project = load(ROOT)
    for name, stage in (
        ("research_sharing", Stage.SYNTHETIC),
        ("readmission_model", Stage.ANONYMIZED),
        ("readmission_model", Stage.MODEL),
    ):
        asked = withstood(project.purposes[name], project.features(name).columns, stage)
        assert asked and all(each.about and each.ceilings for each in asked)
        for each in asked:
            assert each.ceilings["everyone"].excess_at_most < 0.2
            if "most_exposed" in each.ceilings:
                assert each.ceilings["most_exposed"].judged_on == "value"


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (("recipients: [the university's group for health services research]\n", ""), "trusts recipients"),
        (("  withstands: {kind: trusted_partner}\n", ""), "`guarantee.withstands`"),
        (("{kind: trusted_partner}", "{kind: trusted_partner, tries: 10}"), "fewer than decide anything"),
        (("{kind: trusted_partner}", "{kind: trusted_partner, members_at_least: 9000}"), "no rate would ever decide"),
        (("{kind: trusted_partner}", "{kind: trusted_partners}"), "trusted_partner"),
        (("target: emergency}", "target: emergencies}"), "no such column is synthesized"),
        (("length_of_stay: {low: 0, high: 30}", "length_of_stay: {low: 0, high: 3.0e+18}"), "cannot hold"),
    ],
)
def test_what_would_promise_nothing_is_refused_with_its_line(
    sample: Callable[..., Any], edit: tuple[str, str], said: str
) -> None:
    """Before anything runs, and before anything is paid for."""
    with pytest.raises(BadDeclaration) as refused:
        sample((PURPOSE, *edit))
    assert said in str(refused.value) and f"{PURPOSE}:" in str(refused.value)


SYNTHESIZER = "{kind: marginal_tree, epsilon: 1.0, delta: 1.0e-6, target: emergency}"


@pytest.mark.parametrize(
    ("synthesizer", "settled"),
    [
        ("{kind: marginal_tree, epsilon: 0.5, delta: 1.0e-6}", {"by_accountant"}),
        (SYNTHESIZER, {"by_attack", "by_accountant"}),
        ("{kind: ctgan}", {"later"}),
        ("{kind: sequential_trees}", {"by_attack"}),
    ],
)
def test_what_runs_the_synthesizer_often_is_settled_where_that_is_cheapest(
    sample: Callable[..., Any], synthesizer: str, settled: set[str]
) -> None:
    """By ε where it leaves nothing, before the publication where that is quick, after it where not.

    At ε = 1 it leaves nothing of one in a thousand, and too much of one in a hundred.
    """
    project = sample((PURPOSE, SYNTHESIZER, synthesizer))
    columns = project.features("research_sharing").columns
    asked = withstood(project.purposes["research_sharing"], columns, Stage.SYNTHETIC)
    shadows = [each for each in asked if each.attack.kind == "shadow_releases"]
    assert {each.settled.value for each in shadows} == settled
    assert {each.settled.value for each in asked if each not in shadows} == {"by_attack"}
    promised = promises(project, AssetName.parse("synthetic/research_sharing"))
    later = {each.name for each in promised if each.later}
    expected = {"fpr_01_percent", "fpr_1_percent"} if settled == {"later"} else set()
    assert later == {f"attack_excess__shadow_releases__{about}__everyone" for about in expected}


def test_epsilon_is_named_where_success_is_an_event_of_one_person(sample: Callable[..., Any]) -> None:
    """Not of what the whole table decides: being the only one of whom something is true, a map learned from all."""
    promised = promises(sample(), AssetName.parse("synthetic/research_sharing"))
    asked = [each.parameters for each in promised if each.parameters.kind == "attack_excess"]
    bounded = {each.attack for each in asked if each.epsilon is not None}
    assert bounded == {"copies", "linkability", "attribute_inference", "membership", "shadow_releases"}
    assert {each.attack for each in asked} - bounded == {
        "singling_out", "singling_out_multivariate", "reconstruction"
    }  # fmt: skip
