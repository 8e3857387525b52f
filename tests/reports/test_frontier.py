"""How points are drawn and told: one figure, one page, a folder of their own."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from pathlib import Path

import matplotlib
import pytest
from PIL import Image

from privacy_assets.errors import BadDeclaration
from privacy_assets.gate import Gate
from privacy_assets.reports.frontier import Frontier, Point, columns, figure_png, folder_for, page, rows, write


def point(number: int, technique: str, k: int | None, utility: float, prosecutor: float, **more: object) -> Point:
    figures = {
        "loss": 1 - utility, "prosecutor_risk": prosecutor, "marketer_risk": prosecutor / 2, "suppressed_share": 0.01,
    }  # fmt: skip
    return Point(number, technique, {}, k, figures, **more)  # type: ignore[arg-type]


POINTS = (
    point(1, "full_domain", 2, 0.9, 0.5, optimal=("prosecutor",)),
    point(2, "full_domain", 5, 0.7, 0.2, declared=True, current=True),
    point(3, "local", 5, 0.8, 0.2, optimal=("prosecutor",)),
    Point(4, "local", {"seed": 7}, 50, {}, ("k_anonymity (k 50) cannot be kept <by> any recoding",)),
)
FRONTIER = Frontier("smoking", "smoking@1.0.0", "0" * 64, "features/smoking version 1", (), 0.05, None, POINTS)


def test_the_figure_is_a_picture_and_always_the_same():
    """A PNG without a time or a program's name in it, whatever the user's own settings are."""
    drawn = figure_png(POINTS)
    with Image.open(io.BytesIO(drawn)) as picture:
        picture.verify()
        assert picture.format == "PNG"
        assert set(picture.info) <= {"dpi"}
    with matplotlib.rc_context({"axes.facecolor": "black", "font.size": 20}):
        assert figure_png(POINTS) == drawn


def test_the_figure_shows_what_is_taken_now():
    """Another current point is another picture; so is another risk."""
    assert figure_png(POINTS[:1]) != figure_png((point(1, "full_domain", 2, 0.9, 0.5, current=True),))
    assert figure_png(POINTS[:1]) != figure_png((point(1, "full_domain", 2, 0.9, 0.4, optimal=("prosecutor",)),))


@pytest.mark.parametrize(
    "points",
    [
        (),
        POINTS[3:],
        (point(1, "local", 2, 0.0, 0.0),),
        tuple(point(place, f"technique {place}", 2, 0.5, 0.001 * place) for place in range(1, 9)),
    ],
)
def test_every_set_of_points_can_be_drawn(points: tuple[Point, ...]):
    """Where no point can be kept, nothing is published at all, or there are more techniques than colours."""
    assert figure_png(points).startswith(b"\x89PNG")


def test_the_table_says_every_point():
    """One row each, as wide as its head; what cannot be kept says why."""
    told = list(rows(FRONTIER))
    assert [row[0] for row in told] == ["1", "2", "3", "4"]
    assert {len(row) for row in told} == {len(columns(FRONTIER))}
    assert told[1] == ("2", "full_domain", "5", "0.7000", "20.00%", "10.00%", "1.00%", "taken now")
    assert told[3][1] == "local (seed 7)"
    assert told[3][-1].startswith("cannot be kept: k_anonymity (k 50)")


class _Page(HTMLParser):
    """Keeps what a page opens, and where it points to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "img"):
            self.open.append(tag)
        self.cells += tag == "td"
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action", "data", "srcset")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone():
    """All that is opened is closed, the picture is in it, and nothing leads out of it."""
    text = page(FRONTIER).decode()
    read = _Page()
    read.feed(text)
    assert read.open == []
    [picture] = read.links
    assert picture.startswith("data:image/png;base64,")
    assert not re.search(r"https?:|//|@import|url\(", text.replace(picture, ""))
    assert "cannot be kept &lt;by&gt; any recoding" in text
    assert text.count('<tr class="now">') == 1
    assert "None yet." in text
    assert page(FRONTIER) == page(FRONTIER)


def test_files_take_the_place_of_older_ones(tmp_path: Path):
    """Two files, and nothing beside them."""
    for _ in range(2):
        paths = write(tmp_path / "some" / "where", FRONTIER, ())
    assert sorted((tmp_path / "some" / "where").iterdir()) == sorted(paths)
    assert paths[0].read_bytes() == figure_png(POINTS)
    assert paths[1].read_bytes() == page(FRONTIER)


def test_the_home_is_no_place_for_them(gate: Gate, tmp_path: Path):
    """Also by a detour or a link; what is no folder is refused, and without a word they lie in the project."""
    (tmp_path / "link").symlink_to(gate.home.path)
    for inside in (gate.home.path, gate.home.path / "new", tmp_path / "link" / "new"):
        with pytest.raises(BadDeclaration, match="the home keeps nothing but its own files"):
            folder_for(gate, "smoking", inside)
    (tmp_path / "file").write_text("")
    with pytest.raises(BadDeclaration, match="no folder"):
        folder_for(gate, "smoking", tmp_path / "file" / "new")
    assert folder_for(gate, "smoking", None) == gate.project.root / "frontier" / "smoking"
    assert not (gate.project.root / "frontier").exists()
