"""The field's words: what they refuse to be, and what they are written as."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from privacy_assets.errors import BadDeclaration
from privacy_assets.words import AssetName, Column, Finding, Frozen, IdentifierDomain, Name, Role, Stage, Verdict

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
BY_DATASET = (Stage.MINIMIZED, Stage.PSEUDONYMIZED)
WHOLE = (Stage.FEATURES, Stage.ANONYMIZED, Stage.SYNTHETIC, Stage.STATISTICS, Stage.TRAINING, Stage.MODEL)


@st.composite
def assets(draw: st.DrawFn) -> AssetName:
    stage = draw(st.sampled_from(Stage))
    purpose = "" if stage is Stage.RAW else draw(NAMES)
    return AssetName(stage, purpose, "" if stage in WHOLE else draw(NAMES))


@given(assets())
def test_an_asset_is_read_as_it_is_written(asset: AssetName) -> None:
    """Writing an asset's name as a path and reading it gives the same asset."""
    assert AssetName.parse(str(asset)) == asset
    assert "/".join(asset.path) == str(asset)


def test_the_stages_stand_in_the_order_of_the_corridor() -> None:
    """The order of the words is the order in which data walks."""
    assert [stage.value for stage in Stage] == [
        "raw", "minimized", "pseudonymized", "features", "anonymized", "synthetic", "statistics",
        "training", "model",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("stage", "purpose", "dataset"),
    [
        (Stage.RAW, "", ""),
        (Stage.RAW, "smoking", "patients"),
        *((stage, "smoking", "") for stage in BY_DATASET),
        *((stage, "", "patients") for stage in BY_DATASET),
        *((stage, "", "") for stage in WHOLE),
        *((stage, "smoking", "patients") for stage in WHOLE),
    ],
)
def test_no_asset_has_too_few_or_too_many_parts(stage: Stage, purpose: str, dataset: str) -> None:
    """Raw is by dataset, the next two by purpose and dataset, the later ones by purpose: anything else is no name."""
    with pytest.raises(BadDeclaration, match="not the name of an asset"):
        AssetName(stage, purpose, dataset)


@pytest.mark.parametrize(
    "text",
    ["", "/", "raw", "raw/", "patients", "RAW/patients", "raw/a/b", "raw//b", "features/a/b", "minimized/a",
     "minimized//b", "minimized/a/b/c", "invented/a"],
)  # fmt: skip
def test_a_path_that_names_no_asset_is_refused(text: str) -> None:
    """A misspelt path is answered with the forms that there are."""
    with pytest.raises(BadDeclaration, match="raw") as refused:
        AssetName.parse(text)
    assert refused.value.faults[0].expected


def test_slashes_around_a_path_do_not_matter() -> None:
    """A path may be copied from a URL."""
    assert AssetName.parse("/raw/patients/") == AssetName(Stage.RAW, dataset="patients")


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize(
    "numbers",
    [{}, {"rows": float("nan")}, {"rows": float("inf")}, {"rows": 1, "share": float("-inf")}],
    ids=["nothing", "nan", "infinite", "one of two"],
)
def test_what_is_no_evidence_is_inconclusive(verdict: Verdict, numbers: dict[str, float]) -> None:
    """Without a number, or with one that is not finite, no finding is kept or broken, whatever it was said to be."""
    finding = Finding("has_rows", verdict, numbers, "at least 1 row")
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert not finding.kept


@pytest.mark.parametrize("verdict", list(Verdict))
def test_only_kept_passes(verdict: Verdict) -> None:
    """Inconclusive is a verdict of its own, and it does not pass."""
    assert Finding("has_rows", verdict, {"rows": 1}, "at least 1 row").kept is (verdict is Verdict.KEPT)


def test_a_finding_cannot_be_changed() -> None:
    """What was measured stays what was measured, also where the numbers came from."""
    numbers = {"rows": 1}
    finding = Finding("has_rows", Verdict.KEPT, numbers, "at least 1 row", "age")
    numbers["rows"] = 0
    assert finding.numbers == {"rows": 1}
    with pytest.raises(TypeError):
        finding.numbers["rows"] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        finding.verdict = Verdict.BROKEN


def test_a_finding_is_named_after_what_it_speaks_of() -> None:
    """The name is a legal name of a check, with the column if there is one."""
    assert Finding("has_rows", Verdict.KEPT, {"rows": 1}, "").name == "has_rows"
    assert Finding("not_null", Verdict.KEPT, {"rows": 1}, "", "age").name == "not_null__age"


@pytest.mark.parametrize(
    ("normalization", "region", "fits"),
    [
        ("phone", "DE", True), ("phone", None, False), ("phone", "de", False), ("phone", "DEU", False),
        ("email", None, True), ("email", "DE", False), ("none", None, True), ("name", None, True),
        ("upper", None, False),
    ],
)  # fmt: skip
def test_a_region_goes_with_telephone_numbers(normalization: str, region: str | None, fits: bool) -> None:
    """A number without a country code needs a country to be read in; nothing else does."""
    written = {"name": "phone", "normalization": normalization, "region": region}
    if fits:
        assert IdentifierDomain.model_validate(written).region == region
    else:
        with pytest.raises(ValidationError):
            IdentifierDomain.model_validate(written)


@pytest.mark.parametrize("name", ["", "A", "1a", "_a", "a-b", "a b", "a/b", "ä", "a" * 64, "a\n"])
def test_a_name_is_plain(name: str) -> None:
    """A name is what can stand in an asset key, a file name and SQL without quotes."""
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python(name)
    assert TypeAdapter(Name).validate_python("a" * 63)


class Declared(Frozen):
    """A value of the kind that YAML is read into."""

    share: float = 0.5


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_declared_number_is_finite(number: float) -> None:
    """No threshold is infinite, or nothing."""
    with pytest.raises(ValidationError):
        Declared(share=number)


def test_a_declared_value_is_closed_and_silent() -> None:
    """An unknown key is refused, nothing can be changed, and no error repeats what was written."""
    with pytest.raises(ValidationError) as refused:
        Declared.model_validate({"share": "ada@example.org", "shares": "ada@example.org"})
    assert {error["type"] for error in refused.value.errors()} == {"float_parsing", "extra_forbidden"}
    assert "ada" not in str(refused.value)
    with pytest.raises(ValidationError, match="frozen"):
        Declared().share = 1


def test_a_column_of_which_nothing_is_known_is_least_protected() -> None:
    """A column's role is an attribute unless its contract says more."""
    column = Column("age", "SMALLINT")
    assert (column.role, column.domain, column.identifier_domain) == (Role.ATTRIBUTE, None, None)
