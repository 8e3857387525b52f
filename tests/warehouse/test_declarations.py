"""Texts of declarations lie sealed under their digest, and are what it says or are refused."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from privacy_assets.contracts.meaning import digest_of
from privacy_assets.errors import Tampered
from privacy_assets.warehouse.declarations import is_kept, keep, kept, read
from privacy_assets.warehouse.home import Home
from tests.conftest import environment_in

KEY = b"k" * 32
TEXT, OTHER = '{"purpose":"one"}', '{"purpose":"another"}'


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.open(tmp_path / "project", environment_in(tmp_path))


def test_what_is_kept_is_read_again(home: Home) -> None:
    """Under its digest, for the owner alone, and unreadable without the key; once, however often it is kept."""
    digest = digest_of(TEXT)
    assert not is_kept(home, digest) and read(home, KEY, digest) is None and kept(home) == ()
    keep(home, KEY, TEXT)
    path = home.declarations / digest
    sealed = path.read_bytes()
    keep(home, KEY, TEXT)
    assert path.read_bytes() == sealed and b"one" not in sealed
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert is_kept(home, digest) and kept(home) == (digest,) and read(home, KEY, digest) == TEXT


@pytest.mark.parametrize("fault", ["a bit", "cut", "empty", "moved", "another key"])
def test_what_is_not_what_its_name_says_is_refused(home: Home, fault: str) -> None:
    """Changed, cut off, put in the place of another, or sealed by somebody else."""
    digest, other = digest_of(TEXT), digest_of(OTHER)
    keep(home, KEY, TEXT)
    keep(home, KEY, OTHER)
    path = home.declarations / digest
    sealed = path.read_bytes()
    changed = {
        "a bit": sealed[:-1] + bytes([sealed[-1] ^ 1]),
        "cut": sealed[:20],
        "empty": b"",
        "moved": (home.declarations / other).read_bytes(),
    }
    if fault == "another key":
        path.unlink()
        keep(home, b"x" * 32, TEXT)
    else:
        path.write_bytes(changed[fault])
    with pytest.raises(Tampered, match="was changed, or moved from elsewhere"):
        read(home, KEY, digest)
    assert read(home, KEY, other) == OTHER


def test_a_text_that_was_sealed_under_a_false_name_is_refused(home: Home) -> None:
    """Whoever holds the key can seal anything: the digest decides."""
    keep(home, KEY, OTHER)
    digest = digest_of(TEXT)
    nonce = b"n" * 12
    sealed = nonce + AESGCM(KEY).encrypt(nonce, OTHER.encode(), digest.encode())
    (home.declarations / digest).write_bytes(sealed)
    with pytest.raises(Tampered):
        read(home, KEY, digest)
