"""A second Dagster project, as `create-dagster` makes one, takes the corridor in; its own definitions stay as they are.

Belongs here: what people with such a project type, and what `dg` answers. Does not belong here: what the corridor is
(`test_build.py`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster.components.core.component_tree import ComponentTreeException

from privacy_assets.component import PrivacyPipelineComponent
from privacy_assets.errors import BadDeclaration
from tests.conftest import environment_in, write_tiny_project

ROOT = Path(__file__).parents[1]
TYPE = "privacy_assets.component.PrivacyPipelineComponent"

# what `create-dagster project shop` writes, but for its README, its tests and its list of ignored files
PYPROJECT = """\
[project]
name = "shop"
requires-python = ">=3.10,<3.15"
version = "0.1.0"
dependencies = ["dagster==1.13.27"]

[dependency-groups]
dev = ["dagster-webserver", "dagster-dg-cli"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
force-include = { "pyproject.toml" = "pyproject.toml" }

[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "shop"
registry_modules = [
    "shop.components.*",
]
"""
DEFINITIONS = """\
from pathlib import Path

from dagster import definitions, load_from_defs_folder


@definitions
def defs():
    return load_from_defs_folder(path_within_project=Path(__file__).parent)
"""

# what its people have written since: an asset with a check, a job, and an executor for everything
THEIRS = """\
import dagster as dg


@dg.asset(deps=[dg.AssetKey(["training", "smoking"])])
def orders() -> None: ...


@dg.asset_check(asset=orders)
def counted() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


defs = dg.Definitions(
    assets=[orders],
    asset_checks=[counted],
    jobs=[dg.define_asset_job("nightly_orders", selection=[orders])],
    executor=dg.multiprocess_executor,
)
"""


def readme(name: str) -> str:
    """The code of a marked block of the README, as it stands there."""
    text = (ROOT / "README.md").read_text("utf-8")
    found = re.search(rf"<!-- {name}: [^>]*-->\n```\w+\n(.*?)```\n<!-- /{name} -->", text, re.DOTALL)
    assert found, f"README.md has no block {name}"
    return found[1]


@dataclass(frozen=True)
class Shop:
    """The second project, with a home of ours outside of it."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "project"

    @property
    def defs(self) -> Path:
        return self.root / "src/shop/defs"

    @property
    def env(self) -> dict[str, str]:
        """Nothing of the person who runs the tests but the interpreter; Dagster's settings keep its telemetry off."""
        bare = {name: value for name, value in os.environ.items() if not name.startswith(("PRIVACY_ASSETS", "DAGSTER"))}
        return bare | environment_in(self.folder) | {
            "HOME": str(self.folder / "user"),
            "XDG_CONFIG_HOME": str(self.folder / "user/.config"),
            "DAGSTER_HOME": str(self.folder / "dagster"),
            "PYTHONPATH": str(self.root / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": "200",
        }  # fmt: skip

    @classmethod
    def make(cls, folder: Path) -> Shop:
        """The project before it heard of us, and the tiny clinic's tables in its `data/samples`."""
        shop = cls(folder)
        for name, text in {
            "project/pyproject.toml": PYPROJECT,
            "project/src/shop/__init__.py": "",
            "project/src/shop/definitions.py": DEFINITIONS,
            "project/src/shop/defs/__init__.py": "",
            "project/src/shop/defs/orders.py": THEIRS,
            "dagster/dagster.yaml": "telemetry: {enabled: false}\n",
            "user/.keep": "",
        }.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, "utf-8")
        write_tiny_project(shop.root)
        return shop

    def take_in(self, text: str, name: str = "privacy") -> Path:
        """Write a `defs.yaml`, as the README says."""
        path = self.defs / name / "defs.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def edit(self, file: str, before: str, after: str) -> None:
        """Change a file; what changes must be there."""
        text = (self.root / file).read_text("utf-8")
        assert before in text, f"{file} has no {before!r}"
        (self.root / file).write_text(text.replace(before, after), "utf-8")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command in the project's folder."""
        return subprocess.run(command, cwd=self.root, env=self.env, capture_output=True, text=True, timeout=300)

    def load(self) -> dg.Definitions:
        """What its `definitions.py` loads, in this process."""
        return dg.load_from_defs_folder(path_within_project=self.root / "src/shop")

    def refused(self) -> BadDeclaration:
        """The error of ours that loading ends with."""
        with pytest.raises(ComponentTreeException) as caught:
            self.load()
        cause: BaseException | None = caught.value
        while cause is not None and not isinstance(cause, BadDeclaration):
            cause = cause.__cause__
        assert cause is not None, str(caught.value)
        return cause


def said(done: subprocess.CompletedProcess[str]) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The second project, without our component; this process can import it, and forgets it afterwards."""
    shop = Shop.make(tmp_path / "second")
    monkeypatch.syspath_prepend(shop.root / "src")
    yield shop
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


@pytest.fixture
def shop(bare: Shop) -> Shop:
    """The second project with what the README says."""
    bare.take_in(readme("component"))
    return bare


# ---- what people type


def test_dg_checks_and_lists_a_project_that_took_the_corridor_in(shop: Shop) -> None:
    """`dg check defs` passes; `dg list defs` has the corridor beside what was there; neither makes home or key."""
    before = {path for path in shop.root.rglob("*") if path.is_file()}
    checked = shop.run("dg", "check", "defs")
    assert checked.returncode == 0, said(checked)
    assert "All definitions loaded successfully" in said(checked)
    listed = shop.run("dg", "list", "defs", "--json")
    assert listed.returncode == 0, said(listed)
    found = json.loads(listed.stdout)
    assert {one["asset_key"] for one in found["assets"]} == {
        "orders",
        "source/patients", "source/consents", "raw/patients", "raw/consents", "minimized/smoking/patients",
        "pseudonymized/smoking/patients", "features/smoking", "training/smoking", "model/smoking", "reports/lineage",
        "reports/record", "reports/assessment", "reports/review", "reports/audit",
    }  # fmt: skip
    assert {one["name"] for one in found["jobs"]} == {
        "nightly_orders", "corridor", "corridor_smoking", "verification", "expiry",
    }  # fmt: skip
    assert [one["name"] for one in found["schedules"]] == ["nightly_expiry", "nightly_verification"]
    assert {path for path in shop.root.rglob("*") if path.is_file()} == before
    assert not (shop.folder / "home").exists()
    assert not (shop.folder / "guards").exists()


def test_dg_materializes_raw_and_our_commands_and_their_code_read_what_stands(shop: Shop) -> None:
    """By the project's own executor, a process a step; and the commands find the project without an option."""
    launched = shop.run("dg", "launch", "--assets", 'key:"raw/patients"')
    assert launched.returncode == 0, said(launched)
    assert "raw/patients: published 60 rows" in said(launched)
    shown = shop.run("privacy-assets", "show", "raw/patients")
    assert shown.returncode == 0, said(shown)
    assert "60" in shown.stdout
    assert "p-01" not in said(launched) + said(shown)
    assert (shop.folder / "home/ledger/entries").is_file()


def test_everything_that_dg_made_is_verified_by_our_command(shop: Shop) -> None:
    """The job runs in one process; `verify` tells the project's own Dagster, and without one it says what to do."""
    launched = shop.run("dg", "launch", "--job", "corridor")
    assert launched.returncode == 0, said(launched)
    assert "Executing steps in process" in said(launched)
    verified = shop.run("privacy-assets", "verify")
    assert verified.returncode == 0, said(verified)
    assert "7 kept of 7 assets" in verified.stdout
    (shop.folder / "dagster/dagster.yaml").unlink()
    refused = shop.run("privacy-assets", "verify")
    assert refused.returncode == 1
    assert "set DAGSTER_HOME to the folder of the Dagster that runs the project" in said(refused)


def test_a_wrong_contract_is_told_by_dg_with_its_file_and_line(shop: Shop) -> None:
    """In our words, with what to do next, by `dg check defs` and by `dg list defs`; both exit 1."""
    shop.edit("data/contracts/patients.odcs.yaml", "role: sensitive", "role: secret")
    shop.edit("data/purposes/smoking.yaml", "kind: token", "kind: tokens")
    lines = (shop.root / "data/contracts/patients.odcs.yaml").read_text("utf-8").splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "role: secret" in text)
    for command in ("check", "list"):
        done = shop.run("dg", command, "defs")
        assert done.returncode == 1, said(done)
        assert f"data/contracts/patients.odcs.yaml:{line}: " in said(done)
        assert "data/purposes/smoking.yaml:15: " in said(done)
        assert "next: " in said(done)
        assert "src/shop/defs/privacy" in said(done) or "PrivacyPipelineComponent" in said(done)


def test_dg_shows_the_component_with_its_words_and_its_schema(bare: Shop) -> None:
    """`dg list components` has it without any setting; `dg utils inspect-component` says what may stand there."""
    listed = bare.run("dg", "list", "components", "--json")
    assert listed.returncode == 0, said(listed)
    summaries = {one["key"]: one["summary"] for one in json.loads(listed.stdout)["items"]}
    assert summaries[TYPE].startswith("Tables about people in, governed training data out")
    inspected = bare.run("dg", "utils", "inspect-component", TYPE)
    assert inspected.returncode == 0, said(inspected)
    for word in ("one such component", "<dataset>.odcs.yaml", "<purpose>.yaml", '"additionalProperties": false'):
        assert word in inspected.stdout


def test_dg_scaffolds_what_the_readme_says(bare: Shop) -> None:
    """The same `defs.yaml`, and the two folders; without a contract in them loading says which file to write."""
    for folder in ("contracts", "purposes"):
        shutil.rmtree(bare.root / "data" / folder)
    made = bare.run("dg", "scaffold", "defs", TYPE, "privacy")
    assert made.returncode == 0, said(made)
    written = bare.defs / "privacy/defs.yaml"
    assert yaml.safe_load(written.read_text("utf-8")) == yaml.safe_load(readme("component"))
    assert [path.name for path in sorted((bare.root / "data").iterdir())] == ["contracts", "purposes", "samples"]
    [fault] = bare.refused().faults
    assert (fault.where, fault.what) == ("data/contracts", "there is no contract")
    assert "<dataset>.odcs.yaml" in fault.expected


# ---- what joins the project


def test_what_was_there_keeps_its_executor_and_its_checks(shop: Shop) -> None:
    """In-process is for the corridor's jobs; they neither select nor verify what is not theirs."""
    both = shop.load()
    dg.Definitions.validate_loadable(both)
    assert both.executor is dg.multiprocess_executor
    assert both.resolve_job_def("nightly_orders").executor_def is dg.multiprocess_executor
    graph, theirs = both.resolve_asset_graph(), dg.AssetKey("orders")
    (looked_at,) = [check for check in graph.asset_check_keys if check.asset_key == theirs]
    for name in ("corridor", "corridor_smoking", "verification"):
        assert both.resolve_job_def(name).executor_def is dg.in_process_executor
        (selection,) = [job.selection for job in both.jobs or () if job.name == name]
        assert theirs not in selection.resolve(graph)
        assert selection.resolve_checks(graph) == graph.asset_check_keys - {looked_at}


def test_post_processing_reaches_our_assets(shop: Shop) -> None:
    """As of any component: a tag, an owner, a group."""
    path = shop.take_in(readme("component"))
    path.write_text(
        path.read_text("utf-8")
        + 'post_processing:\n  assets:\n    - target: \'key:"raw/*"\'\n      attributes: {tags: {cost_center: "7"}}\n',
        "utf-8",
    )
    both = shop.load()
    dg.Definitions.validate_loadable(both)
    tags = {spec.key.to_user_string(): spec.tags for spec in both.resolve_all_asset_specs()}
    assert tags["raw/patients"]["cost_center"] == "7"
    assert tags["raw/patients"]["privacy/stage"] == "raw"
    assert "cost_center" not in tags["features/smoking"]


# ---- which folders


def test_folders_beside_the_file(bare: Shop) -> None:
    """A path starts at the folder of `defs.yaml`; faults name the files from the project's folder on."""
    path = bare.take_in(f"type: {TYPE}\nattributes: {{contracts: contracts, purposes: ../../uses}}\n")
    shutil.move(bare.root / "data/contracts", path.parent / "contracts")
    shutil.move(bare.root / "data/purposes", bare.root / "src/shop/uses")
    assert dg.AssetKey(["model", "smoking"]) in bare.load().resolve_asset_graph().get_all_asset_keys()
    bare.edit("src/shop/defs/privacy/contracts/patients.odcs.yaml", "role: sensitive", "role: secret")
    bare.edit("src/shop/uses/smoking.yaml", "owner: team:clinic-data", "owner: me")
    contract, purpose = bare.refused().faults
    assert contract.where.startswith("src/shop/defs/privacy/contracts/patients.odcs.yaml:")
    assert purpose.where == "src/shop/uses/smoking.yaml:6"


def test_a_folder_that_is_not_there_is_told(bare: Shop) -> None:
    """A misspelt folder is not one without purposes."""
    path = bare.take_in(f"type: {TYPE}\nattributes: {{contracts: contracts, purposes: purpose}}\n")
    for name in ("contracts", "purposes"):
        shutil.move(bare.root / "data" / name, path.parent / name)
    [fault] = bare.refused().faults
    assert (fault.where, fault.what) == ("src/shop/defs/privacy/purpose", "there is no such folder")


def test_other_folders_than_those_of_the_commands_are_refused(bare: Shop) -> None:
    """Or a dataset would be read by other promises than it was made by; the settings of the project make them one."""
    bare.take_in(f"type: {TYPE}\nattributes: {{contracts: contracts, purposes: purposes}}\n")
    for name in ("contracts", "purposes"):
        shutil.copytree(bare.root / "data" / name, bare.defs / "privacy" / name)
    faults = bare.refused().faults
    assert [(fault.where, fault.expected, fault.found) for fault in faults] == [
        ("src/shop/defs/privacy/defs.yaml", f"data/{name}", f"src/shop/defs/privacy/{name}")
        for name in ("contracts", "purposes")
    ]
    settings = "\n".join(re.findall(r'write (\w+ = "[^"]+")', "\n".join(fault.next_step for fault in faults)))
    (bare.root / "pyproject.toml").write_text(f"{PYPROJECT}\n[tool.privacy_assets]\n{settings}\n", "utf-8")
    dg.Definitions.validate_loadable(bare.load())
    assert "are sound" in said(bare.run("privacy-assets", "validate"))


def test_the_readme_says_how_the_commands_find_other_folders(bare: Shop) -> None:
    """Its lines for pyproject.toml are those that are read."""
    bare.take_in(f"type: {TYPE}\nattributes: {{contracts: contracts, purposes: purposes}}\n")
    for name in ("contracts", "purposes"):
        shutil.move(bare.root / "data" / name, bare.defs / "privacy" / name)
    assert bare.run("privacy-assets", "validate").returncode == 1
    (bare.root / "pyproject.toml").write_text(PYPROJECT + "\n" + readme("component-settings"), "utf-8")
    assert "are sound" in said(bare.run("privacy-assets", "validate"))
    dg.Definitions.validate_loadable(bare.load())


# ---- what is refused


@pytest.mark.parametrize("twice", ["two folders", "one file"])
def test_a_second_component_is_refused(shop: Shop, twice: str) -> None:
    """In words, and not as a job that is there twice."""
    if twice == "one file":
        shop.take_in(f"{readme('component')}---\n{readme('component')}")
    else:
        shop.take_in(readme("component"), "privacy_too")
    [fault] = shop.refused().faults
    assert fault.what == "the project has 2 components of this kind"
    assert fault.where == "src/shop/defs/privacy/defs.yaml"
    assert fault.next_step


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ("{contracts: contracts}", "purposes"),
        ("{contracts: contracts, purposes: purposes, threshold: 5}", "threshold"),
        ("{contracts: [contracts], purposes: purposes}", "contracts"),
    ],
)
def test_a_key_that_is_missing_or_unknown_is_refused(bare: Shop, attributes: str, says: str) -> None:
    """By Dagster, before anything of ours is read."""
    bare.take_in(f"type: {TYPE}\nattributes: {attributes}\n")
    with pytest.raises(ComponentTreeException) as caught:
        bare.load()
    assert says in str(caught.value.__cause__)


def test_the_component_is_where_dagster_looks_for_components() -> None:
    """The entry point names its module, and its catalog entry says who answers for it and what it makes."""
    (found,) = [one for one in entry_points(group="dagster_dg_cli.registry_modules") if one.name == "privacy_assets"]
    assert found.load().PrivacyPipelineComponent is PrivacyPipelineComponent
    spec = PrivacyPipelineComponent.get_spec()
    assert spec.owners == ["team:privacy"]
    assert spec.produces == ["asset", "asset_check", "job", "schedule"]
    assert "blocking checks" in (PrivacyPipelineComponent.get_description() or "")
