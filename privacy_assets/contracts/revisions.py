"""The project as it was: at a commit, a branch or a tag of git, or as another folder has it.

Belongs here: finding that, and bringing the declarations of a commit into a folder of their own, which is gone again
afterwards; and the files of a package, as bytes. Does not belong here: what a declaration is (`loading.py` reads these
as any others), what differs.

Of a commit only declarations are taken, by `git archive`: the contracts, the purposes, the settings that say where they
lie, and the public hierarchies that purposes name. No data that somebody may have committed is copied, and no code of
another commit is written to the disk, or run. The working tree, the index and the branches are not touched.
"""

from __future__ import annotations

import io
import os
import posixpath
import subprocess
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from privacy_assets.contracts.loading import SETTINGS, Folders, Project, load, named_tables
from privacy_assets.errors import BadDeclaration, BadEnvironment

YAML = (".yaml", ".yml")
OF_HOOKS = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"})
"""What git sets for its hooks, relative to where it runs them."""


@contextmanager
def revision(root: Path, base: str) -> Iterator[Project]:
    """The project at `root` as it was at `base`: a folder with a project, or what git calls a commit.

    A folder that is there is meant as one; git's own longer names (`refs/heads/…`) mean a commit always. Raises
    BadDeclaration where there is neither, and with every fault of the declarations there, each with `base` before its
    place; BadEnvironment where git cannot be run.
    """
    folder = Path(base).expanduser()
    if base and folder.is_dir():  # nothing, as of a variable that is not set, would be the folder one stands in
        with _told(base, folder):
            project = load(folder.resolve())
        yield project
        return
    with TemporaryDirectory(prefix="privacy_assets_") as private:
        taken = _taken(root, base, Path(private))
        with _told(base, taken):
            project = load(taken)
        yield project


def package_at(root: Path, base: str, package: Path) -> Mapping[str, bytes] | None:
    """The files of the folder `package` as they were at `base`, by their path in it; None where it has none of them.

    `base` is what `revision` took. Of a commit they are those of the same folder, where that lies in the repository of
    `root`; of a folder those at the same way from it as `package` is from `root`, where it lies in `root`.
    """
    root, package = root.resolve(), package.resolve()
    folder = Path(base).expanduser()
    if base and folder.is_dir():
        return files(folder / package.relative_to(root)) or None if package.is_relative_to(root) else None
    top, _ = _place(root, base)
    if not package.is_relative_to(top):
        return None
    prefix = f"{package.relative_to(top).as_posix()}/"
    commit = _commit(top, base)
    found = _contents(top, commit, base, _listed(top, commit, prefix))
    return {name.removeprefix(prefix): content for name, content in found.items()} or None


def files(package: Path) -> Mapping[str, bytes]:
    """The files of a package by their path in it, but for what Python compiled, and what is hidden."""
    every = {path.relative_to(package): path for path in sorted(package.rglob("*")) if path.is_file()}
    hidden = (".", "__pycache__")
    return {
        name.as_posix(): path.read_bytes()
        for name, path in every.items()
        if not any(part.startswith(hidden) for part in name.parts)
    }


@contextmanager
def _told(base: str, folder: Path) -> Iterator[None]:
    """Faults of what lies in `folder` say at which base they are."""
    try:
        yield
    except BadDeclaration as error:
        raise BadDeclaration(
            *(replace(fault, where=f"{base}:{fault.where.removeprefix(f'{folder}/')}") for fault in error.faults)
        ) from None


def _taken(root: Path, base: str, to: Path) -> Path:
    """The declarations of a commit, in `to`; the folder there that stands for `root`."""
    top, prefix = _place(root, base)
    commit = _commit(top, base)
    project = to / prefix
    project.mkdir(parents=True, exist_ok=True)

    def inside(path: Path | str) -> str:
        return posixpath.normpath(posixpath.join(prefix, Path(os.path.relpath(project / path, project)).as_posix()))

    _take(top, commit, base, [inside(SETTINGS)], to)
    with _told(base, project):
        folders = Folders.of(project)
    for folder in (folders.contracts, folders.purposes):
        within = _listed(top, commit, inside(folder))
        declared = [name for name in within if posixpath.dirname(name) == inside(folder)]
        # a folder that is a link is listed as itself, and refused: its files would look as if they had not been there
        wanted = [name for name in declared if name.lower().endswith(YAML)] + [inside(folder)] * (
            inside(folder) in within
        )
        _take(top, commit, base, wanted, to)
        if within:
            folder.mkdir(parents=True, exist_ok=True)
    _take(top, commit, base, [inside(table) for table in named_tables(project, folders)], to)
    return project


def _place(root: Path, base: str) -> tuple[Path, str]:
    """The top of the repository that `root` lies in, and the way from there to it."""
    asked = _asked(root, "rev-parse", "--show-toplevel", "--show-prefix")
    if asked.returncode != 0:
        raise BadDeclaration.of(
            "there is no such folder, and the project lies in no git repository",
            where=base,
            expected="a folder with a project, or a commit of the repository that the project lies in",
            found=asked.stderr.decode(errors="replace").partition("\n")[0],
            next_step="name a folder with --base, or run it in a clone",
        )
    top, prefix = asked.stdout.decode(errors="surrogateescape").split("\n")[:2]
    return Path(top), prefix.rstrip("/")


def _commit(top: Path, base: str) -> str:
    """The digest of the commit that `base` names."""
    found = _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}")
    if found is None:
        raise BadDeclaration.of(
            "there is no such folder, and git knows no such commit",
            where=base,
            expected="a folder with a project, or a branch, a tag or a commit of this repository",
            next_step="`git fetch` it, where it is a branch of a remote; `git branch --all` names those that are here",
        )
    return found.decode().strip()


def _listed(top: Path, commit: str, *names: str) -> dict[str, str]:
    """The files of a commit among these and below these folders, with their modes; of what lies outside none."""
    inside = [name for name in names if name != ".." and not name.startswith(("../", "/"))]
    found = _git(top, "ls-tree", "-r", "-z", "--full-tree", commit, "--", *inside) if inside else b""
    if found is None:
        raise BadEnvironment.of(
            "git cannot read this commit", where=commit, next_step="`git fsck` says what is wrong with the repository"
        )
    lines = found.decode(errors="surrogateescape").split("\0")
    return {name: head.split()[0] for head, _, name in (line.partition("\t") for line in lines) if name}


def _take(top: Path, commit: str, base: str, names: Iterable[str], to: Path) -> None:
    """Bring those of these files that a commit has into `to`; what is no plain file is refused."""
    for name, content in _contents(top, commit, base, names).items():
        place = to / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def _contents(top: Path, commit: str, base: str, names: Iterable[str]) -> dict[str, bytes]:
    """Those of these files that a commit has; what is no plain file is refused."""
    asked = set(names)
    listed = {name: mode for name, mode in _listed(top, commit, *sorted(asked)).items() if name in asked}
    for name, mode in listed.items():
        if not mode.startswith("100"):
            raise BadDeclaration.of(
                "this is a link, not a file", where=f"{base}:{name}", next_step="put the file itself there"
            )
    if not listed:
        return {}
    taken = dict(_unpacked(_git(top, "archive", "--format=tar", commit, "--", *listed) or b""))
    if missing := sorted(set(listed) - set(taken)):
        raise BadDeclaration.of(
            "git leaves this out of archives, so that nobody can tell what it was",
            where=f"{base}:{missing[0]}",
            next_step="remove `export-ignore` for it from .gitattributes, or compare with a folder",
        )
    return {name: taken[name] for name in listed}


def _unpacked(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """The plain files of an archive, by name; nothing is written."""
    if not archive:
        return
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
        for member in tar:
            if member.isfile() and (content := tar.extractfile(member)) is not None:
                yield member.name, content.read()


def _git(folder: Path, *words: str) -> bytes | None:
    """What git says, or None where it refuses."""
    done = _asked(folder, *words)
    return done.stdout if done.returncode == 0 else None


def _asked(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    env = {name: value for name, value in os.environ.items() if name not in OF_HOOKS}
    env |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1"}
    try:
        # no shell; what somebody typed comes after --end-of-options, and is a commit's digest from then on
        return subprocess.run(["git", "-C", str(folder), *words], check=False, capture_output=True, env=env)  # noqa: S603, S607
    except OSError as error:
        raise BadEnvironment.of(
            "git cannot be run",
            where="--base",
            found=os.strerror(error.errno) if error.errno else type(error).__name__,
            next_step="install git, or name a folder with --base",
        ) from None
