"""An S3-compatible store as a source: a real one over TLS, only the objects that are named, no secret in an error."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privacy_assets.contracts.contract import Files, Reading, S3Connection
from privacy_assets.errors import BadSource
from privacy_assets.warehouse import sources
from privacy_assets.warehouse.connections import ingest
from privacy_assets.warehouse.home import Home
from privacy_assets.warehouse.sources import rows
from privacy_assets.warehouse.versions import Versions
from tests.servers import PASSWORD, Authority, Store, environment_for

from .taking import Taken, column, contract, taken

PEOPLE = (column("id", "BIGINT"), column("town"))
CANARY = "canary-55e0"
ALL = [(1, "Bonn", 1), (2, "Köln", 2), (3, "München", 3)]


def _parquet() -> bytes:
    written = io.BytesIO()
    pq.write_table(pa.table({"id": [1, 2, 3], "town": ["Bonn", "Köln", "München"]}), written)
    return written.getvalue()


@pytest.fixture(scope="module")
def people(store: Store) -> Iterator[Store]:
    objects = {
        "daily/2026-11-01/people.csv": "id,town\n1,Bonn\n2,Köln\n".encode(),
        "daily/2026-11-02/people.csv": "id,town\n3,München\n".encode(),
        "daily/2026-11-02/deep/people.csv": b"id,town\n9,Ulm\n",
        "semicolons.txt": "id;town\n1;Bonn\n2;Köln\n3;München\n".encode("latin-1"),
        "people.parquet": _parquet(),
        "people.ndjson": "".join(f'{{"id": {id_}, "town": "{town}"}}\n' for id_, town, _ in ALL).encode(),
        "it's [odd].csv": "id,town\n1,Bonn\n2,Köln\n3,München\n".encode(),
        "large.csv": b"id,town\n" + b"".join(b"%d,Bonn\n" % number for number in range(300_000)),
    }
    store.put("clinic", objects)
    store.put("others", {"secret.csv": f"id,town\n1,{CANARY}\n".encode()})
    yield store


@pytest.fixture(autouse=True)
def _credentials(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in environment_for(store).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path))


def at(store: Store, key: str, format_: str = "csv", **said: object) -> Files:
    delimiter, encoding = str(said.pop("delimiter", ",")), str(said.pop("encoding", "utf-8"))
    given = {"ca_file": str(store.authority.file) if store.authority else None} | said
    return Files(
        "s3", f"s3://clinic/{key}", format_, delimiter, encoding, Reading(), store.endpoint,  # type: ignore[arg-type]
        S3Connection.model_validate(given),
    )  # fmt: skip


@pytest.fixture
def read(home: Home, versions: Versions) -> Callable[..., Taken]:
    return lambda source: taken(contract(*PEOPLE, source=source), home, versions)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("daily/*/people.csv", {}),
        ("daily/2026-11-0?/people.csv", {}),
        ("daily/2026-11-0[12]/people.csv", {}),
        ("semicolons.txt", {"delimiter": ";", "encoding": "latin-1"}),
        ("people.parquet", {"format_": "parquet"}),
        ("people.ndjson", {"format_": "ndjson"}),
    ],
)
def test_objects_of_every_format_are_read(people: Store, read: Callable[..., Taken], key: str, said: dict) -> None:
    """Each as it would be read from a folder, in the order of their keys."""
    found = read(at(people, key, **said))
    assert found.data == ALL
    assert found.is_accounted


def test_two_stars_are_any_number_of_folders(people: Store, read: Callable[..., Taken]) -> None:
    """And none."""
    assert sorted(row[0] for row in read(at(people, "daily/**/people.csv")).data) == [1, 2, 3, 9]


def test_a_large_object_comes_whole(people: Store, read: Callable[..., Taken]) -> None:
    """Its lines are counted apart from the engine, in a second stream."""
    assert len(read(at(people, "large.csv")).data) == 300_000


def test_only_what_is_named_can_be_read(people: Store, home: Home) -> None:
    """Not another object, not another bucket, not the store's address, and nothing can be written."""
    promised = contract(*PEOPLE, source=at(people, "daily/*/people.csv"))
    with sources.opened(promised, home.root, home.spill, None) as con:
        read = "SELECT * FROM read_text('{}')"
        assert con.execute(read.format("s3://clinic/daily/2026-11-01/people.csv")).fetchall()
        for statement in (
            read.format("s3://clinic/semicolons.txt"),
            read.format("s3://clinic/daily/2026-11-02/deep/people.csv"),
            read.format("s3://others/secret.csv"),
            read.format(f"{people.endpoint}/others/secret.csv"),
            read.format("s3://clinic/daily/*/people.csv"),
            read.format("/etc/hostname"),
            "COPY (SELECT 1) TO 's3://clinic/new.csv'",
            "CREATE PERSISTENT SECRET mine (TYPE s3)",
            "SET enable_server_cert_verification = false",
        ):
            with pytest.raises(Exception, match=r"disabled|locked|[Cc]annot|not"):
                con.execute(statement).fetchall()
        shown = str(con.execute("FROM duckdb_secrets()").fetchall())
    assert PASSWORD not in shown


def test_the_digest_follows_the_content(people: Store, home: Home) -> None:
    """Another content gives another digest, the same one the same, without reading it."""
    people.put("clinic", {"changing.csv": b"id,town\n1,Bonn\n"})
    promised = contract(*PEOPLE, source=at(people, "changing.csv"))

    def digest(key: bytes = b"key") -> str:
        return sources.digest(promised, home.root, home.spill, key)

    before = digest()
    assert digest() == before
    assert digest(b"other") != before
    people.put("clinic", {"changing.csv": b"id,town\n2,Bonn\n"})
    assert digest() != before
    people.put("clinic", {"changing.csv": b"id,town\n1,Bonn\n"})
    assert digest() == before


def test_an_object_that_changes_while_it_is_read_is_refused(
    people: Store, read: Callable[..., Taken], monkeypatch: pytest.MonkeyPatch, versions: Versions, home: Home
) -> None:
    """Nothing is kept of either content."""
    people.put("clinic", {"changing.csv": b"id,town\n1,Bonn\n"})
    stage = rows.stage

    def changed(*given: object) -> object:
        people.put("clinic", {"changing.csv": b"id,town\n1,Ulm\n2,Ulm\n"})
        return stage(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(rows, "stage", changed)
    with pytest.raises(BadSource):
        read(at(people, "changing.csv"))
    assert not any(path.is_file() for path in home.versions.rglob("*"))


def test_what_cannot_be_read_says_so_without_secrets(
    people: Store, read: Callable[..., Taken], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No object, no bucket, a certificate of somebody else, a quote that is never closed, no credentials."""
    other = str(Authority(tmp_path / "other").file)
    gone = Files("s3", "s3://nowhere/x.csv", "csv", endpoint=people.endpoint,
                 connection=S3Connection(ca_file=str(people.authority.file)))  # type: ignore[union-attr] # fmt: skip
    cases = [
        (at(people, "nothing/*.csv"), "no file of this source"),
        (gone, "NoSuchBucket"),
        (at(people, "semicolons.txt", ca_file=other), "SSL"),
        (at(people, "semicolons.txt", ca_file=None), "SSL"),
        (at(people, "people.ndjson", "parquet"), "cannot be read as parquet"),
    ]
    said = []
    for source, expected in cases:
        with pytest.raises(BadSource) as caught:
            read(source)
        said.append(str(caught.value))
        assert expected in said[-1]
        assert "next:" in said[-1]
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(BadSource, match="cannot be read"):
        read(at(people, "semicolons.txt"))
    for secret in (PASSWORD, CANARY, other):
        assert secret not in "".join(said)


def test_the_engine_itself_does_not_trust_another_certificate(
    people: Store, home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where our own client would be talked into it, the engine still refuses."""
    promised = contract(*PEOPLE, source=at(people, "semicolons.txt"))
    reach = sources.find(promised, home.root).reach
    trusting = {**reach.settings, "ca_cert_file": str(Authority(tmp_path / "other").file)}
    read = "SELECT * FROM read_text('s3://clinic/semicolons.txt')"
    with ingest(home.spill, None, reach) as con:
        assert con.execute(read.replace("read_text", "read_blob")).fetchall()
    with (
        ingest(home.spill, None, replace(reach, settings=trusting)) as con,
        pytest.raises(Exception, match=r"SSL|cert"),
    ):
        con.execute(read).fetchall()


def test_without_tls_a_reason_is_needed(home: Home, versions: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store without TLS is read where the contract says why; an address from the environment is judged as well."""
    plain = Store(None)
    try:
        plain.put("clinic", {"people.csv": "id,town\n1,Bonn\n2,Köln\n3,München\n".encode()})
        reasoned = at(plain, "people.csv", plaintext_because="it is on this very machine")
        assert taken(contract(*PEOPLE, source=reasoned), home, versions).data == ALL
        monkeypatch.setenv("STORE", plain.endpoint)
        hidden = Files("s3", "s3://clinic/people.csv", "csv", endpoint="${STORE}")
        with pytest.raises(BadSource, match="without TLS"):
            taken(contract(*PEOPLE, source=hidden), home, versions)
    finally:
        plain.close()


def test_a_store_that_goes_away_publishes_nothing(
    authority: Authority, home: Home, versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After it was listed and before it is read."""
    gone = Store(authority)
    gone.put("clinic", {"people.csv": b"id,town\n1,Bonn\n"})
    stage = rows.stage

    def away(*given: object) -> object:
        gone.close()
        return stage(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(rows, "stage", away)
    with pytest.raises(BadSource) as caught:
        taken(contract(*PEOPLE, source=at(gone, "people.csv")), home, versions)
    assert "next:" in str(caught.value)
    assert not any(path.is_file() for path in home.versions.rglob("*"))
