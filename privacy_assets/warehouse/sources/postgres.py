"""A table or a view of a PostgreSQL server as a source.

Belongs here: reaching the one server, over verified TLS, and staging its rows from one snapshot. Does not belong here:
what the contract makes of a row (`rows.py`).

The connection is read-only and repeatable read, so that what is read was all there at one moment. A table has no order:
its rows are numbered in the order of the primary key, then of all columns.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from privacy_assets.contracts.contract import Contract, Postgres
from privacy_assets.errors import BadSource, PrivacyAssetsError, raise_gathered
from privacy_assets.warehouse.connections import Reach, content_digest, engine_errors, literal, quoted
from privacy_assets.warehouse.sources import rows
from privacy_assets.warehouse.sources._variables import filled
from privacy_assets.warehouse.sources.rows import Staged, Table

_SAID = (
    ("certificate verify failed", "its certificate is not from the expected authority"),
    ("provider signature failure", "its certificate is not from the expected authority"),
    ("does not match host name", "its certificate is for another host"),
    ("root certificate file", "there is no certificate of an authority to verify it by"),
    ("server does not support SSL", "it offers no TLS"),
    ("no pg_hba.conf entry", "it admits no such user from here"),
    ("password authentication failed", "it does not accept user and password"),
    ("no password supplied", "it wants a password, and there is none"),
    ("could not translate host name", "there is no such host"),
    ("onnection refused", "nothing listens there"),
    ("timeout expired", "it did not answer in time"),
    ("permission denied", "the user may not read the table"),
    ("does not exist", "there is no such database, schema or table"),
    ("server closed the connection", "the server went away"),
    ("terminating connection", "the server went away"),
    ("unexpected eof", "the server went away"),
    ("timed out", "the server went away"),
    ("onnection reset", "the server went away"),
)
"""What libpq and the server say -> what we say of it; their own text may quote anything."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What the table holds; see `sources.Delivery`."""

    source: Postgres
    reach: Reach
    schema: str
    table: str

    def digest(self, con: duckdb.DuckDBPyConnection, contract: Contract, key: bytes) -> str:
        """Keyed digest (hex) of the rows, which are all read for it, but not kept."""
        with _source_errors(self.source):
            try:
                self._staged(con, contract)
                return content_digest(con, "temp.delivered", key)
            finally:
                for kind, name in (("VIEW", "delivered"), ("TABLE", "staged"), ("TABLE", "malformed")):
                    con.execute(f"DROP {kind} IF EXISTS temp.{name}")

    def stage(self, con: duckdb.DuckDBPyConnection, contract: Contract, key: bytes) -> tuple[Staged, str]:
        """Every row, as it was at one moment."""
        with _source_errors(self.source):
            staged = self._staged(con, contract)
            order = [*contract.primary_key, *(name for name in staged.places if name not in contract.primary_key)]
            by = ", ".join(staged.places[name] for name in order)
            con.execute(f"INSERT INTO temp.staged SELECT * FROM temp.delivered ORDER BY {by}")
            con.execute("DROP VIEW temp.delivered")
        return staged, content_digest(con, "temp.staged", key)

    def _staged(self, con: duckdb.DuckDBPyConnection, contract: Contract) -> Staged:
        """Room for the rows, and the view `temp.delivered` through which they come."""
        relation = f"{quoted(self.schema)}.{quoted(self.table)}"
        asked = f"SELECT {', '.join(self._columns(con, relation))} FROM {relation}"
        delivered = f"postgres_query('source', {literal(asked)})"
        described = con.execute(f"DESCRIBE FROM {delivered}").fetchall()
        names, types = (tuple(str(column[at]) for column in described) for at in (0, 1))
        table = Table(self.source.place, names, types)
        raise_gathered(BadSource, list(rows.header_faults(table, contract)))
        staged = rows.stage(con, contract, (table,))
        cells = staged.cells(table)
        shown = ", ".join(f"{cells[place]} AS {place}" for place in staged.places.values())
        con.execute(f"CREATE TEMP VIEW delivered AS SELECT {shown} FROM {delivered}")
        return staged

    def _columns(self, con: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
        """What the server is asked for: each column, in a form that the engine reads as it is.

        The engine has no number that holds every `numeric`: it rounds most of them, and reads NaN as 0. It reads a
        moment after the year 294246 as one long ago; the contract takes none after 9999, so it may as well be infinite.
        """
        described = con.execute(f"DESCRIBE source.{relation}").fetchall()
        engine_types = {str(name): str(type_) for name, type_, *_ in described}
        of_server = f"""
            SELECT attname::text, format_type(coalesce(nullif(typbasetype, 0), pg_type.oid), NULL)
            FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
            WHERE attrelid = to_regclass({literal(relation)}) AND attnum > 0 AND NOT attisdropped
        """
        asked = []
        server_types = dict(con.execute(f"FROM postgres_query('source', {literal(of_server)})").fetchall())
        for name, engine_type in engine_types.items():
            column, server_type = quoted(name), server_types.get(name, "").removesuffix("[]")
            within = server_type not in _FLOATS and any(kind in engine_type for kind in ("DECIMAL", "DOUBLE"))
            if server_type == "numeric" or within:
                asked.append(f"{column}::text AS {column}")
            elif engine_type.startswith("TIMESTAMP") and "[" not in engine_type:
                held = f"WHEN {column} < '10000-01-01' THEN {column} WHEN {column} IS NOT NULL THEN 'infinity'"
                asked.append(f"CASE {held} END AS {column}")
            else:
                asked.append(column)
        return asked


_FLOATS = ("real", "double precision")


def find(source: Postgres, root: Path, env: Mapping[str, str] = os.environ) -> Delivered:
    """How to reach the table; the server is not asked yet. Raises BadSource where a variable is not set."""

    def of(text: str) -> str:
        return filled(text, env, place=source.place)

    connection = source.connection
    said = {
        "host": of(source.host),
        "port": str(source.port),
        "dbname": of(source.database),
        "user": of(connection.user),
        "sslmode": connection.sslmode,
        "connect_timeout": "10",
        "tcp_user_timeout": "60000",
        "application_name": "privacy_assets",
    }
    if connection.ca_file is not None:
        ca_file = of(connection.ca_file)
        said["sslrootcert"] = ca_file if ca_file == "system" else str(root / ca_file)
    password = of(connection.password) if connection.password else None
    address = " ".join(f"{name}={_value(text)}" for name, text in said.items())

    def prepare(con: duckdb.DuckDBPyConnection) -> None:
        # Without a password from us libpq looks for one: PGPASSWORD, PGPASSFILE, ~/.pgpass.
        through = ""
        if password is not None:
            con.execute("CREATE TEMPORARY SECRET server (TYPE postgres, PASSWORD $password)", {"password": password})
            through = ", SECRET server"
        with _source_errors(source):
            con.execute(f"ATTACH {literal(address)} AS source (TYPE postgres, READ_ONLY{through})")

    # The extension looks its secrets up by name, which fails where there may be no stored ones.
    reach = Reach(extensions=("postgres_scanner",), settings={"allow_persistent_secrets": True}, prepare=prepare)
    return Delivered(source, reach, of(source.schema), source.table)


def _value(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@contextmanager
def _source_errors(source: Postgres) -> Iterator[None]:
    """An error that blames the server is BadSource, any other EngineFailed; neither holds its text."""
    with engine_errors("reading the source"):
        try:
            yield
        except (duckdb.OutOfMemoryException, duckdb.InternalException, duckdb.FatalException):
            raise
        except duckdb.Error as error:
            # the address comes first, in quotes
            text = str(error).partition('": ')[2] or str(error)
            found = next((ours for theirs, ours in _SAID if theirs in text), type(error).__name__)
            raise _refused(source, found) from None


def _refused(source: Postgres, found: str) -> PrivacyAssetsError:
    return BadSource.of(
        "the server's table cannot be read",
        where=source.place,
        expected=f"TLS with sslmode={source.connection.sslmode}, and a user who may read it",
        found=found,
        next_step="look at host, certificate, user and password, and at the names of database, schema and table",
    )
