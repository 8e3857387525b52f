"""Which version follows by which change, and how much later a version is."""

from __future__ import annotations

import pytest

from privacy_assets.contracts.versions import Size, next_version, size_of, step
from privacy_assets.weakening import Effect


@pytest.mark.parametrize("version", ["0.0.1", "1.2.3", "9.9.9", "10.0.0"])
@pytest.mark.parametrize("size", list(Size))
def test_the_next_version_is_a_step_of_its_size(version: str, size: Size):
    """And back is none."""
    later = next_version(version, size)
    assert step(version, later) is size
    assert step(later, version) is None and step(later, later) is None


def test_numbers_are_compared_not_letters():
    """Nine is before ten."""
    assert step("1.9.0", "1.10.0") is Size.MINOR and step("1.10.0", "1.9.0") is None


def test_what_could_be_weaker_is_major():
    """What nobody can rank as well; words are a patch, everything else is minor."""
    sizes = {effect: size_of(effect) for effect in Effect}
    assert {effect for effect, size in sizes.items() if size is Size.MAJOR} == {Effect.WEAKER, Effect.CHANGED}
    assert {effect for effect, size in sizes.items() if size is Size.PATCH} == {Effect.WORDS}
