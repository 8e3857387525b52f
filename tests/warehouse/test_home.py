"""The home knows its project, and keeps its guards outside."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from platformdirs import user_config_path

from privacy_assets.errors import BadEnvironment
from privacy_assets.warehouse.home import Home

Env = dict[str, str]


def test_a_new_home_is_private_and_is_found_again(tmp_path: Path, env: Env) -> None:
    """The first open makes the project's id and the folders for the owner alone; the second finds the same."""
    root = tmp_path / "project"
    home = Home.open(root, env)
    assert home == Home.open(root, env)
    assert home.path == root / "data" / "state"
    assert (root / "data" / ".project").read_text() == f"{home.project_id}\n"
    for folder in (home.path, home.versions, home.declarations, home.ledger, home.spill, home.dagster):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    record = json.loads((home.path / "home.json").read_text())
    assert record["format"] == 1
    assert record["project"] == home.project_id


def test_two_projects_have_two_ids(tmp_path: Path, env: Env) -> None:
    """Ids are random: two checkouts are two projects."""
    one, two = tmp_path / "one", tmp_path / "two"
    assert Home.open(one, env).project_id != Home.open(two, env).project_id


def test_another_projects_home_is_refused_unless_shared_on_purpose(tmp_path: Path, env: Env) -> None:
    """Two checkouts never share a home by accident; naming the project shares it."""
    env |= {"PRIVACY_ASSETS_HOME": str(tmp_path / "home")}
    owner = Home.open(tmp_path / "one", env)
    with pytest.raises(BadEnvironment, match=f"PRIVACY_ASSETS_PROJECT={owner.project_id}"):
        Home.open(tmp_path / "two", env)
    shared = Home.open(tmp_path / "two", env | {"PRIVACY_ASSETS_PROJECT": owner.project_id})
    assert shared.path == owner.path


@pytest.mark.parametrize("variable", ["PRIVACY_ASSETS_KEY_FILE", "PRIVACY_ASSETS_WITNESS"])
@pytest.mark.parametrize("place", ["project/inside", "home/inside", "link/inside"])
def test_a_guard_inside_home_or_project_is_refused(tmp_path: Path, env: Env, variable: str, place: str) -> None:
    """Key file and witness must survive the loss of what they guard, also where a link hides the place."""
    (tmp_path / "project").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "project")
    env |= {"PRIVACY_ASSETS_HOME": str(tmp_path / "home"), variable: str(tmp_path / place)}
    with pytest.raises(BadEnvironment, match=variable):
        Home.open(tmp_path / "project", env)
    assert not (tmp_path / "home").exists()


def test_the_guards_lie_in_the_users_configuration_by_default(tmp_path: Path) -> None:
    """Without a word of the environment key file and witness are named after the project."""
    home = Home.open(tmp_path, {"PRIVACY_ASSETS_PROJECT": "clinic"})
    assert home.key_file == user_config_path("privacy_assets").resolve() / "clinic.key"
    assert home.witness_folder == user_config_path("privacy_assets").resolve() / "clinic.witness"
    assert not (tmp_path / "data" / ".project").exists()


@pytest.mark.parametrize("bad", ["../up", "a b", "x", ".hidden", ""])
def test_an_id_that_is_no_file_name_is_refused(tmp_path: Path, env: Env, bad: str) -> None:
    """The id names files, so it may not lead anywhere else."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / ".project").write_text(bad)
    with pytest.raises(BadEnvironment, match="id of a project"):
        Home.open(tmp_path, env)


@pytest.mark.parametrize("record", ["", "[]", '{"format": 2, "project": "p"}', "{}"])
def test_a_record_of_another_release_is_refused(home: Home, env: Env, record: str) -> None:
    """A home that this release does not know is not touched."""
    (home.path / "home.json").write_text(record)
    with pytest.raises(BadEnvironment, match="another release"):
        Home.open(home.root, env)


def test_a_home_that_cannot_be_made_says_so(tmp_path: Path, env: Env) -> None:
    """A file where the home should be is an error for people."""
    (tmp_path / "home").write_text("")
    with pytest.raises(BadEnvironment, match="PRIVACY_ASSETS_HOME"):
        Home.open(tmp_path / "project", env | {"PRIVACY_ASSETS_HOME": str(tmp_path / "home")})


@pytest.mark.parametrize("name", ["what?", "100%", "caf\udce9"])
def test_a_path_that_dagster_or_the_ledger_could_not_name_is_refused(tmp_path: Path, env: Env, name: str) -> None:
    """In the address of a database ? and % mean something: its file would lie elsewhere, for all to read."""
    env |= {"PRIVACY_ASSETS_HOME": str(tmp_path / name / "home")}
    with pytest.raises(BadEnvironment, match="path cannot be used") as raised:
        Home.open(tmp_path / "project", env)
    str(raised.value).encode()
    assert [path.name for path in tmp_path.iterdir()] == ["project"]


@pytest.mark.parametrize("name", ["versions", "ledger", "spill", "dagster"])
def test_a_linked_folder_of_the_home_is_refused(tmp_path: Path, env: Env, name: str) -> None:
    """What lies behind it may be on another disk, and is overlooked by what walks the home."""
    home = Home.open(tmp_path / "project", env)
    (home.path / name).rename(tmp_path / name)
    (home.path / name).symlink_to(tmp_path / name)
    with pytest.raises(BadEnvironment, match="is a link"):
        Home.open(tmp_path / "project", env)
