"""The house as its listing says: the layers that import-linter runs, and what may be used where."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "privacy_assets"


def _modules(*folders: str) -> list[Path]:
    return [path for folder in folders or (".",) for path in sorted((PACKAGE / folder).rglob("*.py"))]


def test_every_room_stands_in_the_layers():
    """No module or package of the first level is missing from the list that import-linter runs."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    listed = {name.strip().removeprefix("privacy_assets.") for layer in layers for name in layer.split("|")}
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    # Dagster imports `history` by name, and it imports the home alone: it stands beside the list
    assert rooms - listed == {"__init__", "history"}


def test_metadata_values_are_made_in_one_place():
    """Nothing but the allow-list makes a value that Dagster keeps."""
    makers = {
        path.name
        for path in _modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith("MetadataValue")
    }
    assert makers == {"metadata.py"}


def test_only_loading_opens_yaml():
    """Declarations are read in one place, with its limits; the history of one is only written."""
    importers = {
        path.name
        for path in _modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.Import, ast.ImportFrom)) and any("yaml" in name.split(".") for name in _imported(node))
    }
    assert importers <= {"_yaml.py", "history.py"}
    assert re.findall(r"yaml\.(\w+)", (PACKAGE / "reports/history.py").read_text()) == ["safe_dump"]


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_says_what_it_is_for(path: Path):
    """A module opens with a docstring of at least one sentence."""
    assert len(ast.get_docstring(ast.parse(path.read_text())) or "") > 20


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_randomness_but_seeded_or_from_the_operating_system(path: Path):
    """The module `random`, numpy's global generator and pickle are not used anywhere."""
    tree = ast.parse(path.read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in _imported(node)
    }
    assert not imported & {"random", "pickle", "cloudpickle", "joblib"}
