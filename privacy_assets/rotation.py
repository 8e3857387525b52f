"""Rotation: another master key over all keys of the home, or another data key under each version.

Belongs here: the order of the moves, so that whoever is interrupted can run it again. Does not belong here: wrapping
(`warehouse/keys.py`), files (`warehouse/versions.py`), which copy of a version counts (`gate.py`).

    master key   append the rotation ─► sweep ─► wrap each data key again ─► wrap the secrets again
    data key     copy under a new key ─► compare the content ─► append the copy ─► destroy the old key and file

A version stays what it is: its id, its passport, its content, and what was made from it. What is derived from the
project's secrets (the ledger's signature, tokens, digests) does not change either: the secrets are wrapped anew, never
replaced.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import duckdb

from privacy_assets import durable
from privacy_assets.errors import BadDeclaration, EngineFailed, Fault, PrivacyAssetsError, Refused, Tampered
from privacy_assets.gate import Gate, Passport
from privacy_assets.ledger.log import Entry
from privacy_assets.warehouse.connections import engine_errors, governed, quoted
from privacy_assets.warehouse.home import Home
from privacy_assets.warehouse.keys import KeyFile, Secrets, master_of
from privacy_assets.warehouse.versions import file_digest, rewrap_all
from privacy_assets.words import AssetName


def rotate_master(root: Path, new_key_file: Path, env: Mapping[str, str] = os.environ) -> int:
    """Put all keys of the project's home under the master key in `new_key_file`, made where it is not there.

    Returns how many versions there are. Data files are not touched. After an interruption run it again with the same
    two key files; to go back instead, exchange the two. From its first entry on nothing is published by whoever has the
    old key only. Raises BadDeclaration where both key files hold the same key, or the new one lies in home or project;
    BadEnvironment where there is no home.
    """
    Home.require(root, env)
    theirs = {**env, "PRIVACY_ASSETS_KEY_FILE": str(new_key_file)}
    home, new_home = Home.open(root, env), Home.open(root, theirs)
    # One at a time: files are replaced under their own names, and the last entry must name the key that they are under.
    with durable.held(durable.lock_of(home.path), f"the rotation of the master key of {home.path}"):
        return _rotated(root, home, new_home, env, theirs)


def _rotated(root: Path, home: Home, new_home: Home, env: Mapping[str, str], theirs: Mapping[str, str]) -> int:
    old = KeyFile.open(home)
    if not home.secrets_file.exists():
        Secrets.open(home, old)
    new = KeyFile.create(new_home.key_file)
    if new.id == old.id:
        raise BadDeclaration.of(
            "the new master key is the old one",
            where=str(new_home.key_file),
            next_step="name a file that does not exist yet: a new key is made in it",
        )
    gate = Gate.open(root, theirs if master_of(home) == new.id else env)
    entry = {"action": "rotate_master", "from": old.id, "to": new.id, "actor_claimed": gate.actor()}

    def is_said(entries: Sequence[Entry]) -> Fault | None:
        said = [earlier.body["to"] for earlier in entries if earlier.body["action"] == "rotate_master"]
        return Fault("this rotation is in the ledger already") if said[-1:] == [new.id] else None

    with suppress(Refused):  # one that was interrupted is finished
        gate.ledger.append(entry, unless=is_said)
    gate.sweep()
    return rewrap_all(home, old, new)


def rotate_data_keys(
    gate: Gate, assets: Collection[AssetName] = (), progress: Callable[[Passport], None] = lambda passport: None
) -> int:
    """Give every version that is kept (of these assets, or of all) a new file under a new data key; how many.

    Content, id and passport stay. Every file is asked about before the first is copied: raises Tampered, or Refused,
    with every fault. After an interruption each version is under its old key or its new one; run it again.
    """
    if unknown := sorted(set(map(str, assets)) - {str(passport.asset) for passport in gate.held()}):
        raise BadDeclaration.of(
            "there are no versions of " + ", ".join(unknown),
            expected="one of " + ", ".join(dict.fromkeys(str(passport.asset) for passport in gate.held())),
        )
    gate.sweep()
    chosen = [passport for passport in gate.held() if not assets or passport.asset in assets]
    unsound: list[PrivacyAssetsError] = []
    for passport in chosen:
        try:
            gate.require_sound(passport)
        except (Refused, Tampered) as error:
            unsound.append(error)
    if unsound:
        kind = Tampered if any(isinstance(error, Tampered) for error in unsound) else Refused
        raise kind(*(fault for error in unsound for fault in error.faults))
    for passport in chosen:
        progress(passport)
        _rekey(gate, passport)
    return len(chosen)


def _rekey(gate: Gate, passport: Passport) -> None:
    asset, where = str(passport.asset), f"{passport.asset} version {passport.version}"

    def moved_on(entries: Sequence[Entry]) -> Fault | None:
        if fault := gate.of_another_master(entries):
            return fault
        for entry in entries:
            body = entry.body
            same = body.get("asset") == asset and body.get("version") == passport.version
            if same and (body["action"] == "destroy" or (body["action"] == "rekey" and entry.position >= since)):
                return Fault(f"it was {body['action']}ed by another run", where=where, next_step="run it again")
        return None

    since = gate.ledger.size
    gate.require_sound(passport)
    with gate.candidate(passport.asset) as candidate:
        with governed(gate.home.spill, inputs={"held": gate.attachment(passport)}, candidate=candidate) as con:
            with engine_errors(f"copying {where}"):
                con.execute("COPY FROM DATABASE held TO candidate")
            if _content(gate, con, "held") != _content(gate, con, "candidate"):
                raise EngineFailed.of("the copy does not hold what the version holds", where=where)
        candidate.seal()
        body = {
            "action": "rekey",
            "asset": asset,
            "version": passport.version,
            "copy": candidate.id,
            "file_digest": file_digest(candidate.path),
            "actor_claimed": gate.actor(),
        }
        # kept before the append, as a new version is: a failure after it must not take the file that counts
        candidate.keep()
        try:
            gate.ledger.append(body, unless=moved_on)
        except Refused:
            gate.versions.destroy(asset, candidate.id)
            raise
    gate.versions.destroy(asset, passport.copy)


def _content(gate: Gate, con: duckdb.DuckDBPyConnection, catalog: str) -> str:
    with engine_errors("listing tables"):
        tables = con.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = $catalog ORDER BY ALL",
            {"catalog": catalog},
        ).fetchall()
    names = [".".join(map(quoted, (catalog, schema, table))) for schema, table in tables]
    return str(tables) + gate.content_digest(con, names)
