"""What the README tells people to type works as it stands there."""

from __future__ import annotations

from typing import Any


def test_ci_in_a_throwaway_home_ends_with_a_model_and_its_chain(clinic: Any, readme: dict[str, str]):
    """From a bare checkout and no variable set to a model whose chain ends at the source; nothing stays behind."""
    guards = ("PRIVACY_ASSETS_HOME", "PRIVACY_ASSETS_KEY_FILE", "PRIVACY_ASSETS_WITNESS", "PRIVACY_ASSETS_PROJECT")
    done = clinic.shell(readme["ci-throwaway"], "DAGSTER_HOME", *guards)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "model/readmission_model" in done.stdout
    assert "raw/visits" in done.stdout
    assert "source files" in done.stdout
    assert "are sound" in done.stdout
    assert not clinic.home.exists()
    assert not (clinic.project / "data" / "state").exists()


def test_ci_in_a_home_that_stays_ends_with_everything_verified(corridor: Any):
    """Both commands succeed, and verification finds everything kept."""
    assert corridor.said.returncode == 0, corridor.said.stderr[-3000:]
    assert "26 kept of 26 assets" in corridor.said.stdout


def test_the_home_holds_all_state_and_the_guards_lie_outside(corridor: Any):
    """Dagster's history is in the home; key and witness are where they were mounted; the project is as it was."""
    made = corridor.checkout
    assert {path.name for path in made.home.iterdir()} >= {"dagster", "ledger", "versions", "home.json"}
    assert any((made.home / "dagster").rglob("*.db"))
    assert (made.folder / "key" / "master.key").stat().st_mode & 0o777 == 0o600
    assert any((made.folder / "witness").iterdir())
    assert {path.name for path in made.project.iterdir()} - {"__pycache__"} == {
        "data", "dagster.yaml", "definitions.py", "workspace.yaml",
    }  # fmt: skip
    assert not list((made.folder / "user").rglob("*.key"))
    assert not list((made.folder / "tmp").iterdir())


def test_an_asset_of_ones_own_reads_the_training_set_through_the_gate(checkout: Any, readme: dict[str, str]):
    """The example materializes beside the corridor, and its reading is in the ledger."""
    (checkout.project / "mine.py").write_text(readme["example"], encoding="utf-8")
    entries = checkout.home / "ledger" / "entries"
    before = entries.read_text().count("\n")
    done = checkout.materialize("my_baseline", module="mine")
    assert done.returncode == 0, done.stderr[-3000:]
    after = entries.read_text().splitlines()[before:]
    assert len(after) == 1
    assert '"action":"access"' in after[0]
    assert '"asset":"training/readmission_model"' in after[0]
