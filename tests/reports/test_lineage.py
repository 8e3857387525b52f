"""The lineage page: what it tells, and what it does for a person who clicks and types in a browser."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bench.browser import Page, browser
from bench.lineage_page import COLUMNS, PURPOSES, project
from privacy_assets import cli
from privacy_assets.build import flows, steps
from privacy_assets.errors import BadDeclaration, Tampered
from privacy_assets.gate import Gate, Measured
from privacy_assets.lineage.flows import VALUE, Flows, Place
from privacy_assets.lineage.roles import carried, declared, evidence
from privacy_assets.reports import lineage
from privacy_assets.reports.lineage import NOT_MEASURED, _drawn, page, told
from privacy_assets.subjects import erasing
from privacy_assets.subjects.people import find
from privacy_assets.words import AssetName, Finding, Role, Stage, Verdict
from tests.conftest import environment_in

ROOT = Path(__file__).parents[2]


def graph(gate: Gate) -> Flows:
    return flows(steps(gate.project))


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    """The sample, of which nothing is published."""
    return Gate.open(ROOT, environment_in(tmp_path_factory.mktemp("sample")))


def _named(facts: dict[str, Any], asset: str) -> dict[str, Any]:
    (found,) = [one for one in facts["assets"] if one["name"] == asset]
    return dict(found)


# ---- what it tells


def test_every_edge_of_the_graph_stands_in_it_and_no_other(sample: Gate) -> None:
    """What decides about every column stands once, and means each of them."""
    facts, made = told(sample, graph(sample)), graph(sample)
    names = [(AssetName.parse(one["name"]), [held["name"] for held in one["columns"]]) for one in facts["assets"]]

    def place(asset: int, column: int) -> Place:
        return names[asset][0], names[asset][1][column]

    found: dict[Place, set[tuple[Place, str]]] = {}
    for at, asset in enumerate(facts["assets"]):
        for number, column in enumerate(asset["columns"]):
            edges = {(place(*source), VALUE) for source in column["value"]}
            edges |= {(place(*edge[:2]), facts["kinds"][edge[2]]) for edge in (*column["decides"], *asset["every"])}
            found[place(at, number)] = edges
    assert found == {at: made.into.get(at, set()) for at in made.places(made.made)}
    assert facts["kinds"][0] == VALUE and any(one["every"] for one in facts["assets"])
    assert any(column["decides"] for one in facts["assets"] for column in one["columns"])


def test_roles_are_those_left_by_the_ledger_or_by_declarations_and_it_says_which(gate: Gate, corridor: Gate) -> None:
    """Nothing is published in one home, everything in the other."""
    for held, by, found in ((gate, "declarations", None), (corridor, "ledger", evidence)):
        made = graph(held)
        proof = {at: found(held, at) if found else declared(held.project, at) for at in made.made}
        roles, facts = carried(made, proof), told(held, made)
        assert facts["by"] == by
        for asset in facts["assets"]:
            for column in asset["columns"]:
                left = {Role(facts["roles"][role]) for role in column["left"]}
                assert left == roles[AssetName.parse(asset["name"]), column["name"]]
    assert b"nothing of it is proven" in page(gate, graph(gate))
    assert b"nothing of it is proven" not in page(corridor, graph(corridor))


def test_nothing_published_is_said_of_each_asset(gate: Gate) -> None:
    """No passport, and every promise was never measured."""
    for asset in told(gate, graph(gate))["assets"]:
        assert asset["passport"] is None
        assert {one["verdict"] for one in asset["findings"]} == {NOT_MEASURED}


def test_an_asset_has_its_passport_and_findings(published: Gate) -> None:
    """As the ledger has them: version, entry, declarations, digests, numbers."""
    passport = published.latest(AssetName.parse("training/smoking"))
    assert passport
    found = _named(told(published, graph(published)), "training/smoking")
    assert found["passport"]["version"] == passport.version and found["passport"]["entry"] == passport.position
    assert found["passport"]["declared"] == passport.declared and not found["passport"]["withdrawn"]
    assert set(found["passport"]["digests"].values()) == {
        passport.content_digest,
        passport.file_digest,
        passport.code,
    }
    numbers = {one.finding.name: dict(one.finding.numbers) for one in passport.measured}
    assert {one["name"]: one["numbers"] for one in found["findings"]} == numbers
    assert {one["verdict"] for one in found["findings"]} == {Verdict.KEPT}


def test_a_promise_is_judged_as_it_is_today(published: Gate, tiny_project: Path, reopen: Callable[[], Gate]) -> None:
    """More subjects are asked for than were measured: the finding is broken, with the numbers of then."""
    path = tiny_project / "data/purposes/smoking.yaml"
    path.write_text(path.read_text("utf-8").replace("at_least_subjects: 5", "at_least_subjects: 60"), "utf-8")
    now = reopen()
    findings = _named(told(now, graph(now)), "features/smoking")["findings"]
    assert {one["verdict"] for one in findings if one["name"].startswith("has_subjects")} == {Verdict.BROKEN}
    assert all(one["numbers"] for one in findings)


def test_what_was_withdrawn_is_said_of_all_that_was_made_of_it(published: Gate) -> None:
    """From the withdrawn version down, and of nothing above it."""
    passport = published.latest(AssetName.parse("features/smoking"))
    assert passport
    failed = Measured(Finding("attack_excess", Verdict.BROKEN, {"tried": 1}, "none", "copies"), "0" * 64)
    published.withdraw(passport, [failed], seed=1)
    facts = told(published, graph(published))
    withdrawn = {one["name"] for one in facts["assets"] if one["passport"]["withdrawn"]}
    assert withdrawn == {"features/smoking", "training/smoking", "model/smoking"}


def test_what_holds_somebody_erased_is_said(published: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """While an erasure is not finished: of what was made from raw, and of raw itself."""

    def interrupts(*given: object) -> None:
        raise KeyboardInterrupt

    made = steps(published.project)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(erasing, "_rewrite", interrupts)
        erasing.erase(published, made, find(published, ["p-07"]), "asked by letter")
    facts = told(published, graph(published))
    assert all(one["passport"]["erased"] for one in facts["assets"])
    erasing.resume(published, made)
    assert not any(one["passport"]["erased"] for one in told(published, graph(published))["assets"])


def test_no_value_and_no_category_stands_in_it(corridor: Gate, sample: Gate) -> None:
    """Nothing of anybody's row, and none of the categories that contracts list, but for names of purposes."""
    drawn = page(corridor, graph(corridor)).decode()
    assert "example.org" not in drawn and "p-01" not in drawn
    for held in (corridor, sample):
        made = graph(held)
        raw = [one for asset, one in made.made.items() if asset.stage is Stage.RAW]
        listed = {value for one in raw for column in one.columns for value in column.domain or ()}
        listed -= set(held.project.purposes)
        text = json.dumps(told(held, made)).replace('"withdrawn":', "")  # which is a word of the page, too
        assert len(listed) >= 5 and not [value for value in listed if f'"{value}"' in text]


def test_a_page_of_three_hundred_assets_of_forty_columns_is_small(tmp_path: Path) -> None:
    """Under 5 MB, by a fifth of it: what stands in the page is of single columns."""
    project(tmp_path / "project", PURPOSES // 5)
    gate = Gate.open(tmp_path / "project", environment_in(tmp_path))
    made = graph(gate)
    assert len(made.made) > 4 * PURPOSES // 5 and all(len(one.columns) >= COLUMNS for one in made.made.values())
    assert 5 * len(page(gate, made)) < 5_000_000


# ---- the command


@pytest.fixture
def say(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tiny_project: Path) -> Callable[..., Any]:
    """Runs `privacy-assets lineage` in the tiny project."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return lambda *words: CliRunner().invoke(cli.app, ["lineage", *map(str, words), "--root", str(tiny_project)])


def test_the_command_writes_one_file(gate: Gate, tmp_path: Path, say: Callable[..., Any]) -> None:
    """Also where nothing is published; into a folder that is made for it, and in the place of an older one."""
    file = tmp_path / "told" / "page.html"
    for _ in range(2):
        said = say("--html", file)
        assert said.exit_code == 0 and f"written: {file}" in said.output
    assert [path.name for path in file.parent.iterdir()] == ["page.html"]
    assert say().exit_code == 2


def test_a_place_in_the_home_and_a_folder_are_refused(gate: Gate, tmp_path: Path, say: Callable[..., Any]) -> None:
    """The home keeps nothing but its own files."""
    for to, said in ((gate.home.path / "page.html", "the home keeps nothing"), (tmp_path, "this is a folder")):
        found = say("--html", to)
        assert isinstance(found.exception, BadDeclaration) and said in str(found.exception)


@pytest.mark.parametrize("option", ["--html", "--openlineage"])
def test_a_ledger_that_was_changed_is_refused(
    published: Gate, tmp_path: Path, say: Callable[..., Any], option: str
) -> None:
    """Nothing is written of what nobody can vouch for."""
    entries = published.home.ledger / "entries"
    content = bytearray(entries.read_bytes())
    content[len(content) // 2] ^= 1
    entries.write_bytes(content)
    assert isinstance(say(option, tmp_path / "written").exception, Tampered)
    assert not (tmp_path / "written").exists()


# ---- the browser

_LIT = """[...document.querySelectorAll("li.reached:not(.start, .more)")].map(
    (one) => [Number(one.firstChild.dataset.place), !one.classList.contains("rows")])"""
_DASHES = "[...document.querySelectorAll('#sheet path')].map((one) => getComputedStyle(one).strokeDasharray)"
_SHOWN = """[...document.querySelectorAll(".node:not([hidden]) > button")].map((one) => one.title)"""


@pytest.fixture(scope="module")
def corridor(corridor_that_ran: Path, tmp_path_factory: pytest.TempPathFactory) -> Gate:
    """The tiny project after the corridor has run, which nobody writes to."""
    folder = tmp_path_factory.mktemp("page") / "copy"
    shutil.copytree(corridor_that_ran, folder)
    return Gate.open(folder / "project", environment_in(folder))


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One browser for all tests of this file."""
    with browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture
def opened(chromium: Page, corridor: Gate, tmp_path: Path) -> Iterator[Page]:
    """The tiny project's page. Whatever was done to it, nothing was refused, failed, or asked of a network."""
    file = lineage.write(corridor, graph(corridor), tmp_path / "page.html")
    chromium.complaints.clear()
    chromium.scheme("light")
    chromium.open(file)
    yield chromium
    assert not chromium.complaints


def _places(facts: dict[str, Any]) -> list[Place]:
    return [(AssetName.parse(one["name"]), held["name"]) for one in facts["assets"] for held in one["columns"]]


@pytest.mark.needs("chromium")
def test_a_click_on_a_column_lights_what_it_reaches(opened: Page, corridor: Gate) -> None:
    """Exactly what the graph says, of every column: by value or only by what decides; lines are solid or dashed so."""
    made = graph(corridor)
    places = _places(told(corridor, made))
    assert opened.run("document.querySelectorAll('li').length") == 0  # columns are made when they are shown
    opened.run("document.querySelectorAll('.node > button').forEach((one) => one.click())")
    assert opened.run("document.querySelectorAll('.node li').length") == len(places)
    kinds = set()
    for number, place in enumerate(places):
        opened.click(f'[data-place="{number}"]')
        reached = made.upstream([place]) | made.downstream([place])
        lit = {places[at]: direct for at, direct in opened.run(_LIT)}
        assert lit == {at: one.direct for at, one in reached.items()}
        assert opened.run("document.querySelectorAll('path.edge').length > 2") == bool(reached)
        kinds |= set(opened.run(_DASHES))
    assert kinds == {"none", "5px, 4px"}


@pytest.mark.needs("chromium")
def test_what_a_column_reaches_is_shown_where_no_asset_was_opened(opened: Page) -> None:
    """The assets on the way show those columns alone; the others step back; Clear brings all back."""
    opened.click('.node button[title="raw/patients"]')
    opened.run("[...document.querySelectorAll('li button')].find((one) => one.title === 'smoker').click()")
    shown = opened.run("[...document.querySelectorAll('.node.reached')].map((one) => one.firstChild.title)")
    assert "model/smoking" in shown and "raw/consents" not in shown
    assert opened.run("getComputedStyle(document.querySelector('.node:not(.reached)')).opacity") == "0.35"
    minimized = (
        "document.querySelector('[title=\"minimized/smoking/patients\"]').parentElement.querySelectorAll('li').length"
    )
    assert opened.run(minimized) == 1
    opened.click("#clear")
    assert opened.run(minimized) == 0 and not opened.run("document.body.classList.contains('lit')")


@pytest.mark.needs("chromium")
def test_the_whole_corridor_is_seen_at_first_where_it_can_be_read(chromium: Page, sample: Gate, tmp_path: Path) -> None:
    """Made smaller to the width of its place, yet not below what is legible; the tiny project is as large as it is."""
    chromium.open(lineage.write(sample, graph(sample), tmp_path / "page.html"))
    place = "document.getElementById('corridor').clientWidth"
    sheet = "document.getElementById('sheet').getBoundingClientRect().width"
    scale = "new DOMMatrix(getComputedStyle(document.getElementById('sheet')).transform).a"
    assert chromium.run(scale) < 1
    assert chromium.run(sheet) <= chromium.run(place) + 1 or chromium.run(scale) == pytest.approx(0.6)


@pytest.mark.needs("chromium")
def test_the_panel_has_passport_and_findings(opened: Page, corridor: Gate) -> None:
    """What an asset is, and what was proven of it, once it is opened."""
    opened.click('.node button[title="training/smoking"]')
    said = opened.run("document.getElementById('panel').textContent")
    passport = corridor.latest(AssetName.parse("training/smoking"))
    assert passport and all(text in said for text in (passport.version, passport.content_digest, passport.code))
    assert all(f"{one.finding.name}: kept" in said for one in passport.measured)
    assert "purpose smoking@1.0.0" in said


@pytest.mark.needs("chromium")
def test_keys_do_what_clicks_do(opened: Page) -> None:
    """Tab to the first asset, Enter opens it, an arrow goes to a column, Enter lights it, Escape clears and stays."""
    focus = "document.activeElement.title"
    for _ in range(20):
        opened.press("Tab")
        if str(opened.run(focus)).startswith("raw/"):
            break
    assert opened.run(focus).startswith("raw/")
    opened.press("Enter")
    opened.press("ArrowDown")
    column = opened.run("document.activeElement.dataset.place")
    assert column is not None
    opened.press("Enter")
    assert opened.run("document.body.classList.contains('lit')")
    assert opened.run("document.activeElement.dataset.place") == column
    opened.press("Escape")
    assert not opened.run("document.body.classList.contains('lit')")
    assert opened.run("document.activeElement.dataset.place") == column
    opened.press("ArrowRight")
    assert opened.run(focus).startswith("minimized/")


@pytest.mark.needs("chromium")
@pytest.mark.parametrize(
    ("name", "value", "hidden"),
    [
        ("purpose", "smoking", set()),
        ("dataset", "consents", {"raw/patients"}),
        ("role", "direct_identifier", None),
        ("role", "none", None),
    ],
)
def test_filters_leave_what_they_name(
    opened: Page, corridor: Gate, name: str, value: str, hidden: set[str] | None
) -> None:
    """A purpose with all that it reads, a dataset with all that is made of it, what has a column of a role."""
    choice = f"document.getElementById('{name}')"
    opened.run(f"{choice}.value = '{value}'; {choice}.dispatchEvent(new Event('change'))")
    facts = told(corridor, graph(corridor))
    if hidden is None:
        role = [facts["roles"].index(value)] if value != "none" else []
        hidden = {
            one["name"]
            for one in facts["assets"]
            if not any(held["left"] == role if value == "none" else role[0] in held["left"] for held in one["columns"])
        }
        assert hidden
    assert set(opened.run(_SHOWN)) == {one["name"] for one in facts["assets"]} - hidden


@pytest.mark.needs("chromium")
def test_filters_are_taken_together(chromium: Page, sample: Gate, tmp_path: Path) -> None:
    """Of a purpose, of a dataset, of both: as the reads of the steps say; stages that nothing is left of are gone."""
    chromium.open(lineage.write(sample, graph(sample), tmp_path / "page.html"))
    made = steps(sample.project)
    ours = {asset for asset in made if asset.purpose == "readmission_model"}
    ours |= {read for asset in ours for read in made[asset].inputs}
    consents = {AssetName.parse("raw/consents")}
    for asset, step in made.items():
        if consents & set(step.inputs):
            consents.add(asset)
    for chosen, left in (({"purpose": "readmission_model"}, ours), ({"dataset": "consents"}, ours & consents)):
        for name, value in chosen.items():
            choice = f"document.getElementById('{name}')"
            chromium.run(f"{choice}.value = '{value}'; {choice}.dispatchEvent(new Event('change'))")
        assert set(chromium.run(_SHOWN)) == {str(asset) for asset in left} < {str(asset) for asset in made}
        heads = chromium.run("[...document.querySelectorAll('.stage:not([hidden])')].map((one) => one.textContent)")
        assert heads == [stage for stage in Stage if any(asset.stage is stage for asset in left)]


def _luminance(colour: str) -> float:
    channels = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.needs("chromium")
def test_it_is_light_or_dark_as_asked_for_and_readable(opened: Page) -> None:
    """Text stands out from what is behind it by 4.5 at least (WCAG 2.2, 1.4.3), also on the colours of roles."""
    pairs = """(() => {
        const colour = (name) => { const one = document.createElement("p"); one.style.color = `var(${name})`;
            document.body.append(one); const found = getComputedStyle(one).color; one.remove(); return found; };
        return [["--ink", "--paper"], ["--ink", "--card"], ["--quiet", "--paper"], ["--quiet", "--card"],
            ["--bad", "--card"], ["--card", "--lit"], ["--on-role", "--role-0"], ["--on-role", "--role-1"],
            ["--on-role", "--role-2"], ["--on-role", "--role-none"]].map((two) => two.map(colour)) })()"""
    behind = {}
    for scheme in ("light", "dark"):
        opened.scheme(scheme)
        behind[scheme] = _luminance(opened.run("getComputedStyle(document.body).backgroundColor"))
        for pair in opened.run(pairs):
            low, high = sorted(map(_luminance, pair))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (scheme, pair)
    assert behind["dark"] < 0.1 < 0.8 < behind["light"]


@pytest.mark.needs("chromium")
def test_text_is_only_ever_text(chromium: Page, corridor: Gate, tmp_path: Path) -> None:
    """Markup in a title, a name or a number's name is shown as it is written, and runs nowhere."""
    facts = told(corridor, graph(corridor))
    hostile = "</script><script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">\u2028<!--"
    facts["purposes"]["smoking"] = hostile
    for asset in facts["assets"]:
        asset["columns"][0]["name"] = hostile
        asset["findings"][0] = {"name": hostile, "verdict": "kept", "where": hostile, "numbers": {hostile: 1}}
    (tmp_path / "page.html").write_bytes(_drawn(facts))
    chromium.complaints.clear()
    chromium.open(tmp_path / "page.html")
    chromium.click('.node button[title="raw/patients"]')
    assert hostile in chromium.run("document.getElementById('panel').textContent")
    assert hostile in chromium.run("document.querySelector('li').textContent")
    assert chromium.run("[document.title, document.images.length, document.scripts.length]") == ["Lineage", 0, 2]
    assert not chromium.complaints


@pytest.mark.needs("chromium")
@pytest.mark.parametrize(
    "foreign",
    [
        "<script>document.title = 'ran'</script>",
        "<img src=x onerror=\"document.title = 'ran'\">",
        "<style>body { display: none }</style>",
        "<img src='https://example.org/x.png'>",
    ],
)
def test_the_policy_lets_nothing_foreign_in(chromium: Page, corridor: Gate, tmp_path: Path, foreign: str) -> None:
    """Whatever somebody puts into the file: another script or style, a handler, a picture from elsewhere."""
    drawn = page(corridor, graph(corridor)).decode()
    (tmp_path / "page.html").write_text(drawn.replace("<noscript>", f"{foreign}<noscript>"), "utf-8")
    chromium.complaints.clear()
    chromium.open(tmp_path / "page.html")
    assert chromium.run("document.title") == "Lineage"
    assert chromium.run("getComputedStyle(document.body).display") == "grid"
    assert any("Content Security Policy" in said for said in chromium.complaints)
    assert not any(said.startswith("asked for") for said in chromium.complaints)
