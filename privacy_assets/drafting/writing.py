"""A contract and a purpose from what was found: files that load and run as they are, with a comment on every guess.

Belongs here: which promise and which technique follow from a guess, and the text of the two files. Does not belong
here: looking (`looking.py`), guessing (`judging.py`).

No value of a person stands in either file. The categories of a text column are listed where at least `looking.SHARED`
people have each of them: a model cannot learn from text without them, and so common a word is nobody's own. Where no
column tells people apart rows are counted, which may be one person's: that is said.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from privacy_assets.contracts.contract import ColumnPrivacy, ContractColumn, Drafted, Files, Postgres
from privacy_assets.drafting.combinations import Combinations
from privacy_assets.drafting.judging import FREE_TEXT, Guess
from privacy_assets.drafting.looking import SHARED, Look
from privacy_assets.warehouse.connections import literal, quoted
from privacy_assets.words import Frozen, IdentifierDomain, Role

NARROW = ("date", "postal code", "house number", "nearly unique")
"""Kinds of numbers that point at few people as they are, and that no technique for numbers makes usefully coarser."""

WIDTH = 120
MOST_SETS_WRITTEN = 20
"""So many sets of columns that single people out are listed, the smallest first, those that single out most first."""

OTHER = "other"
"""What all values of a needed column are called that too few people have."""

NTH = "nth_row_of_person"
"""What tells the rows of one person apart."""

LOGICAL = {
    "VARCHAR": "string", "BIGINT": "integer", "DOUBLE": "number", "BOOLEAN": "boolean", "DATE": "date",
    "TIMESTAMP": "timestamp",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Draft:
    """Two texts: what belongs into data/contracts/<name>.odcs.yaml and data/purposes/<name>_model.yaml."""

    contract: str
    purpose: str


def write(
    name: str,
    found: Look,
    guesses: Sequence[Guess],
    sets: Combinations,
    drafted: Drafted,
    *,
    subject: str | None,
    target: str | None,
) -> Draft:
    """The draft of a dataset.

    `sets` are the columns that single people out together, `drafted` is what is kept of the guesses as they were made,
    `subject` the column that names a person (None: every row is another one), `target` what a model is to predict
    (None: no model).
    """
    return Draft(
        "\n".join(_contract(name, found, guesses, sets, drafted, subject)) + "\n",
        "\n".join(_purpose(name, guesses, subject, target)) + "\n",
    )


def _contract(
    name: str, found: Look, guesses: Sequence[Guess], sets: Combinations, drafted: Drafted, subject: str | None
) -> Iterator[str]:
    yield f"# Drafted from {found.rows:,} rows. What it says of people is guessed: read it, mend it, remove this line."
    yield from _sets(sets)
    if subject is None and any(guess.facts.shared or guess.needed for guess in guesses):
        yield f"# Values are listed that {SHARED} rows share: no column tells people apart, rows may be one person's."
    yield "apiVersion: v3.2.0\nkind: DataContract"
    yield f"id: {as_yaml(name)}\nversion: 1.0.0\nname: {as_yaml(name.replace('_', ' ').capitalize())}\nstatus: draft"
    yield "description:\n  purpose: Say here what this is, and who is in it.\nteam:\n  name: unknown"
    yield from _server(found.source)
    yield "customProperties:\n  - property: privacy\n    value:\n      subject:\n        kind: person"
    if subject is not None:
        yield f"        column: {as_yaml(subject)}"
    else:
        yield "        # No column names the person: every row counts as another one. If one does, add `column:`."
    yield "      # What people were told; with `consent`, say under `consents:` where their decisions are recorded."
    yield "      lawful_bases: [legitimate_interests]"
    yield from drafted_lines(drafted)
    table = found.source.table if isinstance(found.source, Postgres) else name
    yield f"schema:\n  - name: {as_yaml(name)}" + (f"\n    physicalName: {as_yaml(table)}" if table != name else "")
    yield "    properties:"
    for guess in guesses:
        yield from column_lines(guess, guess.facts.name == subject)


def drafted_lines(drafted: Drafted) -> Iterator[str]:
    """What is kept of the draft, as the second of the contract's own properties."""
    yield "  # By what and from what this was guessed: `privacy-assets draft --drift` compares itself with it."
    yield "  - property: drafted\n    value:"
    yield f"      detectors: {json.dumps(drafted.detectors)}\n      rows: {drafted.rows}"
    yield f"      counts: {json.dumps(drafted.counts)}"
    yield from (f"      {line}" for line in guessed_lines(drafted.guessed))


def guessed_lines(guessed: Mapping[str, Role]) -> Iterator[str]:
    """The key `guessed` of what is kept of a draft."""
    yield "guessed:"
    yield from (f"  {as_yaml(column)}: {role.value}" for column, role in guessed.items())


def _sets(sets: Combinations) -> Iterator[str]:
    of = f"{sets.measured:,} rows"
    if sets.measured < sets.rows:
        of += f" drawn from {sets.rows:,} (of all of them it is less)"
    many = f"sets of at most {sets.widest} columns" if sets.widest > 1 else "columns"
    if not sets.found:
        yield f"# No {many} single out more than {sets.above:.0%} of {of}."
        return
    yield f"# The smallest {many} that single out more than {sets.above:.0%} of {of}:"
    yield "# so many have a combination of values that nobody else has, and are found by whoever knows it."
    for one in sets.found[:MOST_SETS_WRITTEN]:
        yield f"#   {one.share:.1%} by {', '.join(map(as_yaml, one.columns))}"
    if (more := len(sets.found) - MOST_SETS_WRITTEN) > 0:
        yield f"#   and {more} more sets"


def _server(source: Files | Postgres) -> Iterator[str]:
    """The source as a server of the standard."""
    if isinstance(source, Postgres):
        yield f"servers:\n  - server: database\n    type: postgres\n    host: {as_yaml(source.host)}"
        yield f"    port: {source.port}\n    database: {as_yaml(source.database)}\n    schema: {as_yaml(source.schema)}"
        yield "    # The password: PGPASSWORD, PGPASSFILE or ~/.pgpass; or name a variable, `password: ${NAME}`."
        yield from _properties(connection=source.connection)
        return
    place = "path" if source.type == "local" else "location"
    yield f"servers:\n  - server: {'file' if source.type == 'local' else 'store'}\n    type: {source.type}"
    yield f"    {place}: {as_yaml(source.path)}\n    format: {source.format}"
    if source.endpoint:
        yield f"    endpointUrl: {as_yaml(source.endpoint)}"
    if source.format == "csv":
        yield f"    delimiter: {as_yaml(source.delimiter)}\n    encoding: {source.encoding}"
    reading = {"reading": source.reading} if source.format == "csv" else {}
    connection = {"connection": source.connection} if source.type == "s3" else {}
    yield from _properties(**reading, **connection)


def _properties(**properties: Frozen) -> Iterator[str]:
    """Our typed properties of a server, without what is as it would be anyhow."""
    said = {name: value.model_dump(exclude_none=True) for name, value in properties.items()}
    if any(said.values()):
        yield "    customProperties:"
    for name, values in said.items():
        if values:
            yield f"      - property: {name}\n        value:"
            yield from (f"          {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in values.items())


def column_lines(guess: Guess, is_subject: bool = False) -> Iterator[str]:
    """A column of a contract, six spaces deep, below the comment that says why."""
    facts = guess.facts
    role = Role.DIRECT_IDENTIFIER if is_subject else guess.role
    said = f"{guess.kind}: {guess.evidence}" + ("" if guess.sure else ". Unsure: the more protected role")
    yield from textwrap.wrap(
        said, WIDTH, initial_indent="      # ", subsequent_indent="      #   ", break_on_hyphens=False
    )
    yield f"      - name: {as_yaml(facts.name)}\n        logicalType: {LOGICAL[_type(guess, role)]}"
    if is_subject:
        yield "        required: true"
    if guess.facts.shared and _is_listed(guess, role):
        yield "        enum:"
        yield from (f"          - value: {as_yaml(category)}" for category in guess.facts.shared)
    yield "        customProperties:\n          - property: privacy\n            value:"
    yield f"              role: {role.value}\n              category: {guess.category}"
    if guess.kind == FREE_TEXT and not is_subject:
        yield "              free_text: true"
    if (domain := _identifier_domain(guess, role, is_subject)) is not None:
        called = as_yaml(domain.name)
        yield f"              identifier_domain: {{name: {called}, normalization: {domain.normalization}}}"


def stated(guess: Guess) -> ContractColumn:
    """The column that these lines state."""
    privacy = ColumnPrivacy(
        role=guess.role,
        category=guess.category,
        identifier_domain=_identifier_domain(guess, guess.role),
        free_text=guess.kind == FREE_TEXT,
    )
    shared = guess.facts.shared if _is_listed(guess, guess.role) else ()
    return ContractColumn(guess.facts.name, _type(guess, guess.role), privacy, domain=shared or None)


def _is_listed(guess: Guess, role: Role) -> bool:
    """Whether its categories may be declared: those of identifiers and of free text are people."""
    return role is not Role.DIRECT_IDENTIFIER and guess.kind != FREE_TEXT


def _identifier_domain(guess: Guess, role: Role, is_subject: bool = False) -> IdentifierDomain | None:
    if role is not Role.DIRECT_IDENTIFIER or guess.kind == FREE_TEXT:
        return None
    if guess.domain is None or is_subject:
        return IdentifierDomain(name=_domain(guess))
    return guess.domain


def _type(guess: Guess, role: Role) -> str:
    """An identifier is text; but whole numbers that are written with a fraction are read as numbers, 10.0 as 10."""
    facts = guess.facts
    with_fraction = facts.type == "BIGINT" and bool(facts.sample.str.contains(".", literal=True).any())
    return "VARCHAR" if role is Role.DIRECT_IDENTIFIER and not with_fraction else facts.type


def _domain(guess: Guess) -> str:
    if guess.domain is not None:
        return guess.domain.name
    name = re.sub(r"[^a-z0-9]+", "_", guess.facts.name.lower()).strip("_")
    return name if re.match(r"[a-z]", name) else f"c_{name}"


def _purpose(name: str, guesses: Sequence[Guess], subject: str | None, target: str | None) -> Iterator[str]:
    who = subject or "_row"
    yield "# Drafted: it takes every column that a model could use. Keep those that you need, and say of each why."
    yield f"kind: Purpose\npurpose: {name}_model\nversion: 1.0.0\ntitle: Drafted for {name.replace('_', ' ')}"
    yield "why: Say here what this is for, and what it decides about whom.\nowner: team:unknown"
    yield "lawful_basis: legitimate_interests\nretention_days: 365"
    yield f"datasets:\n  {as_yaml(name)}:\n    columns:\n      {as_yaml(who)}:"
    yield "        why: rows of one person belong into one split, and can be found again"
    yield "        technique: {kind: token}"
    left, taken = [], [who]
    for guess in guesses:
        column = guess.facts.name
        technique = _technique(guess, is_target=column == target)
        if column == who:
            continue
        if technique is None:
            left.append(f"    # not taken: {as_yaml(column)} ({guess.kind})")
            continue
        taken.append(column)
        why = "it is what the model learns to predict" if column == target else "say why, or remove it"
        yield f"      {as_yaml(column)}:\n        why: {why}\n        technique: {technique}"
    yield from left
    comes_back = any(guess.facts.name == subject and guess.facts.distinct < guess.facts.rows for guess in guesses)
    key = [as_yaml(who), *([NTH] if comes_back else [])]
    yield f"features:\n  unit: {'one row of a person' if comes_back else 'one person'}"
    yield f"  key: [{', '.join(key)}]\n  subject: {as_yaml(who)}"
    rare = [guess for guess in guesses if guess.needed and guess.facts.name in taken]
    yield from _sql(name, rare, taken, who if comes_back else None)
    yield "guarantee:\n  at_least_subjects: 10"
    yield "training:\n  from: features"
    yield "  reason: A draft, to see what comes out; nobody has decided yet that models may see these rows."
    yield "  split: {train: 0.7, validation: 0.15, test: 0.15, seed: 1}"
    if target is not None:
        kind = next(guess.facts.type for guess in guesses if guess.facts.name == target)
        task = "regression" if kind in ("BIGINT", "DOUBLE") else "classification"
        estimator = "ridge" if task == "regression" else "logistic_regression"
        yield f"model:\n  task: {task}\n  target: {as_yaml(target)}\n  estimator: {{kind: {estimator}}}\n  seed: 1"


def _sql(name: str, rare: Sequence[Guess], taken: Sequence[str], numbered: str | None) -> Iterator[str]:
    """SQL that calls all but the common values of a column by one word, and the categories that this leaves.

    The rows of each person are `numbered`, where one has several: in the order of their values, so that rows which are
    alike can take each other's place.
    """
    if not rare and numbered is None:
        return
    common = {guess.facts.name: guess.facts.common for guess in rare}
    cells = []
    for column in taken:
        cell = quoted(column)
        if column in common:
            # what is missing stays missing
            listed = ", ".join(map(literal, common[column]))
            cell = f"CASE WHEN {cell} IN ({listed}) THEN {cell} WHEN {cell} IS NOT NULL THEN '{OTHER}' END AS {cell}"
        cells.append(cell)
    if numbered is not None:
        order = ", ".join(quoted(column) for column in taken)
        cells.append(f"row_number() OVER (PARTITION BY {quoted(numbered)} ORDER BY {order}) AS {NTH}")
    yield "  sql: |\n    SELECT"
    yield ",\n".join(f"      {cell}" for cell in cells)
    yield f"    FROM {quoted(name)}"
    if common:
        yield "  categories:"
    for column, values in common.items():
        yield f"    {as_yaml(column)}: [{', '.join(map(as_yaml, dict.fromkeys((*values, OTHER))))}]"


def _technique(guess: Guess, *, is_target: bool) -> str | None:
    """What is done to a column; None where it is not taken: it names people, or no model could learn from it."""
    if not _is_listed(guess, guess.role):
        return None
    match guess.facts.type:
        case "DATE" | "TIMESTAMP":
            return "{kind: truncate_date, to: year}"
        case "VARCHAR" if not guess.facts.shared and not (guess.needed and guess.facts.common):
            return None
        case "BIGINT" if guess.kind in NARROW and not is_target:
            return None
        case _ if guess.kind == "age" and not is_target:
            return "{kind: code_extremes, high: 89}"
    return "{kind: keep}"


def as_yaml(text: str) -> str:
    """The text as YAML: bare where it cannot be misread, else as JSON."""
    return (
        text
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", text) and text.lower() not in _WORDS
        else json.dumps(text, ensure_ascii=False)
    )


_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
