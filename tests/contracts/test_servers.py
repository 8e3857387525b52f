"""Servers of a contract: what the README shows is read as it stands, and what would be unsafe is refused by line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from privacy_assets.contracts.contract import Contract, Files, Generator, Postgres
from privacy_assets.contracts.loading import check, load

CONTRACT = "data/contracts/patients.odcs.yaml"
README = Path(__file__).parents[2] / "README.md"


def shown() -> dict[str, str]:
    """The servers of the README by their names."""
    block = re.search(r"<!-- sources:[^>]*-->\n(.*?)<!-- /sources -->", README.read_text(), re.DOTALL)
    assert block
    found = re.findall(r"```yaml\n(.*?)```", block[1], re.DOTALL)
    return {re.search(r"- server: (\w+)", text)[1]: text for text in found}  # type: ignore[index]


def written(root: Path, servers: str) -> Path:
    path = root / CONTRACT
    text = path.read_text()
    start, end = text.index("servers:\n"), text.index("customProperties:\n  - property: privacy")
    path.write_text(text[:start] + servers + text[end:])
    return root


def read(root: Path, servers: str) -> Contract:
    return load(written(root, servers)).contracts["patients"]


def test_the_readme_shows_every_kind() -> None:
    """One of each, and files by day."""
    kinds = {re.search(r"type: (\w+)", text)[1] for text in shown().values()}  # type: ignore[index]
    assert kinds == {"local", "postgres", "s3", "custom"}
    assert "nightly" in shown()


@pytest.mark.parametrize("name", shown())
def test_what_the_readme_shows_is_read(tiny_project: Path, name: str) -> None:
    """As it stands there."""
    source = read(tiny_project, shown()[name]).source
    match name:
        case "exports":
            assert isinstance(source, Files)
            assert (source.path, source.delimiter, source.encoding) == ("${EXPORTS}/patients-*.csv", ";", "latin-1")
            assert source.reading.trim
        case "clinic":
            assert isinstance(source, Postgres)
            assert (source.host, source.port, source.table) == ("db.clinic.example", 5432, "patients")
            assert source.connection.sslmode == "verify-full"
        case "lake":
            assert isinstance(source, Files)
            assert (source.type, source.path, source.format) == ("s3", "s3://clinic/patients/*.parquet", "parquet")
            assert source.endpoint == "https://minio.clinic.example"
        case "nobody":
            assert isinstance(source, Generator)
            assert (source.invention.rows, source.invention.seed) == (10_000, 7)
        case "nightly":
            assert isinstance(source, Files)
            assert source.deliveries is not None
            assert source.deliveries.since == "2026-11-01"
        case _:
            pytest.fail("nobody looks at this one")


def test_the_table_can_have_another_name(tiny_project: Path) -> None:
    """ODCS says so by the schema object's physical name."""
    path = tiny_project / CONTRACT
    path.write_text(path.read_text().replace("  - name: patients\n", "  - name: patients\n    physicalName: pat_v2\n"))
    source = read(tiny_project, shown()["clinic"]).source
    assert isinstance(source, Postgres)
    assert source.table == "pat_v2"


BAD = [
    (
        "a password in the contract",
        "clinic",
        '"${CLINIC_PASSWORD}"',
        "hunter2",
        "`password` is not the name of a variable",
    ),
    ("a certificate that nobody verifies", "clinic", "ca_file", "sslmode: require, ca_file", "would not be verified"),
    ("a reason for nothing", "clinic", "ca_file", "sslmode_because: why not, ca_file", "a reason for nothing"),
    ("no such mode", "clinic", "ca_file", "sslmode: prefer, ca_file", "verify-full"),
    ("no user", "clinic", 'user: "${CLINIC_USER}", ', "", "`user` is missing"),
    ("no host", "clinic", "    host: db.clinic.example\n", "", "`host` is missing"),
    ("no port", "clinic", "port: 5432", "port: 99999", "`port` is no port"),
    ("no database", "clinic", "    database: clinic\n", "", "`database` is missing"),
    ("no connection", "clinic", "property: connection", "property: conection", "is missing"),
    ("a stray dollar", "clinic", "db.clinic.example", "$HOST", "names no variable"),
    ("a path of a server", "clinic", "    port", "    path: /x\n    port", "does not read `path`"),
    ("a store without TLS", "lake", "https://minio", "http://minio", "without TLS"),
    ("a secret in the address", "lake", "https://minio", "https://key:secret@minio", "not the address of a store"),
    ("a secret in the bucket", "lake", "s3://clinic/", "s3://key:secret@clinic/", "not a place in a bucket"),
    ("a secret before the host", "clinic", "host: db", "host: reader:hunter2@db", "is no name of a host"),
    (
        "a secret after the host",
        "clinic",
        "host: db.clinic.example",
        "host: db password=hunter2",
        "is no name of a host",
    ),
    (
        "a secret in the database",
        "clinic",
        "database: clinic",
        "database: clinic password=hunter2",
        "is no name of a database",
    ),
    (
        "an address for a database",
        "clinic",
        "database: clinic",
        "database: 'postgres://r:hunter2@db/clinic'",
        "is no name of a database",
    ),
    ("a secret in a path", "exports", "path: ${EXPORTS}", "path: https://key:secret@exports", "not a path of a file"),
    ("no place in a bucket", "lake", "s3://clinic/patients/*.parquet", "s3://clinic", "not a place in a bucket"),
    ("a key in the contract", "lake", "region:", "secret_access_key: x, region:", "no key `secret_access_key`"),
    ("a delimiter of parquet", "lake", "format: parquet", 'format: parquet\n    delimiter: ";"', "has no `delimiter`"),
    ("no rows", "nobody", "rows: 10000, ", "", "`rows` is missing"),
    ("no row", "nobody", "rows: 10000", "rows: 0", "`rows` cannot be read"),
    ("a path of nobody", "nobody", "type: custom", "type: custom\n    path: x", "does not read `path`"),
    ("reading of nobody", "nobody", "property: generator", "property: reading", "is not known"),
]


@pytest.mark.parametrize(("name", "server", "old", "new", "says"), BAD, ids=[case[0] for case in BAD])
def test_what_is_unsafe_or_unknown_is_refused(
    tiny_project: Path, name: str, server: str, old: str, new: str, says: str
) -> None:
    """With file and line, and without echoing what could be a secret."""
    servers = shown()[server]
    assert old in servers
    faults = [str(fault) for fault in check(written(tiny_project, servers.replace(old, new)))]
    assert any(says in fault and f"{CONTRACT}:" in fault for fault in faults), faults
    assert "hunter2" not in str(faults)
    assert "key:secret" not in str(faults)


def test_less_than_verified_has_its_reason(tiny_project: Path) -> None:
    """With one it loads, and the reason is part of what the contract means."""
    told = shown()["clinic"].replace("ca_file", 'sslmode: require, sslmode_because: "the tunnel is ours", ca_file')
    before = read(tiny_project, told)
    assert before.source.connection.sslmode == "require"  # type: ignore[union-attr]
    assert read(tiny_project, told.replace("is ours", "is theirs")).digest != before.digest
