"""The asset graph of the Dagster project that the commands stand in, as Dagster resolves it.

Belongs here: where such a project keeps its definitions, and loading them. Does not belong here: the corridor, which
may be all there is (`build.py`), nor what is read from the graph (`reports/foreign.py`).

It imports code of the project, so only a command that asks about assets beside the corridor calls it.
"""

from __future__ import annotations

import sys
import tomllib
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.reconstruct import repository_def_from_target_def
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin
from dagster._core.workspace.autodiscovery import (
    LoadableTarget,
    autodefs_module_target,
    loadable_targets_from_python_file,
    loadable_targets_from_python_module,
)
from dagster._core.workspace.load import location_origins_from_yaml_paths
from dagster._core.workspace.load_target import (
    AutoloadDefsModuleTarget,
    ModuleTarget,
    get_target_from_toml_data,
)
from dagster._grpc.utils import get_loadable_targets

from privacy_assets.build import corridor_of
from privacy_assets.contracts.loading import Project
from privacy_assets.errors import BadEnvironment, PrivacyAssetsError, unexpected
from privacy_assets.reports.foreign import Surroundings

SETTINGS = "pyproject.toml"
WORKSPACE = "workspace.yaml"
FILE = "definitions.py"


def surroundings(project: Project) -> Surroundings | None:
    """What Dagster resolves of the project that `project` stands in, and which keys of it are the corridor's.

    None, and raises, where `resolved` does.
    """
    graph = resolved(project.root)
    if graph is None:
        return None
    return Surroundings(graph, corridor_of(project).resolve_asset_graph().get_all_asset_keys())


def resolved(root: Path) -> AssetGraph | None:
    """The graph of the project at `root`; None where it says nowhere which definitions it has.

    They are those that Dagster would load: of [tool.dagster] or [tool.dg] in its pyproject.toml, else of the one code
    location in its workspace.yaml, else (also where that has several) of its definitions.py. Raises BadEnvironment
    where they do not load, or what the corridor itself says is wrong with it.
    """
    try:
        # what a module prints when it is imported is no part of an answer
        with redirect_stdout(sys.stderr):
            targets = _targets(root)
            if not targets:
                return None
            repository = repository_def_from_target_def(targets[0].target_definition)
            return repository.asset_graph if repository else None
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, PrivacyAssetsError):
                raise cause from None
            cause = cause.__cause__
        raise BadEnvironment.of(
            "the project's definitions do not load, so what lies around the corridor is not known",
            where=str(root),
            expected=f"what [tool.dagster] or [tool.dg] in its {SETTINGS} names, or its {WORKSPACE}, or its {FILE}",
            found=unexpected(error),
            next_step="`dg check defs`, or `dagster definitions validate`, says more",
        ) from None


def _targets(root: Path) -> list[LoadableTarget]:
    """What Dagster finds to load; several where several modules are named, of which the corridor is in one."""
    settings = root / SETTINGS
    told: Any = get_target_from_toml_data(tomllib.loads(settings.read_text("utf-8"))) if settings.is_file() else None
    match told:
        case ModuleTarget():
            return list(loadable_targets_from_python_module(told.module_name, str(root)))
        case AutoloadDefsModuleTarget():
            return [autodefs_module_target(told.autoload_defs_module_name, str(root))]
        case list():
            raise _several(f"{SETTINGS}: [tool.dagster] modules")
    file, workspace = root / FILE, root / WORKSPACE
    origins = location_origins_from_yaml_paths([str(workspace)]) if workspace.is_file() else []
    match origins:
        case [ManagedGrpcPythonEnvCodeLocationOrigin(loadable_target_origin=one)]:
            return list(
                get_loadable_targets(
                    python_file=one.python_file,
                    module_name=one.module_name,
                    package_name=one.package_name,
                    autoload_defs_module_name=one.autoload_defs_module_name,
                    working_directory=one.working_directory or str(root),
                    attribute=one.attribute,
                    resolve_lazy_defs=False,
                )
            )
    if file.is_file():
        return list(loadable_targets_from_python_file(str(file), str(root)))
    if origins:
        raise _several(WORKSPACE)
    return []


def _several(where: str) -> PrivacyAssetsError:
    return BadEnvironment.of(
        "the project has several code locations, or one on a server",
        where=where,
        expected="one module, whose graph is one",
        next_step=f"name the module that has the corridor as `module_name` in [tool.dagster] of {SETTINGS}",
    )
