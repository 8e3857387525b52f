"""The formats, byte for byte, and everything that is not quite one of them."""

from __future__ import annotations

import base64
import struct
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from privacy_assets.errors import Tampered
from privacy_assets.ledger.notes import (
    Checkpoint,
    SignatureType,
    Signer,
    Verifier,
    open_checkpoint,
    open_note,
    signed_note,
)

# The example in the documentation of golang.org/x/mod/sumdb/note.
PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"

LOG = Signer("example.com/log", SignatureType.ED25519, b"l" * 32)
WITNESS = Signer("witness.example.com/w1", SignatureType.COSIGNATURE, b"w" * 32)
CHECKPOINT = Checkpoint("example.com/log", 20852163, sha256(b"root").digest())
NOON = datetime(2023, 3, 20, 12, 25, 47, tzinfo=UTC)


def cosigned() -> bytes:
    return signed_note(CHECKPOINT.text, LOG.line(CHECKPOINT.text), WITNESS.line(CHECKPOINT.text, NOON))


def test_the_published_example_is_reproduced() -> None:
    """Keys, key ID and signature are those of the reference implementation, and its note opens."""
    signer = Signer.parse(SECRET)
    assert str(signer.verifier) == PUBLIC
    assert signer.secret() == SECRET
    assert signer.line(TEXT) == LINE
    assert open_note(signed_note(TEXT, LINE), Verifier.parse(PUBLIC)) == TEXT


def test_a_cosignature_is_built_as_specified() -> None:
    """Key ID of type 0x04, u64 time, Ed25519 over two header lines and the text: checked without our own verifier."""
    name, _, encoded = WITNESS.line(CHECKPOINT.text, NOON).removeprefix("— ").partition(" ")
    blob, public = base64.b64decode(encoded.strip()), WITNESS.verifier.public_key
    assert blob[:4] == sha256(name.encode() + b"\n\x04" + public).digest()[:4]
    assert struct.unpack(">Q", blob[4:12]) == (1679315147,)
    message = f"cosignature/v1\ntime 1679315147\n{CHECKPOINT.text}".encode()
    Ed25519PublicKey.from_public_bytes(public).verify(blob[12:], message)


def test_a_checkpoint_is_three_lines() -> None:
    """Origin, size and base64 of the root, each ended by a newline, and back."""
    assert CHECKPOINT.text == f"example.com/log\n20852163\n{base64.b64encode(CHECKPOINT.root).decode()}\n"
    assert Checkpoint.parse(CHECKPOINT.text) == CHECKPOINT
    assert open_checkpoint(cosigned(), LOG.verifier, WITNESS.verifier, origin="example.com/log") == CHECKPOINT


def test_no_flipped_bit_of_a_note_is_accepted() -> None:
    """Every bit of text, key names, key IDs, times and signatures, flipped, is refused where both must have signed."""
    note = cosigned()
    for bit in range(len(note) * 8):
        changed = bytearray(note)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Tampered):
            open_checkpoint(bytes(changed), LOG.verifier, WITNESS.verifier, origin="example.com/log")


def test_a_signature_of_one_kind_is_none_of_the_other() -> None:
    """The same key, name and text: a note signature does not pass as a cosignature, nor the other way round."""
    as_note = Signer("same", SignatureType.ED25519, b"s" * 32)
    as_witness = Signer("same", SignatureType.COSIGNATURE, b"s" * 32)
    for signer, verifier in ((as_note, as_witness.verifier), (as_witness, as_note.verifier)):
        with pytest.raises(Tampered, match="missing"):
            open_note(signed_note(TEXT, signer.line(TEXT)), verifier)


def test_unknown_signatures_are_ignored_and_known_bad_ones_are_not() -> None:
    """A stranger's line does no harm; a second, wrong line of a known key refuses the note."""
    good, strange = LOG.line(TEXT), WITNESS.line(TEXT)
    assert open_note(signed_note(TEXT, strange, good), LOG.verifier) == TEXT
    with pytest.raises(Tampered, match="does not verify"):
        open_note(signed_note(TEXT, good, LOG.line("another text\n")), LOG.verifier)
    with pytest.raises(Tampered, match="missing"):
        open_note(signed_note(TEXT, strange), LOG.verifier)


def test_a_text_with_empty_lines_keeps_them() -> None:
    """The last empty line separates text and signatures; those before belong to the text."""
    text = "one\n\ntwo\n"
    assert open_note(signed_note(text, LOG.line(text)), LOG.verifier) == text


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"text\n",
        b"text\n\n",
        TEXT.encode() + LINE.encode(),
        signed_note(TEXT, LINE).removesuffix(b"\n"),
        signed_note(TEXT, LINE.replace("— ", "- ")),
        signed_note(TEXT, LINE.replace(" x08go", "  x08go")),
        signed_note(TEXT, LINE.replace("nAM=", "nAM")),
        signed_note(TEXT, LINE.replace("nAM=", "nAN=")),
        signed_note(TEXT, "— PeterNeumann x08goA==\n", "— PeterNeumann x08g\n"),
        signed_note(TEXT, *[LINE] * 65),
        signed_note(TEXT + "\t", LINE),
        signed_note(TEXT, LINE) + b"\xff\n",
    ],
)
def test_what_is_no_note_is_refused(note: bytes) -> None:
    """Missing parts, other dashes and spaces, loose base64, control characters, too many lines: none of it opens."""
    with pytest.raises(Tampered):
        open_note(note, Verifier.parse(PUBLIC))


@pytest.mark.parametrize(
    "text", ["a\n1\n", "a\n01\nx\n", "\n1\nx\n", "a\n-1\nx\n", "a\n1\nx\nmore\n", "a\n1\nAAAA\n", "a\n²\nx\n"]
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    """A well signed note of other lines is no checkpoint; neither is one of another log."""
    with pytest.raises(Tampered, match="no checkpoint"):
        open_checkpoint(signed_note(text, LOG.line(text)), LOG.verifier, origin="a")
    with pytest.raises(Tampered, match="another log"):
        open_checkpoint(cosigned(), LOG.verifier, origin="example.com/other")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        PUBLIC.replace("c74f20a3", "c74f20a4"),
        PUBLIC.replace("c74f20a3", "c74f"),
        PUBLIC.replace("Peter", "Paul"),
        PUBLIC.replace("Peter", "Peter "),
        PUBLIC.replace("+ARpc", "+BRpc"),
        PUBLIC[:-4],
        PUBLIC[:-1],
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    """A key whose text is cut, renamed, of another type or of another ID is not taken."""
    with pytest.raises(ValueError, match=r"key|base64|SignatureType"):
        Verifier.parse(text)
    with pytest.raises(ValueError, match=r"key|base64|SignatureType"):
        Signer.parse("PRIVATE+KEY+" + text)


def test_a_secret_key_stays_out_of_sight() -> None:
    """Neither the repr of a signer nor the error about a broken key text shows the key."""
    signer = Signer.parse(SECRET)
    assert "seed" not in repr(signer)
    with pytest.raises(ValueError, match="key") as raised:
        Signer.parse(SECRET.replace("c74f20a3", "c74f20a4"))
    assert "AYEK" not in str(raised.value)
