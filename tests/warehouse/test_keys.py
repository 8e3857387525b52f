"""Keys open what they wrapped, in its place, and nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.errors import BadEnvironment, Tampered
from privacy_assets.warehouse.home import Home
from privacy_assets.warehouse.keys import SECRETS, KeyFile, Secrets, rewrap_secrets


def test_the_key_file_is_made_once_with_a_warning(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """The first open makes a key of mode 0600 and says what its loss means; the second is silent and finds it."""
    first = KeyFile.open(home)
    assert "Lost key, lost data" in capsys.readouterr().err
    assert home.key_file.stat().st_mode & 0o777 == 0o600
    assert KeyFile.open(home).id == first.id
    assert capsys.readouterr().err == ""


def test_a_missing_key_file_is_never_replaced(home: Home, provider: KeyFile) -> None:
    """Once the home has secrets, a new key would only hide that the old one is lost."""
    Secrets.open(home, provider)
    home.key_file.unlink()
    with pytest.raises(BadEnvironment, match="key file is missing"):
        KeyFile.open(home)
    assert not home.key_file.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o700])
def test_a_key_file_that_others_can_read_is_refused(home: Home, provider: KeyFile, mode: int) -> None:
    """Only the owner may read the key."""
    home.key_file.chmod(mode)
    with pytest.raises(BadEnvironment, match="not for you alone"):
        KeyFile.open(home)


@pytest.mark.parametrize("content", ["", "not base64!", "c2hvcnQ="])
def test_a_key_file_without_a_key_is_refused_and_not_shown(home: Home, provider: KeyFile, content: str) -> None:
    """Something else than a key is not used as one."""
    home.key_file.write_text(content)
    with pytest.raises(BadEnvironment, match="does not hold a key") as caught:
        KeyFile.open(home)
    assert not content or content not in str(caught.value)


@settings(deadline=None, max_examples=20)
@given(key=st.binary(min_size=32, max_size=32), context=st.text(max_size=20), other=st.text(max_size=20))
def test_a_wrapped_key_opens_in_its_context_only(
    tmp_path_factory: pytest.TempPathFactory, key: bytes, context: str, other: str
) -> None:
    """Unwrapping gives the key back; in another context, under another master key or changed it does not open."""
    folder = tmp_path_factory.mktemp("keys")
    one, two = KeyFile.create(folder / "1"), KeyFile.create(folder / "2")
    blob = one.wrap(key, context)
    assert one.unwrap(blob, context) == key
    assert one.wrap(key, context) != blob
    damaged = [blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :] for at in range(len(blob))]
    for wrong in [*damaged, blob[:-1], b""]:
        with pytest.raises(Tampered):
            one.unwrap(wrong, context)
    with pytest.raises(Tampered):
        two.unwrap(blob, context)
    if other != context:
        with pytest.raises(Tampered):
            one.unwrap(blob, other)


def test_secrets_stay_and_derive_as_the_rfc_says(home: Home, provider: KeyFile) -> None:
    """The same labels give the same 32 bytes at every open, other labels or secrets others, by HKDF-SHA-256."""
    secrets = Secrets.open(home, provider)
    derived = secrets.derive("pseudonyms", "ab", "c")
    assert Secrets.open(home, provider).derive("pseudonyms", "ab", "c") == derived
    known = secrets._known["pseudonyms"]
    info = b"\x00\x00\x00\x02ab\x00\x00\x00\x01c"
    assert derived == HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(known)
    others = [secrets.derive("pseudonyms", "a", "bc"), secrets.derive("digests", "ab", "c"), known]
    assert len({derived, *others}) == 4


def test_neither_keys_nor_secrets_are_shown_or_lie_in_clear(home: Home, provider: KeyFile) -> None:
    """Their texts hold no key, and the home holds no secret in a readable form."""
    secrets = Secrets.open(home, provider)
    shown = repr(provider) + repr(secrets) + home.secrets_file.read_text()
    for key in (provider._master, *secrets._known.values()):
        assert key.hex() not in shown
        assert repr(key) not in shown
    assert home.secrets_file.stat().st_mode & 0o777 == 0o600


def test_secrets_that_were_swapped_do_not_open(home: Home, provider: KeyFile) -> None:
    """Each secret is bound to its name."""
    Secrets.open(home, provider)
    records = json.loads(home.secrets_file.read_text())
    records["ledger"], records["actors"] = records["actors"], records["ledger"]
    home.secrets_file.write_text(json.dumps(records))
    with pytest.raises(Tampered, match="secret/"):
        Secrets.open(home, provider)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"ledger": 1, "actors": 1, "digests": 1, "pseudonyms": 1}'])
def test_damaged_secrets_are_tampered(home: Home, provider: KeyFile, content: str) -> None:
    """A file that does not hold the secrets is not replaced by new ones."""
    home.secrets_file.write_text(content)
    with pytest.raises(Tampered):
        Secrets.open(home, provider)


def test_secrets_that_are_gone_are_not_made_anew(home: Home, provider: KeyFile) -> None:
    """In a home that is in use new secrets would be a silent change of every pseudonym."""
    Secrets.open(home, provider)
    home.secrets_file.unlink()
    (home.ledger / "entries").write_text("")
    with pytest.raises(BadEnvironment, match="secrets are missing"):
        Secrets.open(home, provider)


def test_another_master_key_is_named_as_such(home: Home, provider: KeyFile, tmp_path: Path) -> None:
    """The wrong key file is a matter of set-up, told with both ids, not an alarm."""
    Secrets.open(home, provider)
    other = KeyFile.create(tmp_path / "other.key")
    with pytest.raises(BadEnvironment, match=other.id):
        Secrets.open(home, other)


def test_rewrapped_secrets_are_the_same_under_the_new_key_only(home: Home, provider: KeyFile, tmp_path: Path) -> None:
    """After a rotation the new key opens the same secrets, the old one none; running it again changes nothing."""
    before = Secrets.open(home, provider).derive("ledger", "x")
    new = KeyFile.create(tmp_path / "new.key")
    for _ in range(2):
        rewrap_secrets(home, provider, new)
        assert Secrets.open(home, new).derive("ledger", "x") == before
    with pytest.raises(BadEnvironment):
        Secrets.open(home, provider)
    assert set(json.loads(home.secrets_file.read_text())) == set(SECRETS)


def test_a_copy_of_the_home_without_the_key_opens_nothing(home: Home, provider: KeyFile, tmp_path: Path) -> None:
    """What a thief of the home's folder holds is wrapped."""
    Secrets.open(home, provider)
    shutil.copytree(home.path, tmp_path / "thief" / "data" / "state")
    (tmp_path / "thief" / "data" / ".project").write_text(home.project_id)
    env = {name: str(tmp_path / "elsewhere" / name) for name in ("PRIVACY_ASSETS_KEY_FILE", "PRIVACY_ASSETS_WITNESS")}
    stolen = Home.open(tmp_path / "thief", env)
    with pytest.raises(BadEnvironment, match="key file is missing"):
        KeyFile.open(stolen)
