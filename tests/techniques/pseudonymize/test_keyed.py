"""The keyed functions are what their documentation says, by an implementation that shares nothing with them."""

from __future__ import annotations

import hashlib
import hmac
from uuid import RFC_4122, UUID

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_assets.techniques.pseudonymize import _keyed
from privacy_assets.techniques.pseudonymize._keyed import macs, pseudonyms
from privacy_assets.words import IdentifierDomain

KEY = "0123456789abcdef" * 4
PLAIN = IdentifierDomain(name="plain")


def reference(text: str, key: str, use: str) -> bytes:
    """HMAC under HKDF-Expand's first block, written with the standard library."""
    subkey = hmac.new(bytes.fromhex(key), use.encode() + b"\x01", hashlib.sha256).hexdigest()
    return hmac.new(subkey.encode(), text.encode(), hashlib.sha256).digest()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(), max_size=5))
def test_macs_are_hmac_sha256(texts: list[str]) -> None:
    """Each text has the MAC that RFC 2104 and RFC 5869 give it."""
    found = macs(pl.Series("value", texts, pl.String), KEY, "some use")
    assert found.to_list() == [reference(text, KEY, "some use").hex() for text in texts]


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_pseudonyms_are_uuids_of_version_8(text: str) -> None:
    """All bits but the six that RFC 9562 fixes are the first bits of the MAC."""
    found = UUID(pseudonyms(pl.Series("value", [text]), KEY, PLAIN, "token").item())
    assert (found.version, found.variant) == (8, RFC_4122)
    fixed = (0xF << 76) | (0b11 << 62)
    assert found.int & ~fixed == int.from_bytes(reference(text, KEY, "token")[:16]) & ~fixed


def test_batches_keep_every_value_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values are hashed some at a time, by several threads: each has the pseudonym that it has alone, in order."""
    values = pl.Series("value", [f"person-{number}" for number in range(100)])
    alone = [pseudonyms(values.slice(place, 1), KEY, PLAIN, "token").item() for place in range(100)]
    monkeypatch.setattr(_keyed, "_BATCH", 7)
    found = pseudonyms(values, KEY, PLAIN, "token")
    assert found.to_list() == alone and len(set(alone)) == 100
    assert pseudonyms(values.clear(), KEY, PLAIN, "token").to_list() == []
    with pytest.raises(ValueError):
        pseudonyms(pl.Series("value", ["a", None]), KEY, PLAIN, "token")


def test_uses_tell_nothing_of_each_other() -> None:
    """The same value has unrelated MACs for two uses, and under two keys."""
    values = pl.Series("value", [f"person-{number}" for number in range(1000)])
    one, other = macs(values, KEY, "token"), macs(values, KEY, "shift_dates/30")
    third = macs(values, KEY[::-1], "token")
    assert len({*one, *other, *third}) == 3000
    alike = sum(a[0] == b[0] for a, b in zip(one, other, strict=True))
    assert 20 < alike < 120  # 1000/16 expected


@pytest.mark.parametrize("key", ["", "ab", "zz" * 32, "ab" * 33])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    """A key of another length or alphabet is refused, and not shown."""
    with pytest.raises(ValueError) as raised:
        macs(pl.Series("value", ["a"]), key, "token")
    assert not key or key not in str(raised.value)
