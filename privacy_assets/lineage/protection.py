"""Whether anything leads from what was read up to people's rows without noise in between.

    raw ─► minimized ─► pseudonymized ─► features ═════════════► synthetic ─► whoever reads it
                                                  under noise

Belongs here: that walk over the versions that the ledger holds, each with what it was made from. Does not belong here:
columns within a query (`columns.py`), whether a version may be read (`gate.py`), how noise is drawn.

The claim: where `unprotected_paths` is empty, everything in the versions read that depends on somebody's row of raw has
passed through a release that was debited as differentially private; what is computed of it is post-processing. It is
asked of the ledger, of the versions as they were made, and never of today's declarations: a purpose that names
another synthesizer today does not protect what the former one released. It does not cover what stands outside of the
rows: that there is a version at all, which attacks decided.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from privacy_assets.errors import Tampered
from privacy_assets.gate import Gate, Passport
from privacy_assets.words import AssetName, Stage

Path = tuple[AssetName, ...]


def unprotected_paths(gate: Gate, read: Sequence[Passport]) -> tuple[Path, ...]:
    """The ways from a version that was read up to raw on which nothing is under differential privacy; a shortest each.

    Raises Tampered where the ledger names an input that it does not hold.
    """
    found: list[Path] = []
    waiting: list[tuple[Passport, Path]] = [(passport, (passport.asset,)) for passport in read]
    seen = {(passport.asset, passport.version) for passport in read}
    while waiting:
        passport, path = waiting.pop(0)
        if under_noise(gate, passport):
            continue
        if passport.asset.stage is Stage.RAW:
            found.append(path)
        for made_from in passport.inputs:
            if (made_from.asset, made_from.version) in seen:
                continue
            seen.add((made_from.asset, made_from.version))
            above = gate.passport(made_from)
            if above is None:
                raise Tampered.of(
                    f"{passport.asset} was made from a version that the ledger does not hold",
                    where=f"ledger entry {passport.position}",
                    found=f"{made_from.asset} {made_from.version}",
                )
            waiting.append((above, (*path, above.asset)))
    return tuple(found)


def under_noise(gate: Gate, passport: Passport) -> bool:
    """Whether the rows of this version were drawn under differential privacy from everything that it was made from.

    Its passport has the ε, and the ledger the debit of just this ε for its synthesizer, written after the version
    before it: a debit pays for one release.
    """
    epsilon = passport.measures.get("epsilon", 0.0)
    if passport.asset.stage is not Stage.SYNTHETIC or not epsilon > 0:
        return False
    kinds = {name[12:-1] for name in passport.measures if name.startswith("synthesizer[")}
    earlier = [found.position for found in gate.history(passport.asset) if found.position < passport.position]
    return any(
        debit.asset == str(passport.asset)
        and max(earlier, default=-1) < debit.position < passport.position
        and math.isclose(debit.loss.epsilon, epsilon)
        and kinds == set(debit.what)
        for debit in gate.debits()
    )
