"""Looks for values of people in bytes: as they are commonly written, and inside what holds them.

A grep over a compressed, paged or columnar file proves nothing: the value is there, and its bytes are not. So a file
is searched as it lies on the disk, and again as what it is: every cell of a database, every statistic of a Parquet
file, every member of an archive, every string of a pickle, and what lies inside those in turn.

Belongs here: the forms of a value, the search, the readers of containers. Does not belong here: whose values, which
files, what may hold them.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import contextlib
import gzip
import hashlib
import html
import html.entities
import io
import json
import lzma
import pickletools
import quopri
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
import unicodedata
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from ahocorasick_rs import BytesAhoCorasick, MatchKind

SHORTEST = 7
"""Bytes. What is shorter turns up by chance in a file of random bytes."""

_DIGEST_KEPT = 8
"""Bytes of a digest that are looked for: it is found cut short, too."""

_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Canary:
    """A value that stands nowhere else.

    `cores` are the parts of it that are looked for (a part of a name is a leak of the name); `written` the ways in
    which the whole is written, of which unkeyed digests are looked for.
    """

    owner: int
    field: str
    cores: tuple[str, ...]
    written: tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """Where what was found: a path into containers, the field and the owner of the canary, the form of it."""

    place: str
    field: str
    owner: int
    form: str


def forms(text: str) -> Iterator[tuple[str, bytes]]:
    """(form, bytes) of each way in which a text is commonly written. A form that another one equals comes after it."""
    utf8 = text.encode()
    yield "utf-8", utf8
    yield "lower case", text.lower().encode()
    yield "upper case", text.upper().encode()
    yield "NFD", unicodedata.normalize("NFD", text).encode()
    yield "utf-16-le", text.encode("utf-16-le")
    yield "utf-16-be", text.encode("utf-16-be")
    yield "utf-32-le", text.encode("utf-32-le")
    with contextlib.suppress(UnicodeEncodeError):
        yield "latin-1", text.encode("latin-1")
    yield "utf-8 read as latin-1", utf8.decode("latin-1").encode()
    yield "JSON \\u", json.dumps(text)[1:-1].encode()
    yield "Python \\x", text.encode("unicode_escape")
    yield "bytes \\x", repr(utf8)[2:-1].encode()
    yield "URL", urllib.parse.quote(text, safe="").encode()
    yield "URL, form", urllib.parse.quote_plus(text, safe="@").encode()
    yield "html, named", _named(html.escape(text)).encode()
    yield "html, decimal", _entities(text, "&#{};").encode()
    yield "html, hexadecimal", _entities(text, "&#x{:x};").encode()
    yield "quoted-printable", quopri.encodestring(utf8).replace(b"=\n", b"")
    yield "utf-7", text.encode("utf-7")
    yield "hex", utf8.hex().encode()
    yield "hex, upper", utf8.hex().upper().encode()
    yield "hex of utf-16-le", text.encode("utf-16-le").hex().encode()
    yield "base32", base64.b32encode(utf8)[: len(utf8) // 5 * 8]
    for phase in range(3):
        # which group of three a text begins in decides its letters; those at the edges depend on its neighbours
        told = base64.b64encode(b"\0" * phase + utf8)
        inner = told[4 if phase else 0 : (phase + len(utf8)) // 3 * 4]
        yield f"base64, phase {phase}", inner
        yield f"base64 for URLs, phase {phase}", inner.translate(bytes.maketrans(b"+/", b"-_"))
    yield "reversed", text[::-1].encode()


def digests(text: str) -> Iterator[tuple[str, bytes]]:
    """(form, bytes) of what an unkeyed hash makes of a text: whoever has a list of people finds them by it."""
    for name in ("md5", "sha1", "sha256"):
        digest = hashlib.new(name, text.encode()).digest()[:_DIGEST_KEPT]
        yield name, digest
        yield f"{name}, hex", digest.hex().encode()
        yield f"{name}, hex, upper", digest.hex().upper().encode()
        yield f"{name}, base64", base64.b64encode(digest)[:10]


def _named(text: str) -> str:
    names = html.entities.codepoint2name
    return "".join(f"&{names[ord(one)]};" if ord(one) > 127 and ord(one) in names else one for one in text)


def _entities(text: str, form: str) -> str:
    return "".join(one if one.isascii() and one.isalnum() else form.format(ord(one)) for one in text)


class Scanner:
    """Searches for all canaries at once, in time that does not depend on how many they are."""

    def __init__(self, canaries: Iterable[Canary]) -> None:
        self._meant: list[tuple[str, int, str]] = []
        patterns: dict[bytes, int] = {}
        for canary in canaries:
            for form, found in _patterns(canary):
                if found not in patterns:
                    patterns[found] = len(patterns)
                    self._meant.append((canary.field, canary.owner, form))
        short = [pattern for pattern in patterns if len(pattern) < SHORTEST]
        if short:
            raise ValueError(f"{len(short)} forms are shorter than {SHORTEST} bytes")
        self.patterns = len(patterns)
        self.searched = 0
        self._automaton = BytesAhoCorasick(list(patterns), matchkind=MatchKind.Standard)

    def search(self, content: bytes, place: str) -> Iterator[Hit]:
        """Each canary in these bytes, as they are."""
        self.searched += len(content)
        for which in {which for which, _, _ in self._automaton.find_matches_as_indexes(content, overlapping=True)}:
            field, owner, form = self._meant[which]
            yield Hit(place, field, owner, form)

    def scan(self, content: bytes, place: str, depth: int = 0) -> Iterator[Hit]:
        """Each canary in these bytes, and in what they hold."""
        yield from self.search(content, place)
        if depth < _DEEPEST:
            for name, held in _opened(content):
                yield from self.scan(held, f"{place}!{name}", depth + 1)

    def scan_files(self, folder: Path, without: Callable[[Path], bool] = lambda path: False) -> list[Hit]:
        """Each canary in every file below the folder, in their names, and in its git repositories."""
        hits: set[Hit] = set()
        for path in sorted(folder.rglob("*")):
            name = str(path.relative_to(folder))
            if without(path):
                continue
            hits.update(self.search(name.encode("utf-8", "surrogateescape"), f"{name} (its name)"))
            if path.is_symlink():
                hits.update(self.search(str(path.readlink()).encode(), f"{name} (its target)"))
            elif path.is_file():
                hits.update(self.scan_file(path, name))
            elif path.name == ".git" and path.is_dir():
                hits.update(self.scan(git_objects(path.parent), f"{name}!objects"))
        return sorted(hits)

    def scan_file(self, path: Path, name: str) -> Iterator[Hit]:
        """Each canary in a file; a database is read with the log that lies beside it."""
        content = path.read_bytes()
        yield from self.scan(content, name)
        logs = [path.with_name(path.name + suffix) for suffix in ("-wal", "-journal", ".wal")]
        if any(log.exists() for log in logs):
            with tempfile.TemporaryDirectory() as folder:
                for one in (path, *logs):
                    if one.exists():
                        shutil.copy(one, folder)
                for held_name, held in _rows(Path(folder) / path.name, content):
                    yield from self.scan(held, f"{name} with its log!{held_name}", 1)


def _patterns(canary: Canary) -> Iterator[tuple[str, bytes]]:
    for core in canary.cores:
        yield from forms(core)
    for written in canary.written:
        yield from digests(written)


def git_objects(repository: Path) -> bytes:
    """Every object that the repository holds, reachable or not, one after the other."""
    listed = ["git", "-C", str(repository), "cat-file", "--batch-all-objects", "--batch", "--buffer"]
    return subprocess.run(listed, capture_output=True, check=True).stdout


# ---- what holds other things


def _opened(content: bytes) -> Iterator[tuple[str, bytes]]:
    """What the bytes hold, if they are a container that is known; a damaged one yields what could be read of it."""
    for is_one, read in _READERS:
        if is_one(content):
            with contextlib.suppress(*_DAMAGED):
                yield from read(content)


_DAMAGED = (OSError, ValueError, EOFError, KeyError, IndexError, RecursionError, zlib.error, lzma.LZMAError) + (
    zipfile.BadZipFile, tarfile.TarError, sqlite3.Error, duckdb.Error, pa.ArrowException, NotImplementedError,
    RuntimeError,
)  # fmt: skip


def _zlib(content: bytes) -> Iterator[tuple[str, bytes]]:
    # git's objects, and what Dagster keeps of a job
    yield "zlib", zlib.decompressobj().decompress(content)


def _gzip(content: bytes) -> Iterator[tuple[str, bytes]]:
    yield "gzip", gzip.GzipFile(fileobj=io.BytesIO(content)).read()


def _arrow_codec(codec: str) -> Callable[[bytes], Iterator[tuple[str, bytes]]]:
    def read(content: bytes) -> Iterator[tuple[str, bytes]]:
        yield codec, pa.CompressedInputStream(pa.BufferReader(content), codec).read()

    return read


def _bz2(content: bytes) -> Iterator[tuple[str, bytes]]:
    yield "bz2", bz2.decompress(content)


def _xz(content: bytes) -> Iterator[tuple[str, bytes]]:
    yield "xz", lzma.decompress(content)


def _zip(content: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        yield "names and comment", "\0".join(archive.namelist()).encode() + b"\0" + archive.comment
        for name in archive.namelist():
            yield name, archive.read(name)


def _tar(content: bytes) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            yield "name", member.name.encode()
            if file := archive.extractfile(member):
                yield member.name, file.read()


def _pickle(content: bytes) -> Iterator[tuple[str, bytes]]:
    # its instructions are read, not carried out
    texts = []
    for _, argument, _ in pickletools.genops(content):
        if isinstance(argument, str):
            texts.append(argument)
        elif isinstance(argument, (bytes, bytearray)) and argument:
            yield "pickled bytes", bytes(argument)
    yield "pickled texts", "\0".join(texts).encode("utf-8", "surrogatepass")


def _npy(content: bytes) -> Iterator[tuple[str, bytes]]:
    # after the header an array of objects is a pickle
    yield "objects", content[content.index(b"\n") + 1 :]


def _json(content: bytes) -> Iterator[tuple[str, bytes]]:
    # a text within a text is escaped twice: Dagster's events are
    yield from cells_as_bytes([("JSON", list(_leaves(json.loads(content))))])


def _leaves(found: Any) -> Iterator[Any]:
    if isinstance(found, dict):
        yield from found
        for held in found.values():
            yield from _leaves(held)
    elif isinstance(found, list):
        for held in found:
            yield from _leaves(held)
    elif isinstance(found, str):
        yield found


def _base64(content: bytes) -> Iterator[tuple[str, bytes]]:
    yield "base64", base64.b64decode(content.strip(), validate=True)


def _sqlite(content: bytes) -> Iterator[tuple[str, bytes]]:
    yield from _from_copy(content)


def _duckdb(content: bytes) -> Iterator[tuple[str, bytes]]:
    yield from _from_copy(content)


def _from_copy(content: bytes) -> Iterator[tuple[str, bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.db"
        copy.write_bytes(content)
        yield from _rows(copy, content)


def _rows(path: Path, content: bytes) -> Iterator[tuple[str, bytes]]:
    """Every cell of a SQLite or DuckDB file, with the log beside it. A DuckDB file that is encrypted holds nothing."""
    if content.startswith(b"SQLite format 3\0"):
        with contextlib.closing(sqlite3.connect(path)) as lite:
            lite.text_factory = bytes
            for (table,) in lite.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                cells = [cell for row in lite.execute(f'SELECT * FROM "{table.decode()}"') for cell in row]
                yield from cells_as_bytes([(table.decode(), cells)])
    else:
        with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as con:
            con.execute(f"ATTACH '{path}' AS held (READ_ONLY)")
            yield from cells_as_bytes(tables_of(con, "held"))


def tables_of(con: duckdb.DuckDBPyConnection, catalog: str) -> Iterator[tuple[str, list[Any]]]:
    """("schema.table.column", its cells) of every column of an attached DuckDB database."""
    listed = con.execute(
        "SELECT schema_name, table_name, column_name FROM duckdb_columns() "
        "WHERE database_name = ? AND NOT internal ORDER BY ALL",
        [catalog],
    ).fetchall()
    for schema, table, column in listed:
        cells = con.execute(f'SELECT DISTINCT "{column}" FROM {catalog}."{schema}"."{table}"').fetchall()
        yield f"{schema}.{table}.{column}", [cell for (cell,) in cells]


def _parquet(content: bytes) -> Iterator[tuple[str, bytes]]:
    file = pq.ParquetFile(io.BytesIO(content))
    for key, value in (file.metadata.metadata or {}).items():
        yield f"metadata {key.decode(errors='replace')}", value
    bounds: list[Any] = []
    for group in range(file.metadata.num_row_groups):
        for column in range(file.metadata.num_columns):
            statistics = file.metadata.row_group(group).column(column).statistics
            if statistics is not None and statistics.has_min_max:
                bounds += [statistics.min, statistics.max]
    yield from cells_as_bytes([("statistics", bounds)])
    yield from _from_table(file.read())


def _arrow_file(content: bytes) -> Iterator[tuple[str, bytes]]:
    yield from _from_table(pa.ipc.open_file(content).read_all())


def _arrow_stream(content: bytes) -> Iterator[tuple[str, bytes]]:
    yield from _from_table(pa.ipc.open_stream(content).read_all())


def _from_table(table: pa.Table) -> Iterator[tuple[str, bytes]]:
    yield from cells_as_bytes((name, table[name].to_pylist()) for name in table.column_names)


def cells_as_bytes(columns: Iterable[tuple[str, Collection[Any]]]) -> Iterator[tuple[str, bytes]]:
    """Cells as bytes: those of one column together, and each one that could hold something else by itself."""
    for name, cells in columns:
        plain = []
        for cell in cells:
            told = cell if isinstance(cell, bytes) else str(cell).encode("utf-8", "surrogatepass")
            plain.append(told)
            if len(told) > SHORTEST and any(is_one(told) for is_one, _ in _READERS):
                yield name, told
        if plain:
            yield name, b"\0".join(plain)


def _starts(*magic: bytes) -> Callable[[bytes], bool]:
    return lambda content: content.startswith(magic)


def _is_zlib(content: bytes) -> bool:
    return content[:1] == b"\x78" and len(content) > 8 and int.from_bytes(content[:2], "big") % 31 == 0


def _is_json(content: bytes) -> bool:
    start = content[:1]
    return (start in (b"{", b"[", b'"')) and content.rstrip()[-1:] in (b"}", b"]", b'"')


def _is_base64(content: bytes) -> bool:
    """Only where it opens into another container: text in base64 is found as it is."""
    if not 16 <= len(content) <= 2**24 or not content[:16].strip().isalnum():
        return False
    try:
        held = base64.b64decode(content.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    return any(is_one(held) for is_one, read in _READERS if read is not _base64)


_READERS: list[tuple[Callable[[bytes], bool], Callable[[bytes], Iterator[tuple[str, bytes]]]]] = [
    (_is_zlib, _zlib),
    (_starts(b"\x1f\x8b"), _gzip),
    (_starts(b"\x28\xb5\x2f\xfd"), _arrow_codec("zstd")),
    (_starts(b"\x04\x22\x4d\x18"), _arrow_codec("lz4")),
    (_starts(b"BZh"), _bz2),
    (_starts(b"\xfd7zXZ"), _xz),
    (_starts(b"PK\x03\x04"), _zip),
    (lambda content: content[257:262] == b"ustar", _tar),
    (_starts(*(bytes([0x80, version]) for version in range(2, 6))), _pickle),
    (_starts(b"\x93NUMPY"), _npy),
    (_starts(b"SQLite format 3\0"), _sqlite),
    (lambda content: content[8:12] == b"DUCK", _duckdb),
    (_starts(b"PAR1"), _parquet),
    (_starts(b"ARROW1"), _arrow_file),
    (_starts(b"\xff\xff\xff\xff"), _arrow_stream),
    (_is_json, _json),
    (_is_base64, _base64),
]


def summary(hits: Iterable[Hit]) -> Mapping[str, int]:
    """How many canaries were found at each place."""
    found: dict[str, set[tuple[str, int]]] = {}
    for hit in hits:
        found.setdefault(hit.place, set()).add((hit.field, hit.owner))
    return {place: len(who) for place, who in sorted(found.items())}
