"""What people take out: what arrives, what is recorded, what is refused."""

from __future__ import annotations

import uuid
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

import privacy_assets
from privacy_assets.errors import BadDeclaration, BadEnvironment, PrivacyAssetsError, Refused, Tampered
from privacy_assets.gate import Gate
from privacy_assets.reading import find_root
from privacy_assets.words import AssetName


@pytest.fixture
def ready(published: Gate, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Gate:
    """The tiny corridor after it ran, with the project as the current folder."""
    monkeypatch.chdir(published.project.root)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return published


def test_the_training_set_arrives_as_a_frame(ready: Gate):
    """All rows and columns as they were published; tokens as text."""
    frame = privacy_assets.read("training/smoking", purpose="smoking")
    assert isinstance(frame, pl.DataFrame)
    passport = ready.latest(AssetName.parse("training/smoking"))
    assert frame.columns == [name for name, _ in passport.columns]
    assert len(frame) == passport.rows == 59
    assert frame.schema["patient_id"] == pl.String
    assert {uuid.UUID(token).version for token in frame["patient_id"]} == {8}
    assert not frame["patient_id"].str.starts_with("p-").any()


def test_arrow_holds_the_same_rows(ready: Gate):
    """The other format, from the same version."""
    table = privacy_assets.read("training/smoking", purpose="smoking", format="arrow")
    assert isinstance(table, pa.Table)
    frame = privacy_assets.read("training/smoking", purpose="smoking")
    assert sorted(pl.DataFrame(pl.from_arrow(table)).rows(), key=repr) == sorted(frame.rows(), key=repr)


def test_the_model_predicts_what_the_training_set_is_made_of(ready: Gate):
    """A fitted pipeline that takes the columns of the training set."""
    model = privacy_assets.load_model("model/smoking", purpose="smoking")
    frame = privacy_assets.read("training/smoking", purpose="smoking")
    predicted = model.predict(frame.select("sex", "age"))
    assert len(predicted) == 59
    assert set(predicted) <= {True, False}


def test_a_reading_names_the_declarations_that_it_was_judged_by(ready: Gate):
    """Who lowers a promise for one reading, and puts it back, leaves the digest of what was declared meanwhile."""
    path = ready.project.root / "data/purposes/smoking.yaml"
    whole = path.read_text()
    for text in (whole, whole.replace("lawful_basis", "withdrawal_effect_hours: 720\nlawful_basis"), whole):
        path.write_text(text)
        privacy_assets.read("training/smoking", purpose="smoking")
    first, lowered, last = (entry.body["declared"] for entry in ready.ledger.entries()[-3:])
    assert set(first) == {"purpose smoking@1.0.0", "contract patients@1.0.0", "contract consents@1.0.0"}
    assert first == last != lowered
    passport = ready.latest(AssetName.parse("minimized/smoking/patients"))
    assert {name: first[name] for name in passport.declared} == passport.declared


def test_every_reading_is_in_the_ledger(ready: Gate):
    """Version, purpose, columns, and the reader as a keyed pseudonym that is claimed."""
    before = ready.ledger.size
    privacy_assets.read("training/smoking", purpose="smoking")
    privacy_assets.load_model("model/smoking", purpose="smoking")
    entries = [entry.body for entry in ready.ledger.entries(before)]
    assert [(body["action"], body["asset"], body["purpose"]) for body in entries] == [
        ("access", "training/smoking", "smoking"),
        ("access", "model/smoking", "smoking"),
    ]
    assert entries[0]["version"] == ready.latest(AssetName.parse("training/smoking")).version
    assert all(len(body["actor_claimed"]) == 32 for body in entries)


@pytest.mark.parametrize("asset", ["features/smoking", "pseudonymized/smoking/patients", "minimized/smoking/patients"])
def test_earlier_stages_are_refused_to_people(ready: Gate, asset: str):
    """And nothing is recorded, since nothing was read."""
    before = ready.ledger.size
    with pytest.raises(Refused, match="may not read"):
        privacy_assets.read(asset, purpose="smoking")
    assert ready.ledger.size == before


def test_raw_data_is_of_no_purpose(ready: Gate):
    """Whoever asks for it is told that it is not theirs."""
    with pytest.raises(Refused):
        privacy_assets.read("raw/patients", purpose="smoking")


def test_another_purpose_is_refused(ready: Gate):
    """The purpose that a reader names must be the asset's own."""
    with pytest.raises(Refused, match="not made for the purpose 'other'"):
        privacy_assets.read("training/smoking", purpose="other")


def test_a_changed_file_is_refused_before_it_is_opened(ready: Gate):
    """For the model as for the rows."""
    for asset, take in [("training/smoking", privacy_assets.read), ("model/smoking", privacy_assets.load_model)]:
        path = ready.versions.path(asset, ready.latest(AssetName.parse(asset)).version)
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        with pytest.raises(Tampered, match="not the one that was published"):
            take(asset, purpose="smoking")


def test_a_file_that_cannot_be_read_is_told_with_a_next_step(ready: Gate):
    """An error of the operating system, wherever it strikes, is one of ours: no file of the home reads as a folder."""
    path = ready.versions.path("training/smoking", ready.latest(AssetName.parse("training/smoking")).version)
    for one in (path, ready.home.path / "secrets.json", ready.home.key_file):
        kept = one.rename(one.with_name("kept"))
        one.mkdir()
        with pytest.raises(PrivacyAssetsError) as caught:
            privacy_assets.read("training/smoking", purpose="smoking")
        assert all(fault.next_step for fault in caught.value.faults)
        one.rmdir()
        kept.rename(one)
    assert len(privacy_assets.read("training/smoking", purpose="smoking"))


def test_a_model_is_no_table_and_a_table_no_model(ready: Gate):
    """Each names the function that returns it."""
    with pytest.raises(Refused, match="load_model"):
        privacy_assets.read("model/smoking", purpose="smoking")
    with pytest.raises(Refused, match="read"):
        privacy_assets.load_model("training/smoking", purpose="smoking")


def test_an_unknown_format_is_refused(ready: Gate):
    """The words there are, and no reading."""
    before = ready.ledger.size
    with pytest.raises(BadDeclaration, match="polars or arrow"):
        privacy_assets.read("training/smoking", purpose="smoking", format="pandas")  # type: ignore[call-overload]
    assert ready.ledger.size == before


def test_the_project_is_found_from_any_folder_inside(
    tiny_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """From below, by name, and not from outside."""
    monkeypatch.chdir(tiny_project / "data" / "samples")
    assert find_root() == tiny_project.resolve()
    assert find_root(tiny_project / "data") == tiny_project.resolve()
    with pytest.raises(BadEnvironment, match="not a project"):
        find_root(tmp_path)


def test_a_project_that_keeps_its_declarations_elsewhere_is_found_and_read(
    ready: Gate, tiny_project: Path, monkeypatch: pytest.MonkeyPatch
):
    """Where its settings say where; without them it is not found, and the error says what to write."""
    (tiny_project / "data/contracts").rename(tiny_project / "promises")
    (tiny_project / "data/purposes").rename(tiny_project / "uses")
    monkeypatch.chdir(tiny_project / "data" / "samples")
    with pytest.raises(BadEnvironment, match=r"\[tool\.privacy_assets\]"):
        find_root()
    settings = '[tool.privacy_assets]\ncontracts = "promises"\npurposes = "uses"\n'
    (tiny_project / "pyproject.toml").write_text(settings, "utf-8")
    assert privacy_assets.read("training/smoking", purpose="smoking").height
