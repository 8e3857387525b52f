"""From a file to two files: look, judge, write, and load what was written before it counts.

Belongs here: the order of these moves, and what is asked of the words of a command. Does not belong here: any of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from privacy_assets.contracts.contract import Files
from privacy_assets.contracts.loading import CONTRACT_ENDING, PURPOSE_ENDING, Folders, load, shown
from privacy_assets.drafting.addresses import is_address
from privacy_assets.drafting.combinations import with_combinations
from privacy_assets.drafting.detectors._asking import words
from privacy_assets.drafting.headers import may_number_people
from privacy_assets.drafting.judged import judged
from privacy_assets.drafting.judging import Facts, Guess, judge, judge_all
from privacy_assets.drafting.looking import look
from privacy_assets.drafting.naming import could_be_somebody
from privacy_assets.drafting.writing import write
from privacy_assets.errors import BadDeclaration, BadSource
from privacy_assets.words import Role

PERSON = "number of a person"
LONGEST_NAME = 128


Choose = Callable[[Guess], Guess]
"""What a person makes of a guess: the same one, or one with another role, or needed."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """What was guessed of each column, and the files that were written.

    `left_out` counts the columns whose names could be somebody's: undeclared, they stay in raw, and are not told;
    `ours` those whose names begin with _, which only columns of this program's own do.
    """

    guesses: tuple[Guess, ...]
    paths: tuple[Path, Path]
    left_out: int
    ours: int
    without_header: bool


def draft_files(
    file: Path | str, name: str, root: Path, *, subject: str | None, target: str | None, choose: Choose | None = None
) -> Drafted:
    """Write the contract and the purpose of `file` (a path, a pattern, an address) into the project at `root`.

    `choose` is asked of every guess that a person may want another way; nothing is written before all are answered.

    Raises BadDeclaration where the name is none, the files are there already, or a column that was named is not;
    BadSource where the file cannot be read. Then nothing is written.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", name):
        raise BadDeclaration.of(
            "this is no name of a dataset", where="--name", expected="small letters, digits and _, a letter first"
        )
    folders = Folders.of(root)
    paths = folders.contracts / f"{name}{CONTRACT_ENDING}", folders.purposes / f"{name}_model{PURPOSE_ENDING}"
    for path in paths:
        if path.exists():
            raise BadDeclaration.of(
                "the file is there already, and is not overwritten", where=shown(path, root),
                next_step="choose another --name, or take the file away",
            )  # fmt: skip
    found = look(
        str(file) if is_address(str(file)) else _from_root(Path.cwd() / file, root),
        root,
        lambda columns: _subject(columns) if subject is None else subject,
    )
    if any(not facts.name.strip() or len(facts.name) > LONGEST_NAME for facts in found.columns):
        raise BadSource.of(
            "a column has no name that a contract can hold", where="<file>", expected=f"1 to {LONGEST_NAME} characters",
            next_step="rename it in the source; where the first line is no header, add one",
        )  # fmt: skip
    somebody = could_be_somebody([facts.name for facts in found.columns])
    if all(somebody):
        raise BadSource.of(
            "the columns are called as people are", where="<file>", expected="names of what the columns hold",
            next_step="rename them in the source; where the first line is a row, put a header above it",
        )  # fmt: skip
    undeclared = [facts.name.startswith("_") for facts in found.columns]
    if all(one or other for one, other in zip(somebody, undeclared, strict=True)):
        raise BadSource.of(
            "no column has a name that a contract can hold", where="<file>", expected="names that do not begin with _",
            next_step="rename them in the source",
        )  # fmt: skip
    kept_columns = [place for place in range(len(found.columns)) if not (somebody[place] or undeclared[place])]
    found = replace(
        found,
        columns=tuple(found.columns[place] for place in kept_columns),
        codes=tuple(found.codes[place] for place in kept_columns),
    )
    guesses = judge_all(found.columns)
    for option, column in (("--subject", subject), ("--target", target)):
        if column is not None and column not in {facts.name for facts in found.columns}:
            raise BadDeclaration.of(
                "there is no such column in the file", where=option,
                expected="one of " + ", ".join(facts.name for facts in found.columns),
            )  # fmt: skip
    source = found.source
    headless = isinstance(source, Files) and source.format == "csv" and not source.reading.header
    for guess in guesses:
        if guess.facts.name == target and guess.facts.distinct < 2:
            raise BadDeclaration.of(
                "there is nothing to predict: every row that has a value has the same one", where="--target",
                expected="a column with two different values at least",
                next_step="name another column, or draft it without --target",
            )  # fmt: skip
    subject = subject or _subject(found.columns)
    guesses, sets = with_combinations(guesses, found.codes, rows=found.rows, subject=subject)
    kept = judged(guesses)
    if choose is not None:
        guesses = tuple(choose(guess) if guess.facts.name != subject else guess for guess in guesses)
    draft = write(name, found, guesses, sets, kept, subject=subject, target=target)
    written: list[Path] = []
    try:
        for path, text in zip(paths, (draft.contract, draft.purpose), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as made:  # never one that somebody made meanwhile
                written.append(path)
                made.write(text)
        load(root)
    except BaseException as error:  # Ctrl-C among them
        for path in written:
            path.unlink(missing_ok=True)
        if target and isinstance(error, BadDeclaration) and _about(error, shown(paths[1], root)):
            raise BadDeclaration.of(
                "no model can be drafted for this target", where="--target",
                expected="a column that a draft takes into its purpose, and others to learn from",
                found=f"{sum(guess.role is Role.DIRECT_IDENTIFIER for guess in guesses)} of {len(guesses)} columns are "
                "direct identifiers; text with rare values is not taken either",
                next_step="draft it without --target, or with --interactive, and name in the purpose what is needed",
            ) from None  # fmt: skip
        raise
    return Drafted(guesses, paths, sum(somebody), sum(undeclared), headless)


def _about(error: BadDeclaration, file: str) -> bool:
    return all(fault.where.startswith(f"{file}:") for fault in error.faults)


def _from_root(path: Path, root: Path) -> str:
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def _subject(columns: Sequence[Facts]) -> str | None:
    """The first column whose header says that it numbers people, and that has a value in every row."""
    for facts in columns:
        # only a header can say so, and asking the values takes a hundred times as long
        if facts.filled == facts.rows and may_number_people(words(facts.name)) and judge(facts).kind == PERSON:
            return facts.name
    return None
