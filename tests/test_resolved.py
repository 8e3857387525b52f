"""What the commands load of the Dagster project that they stand in."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

from privacy_assets import cli
from privacy_assets.contracts.loading import load
from privacy_assets.errors import BadDeclaration, BadEnvironment
from privacy_assets.resolved import resolved, surroundings

CORRIDOR_AND_REPORT = """
from pathlib import Path

import dagster as dg

from privacy_assets.build import build_definitions

print("a module that talks")
report = dg.AssetSpec("report", deps=[["training", "smoking"]])
defs = dg.Definitions.merge(build_definitions(Path(__file__).parent), dg.Definitions(assets=[report]))
"""


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    """Modules that a test imports are not there for the next one, nor is where they were found."""
    modules, path = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.partition(".")[0] in ("definitions", "shop"):
            del sys.modules[name]


def _write(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / {"settings": "pyproject.toml"}.get(name, f"{name.replace('__', '/')}.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


@pytest.mark.parametrize(
    ("settings", "module", "text"),
    [
        ("", "definitions", "import dagster as dg\ndefs = dg.Definitions(assets=[dg.AssetSpec('theirs')])"),
        (
            "[tool.dagster]\nmodule_name = 'shop.all'",
            "shop__all",
            "import dagster as dg\nanything = dg.Definitions(assets=[dg.AssetSpec('theirs')])",
        ),
        (
            "[tool.dg]\ndirectory_type = 'project'\n[tool.dg.project]\nroot_module = 'shop'",
            "shop__definitions",
            "import dagster as dg\n@dg.definitions\ndef defs():\n"
            "    return dg.Definitions(assets=[dg.AssetSpec('theirs')])",
        ),
        ("", "definitions", "import dagster as dg\n@dg.asset\ndef theirs() -> None: ..."),
    ],
    ids=["definitions.py", "tool.dagster", "tool.dg", "assets alone"],
)
def test_definitions_are_found_where_dagster_finds_them(tmp_path: Path, settings: str, module: str, text: str) -> None:
    """In definitions.py, or in the module that pyproject.toml names, whatever they are called there."""
    _write(tmp_path, settings=settings, **{module: text})
    graph = resolved(tmp_path)
    assert graph is not None and graph.get_all_asset_keys() == {dg.AssetKey("theirs")}


ONE = "load_from:\n  - python_file: {relative_path: shop/theirs.py}\n"
TWO = f"{ONE}  - python_module: shop.others\n"
SERVER = "load_from:\n  - grpc_server: {host: localhost, port: 4266}\n"
THEIRS = "import dagster as dg\nanything = dg.Definitions(assets=[dg.AssetSpec('theirs')])"
OTHERS = "import dagster as dg\ndefs = dg.Definitions(assets=[dg.AssetSpec('others')])"


@pytest.mark.parametrize(
    ("workspace", "files", "key"),
    [
        (ONE, {}, "theirs"),
        (ONE, {"definitions": OTHERS}, "theirs"),
        (ONE.replace("theirs.py", "theirs.py, attribute: anything"), {}, "theirs"),
        ("load_from:\n  - python_module: {module_name: shop.theirs}\n", {}, "theirs"),
        (ONE, {"settings": "[tool.dagster]\nmodule_name = 'shop.others'", "shop__others": OTHERS}, "others"),
        (TWO, {"definitions": OTHERS}, "others"),
        (SERVER, {"definitions": OTHERS}, "others"),
    ],
)
def test_a_workspace_with_one_code_location_is_the_project(
    tmp_path: Path, workspace: str, files: dict[str, str], key: str
) -> None:
    """Where pyproject.toml names none; one with several says nothing of it, and its definitions.py does."""
    (tmp_path / "workspace.yaml").write_text(workspace)
    graph = resolved(_write(tmp_path, shop__theirs=THEIRS, **files))
    assert graph is not None and graph.get_all_asset_keys() == {dg.AssetKey(key)}


def test_a_workspace_that_does_not_say_which_project_is_an_error(tmp_path: Path) -> None:
    """Several locations, one on a server, or a file that is none: an answer without them would look complete."""
    for workspace, says in ((TWO, "several code locations"), (SERVER, "one on a server"), ("- 1", "do not load")):
        (tmp_path / "workspace.yaml").write_text(workspace)
        with pytest.raises(BadEnvironment, match=says):
            resolved(tmp_path)


def test_a_project_without_definitions_has_no_graph(tmp_path: Path) -> None:
    """With settings for other tools, or none."""
    assert resolved(tmp_path) is None
    assert resolved(_write(tmp_path, settings="[tool.ruff]\nline-length = 120")) is None


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"definitions": "raise ValueError('p-17 is ill')"}, "ValueError"),
        ({"definitions": "nothing = 1"}, "DagsterInvariantViolationError"),
        ({"settings": "[tool.dagster]\nmodule_name = 'shop.absent'"}, "DagsterImportError"),
        ({"settings": "[tool.dagster"}, "TOMLDecodeError"),
        ({"settings": "[tool.dagster]\nmodules = [{type = 'module', name = 'shop'}]"}, "several code locations"),
    ],
)
def test_definitions_that_do_not_load_are_an_error(tmp_path: Path, files: dict[str, str], says: str) -> None:
    """By kind and place; what code of the project says when it fails could be a person's value."""
    with pytest.raises(BadEnvironment) as refused:
        resolved(_write(tmp_path, **files))
    assert says in str(refused.value) and "p-17" not in str(refused.value)
    assert refused.value.faults[0].next_step


def test_what_is_wrong_with_the_corridor_is_told_as_everywhere(tiny_project: Path) -> None:
    """With file and line, and not as definitions that do not load."""
    _write(tiny_project, definitions=CORRIDOR_AND_REPORT)
    purpose = tiny_project / "data/purposes/smoking.yaml"
    purpose.write_text(purpose.read_text("utf-8").replace("kind: token", "kind: tokens"), "utf-8")
    with pytest.raises(BadDeclaration, match=r"smoking\.yaml:15"):
        resolved(tiny_project)


def test_the_corridors_keys_are_told_from_the_others(tiny_project: Path) -> None:
    """Of the resolved graph only the report is not ours."""
    around = surroundings(load(_write(tiny_project, definitions=CORRIDOR_AND_REPORT)))
    assert around is not None
    assert around.graph.get_all_asset_keys() - set(around.ours) == {dg.AssetKey("report")}


def test_impact_shows_what_the_project_has_around_the_corridor(
    tiny_project: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command loads the project; a definitions file that prints does not spoil the JSON."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    words = ["impact", "raw/patients.age", "--root", str(_write(tiny_project, definitions=CORRIDOR_AND_REPORT))]
    told = CliRunner().invoke(cli.app, words)
    assert told.exit_code == 0, told.output
    assert "report" in told.stdout and "read through the gate or not" in told.stdout
    said = json.loads(CliRunner().invoke(cli.app, [*words, "--json"]).stdout)
    assert [one["asset"] for one in said["around"]["downstream"]] == ["report"]
    assert said["around"]["downstream"][0]["foreign"] and not said["around"]["upstream"]
