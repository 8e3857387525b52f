"""Where a version comes from: the chain of passports from one asset down to the source files.

Belongs here: the chain as lines of text, from the ledger alone. Does not belong here: colours and terminals (`cli.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from privacy_assets.errors import Refused
from privacy_assets.gate import Gate, Passport
from privacy_assets.words import AssetName


@dataclass(frozen=True, slots=True)
class Link:
    """One version in the chain, with the versions that it was made from. `again`: it stands above in full."""

    passport: Passport
    made_from: tuple[Link, ...]
    again: bool = False

    def lines(self) -> Iterator[str]:
        """What is known of this version, one fact a line."""
        passport = self.passport
        yield f"version {passport.version}"
        yield f"published {passport.time:%Y-%m-%d %H:%M:%S} UTC, ledger entry {passport.position}"
        yield f"{passport.rows:,} rows × {len(passport.columns)} columns"
        yield f"content {passport.content_digest[:16]}…  file {passport.file_digest[:16]}…  code {passport.code[:16]}…"
        for name, digest in passport.declared.items():
            yield f"{name} ({digest[:16]}…)"
        if passport.source_digest:
            yield f"source files {passport.source_digest[:16]}… (keyed)"
        for name, count in passport.counts.items():
            yield f"{name}: {count:,} rows"
        told = [f"{name} {value:g}" for name, value in passport.measures.items()]
        for first in range(0, len(told), 5):
            yield "came to: " + ", ".join(told[first : first + 5])
        for measured in passport.evidence:
            finding = measured.finding
            numbers = ", ".join(f"{name} {number:g}" for name, number in finding.numbers.items())
            yield f"{finding.verdict.value}: {finding.name}: {numbers} ({finding.promise})"


def explain(gate: Gate, asset: AssetName) -> Link:
    """The chain of the version that stands for `asset`; raises Refused, with the reason, where there is none."""
    passport = gate.latest(asset)
    if passport is None:
        raise Refused(*gate.examine(asset).faults)
    seen: set[str] = set()

    def link(found: Passport) -> Link:
        if found.version in seen:
            return Link(found, (), again=True)
        seen.add(found.version)
        below = [gate.passport(made_from) for made_from in found.inputs]
        return Link(found, tuple(link(passport) for passport in below if passport is not None))

    return link(passport)
