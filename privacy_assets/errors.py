"""What can go wrong, as one tree: a branch for each thing that a caller would do differently.

Belongs here: the exception classes and the `Fault` they carry. Does not belong here: checks; they live where the
knowledge is, and raise from this tree.

    PrivacyAssetsError
    ├── BadDeclaration     a contract, a purpose or a request is wrong: edit the file that is named
    ├── BadSource          a source cannot be read as its contract says: mend the source or the contract
    ├── BadEnvironment     home, key, witness, permissions, an extension: mend the machine's set-up
    ├── NotKept            a measurement broke a promise: the candidate is not published
    ├── Refused            the gate says no to a read: rebuild, wait or ask for another asset
    │   └── Stale          ... because consent, retention or inputs moved on: rebuild
    ├── Tampered           the evidence does not fit together: stop and investigate
    └── EngineFailed       the database failed inside a step: the text is ours, its own could hold a person's value
        └── OutOfMemory    ... because it may hold no more: give it more

No message holds a value of a person. Errors of libraries are re-raised `from None` where their text could.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, in the words that a person needs.

    Every field is a short sentence or phrase: what is wrong, where (file:line, asset, column), what was expected,
    what was found (never a value of a person) and what to do next. Empty fields are left out of the text.
    """

    what: str
    where: str = ""
    expected: str = ""
    found: str = ""
    next_step: str = ""

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        for label, text in (("expected", self.expected), ("found", self.found), ("next", self.next_step)):
            if text:
                lines.append(f"  {label}: {text}")
        return "\n".join(lines)


class PrivacyAssetsError(Exception):
    """Root of the tree. Holds all faults that were gathered; its text prints them all."""

    def __init__(self, *faults: Fault) -> None:
        if not faults:
            raise ValueError("an error without a fault tells nobody anything")
        super().__init__(*faults)
        self.faults: tuple[Fault, ...] = faults

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)

    @classmethod
    def of(
        cls, what: str, *, where: str = "", expected: str = "", found: str = "", next_step: str = ""
    ) -> PrivacyAssetsError:
        """The error of one fault."""
        return cls(Fault(what, where, expected, found, next_step))


class BadDeclaration(PrivacyAssetsError):
    """A contract, a purpose or a request cannot be accepted as written."""


class BadSource(PrivacyAssetsError):
    """A source cannot be read as its contract says."""


class BadEnvironment(PrivacyAssetsError):
    """Home, key, witness, permissions or an extension are not as they must be."""


class NotKept(PrivacyAssetsError):
    """A measurement broke a promise, so nothing was published; the version published before stands."""


class Refused(PrivacyAssetsError):
    """The gate does not let this version be read now."""


class Stale(Refused):
    """Consent, retention or inputs moved on after this version was built, and its time of grace is over."""


class Tampered(PrivacyAssetsError):
    """Ledger, file, key or witness do not fit together."""


class EngineFailed(PrivacyAssetsError):
    """The database failed inside a step; the message names the step and the kind, never the engine's own text."""


class OutOfMemory(EngineFailed):
    """The database may hold no more memory, and could not spill what it holds."""


def raise_gathered(kind: type[PrivacyAssetsError], faults: Sequence[Fault]) -> None:
    """Raise all faults at once, or return if there are none."""
    if faults:
        raise kind(*faults)


def unexpected(error: BaseException) -> str:
    """An error nobody foresaw: its kind and where it came from, without its text, which could hold a person's value."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames[-6:]]
    # the system's own word for a number holds nothing of ours: a full disk is told
    system = f": {os.strerror(error.errno)}" if isinstance(error, OSError) and error.errno else ""
    return f"{type(error).__name__}{system} (its text is withheld: it could hold data)\n  " + "\n  ".join(places)
