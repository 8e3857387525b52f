"""All that is held of a person, for the person: a subject access request (GDPR art. 15).

    <dataset>     the rows of theirs in the version of raw that stands, with columns as the contract names them
    _<dataset>_quarantine   those that broke the contract, as they were received
    _uses         where they are now: asset, since when, rows; its purpose, why, lawful basis, recipients, retention

No dataset has a name that begins with an underscore.

Belongs here: what is handed out. Does not belong here: who is meant (`people.py`), the sealed file itself
(`warehouse/copies.py`).

Rows of a purpose are not handed out again: they say less than raw, in words of nobody. Of a person who shares rows with
another (a message, a household) the whole rows are here; whoever hands them out looks at them first (art. 15(4)). A
line that is no row is not here: it may be somebody else's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from privacy_assets.gate import Gate
from privacy_assets.stages.step import Step
from privacy_assets.subjects.people import TABLES, Person, held_raw, marked, pseudonym
from privacy_assets.subjects.tracing import holding
from privacy_assets.warehouse.connections import engine_errors, governed, quoted
from privacy_assets.warehouse.copies import sealed_copy
from privacy_assets.words import AssetName

HANDED_OUT = "hand_out"


def hand_out(
    gate: Gate, made: Mapping[AssetName, Step], person: Person, to: Path, key_file: Path
) -> tuple[Mapping[str, int], int]:
    """Write the sealed copy; the rows in each of its tables, and the position of the entry in the ledger.

    The entry is there before the copy is. Raises what `sealed_copy` and `Gate.require_sound` raise.
    """
    stand = [one for one in held_raw(gate) if (latest := gate.latest(one.asset)) and latest.version == one.version]
    uses = [one for one in holding(gate, made, [person]) if one.latest]
    inputs = {}
    for place, passport in enumerate(stand):
        gate.require_sound(passport)
        inputs[f"i{place}"] = gate.attachment(passport)
    with sealed_copy(gate.home, HANDED_OUT, to, key_file) as copy:
        body = {"action": HANDED_OUT, "subjects": [pseudonym(gate, person)], "actor_claimed": gate.actor()}
        position = gate.ledger.append(body)
        counts: dict[str, int] = {}
        with governed(gate.home.spill, inputs=inputs, candidate=copy) as con, engine_errors("handing out"):
            for alias, passport in zip(inputs, stand, strict=True):
                contract = gate.project.contracts[passport.asset.dataset]
                for table in TABLES:
                    source = f"{alias}.main.{table}"
                    rows = f"SELECT * FROM {source} WHERE {marked(con, source, contract, person.keys)}"
                    (found,) = con.execute(f"SELECT count(*) FROM ({rows})").fetchone() or (0,)
                    if found:
                        name = contract.name if table == "data" else f"_{contract.name}_{table}"
                        into = f"candidate.main.{quoted(name)}"
                        if name in counts:  # another day of the same, which may have had other columns
                            con.execute(f"CREATE OR REPLACE TABLE {into} AS FROM {into} UNION ALL BY NAME {rows}")
                        else:
                            con.execute(f"CREATE TABLE {into} AS {rows}")
                        counts[name] = counts.get(name, 0) + int(found)
            con.execute(
                "CREATE TABLE candidate.main._uses (asset VARCHAR, since TIMESTAMP, rows BIGINT, purpose VARCHAR, "
                "why VARCHAR, lawful_basis VARCHAR, recipients VARCHAR, kept_for_days BIGINT)"
            )
            for use in uses:
                purpose = gate.project.purposes.get(use.passport.asset.purpose)
                if purpose:
                    told = [purpose.title, purpose.why, purpose.lawful_basis.value, "; ".join(purpose.recipients)]
                else:
                    declared = gate.declares(use.passport.asset)
                    told = ["", "as it was received" if declared else "declared no more", "", ""]
                if not use.known:
                    told[1] = f"nobody can tell whether they are in it: {told[1]}"
                days = purpose.retention_days if purpose else None
                con.execute(
                    "INSERT INTO candidate.main._uses VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    [str(use.passport.asset), use.passport.time.replace(tzinfo=None), use.rows, *told, days],
                )
            counts["_uses"] = len(uses)
    return counts, position
