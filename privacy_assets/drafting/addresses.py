"""From what a person types to the source that is meant: files of this machine, a table of a server, objects of a store.

    people.csv   "exports/*.parquet"                     files
    postgres://USER@HOST[:PORT]/DATABASE/[SCHEMA.]TABLE  a table; the password is found by libpq; ?sslrootcert=FILE
    s3://BUCKET/KEY                                      objects, as the AWS_… variables say

Belongs here: reading such an address. Does not belong here: reaching what it names (`warehouse/sources`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import ValidationError

from privacy_assets.contracts.contract import Files, Postgres, PostgresConnection, S3Connection
from privacy_assets.errors import BadDeclaration, PrivacyAssetsError

FORM = "postgres://USER@HOST/DATABASE/SCHEMA.TABLE"
SAY_WHY = "Say here why this is enough."
"""Stands where a contract needs a reason that nobody has given yet."""


def is_address(given: str) -> bool:
    """Whether this is an address, and no path."""
    return "://" in given or holds_secret(given)


def holds_secret(given: str) -> bool:
    """Whether this looks like an address with credentials in it, however it is misspelt: it is never shown."""
    return bool(
        re.search(r"(?i)\b(password|passwd|pwd|secret|token|access_?key)\s*=", given)
        or re.match(r"(?i)[a-z][a-z0-9+.-]*:/{0,2}[^@]*:[^@]+@", given)
    )


def source_at(given: str, env: Mapping[str, str] = os.environ) -> Postgres | Files:
    """The source at an address; of a store's objects the format is not known yet. Raises BadDeclaration."""
    if holds_secret(given):
        raise _secret()
    scheme = given.partition("://")[0].lower()
    if scheme in ("postgres", "postgresql"):
        return _table(given)
    if scheme == "s3":
        return _objects(given, env)
    raise BadDeclaration.of(
        "this address is not read here", where="<file>", expected=f"a path, {FORM} or s3://BUCKET/KEY",
        next_step="copy what is there into a file, and draft that",
    )  # fmt: skip


def _table(given: str) -> Postgres:
    try:
        parts = urlsplit(given)
        port, host, user, password = parts.port, parts.hostname, parts.username, parts.password
    except ValueError:
        raise _unread() from None
    if password:
        raise _secret()
    database, _, table = unquote(parts.path.removeprefix("/")).partition("/")
    schema, dot, name = table.partition(".")
    if not (host and user and database and table):
        raise _unread()
    said = dict(parse_qsl(parts.query))
    unknown = set(said) - {"sslmode", "sslrootcert"}
    if unknown:
        raise BadDeclaration.of(
            "the address says what is not read here", where="<file>", expected="sslmode, sslrootcert",
            found=", ".join(sorted(unknown)),
        )  # fmt: skip
    mode = said.get("sslmode", "verify-full")
    try:
        connection = PostgresConnection.model_validate(
            {
                "user": unquote(user),
                "sslmode": mode,
                "ca_file": said.get("sslrootcert"),
                "sslmode_because": None if mode == "verify-full" else SAY_WHY,
            }
        )
    except ValidationError:
        raise BadDeclaration.of(
            "there is no such sslmode", where="<file>", expected="verify-full, verify-ca, require or disable"
        ) from None
    return Postgres(host, port or 5432, database, schema if dot else "public", name if dot else schema, connection)


def _objects(given: str, env: Mapping[str, str]) -> Files:
    bucket, _, key = given.partition("://")[2].partition("/")
    if not bucket or not key:
        raise _unread()
    endpoint = env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL") or None
    connection = S3Connection(
        ca_file="${AWS_CA_BUNDLE}" if env.get("AWS_CA_BUNDLE") else None,
        plaintext_because=SAY_WHY if endpoint and endpoint.startswith("http:") else None,
    )
    return Files("s3", f"s3://{bucket}/{key}", "csv", endpoint=endpoint, connection=connection)


def _secret() -> PrivacyAssetsError:
    return BadDeclaration.of(
        "a password in a command can be read by everybody on this machine", where="<file>",
        expected=f"a path, {FORM} or s3://BUCKET/KEY",
        next_step="leave it out, and put it into PGPASSWORD or ~/.pgpass (of a store: AWS_SECRET_ACCESS_KEY); "
        "change it, it was seen",
    )  # fmt: skip


def _unread() -> PrivacyAssetsError:
    return BadDeclaration.of("this address cannot be read", where="<file>", expected=f"{FORM} or s3://BUCKET/KEY")
