"""Pseudonyms, attacked by who compares purposes, by who knows every identifier there is, and by how people write.

Belongs here: what can be learned from tokens without the key. Does not belong here: what one technique does to one
column (`tests/techniques/pseudonymize/`), the stage (`tests/stages/test_s3_pseudonymized.py`).
"""

from __future__ import annotations

import ast
import hashlib
import random
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from pathlib import Path
from uuid import UUID

import duckdb
import polars as pl
import pytest
import sqlglot
from sqlglot import exp

import privacy_assets
from privacy_assets.build import steps
from privacy_assets.contracts.loading import Project, load
from privacy_assets.contracts.promises import promises
from privacy_assets.errors import BadDeclaration, Refused
from privacy_assets.gate import Gate, Passport, measure
from privacy_assets.stages.s3_pseudonymized import map_key
from privacy_assets.stages.step import carry_out
from privacy_assets.techniques.pseudonymize import PSEUDONYMIZE
from privacy_assets.warehouse.connections import governed, quoted
from privacy_assets.words import AssetName, IdentifierDomain, Stage

TOKEN = PSEUDONYMIZE["token"]
PATIENT = IdentifierDomain(name="patient_id")
EMAIL = IdentifierDomain(name="email", normalization="email")
NAME = IdentifierDomain(name="full_name", normalization="name")
PHONE = IdentifierDomain(name="telephone", normalization="phone", region="DE")
PATIENTS = AssetName(Stage.PSEUDONYMIZED, "smoking", "patients")


def tokens(values: pl.Series, key: str, domain: IdentifierDomain = PATIENT) -> pl.Series:
    """The tokens of these values, in order, as the stage makes them."""
    made: pl.Series = TOKEN.map_values(TOKEN.Parameters(kind="token"), values, key, domain)
    return made


def shared(one: pl.Series, other: pl.Series) -> int:
    """How many rows of two columns join."""
    return one.unique().to_frame("token").join(other.unique().to_frame("token"), on="token").height


@pytest.mark.parametrize("people", [20_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_tables_join_within_a_purpose_and_nowhere_else(gate: Gate, people: int, figures: Callable[..., None]) -> None:
    """T-PSEUD-1: under the keys that the gate derives, 3 purposes and 2 epochs share no token; two tables of one do."""
    known = gate.project.purposes["smoking"]
    ids = pl.Series("value", [f"p-{number:06}" for number in range(people)])
    keys = {
        (purpose, epoch): map_key(gate, known.model_copy(update={"purpose": purpose, "epoch": epoch}), PATIENT)
        for purpose in ("smoking", "reaching", "planning")
        for epoch in (1, 2)
    }
    tables = {of: tokens(ids, key) for of, key in keys.items()}
    across = sum(shared(one, other) for one, other in combinations(tables.values(), 2))
    within = sum(shared(table, tokens(ids.shuffle(seed=7), keys[of])) for of, table in tables.items())
    control = shared(*(tokens(ids, keys["smoking", 1], domain) for domain in (PATIENT, EMAIL)))
    figures(
        f"T-PSEUD-1 {people:,} people",
        tables=len(tables),
        pairs=len(tables) * (len(tables) - 1) // 2,
        joined_across=across,
        joined_within=within,
        joined_across_under_one_key=control,
    )
    assert across == 0
    assert within == len(tables) * people
    assert control == people


def test_a_list_of_everybody_names_nobody(gate: Gate, figures: Callable[..., None]) -> None:
    """T-PSEUD-2: who knows all 1,000,000 identifiers finds nobody without the key, and everybody under a hash."""
    everybody = [f"{number:06}" for number in range(1_000_000)]
    victims = random.Random(7).sample(everybody, 10_000)
    purpose = gate.project.purposes["smoking"]
    public = ["", gate.home.project_id]

    def hashed(texts: list[str], salt: str) -> list[str]:
        return [hashlib.sha256(f"{salt}{text}".encode()).hexdigest()[:32] for text in texts]

    def bare(token: str) -> str:
        """The bits of a token that come from the function, at their places in a digest."""
        digits = token.replace("-", "")
        return digits[:12] + digits[13:16] + digits[17:]

    published = {bare(token) for token in tokens(pl.Series("value", victims), map_key(gate, purpose, PATIENT))}
    found, guessed = 0, 0
    for salt in public:
        guesses = {digest[:12] + digest[13:16] + digest[17:] for digest in hashed(everybody, salt)}
        found += len(published & guesses)
        guessed += len(guesses)
    guesses = {bare(token) for token in tokens(pl.Series("value", everybody), "00" * 32)}
    found += len(published & guesses)
    guessed += len(guesses)
    control = {
        salt: len(set(hashed(victims, salt)) & set(hashed(everybody, salt))) for salt in ("", gate.home.project_id)
    }
    figures(
        "T-PSEUD-2",
        people=len(victims),
        guesses=guessed,
        found=found,
        found_of_bare_hashes=control[""],
        found_of_salted_hashes=control[gate.home.project_id],
    )
    assert found == 0
    assert set(control.values()) == {len(victims)}


# ---- T-PSEUD-3: nowhere a hash without a key, and no pseudonyms where there are few values

HASHES = frozenset(
    {"sha1", "sha224", "sha256", "sha384", "sha512", "md5", "blake2b", "blake2s", "crc32", "adler32", "file_digest"}
    | {"hash", "hash_rows", "sha2_256", "sha2_512", "sha3_256", "sha3_512", "blake3", "xxhash64", "wyhash"}
)
"""What a call of a hash without a key is called, in Python and in the libraries that are used."""

KEYLESS = {
    "attacks/_rows.py": "names of columns, and codes of declared values, to put rows in an order",
    "attacks/_suite.py": "parameters of an attack",
    "contracts/meaning.py": "the text of a contract or a purpose",
    "drafting/judged.py": "the source of what guesses; names, types and counts of columns",
    "gate.py": "the text of a question; digests that are keyed",
    "invariants/_asking.py": "names of columns, as declared",
    "ledger/merkle.py": "entries of the ledger, salted, which hold no identifier",
    "ledger/notes.py": "a public key",
    "ledger/standalone.py": "the same",
    "lineage/program.py": "files of the program",
    "reports/_page.py": "the style and the script of a page",
    "rotation.py": "a whole file of ciphertext",
    "stages/step.py": "source code and queries",
    "subjects/people.py": "names of tables; what is keyed",
    "warehouse/tombstones.py": "names of tables and the SQL of a column; lines that are keyed",
    "warehouse/sources/files.py": "a whole source file, before an HMAC",
    "warehouse/versions.py": "a whole file of ciphertext",
}
"""The modules that hash without a key, and what it is that they hash. None of it is an identifier."""


def hashes_in(source: str) -> Iterator[str]:
    """The names of all hashes without a key that a module's text calls or hands on."""
    for node in ast.walk(ast.parse(source)):
        called = node.func if isinstance(node, ast.Call) else None
        name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
        if name in HASHES or (name == "new" and isinstance(called, ast.Attribute) and "hashlib" in ast.dump(called)):
            yield name


def hashes_in_query(query: exp.Expr) -> set[str]:
    """The names of all functions of a query that hash."""
    names = {node.sql_name().lower() if not isinstance(node, exp.Anonymous) else node.name.lower()
             for node in query.find_all(exp.Func)}  # fmt: skip
    return {name for name in names if any(part in name for part in ("md5", "sha", "hash", "crc", "digest"))}


def test_no_identifier_is_hashed_without_a_key(gate: Gate, figures: Callable[..., None]) -> None:
    """T-PSEUD-3: every hash without a key is in a module that is listed with what it hashes; no step's SQL has one."""
    root = Path(privacy_assets.__file__).parent
    modules = sorted(root.rglob("*.py"))
    found = {str(path.relative_to(root)) for path in modules if any(hashes_in(path.read_text("utf-8")))}
    projects = [gate.project, load(Path(__file__).parents[2])]
    queries = [
        (asset.stage, step.query) for project in projects for asset, step in steps(project).items() if step.query
    ]
    in_queries = {(stage, name) for stage, query in queries for name in hashes_in_query(query)}
    # of a keyed token, to draw its split; the hash itself is in no version
    in_queries -= {(Stage.TRAINING, "md5"), (Stage.ANONYMIZED, "md5")}
    in_queries -= {(Stage.SYNTHETIC, "md5"), (Stage.SYNTHETIC, "hash")}  # the same, and as below
    in_queries -= {(Stage.STATISTICS, "hash")}  # of a keyed token, to choose which of a person's rows count
    planted = [
        "hashlib.sha256(value.encode())",
        "from hashlib import md5; md5(v)",
        "hashlib.new('sha256', v)",
        "frame.select(pl.col('email').hash())",
        "plh.col('email').chash.sha2_256()",
        "zlib.crc32(v)",
    ]
    planted_sql = ["SELECT md5(a) FROM t", "SELECT sha256(a) FROM t", "SELECT hash(a) FROM t", "SELECT sha1(a) FROM t"]
    caught = sum(any(hashes_in(text)) for text in planted)
    caught += sum(bool(hashes_in_query(sqlglot.parse_one(sql, dialect="duckdb"))) for sql in planted_sql)
    figures(
        "T-PSEUD-3 hashes without a key",
        modules=len(modules),
        queries=len(queries),
        of_identifiers=len(found - set(KEYLESS)) + len(in_queries),
        planted=len(planted) + len(planted_sql),
        planted_found=caught,
    )
    assert found <= set(KEYLESS)
    assert len(found) > 5
    assert in_queries == set()
    assert not any("techniques" in name for name in found)
    assert caught == len(planted) + len(planted_sql)


ADDRESS = "      sex:\n        why: smoking differs by sex\n"
WITH_ADDRESS = "      email: {why: addresses join, technique: {kind: token}}\n" + ADDRESS


@pytest.fixture
def addressed(tiny_project: Path) -> Project:
    """The tiny project, whose purpose takes tokens of the addresses as well."""
    purpose = tiny_project / "data/purposes/smoking.yaml"
    purpose.write_text(purpose.read_text("utf-8").replace(ADDRESS, WITH_ADDRESS), "utf-8")
    return load(tiny_project)


@pytest.mark.parametrize(("values", "kept"), [(9_999, False), (10_000, True)])
def test_few_values_get_no_tokens(addressed: Project, gate: Gate, values: int, kept: bool) -> None:
    """T-PSEUD-3: 9,999 different values that were observed are too few for tokens, 10,000 are not."""
    (promise,) = [found for found in promises(addressed, PATIENTS) if found.name == "large_domain__email"]
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE made AS SELECT 't' || (range % {values}) AS email FROM range(20_000)")
        (measured,) = measure(con, (promise,), exp.to_table("made"), {}, gate.now())
    assert measured.finding.numbers["values"] == values
    assert measured.finding.kept is kept


@pytest.mark.parametrize(("values", "refused"), [(2, True), (9_999, True), (10_000, False)])
@pytest.mark.parametrize("technique", ["{kind: token}", "{kind: surrogate, generator: email}"])
def test_few_declared_values_get_no_tokens(tiny_project: Path, values: int, refused: bool, technique: str) -> None:
    """T-PSEUD-3: the same of values that are declared, before anything runs, and the line is named."""
    contract, purpose = tiny_project / "data/contracts/patients.odcs.yaml", tiny_project / "data/purposes/smoking.yaml"
    text = contract.read_text("utf-8")
    enum = "".join(f"          - value: a{number}\n" for number in range(values))
    before = "      - name: email\n        logicalType: string\n"
    role = "role: direct_identifier\n              category: user.contact.email"
    assert before in text
    assert role in text
    # a direct identifier has no declared values: the contract itself refuses that
    text = text.replace(role, role.replace("direct_", "quasi_"))
    contract.write_text(text.replace(before, f"{before}        enum:\n{enum}"), "utf-8")
    declared = WITH_ADDRESS.replace("{kind: token}", technique)
    purpose.write_text(purpose.read_text("utf-8").replace(ADDRESS, declared), "utf-8")
    if not refused:
        assert load(tiny_project).purposes
        return
    with pytest.raises(BadDeclaration) as caught:
        load(tiny_project)
    assert [fault.where.rpartition(":")[0] for fault in caught.value.faults] == ["data/purposes/smoking.yaml"]
    assert "found by how often they occur" in caught.value.faults[0].what


# ---- T-PSEUD-4: however it is written, and of which epoch

PEOPLE = [
    (f"{first} {last}", f"{first}.{last}{number}@klinik-süd.example".replace(" ", ""), f"30{number:07}")
    for number, (first, last) in enumerate(
        (first, last)
        for first in ("Zoë", "Åsa", "Jürgen", "Núria", "François", "Weiß", "Ada", "Łucja", "Ελένη", "Ольга")
        for last in ("Straße", "Müller", "Ångström", "Ibáñez", "O’Brien", "van den Berg", "Çelik", "Nguyễn")
    )
]

ALIKE: Mapping[str, tuple[IdentifierDomain, int, Mapping[str, Callable[[str], str]]]] = {
    "email": (
        EMAIL,
        1,
        {
            "capitals": str.upper,
            "decomposed": lambda text: unicodedata.normalize("NFD", text),
            "spaces": lambda text: f" {text}\t",
            "no-break space": lambda text: f"\u00a0{text}\u3000",
            "wide": lambda text: text.replace("a", "\uff41").replace("@", "\uff20"),
        },
    ),
    "name": (
        NAME,
        0,
        {
            "capitals": str.upper,
            "small": str.lower,
            "decomposed": lambda text: unicodedata.normalize("NFD", text),
            "spaces": lambda text: "  " + text.replace(" ", "\u2003 \n"),
            "ligature": lambda text: text.replace("n", "\uff4e"),
        },
    ),
    "phone": (
        PHONE,
        2,
        {
            "national": lambda text: f"0{text}",
            "international": lambda text: f"+49{text}",
            "zeros": lambda text: f"0049 {text}",
            "brackets": lambda text: f"(0{text[:2]}) {text[2:5]} {text[5:]}",
            "dashes": lambda text: f"0{text[:2]}/{text[2:5]}-{text[5:]}",
        },
    ),
}
"""For each way to write alike: the domain, which of a person's identifiers it is, and how people vary it."""

APART: Mapping[str, Callable[[str], str]] = {
    "a letter more": lambda text: f"{text}1",
    "a letter less": lambda text: text[:-1],
    "two letters swapped": lambda text: text[:3] + text[4] + text[3] + text[5:],
}


def test_however_it_is_written_it_is_one_person(figures: Callable[..., None]) -> None:
    """T-PSEUD-4: variants have one token where the domain says so; other identifiers, and opaque ones, have others."""
    alike: dict[IdentifierDomain, list[tuple[str, str]]] = {}
    apart: dict[IdentifierDomain, list[tuple[str, str]]] = {PATIENT: []}
    for way, (domain, place, variants) in ALIKE.items():
        alike[domain], apart[domain] = [], []
        for person in PEOPLE:
            plain = f"0{person[place]}" if way == "phone" else person[place]
            varied = [(plain, vary(person[place])) for vary in variants.values()]
            alike[domain] += varied
            apart[PATIENT] += [(one, other) for one, other in varied if one != other]
            apart[domain] += [(plain, other) for vary in APART.values() if (other := vary(plain)) != plain]

    def joined(pairs: dict[IdentifierDomain, list[tuple[str, str]]]) -> int:
        sides = [
            [tokens(pl.Series("value", side, pl.String), "5e" * 32, domain) for side in zip(*of, strict=True)]
            for domain, of in pairs.items()
        ]
        return sum(int((one == other).sum()) for one, other in sides)

    tried = sum(map(len, alike.values()))
    wrong = tried - joined(alike) + joined(apart)
    figures("T-PSEUD-4 pairs", alike=tried, apart=sum(map(len, apart.values())), wrong=wrong)
    assert tried >= 500
    assert wrong == 0


def values_in(gate: Gate, asset: AssetName) -> set[str]:
    """Every value, as text, of every table of the version that stands."""
    passport = gate.latest(asset)
    assert isinstance(passport, Passport)
    found: set[str] = set()
    with governed(gate.home.spill, inputs={"held": gate.attachment(passport)}, candidate=None) as con:
        tables = con.execute(
            "SELECT table_name, list(column_name) FROM duckdb_columns() WHERE database_name = 'held' GROUP BY ALL"
        ).fetchall()
        for table, columns in tables:
            for column in columns:
                rows = con.execute(f"SELECT CAST({quoted(column)} AS VARCHAR) FROM held.main.{quoted(table)}")
                found |= {value for (value,) in rows.fetchall() if value is not None}
    return found


def test_a_new_epoch_leaves_no_old_pseudonym(
    published: Gate, tiny_project: Path, reopen: Callable[[], Gate], figures: Callable[..., None]
) -> None:
    """T-PSEUD-4: with a new epoch, what holds old pseudonyms is refused; rebuilt, no standing version holds one."""
    purpose = tiny_project / "data/purposes/smoking.yaml"
    key = map_key(published, published.project.purposes["smoking"], PATIENT)
    people = pl.Series("value", [f"p-{number:02}" for number in range(1, 60)])
    old = {str(UUID(token)) for token in tokens(people, key)}  # as the engine writes them
    holding = [asset for asset in steps(published.project) if asset.purpose == "smoking"]
    before = {asset: len(old & values_in(published, asset)) for asset in holding}
    purpose.write_text(purpose.read_text("utf-8").replace("retention_days: 365", "retention_days: 365\nepoch: 2"))
    gate = reopen()
    refused = 0
    for asset in holding:
        if before[asset]:
            with pytest.raises(Refused, match="another epoch"):
                gate.require(asset, {"pseudonymized": "features", "features": "training"}.get(asset.stage, "person"))
            refused += 1
    for asset, step in steps(gate.project).items():
        if asset.purpose == "smoking":
            carry_out(step, gate).raise_faults()
    after = {asset: len(old & values_in(gate, asset)) for asset in holding}
    figures(
        "T-PSEUD-4 epochs",
        old_pseudonyms=len(old),
        standing_before=sum(before.values()),
        versions_refused=refused,
        standing_after=sum(after.values()),
    )
    assert refused >= 3
    assert before[PATIENTS] == len(old)
    assert sum(after.values()) == 0
