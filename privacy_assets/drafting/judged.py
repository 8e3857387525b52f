"""By what a draft was guessed, and from what: what is kept so that a later look can tell whether either changed.

Belongs here: the version of what guesses, and what stands for the data. Does not belong here: guessing (`judging.py`),
comparing (`drift.py`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from privacy_assets import word_lists
from privacy_assets.contracts.contract import Drafted
from privacy_assets.drafting.judging import Guess

LIBRARIES = ("faker", "phonenumbers", "python-stdnum")
"""Their lists and tables are part of what guesses."""

HERE = Path(__file__).parent


def judged(guesses: Sequence[Guess]) -> Drafted:
    """What a contract keeps of a draft: versions, counts, roles; nothing that depends on a value of anybody."""
    facts = [guess.facts for guess in guesses]
    counts = [[one.name, one.type, one.rows, one.filled, one.distinct] for one in facts]
    return Drafted(
        detectors=detectors_version(),
        rows=facts[0].rows,
        counts=_digest(json.dumps(counts).encode()),
        guessed={guess.facts.name: guess.role for guess in guesses},
    )


def detectors_version(folder: Path = HERE) -> str:
    """A digest of the source of all that takes part in a guess, and of the versions of the libraries that it asks."""
    return _digest(*_parts(folder))


def _parts(folder: Path) -> Iterator[bytes]:
    ours = (folder / f"{name}.py" for name in ("headers", "judging", "naming", "combinations"))
    sources = [Path(word_lists.__file__), *ours]
    for path in (*sources, *sorted((folder / "detectors").glob("*.py"))):
        yield path.name.encode()
        yield path.read_bytes()
    for library in LIBRARIES:
        yield f"{library} {version(library)}".encode()


def _digest(*parts: bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()[:16]
