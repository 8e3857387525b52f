"""The home: the one folder that holds all state of a project, and the two places outside it that guard it.

Belongs here: which project this is, where its state lies, and that two projects never share a home by accident.
Does not belong here: what lies in the folders.

    <home>/  home.json  secrets.json  versions/  declarations/  ledger/  spill/  dagster/
    outside  the key file and the witness's folder: a copy of the home alone can neither be read nor rolled back
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from platformdirs import user_config_path

from privacy_assets.durable import create, make_folder
from privacy_assets.errors import BadEnvironment

_FORMAT = 1
_PROJECT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,62}")


@dataclass(frozen=True, slots=True)
class Home:
    """Where everything of one project lies. All paths are absolute; folders are readable by their owner only."""

    root: Path
    path: Path
    project_id: str
    key_file: Path
    witness_folder: Path

    @property
    def versions(self) -> Path:
        """The encrypted files of all assets, with their wrapped keys."""
        return self.path / "versions"

    @property
    def declarations(self) -> Path:
        """The sealed texts of all contracts and purposes that anything was published under."""
        return self.path / "declarations"

    @property
    def ledger(self) -> Path:
        """The transparency log."""
        return self.path / "ledger"

    @property
    def spill(self) -> Path:
        """What the database cannot hold in memory, encrypted, for as long as a connection is open."""
        return self.path / "spill"

    @property
    def dagster(self) -> Path:
        """Dagster's own storage."""
        return self.path / "dagster"

    @property
    def tombstones(self) -> Path:
        """Who was erased, under a key; a copy lies beside the witness."""
        return self.path / "tombstones"

    @property
    def secrets_file(self) -> Path:
        """The wrapped secrets of the project."""
        return self.path / "secrets.json"

    @classmethod
    def open(cls, root: Path, env: Mapping[str, str] = os.environ) -> Home:
        """The home of the project at `root`; it is made where there is none.

        `env` may name PRIVACY_ASSETS_HOME (default `data/state` in the project), PRIVACY_ASSETS_PROJECT (default a
        random id that is kept in `data/.project`), PRIVACY_ASSETS_KEY_FILE and PRIVACY_ASSETS_WITNESS (default in
        the user's configuration folder). Raises BadEnvironment where the home belongs to another project, or where
        key file or witness lie inside home or project.
        """
        root = root.resolve()
        project = env.get("PRIVACY_ASSETS_PROJECT") or _own_id(root, env)
        if not _PROJECT_ID.fullmatch(project):
            raise BadEnvironment.of(
                "this is not the id of a project",
                where="PRIVACY_ASSETS_PROJECT or data/.project",
                expected="2 to 63 letters, digits, - or _",
                next_step="set PRIVACY_ASSETS_PROJECT to the id of this project",
            )
        path = _path(root, env)
        home = cls(
            root=root,
            path=path,
            project_id=project,
            key_file=_absolute(
                env.get("PRIVACY_ASSETS_KEY_FILE"), user_config_path("privacy_assets") / f"{project}.key"
            ),
            witness_folder=_witness(project, env),
        )
        home._can_be_named()
        home._guards_lie_outside()
        try:
            for folder in (home.path, home.versions, home.declarations, home.ledger, home.spill, home.dagster):
                make_folder(folder)
                home._is_a_folder_of_its_own(folder)
            home._belongs_to_project()
        except OSError as error:
            raise BadEnvironment.of(
                f"the home cannot be used: {error.strerror}",
                where=str(home.path),
                next_step="make the folder writable for you, or name another with PRIVACY_ASSETS_HOME",
            ) from None
        return home

    @classmethod
    def is_new(cls, root: Path, env: Mapping[str, str] = os.environ) -> bool:
        """Whether nothing was ever published here: neither in the home that `open` finds, or would make, nor by what
        its witness knows.
        """
        return not _in_use(_path(root, env)) and not _is_witnessed(root, env)

    @classmethod
    def require(cls, root: Path, env: Mapping[str, str] = os.environ) -> None:
        """Raises BadEnvironment where no home is there: an answer about nothing would pass for one about the data."""
        if _in_use(_path(root, env)):
            return
        elsewhere = "name the home with PRIVACY_ASSETS_HOME if it lies elsewhere, and look whether its disk is mounted"
        if _is_witnessed(root, env):
            raise BadEnvironment.of(
                "the home is gone: its witness knows of one",
                where=str(_path(root, env)),
                next_step=f"{elsewhere}; else put it back from a backup, and find out who removed it",
            )
        raise BadEnvironment.of(
            "there is no home: nothing was ever published in it",
            where=str(_path(root, env)),
            next_step=f"{elsewhere}; `privacy-assets run` makes a new one",
        )

    def _can_be_named(self) -> None:
        """Dagster names its databases by addresses, in which ? and % mean something; the ledger is written in UTF-8."""
        try:
            str(self.path).encode()
            odd = set(str(self.path)) & set("?%")
        except UnicodeEncodeError:
            odd = {"bytes that are no UTF-8"}
        if odd:
            raise BadEnvironment.of(
                "the home's path cannot be used",
                where=ascii(str(self.path)),
                expected="a path without ? and %, in UTF-8",
                found=" and ".join(sorted(odd)),
                next_step="name another folder with PRIVACY_ASSETS_HOME",
            )

    def _is_a_folder_of_its_own(self, folder: Path) -> None:
        if folder.is_symlink():
            raise BadEnvironment.of(
                "a folder of the home is a link",
                where=str(folder),
                next_step="put the folder itself there; to keep a home elsewhere, name it in PRIVACY_ASSETS_HOME",
            )

    def _guards_lie_outside(self) -> None:
        for what, variable, path in (
            ("the key file", "PRIVACY_ASSETS_KEY_FILE", self.key_file),
            ("the witness", "PRIVACY_ASSETS_WITNESS", self.witness_folder),
        ):
            for place, folder in (("home", self.path), ("project", self.root)):
                if path.is_relative_to(folder):
                    raise BadEnvironment.of(
                        f"{what} lies inside the {place} that it guards",
                        where=str(path),
                        expected=f"a place outside {folder}",
                        next_step=f"set {variable} to a path that is copied, committed and backed up apart from it",
                    )

    def _belongs_to_project(self) -> None:
        record = self.path / "home.json"
        created = datetime.now(UTC).isoformat(timespec="seconds")
        ours = {"format": _FORMAT, "project": self.project_id, "created": created}
        if not record.exists():
            create(record, json.dumps(ours).encode())
        try:
            found = json.loads(record.read_bytes())
            form, project = found["format"], found["project"]
        except (ValueError, KeyError, TypeError):
            form, project = None, None
        if form != _FORMAT:
            raise BadEnvironment.of(
                "the home was made by another release, or its record is damaged",
                where=str(record),
                expected=f'"format": {_FORMAT} and a "project"',
                next_step="use the release that made it, or name another folder with PRIVACY_ASSETS_HOME",
            )
        if project != self.project_id:
            raise BadEnvironment.of(
                "the home belongs to another project",
                where=str(record),
                expected=self.project_id,
                found=str(project),
                next_step=(
                    "name another folder with PRIVACY_ASSETS_HOME; "
                    f"to share this one on purpose, set PRIVACY_ASSETS_PROJECT={project}"
                ),
            )


def _path(root: Path, env: Mapping[str, str]) -> Path:
    return _absolute(env.get("PRIVACY_ASSETS_HOME"), root.resolve() / "data" / "state")


def _witness(project: str, env: Mapping[str, str]) -> Path:
    return _absolute(env.get("PRIVACY_ASSETS_WITNESS"), user_config_path("privacy_assets") / f"{project}.witness")


def _in_use(path: Path) -> bool:
    """Whether a folder holds what a home has that was opened once: secrets, a ledger, or versions."""
    left = (path / "secrets.json", path / "ledger" / "entries", path / "ledger" / "checkpoint")
    return any(one.is_file() for one in left) or any((path / "versions").rglob("*.duckdb"))


def _is_witnessed(root: Path, env: Mapping[str, str]) -> bool:
    """Whether there is a witness of this project's home."""
    record = root / "data" / ".project"
    own = record.read_text(encoding="utf-8", errors="replace").strip() if record.is_file() else ""
    folder = _witness(env.get("PRIVACY_ASSETS_PROJECT") or own, env)
    return folder.is_dir() and any(folder.iterdir())


def _absolute(named: str | None, default: Path) -> Path:
    return (Path(named).expanduser() if named else default).resolve()


def _own_id(root: Path, env: Mapping[str, str]) -> str:
    """The id in `data/.project`, which is made for a home that is new."""
    record = root / "data" / ".project"
    try:
        if not record.exists():
            if _in_use(_path(root, env)):
                raise BadEnvironment.of(
                    "the home is in use, and the project has no id",
                    where=str(record),
                    next_step=f"if it is this project's, set PRIVACY_ASSETS_PROJECT to the id in "
                    f"{_path(root, env) / 'home.json'}, or put the file back",
                )
            make_folder(record.parent)
            create(record, f"p-{secrets.token_hex(6)}\n".encode())
        return record.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise BadEnvironment.of(
            "the project has no id, and none can be written",
            where=str(record),
            next_step="make the folder writable for you, or set PRIVACY_ASSETS_PROJECT",
        ) from None
