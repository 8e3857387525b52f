"""What the README tells people to type in a throwaway home works as it stands there; the rest: `test_corridor.py`."""

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
