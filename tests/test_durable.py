"""Files that are whole or not there, and the lock."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from privacy_assets import durable
from privacy_assets.errors import BadEnvironment


def test_a_file_is_created_once_and_for_its_owner_only(tmp_path: Path):
    """The second maker is told that it came too late, and changes nothing."""
    path = tmp_path / "file"
    assert durable.create(path, b"first")
    assert not durable.create(path, b"second")
    assert durable.read(path) == b"first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [left.name for left in tmp_path.iterdir()] == ["file"]


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path):
    """Also over what a crash left half written."""
    path = tmp_path / "file"
    (tmp_path / ".file.new").write_bytes(b"what a crash left, longer than the new content")
    durable.replace(path, b"new")
    assert durable.read(path) == b"new"
    assert [left.name for left in tmp_path.iterdir()] == ["file"]


def test_what_is_destroyed_is_gone_and_can_be_destroyed_again(tmp_path: Path):
    """A crash may have come between the two."""
    path = tmp_path / "key"
    durable.create(path, b"0" * 64)
    durable.destroy(path)
    durable.destroy(path)
    assert durable.read(path) is None


def test_nobody_reads_what_is_half_destroyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It has lost its name before a byte of it changes; what a crash leaves is destroyed by the next try."""
    path = tmp_path / "key"
    durable.create(path, b"0" * 64)

    def crash(descriptor: int) -> None:
        assert durable.read(path) is None
        raise OSError

    monkeypatch.setattr(durable.os, "fsync", crash)
    with pytest.raises(OSError):
        durable.destroy(path)
    assert [left.name for left in tmp_path.iterdir()] == [".key.gone"]
    monkeypatch.undo()
    durable.destroy(path)
    assert list(tmp_path.iterdir()) == []


def test_folders_on_the_way_are_for_the_owner_alone(tmp_path: Path):
    """Also where whoever started the process lets others write."""
    before = os.umask(0)
    try:
        durable.make_folder(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(before)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b", "a/b/c")] == [0o700] * 3
    (tmp_path / "file").touch()
    with pytest.raises(OSError):
        durable.make_folder(tmp_path / "file")


def test_what_a_planted_link_points_to_is_not_written_to(tmp_path: Path):
    """Who can write to the home alone cannot have a file elsewhere overwritten or destroyed."""
    elsewhere, path = tmp_path / "elsewhere", tmp_path / "file"
    elsewhere.write_bytes(b"somebody's")
    for link in (Path.symlink_to, Path.hardlink_to):
        link(tmp_path / ".file.new", elsewhere)
        durable.replace(path, b"new")
        assert elsewhere.read_bytes() == b"somebody's"
        assert durable.read(path) == b"new" and not path.is_symlink()
    path.unlink()
    path.symlink_to(elsewhere)
    durable.destroy(path)
    assert elsewhere.read_bytes() == b"somebody's"
    assert not path.is_symlink()


def test_a_held_lock_is_waited_for_and_then_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Whoever cannot have it is told what is held."""
    monkeypatch.setattr(durable, "LOCK_SECONDS", 0.05)
    with (
        durable.held(durable.lock_of(tmp_path), "the first"),
        pytest.raises(BadEnvironment, match="the second"),
        durable.held(durable.lock_of(tmp_path), "the second"),
    ):
        pass


def test_a_disk_that_fails_is_told_without_a_trace(tmp_path: Path):
    """An error of the operating system becomes one of ours, with what it was about."""
    with pytest.raises(BadEnvironment, match="the ledger"), durable.held(durable.lock_of(tmp_path), "the ledger"):
        raise PermissionError(13, "Permission denied")
