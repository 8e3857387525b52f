"""The typed form of a purpose: what it must say, and what it may not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from privacy_assets.contracts.purpose import Guarantee, Need, Purpose, Split, Training, UtilityFloor
from privacy_assets.techniques.pseudonymize import PSEUDONYMIZE
from privacy_assets.techniques.train import TRAIN

Said = dict[str, Any]


@pytest.fixture
def said(tiny_project: Path) -> Said:
    """What the file of the tiny purpose says."""
    found: Said = yaml.safe_load((tiny_project / "data/purposes/smoking.yaml").read_text("utf-8"))
    return found


def test_what_is_left_out_is_the_careful_choice(said: Said) -> None:
    """A day until a withdrawal has its effect, one superseded version, the first epoch, ten subjects."""
    del said["guarantee"]
    purpose = Purpose.model_validate(said)
    assert (purpose.withdrawal_effect_hours, purpose.keep_superseded, purpose.epoch) == (24, 1, 1)
    assert (purpose.guarantee.at_least_subjects, purpose.guarantee.utility) == (10, None)


@pytest.mark.parametrize(
    "field",
    ["kind", "purpose", "version", "title", "why", "owner", "lawful_basis", "retention_days", "datasets", "features"],
)
def test_a_purpose_says_why_on_what_basis_and_for_how_long(said: Said, field: str) -> None:
    """None of it has a default."""
    del said[field]
    with pytest.raises(ValidationError, match=field):
        Purpose.model_validate(said)


def test_what_ends_with_its_features_needs_no_training(said: Said) -> None:
    """Training and model are left out together; a model alone is refused."""
    del said["training"]
    with pytest.raises(ValidationError, match="`model` needs `training`"):
        Purpose.model_validate(said)
    del said["model"]
    assert Purpose.model_validate(said).training is None


CHANGES: dict[str, Callable[[Said], object]] = {
    "another kind": lambda said: said.update(kind="Contract"),
    "a name that is none": lambda said: said.update(purpose="Smoking"),
    "an empty reason": lambda said: said.update(why="  "),
    "an unknown basis": lambda said: said.update(lawful_basis="habit"),
    "kept for no day": lambda said: said.update(retention_days=0),
    "kept for ever": lambda said: said.update(retention_days=36526),
    "grace of no hour": lambda said: said.update(withdrawal_effect_hours=0),
    "grace of a season": lambda said: said.update(withdrawal_effect_hours=721),
    "fewer than no versions": lambda said: said.update(keep_superseded=-1),
    "no epoch": lambda said: said.update(epoch=0),
    "no dataset": lambda said: said.update(datasets={}),
    "no column": lambda said: said["datasets"]["patients"].update(columns={}),
    "a column without a reason": lambda said: said["datasets"]["patients"]["columns"]["age"].pop("why"),
    "a column without a technique": lambda said: said["datasets"]["patients"]["columns"]["age"].pop("technique"),
    "an unknown technique": lambda said: said["datasets"]["patients"]["columns"]["age"].update(
        technique={"kind": "blur"}
    ),
    "an unknown parameter": lambda said: said["datasets"]["patients"]["columns"]["sex"].update(
        technique={"kind": "keep", "salt": 1}
    ),
    "no key": lambda said: said["features"].update(key=[]),
    "no word on the subject": lambda said: said["features"].pop("subject"),
    "an empty domain": lambda said: said["features"].update(categories={"sex": []}),
    "nobody is enough": lambda said: said.update(guarantee={"at_least_subjects": 0}),
    "an unknown measure": lambda said: said.update(guarantee={"utility": {"metric": "charm", "at_least": 0.5}}),
    "a floor above one": lambda said: said.update(guarantee={"utility": {"metric": "r2", "at_least": 1.1}}),
    "a reason in a word": lambda said: said["training"].update(reason="because we can  "),
    "no reason": lambda said: said["training"].pop("reason"),
    "from raw": lambda said: said["training"].update({"from": "raw"}),
    "an unknown task": lambda said: said["model"].update(task="clustering"),
    "an unknown estimator": lambda said: said["model"].update(estimator={"kind": "nearest_neighbours"}),
    "a waiver": lambda said: said.update(waiver=True),
}  # fmt: skip


@pytest.mark.parametrize("change", list(CHANGES))
def test_a_purpose_that_says_too_little_or_something_else_is_refused(said: Said, change: str) -> None:
    """One change to a sound purpose, and it is none."""
    Purpose.model_validate(copy.deepcopy(said))
    CHANGES[change](said)
    with pytest.raises(ValidationError):
        Purpose.model_validate(said)


@given(st.floats(0.01, 0.98), st.floats(0.01, 0.98), st.floats(0.01, 0.98))
@settings(deadline=None, max_examples=50)
def test_the_shares_of_a_split_add_up(train: float, validation: float, test: float) -> None:
    """Shares that sum to one are taken, all others are refused."""
    shares = {"train": train, "validation": validation, "test": test}
    whole = {name: share / sum(shares.values()) for name, share in shares.items()}
    assert sum(Split(**whole).model_dump(exclude={"seed"}).values()) == pytest.approx(1)
    if abs(sum(shares.values()) - 1) > 1e-6:
        with pytest.raises(ValidationError, match="add up to 1"):
            Split(**shares)


@pytest.mark.parametrize("share", [0, 1, -0.1, float("nan"), float("inf")])
def test_no_split_is_empty_or_everything(share: float) -> None:
    """A share lies between nothing and all."""
    with pytest.raises(ValidationError):
        Split(train=share, validation=1 - share, test=0.15)


def test_training_is_written_from_and_known_as_source() -> None:
    """`from` is a word of Python; the file says `from`, the code says `source`."""
    reason = "the doctors learn nothing new about them"
    assert Training.model_validate({"from": "features", "reason": reason}).source == "features"


def test_every_member_of_a_family_can_be_written(said: Said) -> None:
    """Techniques and estimators are those that were found in their folders, and no list of them is kept by hand."""
    told = str(Purpose.model_json_schema()["$defs"])
    for family in (PSEUDONYMIZE, TRAIN):
        for kind in family:
            assert f"'const': '{kind}'" in told


def test_a_purpose_cannot_be_changed(said: Said) -> None:
    """A threshold is lowered in the file, not at run time."""
    purpose = Purpose.model_validate(said)
    with pytest.raises(ValidationError, match="frozen"):
        purpose.guarantee.at_least_subjects = 1
    with pytest.raises(ValidationError, match="frozen"):
        purpose.epoch = 2
    assert Guarantee(utility=UtilityFloor(metric="r2", at_least=-1)).at_least_subjects == 10
    assert Need.model_validate({"why": "it is why", "technique": {"kind": "keep"}}).technique.kind == "keep"
