"""Erasures as the ledger holds them: what was to be erased, what was left as it is and why, and that it is done.

    erasure   from here on nothing is read that holds somebody who is erased, and nobody of them is taken in again
    destroy   one version was destroyed, for the reason `erased`: the receipt of one asset
    spare     one version stays, with the reason
    erased    everything was searched for them, and this is how much was found

Belongs here: these entries' forms. Does not belong here: carrying an erasure out (`subjects/`), what follows from it
for a reader (`gate.py`).

An entry names a person by a keyed pseudonym, and the key is that person's alone: it is destroyed at the end of their
erasure, and nobody can tell then whom the entries speak of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from privacy_assets.ledger.log import Entry
from privacy_assets.words import AssetName

BEGUN, SPARED, DONE = "erasure", "spare", "erased"
"""The actions of the entries. What is destroyed for an erasure is a `destroy` for the reason `erased`."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure: `roots` are the versions in which the people were found that are erased, or whose time is over.

    `id` is 32 hex digits, `subjects` the pseudonyms of the people (none, where it is about retention and consent
    alone), `tombstones` and `digest` how many count from now on and what they are.
    """

    id: str
    reason: str
    subjects: tuple[str, ...]
    roots: tuple[tuple[AssetName, str], ...]
    tombstones: int
    digest: str
    position: int = -1

    def body(self, actor: str) -> dict[str, Any]:
        """As it stands in the ledger."""
        return {
            "action": BEGUN,
            "erasure": self.id,
            "reason": self.reason,
            "subjects": list(self.subjects),
            "roots": [{"asset": str(asset), "version": version} for asset, version in self.roots],
            "tombstones": self.tombstones,
            "tombstones_digest": self.digest,
            "actor_claimed": actor,
        }

    @classmethod
    def parse(cls, entry: Entry) -> Erasure:
        """From its ledger entry."""
        body: Mapping[str, Any] = entry.body
        return cls(
            id=body["erasure"],
            reason=body["reason"],
            subjects=tuple(body["subjects"]),
            roots=tuple((AssetName.parse(root["asset"]), root["version"]) for root in body["roots"]),
            tombstones=body["tombstones"],
            digest=body["tombstones_digest"],
            position=entry.position,
        )
