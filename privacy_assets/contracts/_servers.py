"""From a server of the Open Data Contract Standard to the source that the house reads.

Belongs here: which types of server are read, and what of each. Does not belong here: reaching them
(`warehouse/sources`).

No secret may stand in a contract: passwords and keys are found in the environment or in files when a step runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

from open_data_contract_standard.model import SchemaObject, Server

from privacy_assets.contracts._extension import extension
from privacy_assets.contracts._faults import Faults, echo
from privacy_assets.contracts._yaml import Place
from privacy_assets.contracts.contract import (
    Deliveries,
    Files,
    Generator,
    Invention,
    Postgres,
    PostgresConnection,
    Reading,
    S3Connection,
    Source,
)

ENCODINGS = ("utf-8", "latin-1", "utf-16")
FORMATS = ("csv", "parquet", "ndjson")

_PLACE: Place = ("servers", 0)
_COMMON = frozenset({"id", "server", "type", "description", "environment", "customProperties"})
_READ = {
    "local": {"path", "format", "delimiter", "encoding"},
    "s3": {"location", "endpointUrl", "format", "delimiter", "encoding"},
    "postgres": {"host", "port", "database", "schema"},
    "custom": set[str](),
}
"""Type of server -> the keys of the standard that are read."""
_PROPERTIES = {
    "local": ("reading", "deliveries"),
    "s3": ("reading", "connection", "deliveries"),
    "postgres": ("connection",),
    "custom": ("generator",),
}
_VARIABLE = r"\$\{[A-Z_][A-Z0-9_]*\}"
_NAMED = {
    "host": re.compile(rf"(?:{_VARIABLE}|[A-Za-z0-9._-])+|[0-9A-Fa-f:.]+"),
    "database": re.compile(rf"(?:{_VARIABLE}|[^\s=@:/?'\"\\])+"),
    "schema": re.compile(r".+"),
}
_NO_VARIABLE = re.compile(r"\$(?!\{[A-Z_][A-Z0-9_]*\})")


def source_of(server: Server, schema: SchemaObject | None, faults: Faults) -> Source | None:
    """The source that a server states; None, with every fault noted, where it states none."""
    before = len(faults.found)
    kind = server.type or ""
    if kind not in _READ:
        faults.unknown((*_PLACE, "type"), "this type of server is not read here", kind, _READ, found=echo(server.type))
        return None
    read = _COMMON | _READ[kind]
    for key in sorted(set(faults.document.at(_PLACE)) - read):
        faults.unknown((*_PLACE, key), f"a {kind} server does not read `{key}`", key, read)
    for index, custom in enumerate(server.customProperties or ()):
        if custom.property not in _PROPERTIES[kind]:
            faults.unknown(
                (*_PLACE, "customProperties", index, "property"), "this property of a server is not known",
                custom.property or "", _PROPERTIES[kind],
            )  # fmt: skip
    made = _OF_TYPE[kind](server, schema, faults)
    return made if len(faults.found) == before else None


def _local(server: Server, schema: SchemaObject | None, faults: Faults) -> Source:
    if not server.path:
        faults.add(
            _PLACE,
            "`path` is missing",
            next_step="add `path:`, relative to the project; `${NAME}` is taken from the environment",
        )
    elif _names_variables("path", server.path, faults) and ("://" in server.path or not server.path.isprintable()):
        faults.add(
            (*_PLACE, "path"),
            "the path is not a path of a file",
            expected="a path relative to the project",
            found=_shown(server.path),
        )
    return _files(server, faults, "local", server.path or "")


def _s3(server: Server, schema: SchemaObject | None, faults: Faults) -> Source:
    location, endpoint = server.location or "", server.endpointUrl
    if not re.fullmatch(r"s3://[A-Za-z0-9.${}_-]+/[^/].*", location) or not location.isprintable():
        faults.add(
            (*_PLACE, "location") if location else _PLACE,
            "`location` is not a place in a bucket",
            expected="`s3://BUCKET/KEY`; `*`, `?` and `**` match as in a shell",
            found=_shown(server.location),
        )
    else:
        _names_variables("location", location, faults)
    connection = extension(
        S3Connection, "connection", server.customProperties, _PLACE, faults, required=False
    ) or S3Connection()  # fmt: skip
    if endpoint is not None and _names_variables("endpointUrl", endpoint, faults):
        if not re.fullmatch(r"https?://[^/\s@]+/?", endpoint):
            faults.add(
                (*_PLACE, "endpointUrl"), "`endpointUrl` is not the address of a store",
                expected="`https://HOST` or `https://HOST:PORT`, without user and password", found="not shown",
            )  # fmt: skip
        elif endpoint.startswith("http:") and connection.plaintext_because is None:
            faults.add(
                (*_PLACE, "endpointUrl"), "the store would be read without TLS",
                expected="`https://…`, or the reason in `connection: {plaintext_because: …}`", found=echo(endpoint),
            )  # fmt: skip
    return _files(server, faults, "s3", location, endpoint, connection)


def _files(
    server: Server, faults: Faults, kind: str, path: str, endpoint: str | None = None,
    connection: S3Connection | None = None,
) -> Source:  # fmt: skip
    format_ = server.format or ""
    if format_ not in FORMATS:
        faults.unknown((*_PLACE, "format"), "this format is not read here", format_, FORMATS, found=echo(server.format))
    if server.delimiter is not None and (len(server.delimiter) != 1 or server.delimiter in '"\r\n\0'):
        faults.add((*_PLACE, "delimiter"), "a delimiter is one character", found=echo(server.delimiter))
    encoding = (server.encoding or "utf-8").lower()
    if encoding not in ENCODINGS:
        faults.unknown((*_PLACE, "encoding"), "this encoding is not read here", encoding, ENCODINGS)
    reading = extension(Reading, "reading", server.customProperties, _PLACE, faults, required=False)
    if format_ in ("parquet", "ndjson"):
        for key, given in (("delimiter", server.delimiter), ("encoding", server.encoding), ("reading", reading)):
            if given is not None:
                at = (*_PLACE, key) if key != "reading" else (*_PLACE, "customProperties")
                faults.add(at, f"a {format_} file has no `{key}`", next_step="remove it")
    deliveries = extension(Deliveries, "deliveries", server.customProperties, _PLACE, faults, required=False)
    if (deliveries is not None) != ("{day}" in path):
        faults.add(
            (*_PLACE, "path" if kind == "local" else "location"),
            "a delivery for each day needs both the place of its day, and the day they began",
            expected='`{day}` in the path, and the property `deliveries: {by: day, since: "2026-11-01"}`',
            found="only one of them",
        )
    elif deliveries is not None and not _is_day(deliveries.since):
        faults.add(_PLACE, "`since` is no day", expected='"2026-11-01"', found=echo(deliveries.since))
    return Files(
        type="s3" if kind == "s3" else "local",
        path=path,
        format="parquet" if format_ == "parquet" else "ndjson" if format_ == "ndjson" else "csv",
        delimiter=server.delimiter or ",",
        encoding=encoding,
        reading=reading or Reading(),
        endpoint=endpoint,
        connection=connection or S3Connection(),
        deliveries=deliveries,
    )


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _postgres(server: Server, schema: SchemaObject | None, faults: Faults) -> Source:
    texts = {"host": server.host, "database": server.database, "schema": server.schema_ or "public"}
    for key, text in texts.items():
        if not text or not text.isprintable():
            faults.add(_PLACE, f"`{key}` is missing", next_step=f"add `{key}:` to the server")
        elif _names_variables(key, text, faults) and not _NAMED[key].fullmatch(text):
            # what else is written there may be a password
            faults.add(
                (*_PLACE, key), f"`{key}` is no name of a {key}", found="not shown",
                expected=f"the {key} alone; user and password belong to the property `connection`",
            )  # fmt: skip
    port = server.port if server.port is not None else 5432
    if not str(port).isdecimal() or not 0 < int(port) < 65536:
        faults.add((*_PLACE, "port"), "`port` is no port", expected="1 to 65535", found=echo(server.port))
        port = 5432
    connection = extension(
        PostgresConnection, "connection", server.customProperties, _PLACE, faults, required=True
    ) or PostgresConnection(user="")  # fmt: skip
    at = (*_PLACE, "customProperties")
    if connection.sslmode != "verify-full" and connection.sslmode_because is None:
        faults.add(
            at, "the server's certificate would not be verified",
            expected="`sslmode: verify-full`, or the reason in `sslmode_because:`",
            found=f"sslmode: {connection.sslmode}",
        )  # fmt: skip
    elif connection.sslmode == "verify-full" and connection.sslmode_because is not None:
        faults.add(at, "`sslmode_because` gives a reason for nothing", next_step="remove it, or say the `sslmode`")
    table = (schema.physicalName or schema.name or "") if schema else ""
    return Postgres(
        host=texts["host"] or "", port=int(port), database=texts["database"] or "", schema=texts["schema"] or "",
        table=table, connection=connection,
    )  # fmt: skip


def _custom(server: Server, schema: SchemaObject | None, faults: Faults) -> Source:
    invention = extension(Invention, "generator", server.customProperties, _PLACE, faults, required=True)
    return Generator(invention or Invention(rows=1))


def _shown(text: str | None) -> str:
    """The text, but where it may hold a password."""
    return "not shown" if text and ("@" in text or "=" in text) else echo(text)


def _names_variables(key: str, text: str, faults: Faults) -> bool:
    """Whether each `$` in the text names a variable."""
    if not _NO_VARIABLE.search(text):
        return True
    faults.add(
        (*_PLACE, key), f"the {key} has a `$` that names no variable", expected="`${NAME}` in capitals",
        found=_shown(text),
    )  # fmt: skip
    return False


_OF_TYPE: Mapping[str, Callable[[Server, SchemaObject | None, Faults], Source]] = {
    "local": _local, "s3": _s3, "postgres": _postgres, "custom": _custom,
}  # fmt: skip
