"""The corridor as a component, for a Dagster project that is there already: `dg` loads it from a `defs.yaml`.

Belongs here: what such a file may say, which folders it means, and what of the corridor joins the project. Does not
belong here: the corridor itself (`build.py`), nor what a contract or a purpose must be (`contracts/`).
"""

from __future__ import annotations

from pathlib import Path

import dagster as dg
from dagster.components.component_scaffolding import scaffold_component
from pydantic import Field

from privacy_assets.build import corridor_of
from privacy_assets.contracts.loading import CONTRACTS, PURPOSES, SETTINGS, TABLE, Folders, load, shown
from privacy_assets.errors import BadDeclaration, Fault, raise_gathered

ROOT = "{{ context.project_root }}"
"""The project's folder, as Dagster writes it in a `defs.yaml`."""


class _Folders(dg.Scaffolder):
    """`dg scaffold defs`: a `defs.yaml` that says everything, and the two folders that it names."""

    def scaffold(self, request: dg.ScaffoldRequest) -> None:
        """Made once, to be filled by people."""
        if request.project_root:
            for folder in (CONTRACTS, PURPOSES):
                (request.project_root / folder).mkdir(parents=True, exist_ok=True)
        scaffold_component(request, {"contracts": f"{ROOT}/{CONTRACTS}", "purposes": f"{ROOT}/{PURPOSES}"})


@dg.scaffold_with(_Folders)
class PrivacyPipelineComponent(dg.Component, dg.Model, dg.Resolvable):
    """Tables about people in, governed training data out: all that a folder of contracts and one of purposes declare.

    The assets from raw to the models with their blocking checks, the sources, a job for everything, one for each
    purpose, and the nightly verification. Paths of sources in contracts start at the project's folder; state lies in
    its `data/state`, or where PRIVACY_ASSETS_HOME says. A project has one such component.
    """

    contracts: str = Field(
        description="The folder of the contracts (<dataset>.odcs.yaml). "
        f"A path starts at the folder of this defs.yaml; {ROOT} is the project's.",
        examples=[f"{ROOT}/{CONTRACTS}", "contracts"],
    )
    purposes: str = Field(
        description="The folder of the purposes (<purpose>.yaml). "
        f"A path starts at the folder of this defs.yaml; {ROOT} is the project's.",
        examples=[f"{ROOT}/{PURPOSES}", "purposes"],
    )

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        """What Dagster's catalog of components says beside the docstring."""
        return dg.ComponentTypeSpec(
            owners=["team:privacy"],
            tags=["privacy", "governance", "training-data"],
            produces=["asset", "asset_check", "job", "schedule"],
        )

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The corridor of the two folders; raises BadDeclaration with every fault of their files, or of this one's."""
        root, here = context.project_root.resolve(), context.path.resolve()
        where = shown(next((file for file in (here / "defs.yaml", here / "defs.yml") if file.is_file()), here), root)
        faults = []
        if (count := len(context.component_tree.get_all_components(of_type=PrivacyPipelineComponent))) > 1:
            faults.append(
                Fault(
                    f"the project has {count} components of this kind",
                    where=where,
                    expected="one: a project has one home, one ledger and one set of declarations",
                    next_step="keep one, whose folders hold all contracts and all purposes; or make two projects",
                )
            )
        folders = Folders((here / self.contracts).resolve(), (here / self.purposes).resolve())
        raise_gathered(BadDeclaration, [*faults, *_differences(folders, root, where)])
        return corridor_of(load(root, folders))


def _differences(folders: Folders, root: Path, where: str) -> list[Fault]:
    """Where the commands and `privacy_assets.read` would take another folder, and so judge by other promises.

    Where they would find none they say so themselves.
    """
    known = Folders.of(root)
    if not known.contracts.is_dir() and not known.purposes.is_dir():
        return []
    return [
        Fault(
            f"the project's commands look for {kind} in another folder",
            where=where,
            expected=shown(theirs, root),
            found=shown(ours, root),
            next_step=f'write {kind} = "{shown(ours, root)}" under [{TABLE}] in {SETTINGS}, or name their folder here',
        )
        for kind, ours, theirs in (
            ("contracts", folders.contracts, known.contracts),
            ("purposes", folders.purposes, known.purposes),
        )
        if ours != theirs.resolve()
    ]
