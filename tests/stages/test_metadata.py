"""The allow-list of what may be told to Dagster."""

from datetime import UTC, datetime

import dagster as dg
import pytest
from sqlglot import parse_one

from privacy_assets.stages.metadata import Declared, Digest, Picture, Rows, metadata
from privacy_assets.words import Verdict


def test_what_is_on_the_list_is_told_as_dagsters_own_values():
    """Numbers, truth values, moments, words of ours, digests and queries pass."""
    told = metadata(
        {
            "rows": 3,
            "share": 0.5,
            "sound": True,
            "at": datetime(2026, 1, 1, tzinfo=UTC),
            "verdict": Verdict.KEPT,
            "digest": Digest("0" * 64),
            "promise": Declared("at least 10 rows"),
            "table": Rows(({"column": "a", "from": "b"},)),
            "sql": parse_one("SELECT 1 AS a"),
            "figure": Picture(b"\x89PNG of numbers"),
        }
    )
    assert isinstance(told["rows"], dg.IntMetadataValue)
    assert isinstance(told["share"], dg.FloatMetadataValue)
    assert isinstance(told["sound"], dg.BoolMetadataValue)
    assert told["verdict"].value == "kept"
    assert told["digest"].value == "0" * 64
    assert "SELECT" in told["sql"].value
    assert told["figure"].value == "![figure](data:image/png;base64,iVBORyBvZiBudW1iZXJz)"


@pytest.mark.parametrize("fact", ["Ada Lovelace", b"Ada", ["Ada"], {"name": "Ada"}, ValueError("Ada"), None])
def test_free_text_and_containers_are_refused_without_being_shown(fact):
    """What could hold a value of a person raises, and the error does not repeat it."""
    with pytest.raises(TypeError) as caught:
        metadata({"name": fact})
    assert "Ada" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "Ada", "g" * 64, "0" * 15, "0" * 129])
def test_a_digest_is_hexadecimal(text):
    """A digest cannot be used to carry other text."""
    with pytest.raises(TypeError):
        Digest(text)


def test_a_number_that_is_not_finite_is_told_as_nothing():
    """Dagster plots floats, so infinity becomes null."""
    assert isinstance(metadata({"x": float("inf")})["x"], dg.NullMetadataValue)


def test_a_picture_is_one():
    """Nothing else is shown as such."""
    with pytest.raises(TypeError):
        Picture(b"<svg/>")
