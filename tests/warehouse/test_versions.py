"""Versions: whole or gone, each under a key of its own."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from privacy_assets.errors import BadDeclaration, BadEnvironment, Refused, Tampered
from privacy_assets.warehouse.connections import Attachment, governed
from privacy_assets.warehouse.home import Home
from privacy_assets.warehouse.keys import KeyFile, Secrets
from privacy_assets.warehouse.versions import Candidate, Versions, file_digest, rewrap_all

Publish = Callable[[str, str], Candidate]
Files = Callable[[Path], set[str]]
ID = "0" * 32


def test_a_kept_candidate_is_one_file_and_one_key(
    home: Home, versions: Versions, publish: Publish, files: Files
) -> None:
    """File and wrapped key stay, private, without lock, log or spill; the key opens the file again."""
    made = publish("minimized/p/patients", "SELECT 42 AS x")
    stem = f"versions/minimized/p/patients/{made.id}"
    assert {name for name in files(home.path) if name != "home.json"} == {f"{stem}.duckdb", f"{stem}.key"}
    assert versions.exists("minimized/p/patients", made.id)
    assert versions.path("minimized/p/patients", made.id) == made.path
    for path in (made.path, made.path.with_suffix(".key")):
        assert path.stat().st_mode & 0o777 == 0o600
    attachment = Attachment(made.path, versions.key("minimized/p/patients", made.id))
    with governed(home.spill, inputs={"made": attachment}, candidate=None) as con:
        assert con.execute("SELECT x FROM made.main.data").fetchone() == (42,)


@pytest.mark.parametrize("how", ["left", "failed"])
def test_a_candidate_that_is_not_kept_is_gone(home: Home, versions: Versions, files: Files, how: str) -> None:
    """On leaving, with or without an error, neither file, key, log nor lock remain."""
    before = files(home.path)
    with pytest.raises(KeyboardInterrupt), versions.candidate("raw/a") as candidate:
        with governed(home.spill, inputs={}, candidate=candidate) as con:
            con.execute("CREATE TABLE candidate.main.data AS SELECT 1 AS x")
            if how == "failed":
                con.execute("BEGIN")
                con.execute("INSERT INTO candidate.main.data SELECT range FROM range(100000)")
                raise KeyboardInterrupt
        candidate.seal()
        raise KeyboardInterrupt
    assert files(home.path) == before


def test_nothing_is_written_before_a_candidate_is_entered(home: Home, versions: Versions, files: Files) -> None:
    """A candidate that nobody enters leaves no trace."""
    before = files(home.path)
    versions.candidate("raw/a")
    assert files(home.path) == before


def test_each_version_has_its_own_key_which_is_never_shown(versions: Versions) -> None:
    """Two candidates have two keys; neither the candidate's text nor an attachment's holds one."""
    one, two = versions.candidate("raw/a"), versions.candidate("raw/a")
    assert one.key != two.key
    assert len(bytes.fromhex(one.key)) == 32
    assert one.key not in repr(one)
    assert one.key not in repr(Attachment(one.path, one.key))


def test_an_unfinished_log_is_not_sealed(home: Home, versions: Versions) -> None:
    """A file whose write-ahead log was not folded in is not the whole version."""
    with versions.candidate("raw/a") as candidate:
        candidate.path.write_bytes(b"x")
        candidate.path.with_name(candidate.path.name + ".wal").write_bytes(b"x")
        with pytest.raises(Refused, match="checkpoint"):
            candidate.seal()


@pytest.mark.parametrize("asset", ["", "../up", "raw/../../x", "/etc", "raw//a", "raw/.hidden", "raw/a b"])
def test_a_name_cannot_leave_the_home(versions: Versions, asset: str) -> None:
    """Names of assets become paths, so only plain ones are taken."""
    with pytest.raises(BadDeclaration):
        versions.candidate(asset)


@pytest.mark.parametrize("version", ["", "x" * 32, "../" + "0" * 29, "0" * 31])
def test_a_version_id_is_32_hex_digits(versions: Versions, version: str) -> None:
    """Ids become file names too."""
    with pytest.raises(BadDeclaration):
        versions.path("raw/a", version)


def test_a_key_of_another_version_does_not_open(versions: Versions, publish: Publish) -> None:
    """A wrapped key is bound to its asset and version: put beside another file it is Tampered."""
    one, two = publish("raw/a", "SELECT 1 AS x"), publish("raw/a", "SELECT 2 AS x")
    two.path.with_suffix(".key").write_bytes(one.path.with_suffix(".key").read_bytes())
    with pytest.raises(Tampered):
        versions.key("raw/a", two.id)
    two.path.with_suffix(".key").write_text("{")
    with pytest.raises(Tampered):
        versions.key("raw/a", two.id)


def test_destroying_takes_key_and_file_and_can_be_repeated(
    versions: Versions, publish: Publish, files: Files, home: Home
) -> None:
    """After destroy the version is gone; doing it again, or after a crash in between, is no error."""
    made = publish("raw/a", "SELECT 1 AS x")
    made.path.with_suffix(".key").unlink()
    assert not versions.exists("raw/a", made.id)
    for _ in range(2):
        versions.destroy("raw/a", made.id)
    assert not any(name.startswith("versions/") for name in files(home.path))
    with pytest.raises(Refused, match="destroyed"):
        versions.key("raw/a", made.id)


def test_a_destroyed_key_is_overwritten_before_it_is_unlinked(versions: Versions, publish: Publish) -> None:
    """Whoever still holds the key's file finds other bytes in it."""
    made = publish("raw/a", "SELECT 1 AS x")
    key = made.path.with_suffix(".key")
    content = key.read_bytes()
    with key.open("rb") as held:
        versions.destroy("raw/a", made.id)
        assert len(left := held.read()) == len(content)
        assert b"wrapped" not in left


def test_sweeping_destroys_orphans_only(home: Home, versions: Versions, publish: Publish, files: Files) -> None:
    """What the ledger names stays; files, keys and leftovers that it does not name go; live candidates stay."""
    kept, orphan = publish("raw/a", "SELECT 1 AS x"), publish("features/p", "SELECT 2 AS x")
    for leftover in (f"{ID}.key", f"{ID}.duckdb.wal", f".{ID}.key.1a2b3c4d"):
        (home.versions / "raw" / "a" / leftover).write_text("")
    with versions.candidate("raw/b") as live:
        assert versions.sweep(lambda: [("raw/a", kept.id)]) == 2
        assert live.path.with_suffix(".key").exists()
    assert not orphan.path.exists()
    assert versions.exists("raw/a", kept.id)
    assert len([name for name in files(home.path) if name.startswith("versions/")]) == 2
    assert versions.sweep(lambda: [("raw/a", kept.id)]) == 0


def test_a_version_published_while_sweeping_stays(versions: Versions) -> None:
    """The ledger is asked after the locks are taken: who publishes meanwhile is named, or still locked."""
    with versions.candidate("raw/a") as candidate:
        candidate.path.write_bytes(b"x")

        def published() -> list[tuple[str, str]]:
            candidate.keep()
            candidate.__exit__(None, None, None)
            return []

        assert versions.sweep(published) == 0
        assert versions.exists("raw/a", candidate.id)


def _hold(home: Home, ready: Connection) -> None:
    with Versions(home, KeyFile(home.key_file)).candidate("raw/a") as candidate:
        candidate.path.write_bytes(b"half made")
        ready.send(candidate.id)
        signal.pause()


def test_what_a_killed_process_left_is_swept(home: Home, versions: Versions, files: Files) -> None:
    """While its maker lives a candidate is safe from others; after a kill it is an orphan."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_hold, args=(home, theirs))
    child.start()
    version = ours.recv()
    assert versions.sweep(list) == 0
    assert versions.exists("raw/a", version)
    os.kill(child.pid or 0, signal.SIGKILL)
    child.join()
    assert versions.sweep(list) == 1
    assert not any(name.startswith("versions/") for name in files(home.path))


def test_the_digest_is_that_of_the_bytes_and_no_link_is_followed(tmp_path: Path) -> None:
    """SHA-256 of the file; a symbolic link is Tampered, a missing file a matter of the machine."""
    file = tmp_path / "v.duckdb"
    file.write_bytes(b"abc" * 100_000)
    assert file_digest(file) == hashlib.sha256(b"abc" * 100_000).hexdigest()
    (tmp_path / "link").symlink_to(file)
    with pytest.raises(Tampered, match="symbolic link"):
        file_digest(tmp_path / "link")
    with pytest.raises(BadEnvironment):
        file_digest(tmp_path / "missing")


def test_rotation_puts_every_key_under_the_new_master_and_touches_no_data(
    home: Home, provider: KeyFile, versions: Versions, publish: Publish, tmp_path: Path
) -> None:
    """After a rotation, also one that was interrupted and run again, the new master opens all, the old none."""
    Secrets.open(home, provider)
    made = [publish("raw/a", "SELECT 1 AS x"), publish("features/p", "SELECT 2 AS x")]
    digests = [file_digest(one.path) for one in made]
    new = KeyFile.create(tmp_path / "new.key")
    damaged = made[0].path.with_suffix(".key")
    content = damaged.read_text()
    damaged.write_text(json.dumps({"provider": provider.id, "wrapped": "AAAA"}))
    with pytest.raises(Tampered):
        rewrap_all(home, provider, new)
    damaged.write_text(content)
    assert rewrap_all(home, provider, new) == 2
    assert [file_digest(one.path) for one in made] == digests
    assert [Versions(home, new).key(one.asset, one.id) for one in made] == [one.key for one in made]
    Secrets.open(home, new)
    for one in made:
        with pytest.raises(BadEnvironment, match="another master key"):
            versions.key(one.asset, one.id)
