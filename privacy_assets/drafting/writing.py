"""A contract and a purpose from what was found: files that load and run as they are, with a comment on every guess.

Belongs here: which promise and which technique follow from a guess, and the text of the two files. Does not belong
here: looking (`looking.py`), guessing (`judging.py`).

No value of a person stands in either file. The categories of a text column are listed where at least `looking.SHARED`
rows hold each of them: a model cannot learn from text without them, and so common a word is nobody's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from privacy_assets.drafting.judging import FREE_TEXT, Guess
from privacy_assets.drafting.looking import Look
from privacy_assets.words import Role

NARROW = ("date", "postal code", "house number", "nearly unique")
"""Kinds of numbers that point at few people as they are, and that no technique for numbers makes usefully coarser."""

LOGICAL = {
    "VARCHAR": "string", "BIGINT": "integer", "DOUBLE": "number", "BOOLEAN": "boolean", "DATE": "date",
    "TIMESTAMP": "timestamp",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Draft:
    """Two texts: what belongs into data/contracts/<name>.odcs.yaml and data/purposes/<name>_model.yaml."""

    contract: str
    purpose: str


def write(name: str, found: Look, guesses: Sequence[Guess], *, subject: str | None, target: str | None) -> Draft:
    """The draft of a dataset. `subject` is the column that names a person (None: every row is another one), `target`
    what a model is to predict (None: no model)."""
    return Draft(
        "\n".join(_contract(name, found, guesses, subject)) + "\n",
        "\n".join(_purpose(name, guesses, subject, target)) + "\n",
    )


def _contract(name: str, found: Look, guesses: Sequence[Guess], subject: str | None) -> Iterator[str]:
    yield f"# Drafted from {found.rows:,} rows. What it says of people is guessed: read it, mend it, remove this line."
    yield "apiVersion: v3.2.0\nkind: DataContract"
    yield f"id: {name}\nversion: 1.0.0\nname: {name.replace('_', ' ').capitalize()}\nstatus: draft"
    yield "description:\n  purpose: Say here what this is, and who is in it.\nteam:\n  name: unknown"
    yield from _server(found)
    yield "customProperties:\n  - property: privacy\n    value:\n      subject:\n        kind: person"
    if subject is not None:
        yield f"        column: {_text(subject)}"
    else:
        yield "        # No column names the person: every row counts as another one. If one does, add `column:`."
    yield "      # What people were told; with `consent`, say under `consents:` where their decisions are recorded."
    yield "      lawful_bases: [legitimate_interests]"
    yield f"schema:\n  - name: {name}\n    properties:"
    for guess in guesses:
        yield from _column(guess, guess.facts.name == subject)


def _server(found: Look) -> Iterator[str]:
    source = found.source
    yield f"servers:\n  - server: file\n    type: local\n    path: {_text(source.path)}\n    format: {source.format}"
    if source.format == "csv":
        yield f"    delimiter: {_text(source.delimiter)}\n    encoding: {source.encoding}"
        reading = source.reading
        nulls = ", ".join(map(_text, reading.null_text))
        yield "    customProperties:\n      - property: reading\n        value:"
        yield f"          header: {str(reading.header).lower()}\n          trim: {str(reading.trim).lower()}"
        yield f"          null_text: [{nulls}]"


def _column(guess: Guess, is_subject: bool) -> Iterator[str]:
    facts = guess.facts
    role = Role.DIRECT_IDENTIFIER if is_subject else guess.role
    yield f"      # {guess.kind}: {guess.evidence}" + ("" if guess.sure else ". Unsure: the more protected role")
    yield f"      - name: {_text(facts.name)}\n        logicalType: {LOGICAL[_type(guess, role)]}"
    if is_subject:
        yield "        required: true"
    if guess.facts.shared and role is not Role.DIRECT_IDENTIFIER:
        yield "        enum:"
        yield from (f"          - value: {_text(category)}" for category in guess.facts.shared)
    yield "        customProperties:\n          - property: privacy\n            value:"
    yield f"              role: {role.value}\n              category: {guess.category}"
    if guess.kind == FREE_TEXT and not is_subject:
        yield "              free_text: true"
    if role is Role.DIRECT_IDENTIFIER and guess.kind != FREE_TEXT:
        domain = guess.domain
        written = domain.normalization if domain and not is_subject else "none"
        yield f"              identifier_domain: {{name: {_domain(guess)}, normalization: {written}}}"


def _type(guess: Guess, role: Role) -> str:
    return "VARCHAR" if role is Role.DIRECT_IDENTIFIER else guess.facts.type


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
    yield f"datasets:\n  {name}:\n    columns:\n      {_text(who)}:"
    yield "        why: rows of one person belong into one split, and can be found again"
    yield "        technique: {kind: token}"
    left = []
    for guess in guesses:
        column = guess.facts.name
        technique = _technique(guess, is_target=column == target)
        if column == who:
            continue
        if technique is None:
            left.append(f"    # not taken: {_text(column)} ({guess.kind})")
            continue
        why = "it is what the model learns to predict" if column == target else "say why, or remove it"
        yield f"      {_text(column)}:\n        why: {why}\n        technique: {technique}"
    yield from left
    yield f"features:\n  unit: {'one row' if subject else 'one person'}\n  key: [{_text(who)}]\n  subject: {_text(who)}"
    yield "guarantee:\n  at_least_subjects: 10"
    yield "training:\n  from: features"
    yield "  reason: A draft, to see what comes out; nobody has decided yet that models may see these rows."
    yield "  split: {train: 0.7, validation: 0.15, test: 0.15, seed: 1}"
    if target is not None:
        kind = next(guess.facts.type for guess in guesses if guess.facts.name == target)
        task = "regression" if kind in ("BIGINT", "DOUBLE") else "classification"
        estimator = "ridge" if task == "regression" else "logistic_regression"
        yield f"model:\n  task: {task}\n  target: {_text(target)}\n  estimator: {{kind: {estimator}}}\n  seed: 1"


def _technique(guess: Guess, *, is_target: bool) -> str | None:
    """What is done to a column; None where it is not taken: it names people, or no model could learn from it."""
    if guess.role is Role.DIRECT_IDENTIFIER:
        return None
    match guess.facts.type:
        case "DATE" | "TIMESTAMP":
            return "{kind: truncate_date, to: year}"
        case "VARCHAR" if not guess.facts.shared:
            return None
        case "BIGINT" if guess.kind in NARROW and not is_target:
            return None
        case _ if guess.kind == "age" and not is_target:
            return "{kind: code_extremes, high: 89}"
    return "{kind: keep}"


def _text(text: str) -> str:
    """As YAML: bare where it cannot be misread, else as JSON."""
    return (
        text
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", text) and text.lower() not in _WORDS
        else json.dumps(text, ensure_ascii=False)
    )


_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
