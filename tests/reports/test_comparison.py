"""Synthetic rows beside real ones: what is told, and what is not."""

# ruff: noqa: F811  (fixtures of another file)
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from privacy_assets import cli
from privacy_assets.coded import Coded, Domain
from privacy_assets.errors import BadDeclaration, Refused
from privacy_assets.gate import Gate
from privacy_assets.reports.comparison import FEWEST, attacks, comparison, figures, page
from privacy_assets.stages._comparing import associations, distances, shares
from tests.stages.conftest import edit, make  # noqa: F401
from tests.stages.test_s6_synthetic import SYNTHETIC, _swapped, made, making  # noqa: F401

WARDS, AGES = Domain("ward", ("heart", "lung")), Domain("age", low=0, high=90)


def table(rows: list[tuple[int, int]]) -> Coded:
    return Coded((WARDS, AGES), np.array(rows, dtype=np.int32))


def test_distances_are_none_of_a_table_to_itself_and_whole_of_one_that_shares_nothing() -> None:
    """Total variation: 0 to 1, columns and pairs, by hand."""
    one = table([(0, 10)] * 50 + [(1, 80)] * 50)
    assert all(value == 0 for *_, value in distances(one, one))
    told = {(measure, about): value for measure, about, value in distances(table([(0, 10)] * 100), one)}
    assert told["marginals", "ward"] == pytest.approx(0.5)
    assert told["pairs", ""] == pytest.approx(0.5)
    other = {(measure, about): value for measure, about, value in distances(table([(2, 91)] * 9), one)}  # all unknown
    assert other["marginals", "age"] == pytest.approx(1.0)


def test_an_association_that_is_lost_is_below_zero() -> None:
    """Ward tells the age in the real rows, and nothing in the released ones."""
    real = table([(0, 10)] * 50 + [(1, 80)] * 50)
    lost = table([(0, 10), (0, 80), (1, 10), (1, 80)] * 25)
    [(one, other, difference)] = associations(lost, real)
    assert (one, other) == ("ward", "age") and difference == pytest.approx(-1.0)


def test_a_share_of_few_real_rows_is_not_told() -> None:
    """What fewer rows have than may be shown is unknown; what is released of it is not."""
    real = table([(0, 10)] * 500 + [(1, 80)] * (FEWEST - 1))
    told = {(column, label): (ours, theirs) for column, _, label, ours, theirs in shares(table([(1, 80)] * 10), real)}
    assert told["ward", "lung"] == (1.0, None)
    assert told["ward", "heart"] == (0.0, pytest.approx(500 / 519, abs=1e-3))


def test_the_page_has_the_attacks_the_pictures_and_no_network(making: Gate, make: Callable[..., Any]) -> None:
    """All that was tried stands in it; the same version gives the same bytes; nothing is loaded from anywhere."""
    make(making, SYNTHETIC)
    found = comparison(making, "smoking")
    assert {line[0] for line in attacks(found)} >= {"copies, exact, everyone", "membership, most_exposed"}
    assert all(png.startswith(b"\x89PNG") for png in figures(found).values())
    written = page(found)
    assert written == page(comparison(making, "smoking"))
    assert b"default-src 'none'" in written and b"http://" not in written and b"https://" not in written
    assert b"copies, exact, everyone" in written and b"sequential_trees" in written
    assert found.shares and all(real is None or real > 0 for cells in found.shares.values() for *_, real in cells)


def test_under_differential_privacy_no_share_of_real_rows_is_kept(
    making: Gate,
    make: Callable[..., Any],
    edit: Any,
    reopen: Any,
) -> None:
    """They would be a release that nobody paid for: distances alone are told."""
    gate = _swapped(making, edit, reopen)
    make(gate, SYNTHETIC)
    found = comparison(gate, "smoking")
    assert not found.shares and set(found.distances) == {"sex", "age", "cost", "smoker"}
    assert figures(found)["columns"].startswith(b"\x89PNG")


def test_the_command_writes_page_and_pictures(
    making: Gate,
    make: Callable[..., Any],
    environment: dict[str, str],
    monkeypatch: Any,
    tmp_path: Any,
) -> None:
    """Into the folder that is named; a purpose without synthetic rows, or before any, is told what to do."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    words = ["compare", "--root", str(making.project.root), "--to", str(tmp_path / "page")]
    with pytest.raises(Refused, match="never published"):
        comparison(making, "smoking")
    make(making, SYNTHETIC)
    said = CliRunner().invoke(cli.app, [*words, "smoking"])
    assert said.exit_code == 0, said.output
    names = {path.name for path in (tmp_path / "page").iterdir()}
    assert names == {"comparison.html", "columns.png", "associations.png", "attacks.png", "versions.png"}
    with pytest.raises(BadDeclaration, match="makes no synthetic rows"):
        comparison(making, "smokin")
