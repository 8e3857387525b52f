"""Whether noise stands between what was read and people's rows: what the ledger holds decides, not what is declared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from privacy_assets.errors import Tampered
from privacy_assets.gate import Gate, Input, Passport
from privacy_assets.lineage.protection import under_noise as is_under_noise
from privacy_assets.lineage.protection import unprotected_paths
from privacy_assets.words import AssetName
from tests.testdata.conftest import (  # noqa: F401
    SYNTHETIC,
    by_trees,
    made,
    make_noisy,
    noisy,
    treed,
    under_noise,
)

FEATURES = AssetName.parse("features/smoking")
UP_TO_RAW = ("features/smoking", "pseudonymized/smoking/patients", "minimized/smoking/patients")


def standing(gate: Gate, asset: AssetName) -> Passport:
    passport = gate.latest(asset)
    assert passport is not None
    return passport


def told(gate: Gate, *read: Passport) -> set[tuple[str, ...]]:
    return {tuple(map(str, path)) for path in unprotected_paths(gate, read)}


def test_a_release_under_noise_ends_every_way_up(noisy: Gate) -> None:  # noqa: F811
    """Nothing leads to raw from it; from what it was made of two ways do, to rows and to decisions."""
    assert told(noisy) == told(noisy, standing(noisy, SYNTHETIC)) == set()
    ways = {(*UP_TO_RAW, "raw/patients"), (*UP_TO_RAW, "raw/consents")}
    assert told(noisy, standing(noisy, FEATURES)) == ways
    assert told(noisy, standing(noisy, SYNTHETIC), standing(noisy, FEATURES)) == ways


def test_rows_without_noise_lead_to_people(treed: Gate, reopen) -> None:  # noqa: F811
    """And still do when the purpose names another synthesizer afterwards."""
    ways = {("synthetic/smoking", *UP_TO_RAW, raw) for raw in ("raw/patients", "raw/consents")}
    assert told(treed, standing(treed, SYNTHETIC)) == ways
    make_noisy(treed.project.root)
    later = reopen()
    assert told(later, standing(later, SYNTHETIC)) == ways


def test_what_is_said_of_noise_counts_where_it_was_debited(noisy: Gate, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """Another ε, another synthesizer, a debit that paid for a version before, or none: no noise."""
    passport = standing(noisy, SYNTHETIC)
    assert is_under_noise(noisy, passport)
    measures = dict(passport.measures)
    assert not is_under_noise(noisy, replace(passport, measures=measures | {"epsilon": measures["epsilon"] / 2}))
    assert not is_under_noise(noisy, replace(passport, measures=measures | {"synthesizer[ctgan]": 1.0}))
    assert not is_under_noise(noisy, replace(passport, asset=FEATURES))
    # a second publication, after the first, that no debit of its own paid for
    assert not is_under_noise(noisy, replace(passport, position=passport.position + 100))
    monkeypatch.setattr(noisy, "debits", lambda: ())
    assert not is_under_noise(noisy, passport)
    assert len(told(noisy, passport)) == 2


def test_an_input_that_the_ledger_does_not_hold_is_no_way_out(noisy: Gate) -> None:  # noqa: F811
    """What cannot be followed is a forgery, not the end of a way."""
    features = replace(standing(noisy, FEATURES), inputs=(Input(AssetName.parse("raw/patients"), "0" * 32),))
    with pytest.raises(Tampered, match="does not hold"):
        unprotected_paths(noisy, (features,))
