"""The README says what is there."""

import re
from pathlib import Path

import typer

from privacy_assets.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def _block(name: str) -> str:
    found = re.search(rf"<!-- {name}:[^>]*-->\n(.*?)<!-- /{name} -->", README, re.DOTALL)
    assert found, f"README.md has no block {name}"
    return found[1]


def test_the_commands_are_those_of_the_program():
    """Every command with the first line of its help, and no other."""
    told = dict(re.findall(r"^\| `privacy-assets (\S+)` \| (.+) \|$", _block("commands"), re.MULTILINE))
    group = typer.main.get_command(app)
    assert told == {name: command.help for name, command in group.commands.items()}


def test_the_listing_is_the_folder():
    """Every room of the package stands in the listing, and none that is not there."""
    told = re.findall(r"^  (\S+?)/? ", _block("listing"), re.MULTILINE)
    package = ROOT / "privacy_assets"
    rooms = {path.name for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert set(told) == rooms - {"__init__.py"}


def test_the_first_commands_are_those_of_the_makefile():
    """What the README tells people to type is there."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^make (\S+)", README, re.MULTILINE)) <= targets


def test_links_inside_the_repository_lead_somewhere():
    """No link to a file that is not there."""
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
