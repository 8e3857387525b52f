"""The clock under fire: a year back, a year forward, and put right again, by the commands that people type.

Belongs here: what happens to reading and building when the machine's clock is wrong. Does not belong here: times in the
ledger's entries (tests/ledger/test_log.py).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from privacy_assets.build import steps
from privacy_assets.errors import Refused
from privacy_assets.gate import CLOCK_TOLERANCE, PERSON, Gate
from privacy_assets.stages.step import carry_out
from privacy_assets.words import AssetName

ROOT = Path(__file__).parents[2]
TRAINING, RAW = AssetName.parse("training/smoking"), AssetName.parse("raw/patients")
READ = "import privacy_assets; print(len(privacy_assets.read('training/smoking', purpose='smoking')), 'rows')"
BEHIND = "the clock is behind the ledger"

Figures = Callable[..., None]
Said = subprocess.CompletedProcess[str]


@pytest.fixture
def command(published: Gate, environment: dict[str, str]) -> Callable[..., Said]:
    """Runs a command in the tiny project, under a clock that is off by so much ("" for the true one)."""
    root = published.project.root
    shutil.copy(ROOT / "dagster.yaml", root)

    def run(clock: str, *words: str) -> Said:
        command = [sys.executable, "-m", "privacy_assets.cli", *words] if words[0] != "-c" else [sys.executable, *words]
        env = {**os.environ, **environment, "DAGSTER_HOME": str(root), "PYTHONPATH": str(ROOT)}
        faked = ["faketime", "-f", clock, *command] if clock else command
        return subprocess.run(faked, cwd=root, env=env, capture_output=True, text=True, timeout=300)

    return run


@pytest.mark.needs("faketime")
def test_a_clock_that_is_a_year_off_closes_and_is_put_right_by_a_signed_correction(
    command: Callable[..., Said], reopen: Callable[[], Gate], figures: Figures
):
    """T-REL-6: a year back and 400 days forward nothing is served; back and building, nothing is published.

    What was published under a clock that was ahead closes the home, until somebody who knows the day says so.
    """
    served = refused = 0
    size = reopen().ledger.size
    for clock in ("-1y", "+400d"):
        said = command(clock, "-c", READ)
        served += "rows" in said.stdout
        refused += said.returncode != 0
        assert (BEHIND if clock == "-1y" else "older than the purpose keeps its results") in said.stderr
    back = command("-1y", "run")
    assert back.returncode == 1
    assert back.stderr.count(BEHIND) >= 1
    assert "next: set the clock" in back.stderr
    assert reopen().ledger.size == size
    assert reopen().require(TRAINING, PERSON)

    # the clock is ahead for one publication, and mended
    ahead = reopen()
    later = datetime.now(UTC) + timedelta(days=400)
    ahead.now = ahead.ledger._now = lambda: later
    carry_out(steps(ahead.project)[RAW], ahead).raise_faults()
    said = command("", "-c", READ)
    served += "rows" in said.stdout
    refused += BEHIND in said.stderr
    assert "privacy-assets correct-clock" in said.stderr
    today = datetime.now(UTC).date()
    said = command("-1y", "correct-clock", "--today", f"{today}")
    refused += said.returncode == 1
    assert "shows another day" in said.stderr
    with pytest.raises(Refused, match="shows another day"):
        reopen().correct_clock(today + timedelta(days=400))
    corrected = command("", "correct-clock", "--today", f"{today}")
    assert corrected.returncode == 0, corrected.stderr
    with pytest.raises(Refused, match="nothing to correct"):
        reopen().correct_clock(today)
    refused += 2
    verified = command("", "verify")
    assert verified.returncode == 0, verified.stderr
    assert "corrects the clock" in verified.stdout
    assert reopen().require(TRAINING, PERSON)
    figures("T-REL-6 a clock that is wrong", tried=6, refused=refused, served=served)
    assert (refused, served) == (6, 0)


class UnsafeClock(Gate):
    """The control: a gate that believes the clock, as before there was the rule."""

    def moment(self) -> datetime:
        return self.now()


def test_without_the_rule_a_clock_set_back_serves_what_has_expired(published: Gate, figures: Figures):
    """T-REL-6: what passed its retention is read again by setting the clock back; not where the ledger is asked.

    Inside the tolerance the last entry's time counts, not the clock's.
    """
    served = dict.fromkeys((Gate, UnsafeClock), 0)
    tries = 0
    expired = published.now() + timedelta(days=400)
    published.ledger._now = lambda: expired
    published.ledger.append({"action": "destroy", "asset": str(RAW), "version": "none", "actor_claimed": "0" * 32})
    last = published.ledger.last_time
    assert last is not None
    for days in (0, 1, 30, 36, 100, 365, 399):
        for back in (timedelta(days=days), timedelta(days=days) + CLOCK_TOLERANCE, timedelta(days=days, seconds=30)):
            now = last - back
            tries += 1
            for kind in served:
                gate = kind(published.project, published.home, published.versions, published.secrets, published.ledger)
                gate.now = lambda now=now: now
                try:
                    served[kind] += gate.require(TRAINING, PERSON) is not None
                except Refused:
                    continue
    figures(
        "T-REL-6 clocks set back by days", tried=tries, served=served[Gate], served_without_the_rule=served[UnsafeClock]
    )
    assert served[Gate] == 0
    assert served[UnsafeClock] > 0


def test_what_was_published_ahead_ages_from_the_last_true_time(published: Gate, reopen: Callable[[], Gate]):
    """After a correction a running gate and a new one count it as old as it can be: too early, never too late."""
    began = published.latest(TRAINING)
    assert began is not None
    ahead = published.now() + timedelta(days=300)
    published.now = published.ledger._now = lambda: ahead
    carry_out(steps(published.project)[TRAINING], published).raise_faults()
    new = published.latest(TRAINING)
    assert new is not None
    assert new.time > began.time + timedelta(days=299)
    corrected = began.time + timedelta(days=100)
    published.now = published.ledger._now = lambda: corrected
    with pytest.raises(Refused, match=BEHIND):
        published.require(TRAINING, PERSON)
    published.correct_clock(corrected.date())
    for gate in (published, reopen()):
        gate.now = lambda: corrected
        found = gate.require(TRAINING, PERSON)
        assert found.version == new.version
        assert found.time <= began.time + timedelta(minutes=5)
        gate.now = lambda: began.time + timedelta(days=366)
        with pytest.raises(Refused, match="older than the purpose keeps"):
            gate.require(TRAINING, PERSON)
