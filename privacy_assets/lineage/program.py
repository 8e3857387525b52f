"""How the program itself differs between two states of a project, and which assets are made or measured by it.

    files of the package, then and now ─► modules that mean something else ─► the assets that name them ─► changes

Belongs here: that comparison, by the text of the modules. Does not belong here: where the files come from
(`contracts/revisions.py`), what the declarations say (`diff.py`), code of libraries.

A module means the same where only comments, docstrings and formatting differ. What another text of it does to people
nobody can rank, so that it counts as a weakening. It touches nobody where it is a technique, an invariant, an attack or
a threat model that no asset names, or where it only tells (`TELLS`). A module that no asset names, and that is none of
these, is a part of every asset. One that calls another, which has changed, is not told besides that.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel

from privacy_assets.contracts.promises import promises
from privacy_assets.contracts.revisions import files, package_at
from privacy_assets.lineage.diff import Change, Declaration, Side
from privacy_assets.weakening import Effect
from privacy_assets.words import AssetName

PROGRAM = "program"
RUNNING = Path(__file__).parents[1]
"""The package that is running."""
NAME = RUNNING.name

MEMBERS: Mapping[str, str] = {
    **{f"techniques/{family.name}": "technique" for family in (RUNNING / "techniques").iterdir() if family.is_dir()},
    "invariants": "invariant",
    "attacks": "attack",
    "threat_models": "threat model",
}
"""What the public modules of a folder are, of which an asset has those that it names."""

TELLS = frozenset({"cli.py", "drafting", "lineage", "reports", "testdata"})
"""What tells, proposes or invents, and neither makes nor measures anything that is published."""

ORDER, CONTENT = "order", "content"
Meaning = Sequence[tuple[str, str]]
"""What a file says, part by part: the name of each, and its content."""


UNKNOWN = "Whether the program is the same is not told: {base} has none that could be compared with the one at hand."


def compared(base: str, before: Side, after: Side) -> tuple[Sequence[Change], Sequence[str]]:
    """What differs in the program between the project at `base` and as it is; or a note that nobody can tell.

    The program is the one that the project has in its own folder, else the one that runs, where that lies in the
    project's repository, or (where `base` is a folder) in the project.
    """
    root = after.project.root
    own = root / NAME
    package = own if (own / "__init__.py").is_file() else RUNNING
    earlier = package_at(root, base, package)
    if earlier is None:
        return (), (UNKNOWN.format(base=base),)
    return tuple(changes(earlier, files(package), before, after)), ()


def changes(before: Mapping[str, bytes], after: Mapping[str, bytes], base: Side, head: Side) -> Iterator[Change]:
    """Each file of the package that means something else `after` than `before`, with the assets of either side."""
    named = [(side, _named(side)) for side in (base, head)]
    for path in sorted(path for path in {*before, *after} if before.get(path) != after.get(path)):
        was, now = (meaning(path, one[path]) if path in one else None for one in (before, after))
        if was == now:
            continue
        of = [(side, _assets(path, side, names)) for side, names in named]
        every = all(len(found) == len(side.flows.made) for side, found in of)
        assets = list(dict.fromkeys(asset for _, found in of for asset in found))
        yield Change(
            PROGRAM,
            Declaration(PROGRAM, path),
            f"{_kind(path) or 'module'} {PurePosixPath(path).stem}, {_whose(assets, every=every)}",
            _differs(was, now),
            _differs(now, was),
            Effect.CHANGED if assets else Effect.OTHER,
            f"{NAME}/{path}",
            tuple(dict.fromkeys(place for side, found in of for place in side.flows.places(found))),
        )


def meaning(path: str, content: bytes) -> Meaning:
    """What the file at `path` says: of a module its parts, without comments and docstrings; else the digest of it."""
    try:
        tree = _Bare().visit(ast.parse(content)) if path.endswith(".py") else None
    except (SyntaxError, ValueError):
        tree = None
    if tree is None:
        return ((CONTENT, hashlib.sha256(content).hexdigest()),)
    return tuple((_name(part), ast.dump(part)) for part in tree.body)


class _Bare(ast.NodeTransformer):
    """Takes out the texts that stand alone: docstrings, and those beneath a constant or a field."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        return None if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str) else node


def _name(part: ast.stmt) -> str:
    match part:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return part.name
        case ast.Assign():
            return ", ".join(map(ast.unparse, part.targets))
        case ast.AnnAssign() | ast.AugAssign():
            return ast.unparse(part.target)
        case ast.Import() | ast.ImportFrom():
            return "import"
    return type(part).__name__.lower()


def _differs(one: Meaning | None, other: Meaning | None) -> str | None:
    """The names of the parts of `one` that `other` has not; None where it is not there."""
    if one is None:
        return None
    names = [name for name, content in one if (name, content) not in (other or ())]
    same = other is not None and sorted(one) == sorted(other)
    return ORDER if same else ", ".join(dict.fromkeys(names))


def _kind(path: str) -> str:
    """What a public module of a family is; empty of any other file."""
    file = PurePosixPath(path)
    public = file.suffix == ".py" and not file.stem.startswith("_")
    return MEMBERS.get(str(file.parent), "") if public else ""


def _named(side: Side) -> Mapping[AssetName, frozenset[str]]:
    """By asset: the modules that make it, those that measure it, and those that its purpose names for any asset."""
    found = {}
    for asset, made in side.flows.made.items():
        asked = (type(promise.parameters).__module__ for promise in promises(side.project, asset))
        found[asset] = frozenset((*made.made_by, *asked))
    by_asset = frozenset().union(*found.values())
    for name, purpose in side.project.purposes.items():
        otherwise = frozenset(_declared(purpose)) - by_asset
        found |= {asset: names | otherwise for asset, names in found.items() if asset.purpose == name}
    return found


def _declared(value: Any) -> Iterator[str]:
    """The modules of all that is declared within a value."""
    if isinstance(value, BaseModel):
        yield type(value).__module__
        value = {name: getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        value = tuple(value.values())
    for one in value if isinstance(value, tuple) else ():
        yield from _declared(one)


def _assets(path: str, side: Side, named: Mapping[AssetName, Collection[str]]) -> list[AssetName]:
    if path.split("/")[0] in TELLS:
        return []
    module = ".".join((NAME, *PurePosixPath(path).with_suffix("").parts)).removesuffix(".__init__")
    found = [asset for asset, names in named.items() if module in names]
    return found if found or _kind(path) else list(side.flows.made)


def _whose(assets: Sequence[AssetName], *, every: bool) -> str:
    if every or not assets:
        return "of every asset" if assets else "of no asset"
    purposes = sorted({asset.purpose for asset in assets if asset.purpose})
    raw = sorted(str(asset) for asset in assets if not asset.purpose)
    return "; ".join(part for part in (f"for {', '.join(purposes)}" * bool(purposes), ", ".join(raw)) if part)
