"""Names of people in free text, by the lists of Faker in all its languages.

Belongs here: finding names in running text. Does not belong here: columns that hold names and nothing else
(`drafting/detectors/person_name.py`), names of the row's own person, which are known and need no list.

A name is a run of words that begin with a capital letter, of which one stands in the lists and is no word of everyday
language, or one is an initial between two others, or none is a word of everyday language; or two words that are written
small and both stand in the lists. Accents do not count. What it does not cover: single names that no list has or that
are written small, and names that are words as well (Will, Rose) where they stand alone. Names of firms and works are
taken for names of people where they look like them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from privacy_assets.word_lists import texts

_NAMES = re.compile(r"(?:first|middle|(?:\w+_)?last)_(?:\w+_)?names(?:_\w+)?")
"""What the lists of names are called in the languages of Faker."""

_LANGUAGES = ("en_US", "de_DE", "fr_FR", "it_IT", "nl_NL")
"""Whose everyday words are known: the lists of others hold names."""

SHORT, LONGEST = 3, 4

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_BETWEEN = re.compile(r"\.?[ \t]+|-")


def without_names(text: str, placeholder: str) -> str:
    """The text with each run of names replaced."""
    pieces: list[str] = []
    kept_from = 0
    for run in _runs(text):
        if span := _named(run):
            pieces += text[kept_from : span[0]], placeholder
            kept_from = span[1]
    return "".join([*pieces, text[kept_from:]]) if pieces else text


def _runs(text: str) -> Iterator[list[re.Match[str]]]:
    """Words that stand side by side and are written alike: with a capital letter, or without."""
    run: list[re.Match[str]] = []
    for word in _WORD.finditer(text):
        if run and (
            text[run[-1].start()].isupper() != text[word.start()].isupper()
            or not _BETWEEN.fullmatch(text, run[-1].end(), word.start())
        ):
            yield run
            run = []
        run.append(word)
    if run:
        yield run


def _named(run: list[re.Match[str]]) -> tuple[int, int] | None:
    """From where to where a run of words is a name; None where it is none."""
    words = [_known(word.group()) for word in run]
    if not run[0].group()[0].isupper():
        pairs = [at for at in range(len(run) - 1) if words[at].sure and words[at + 1].sure]
        return (run[pairs[0]].start(), run[pairs[-1] + 1].end()) if pairs else None
    nothing_else = 1 < len(words) <= LONGEST and not any(word.everyday or word.short for word in words)
    if not (nothing_else or any(word.sure for word in words) or any(word.initial for word in words[1:-1])):
        return None
    # a word of everyday language beside a name is part of it if it is a name as well, but for the shortest (the, son)
    likely = [at for at, word in enumerate(words) if not word.everyday or (word.listed and not word.short)]
    return (run[likely[0]].start(), run[likely[-1]].end()) if likely else None


class _Known(NamedTuple):
    """What the lists say of a word. `sure` is a name that is no word of everyday language."""

    listed: bool
    everyday: bool
    sure: bool
    short: bool
    initial: bool


@lru_cache(maxsize=1 << 16)
def _known(written: str) -> _Known:
    names, words = names_and_words()
    word = plain(re.sub(r"['’]s$", "", written))
    listed = word in names or ("-" in word and not names.isdisjoint(word.split("-")))
    everyday = word in words
    initial = len(word) == 1 and word not in "ai"
    return _Known(listed, everyday, listed and not everyday, len(word) <= SHORT, initial)


def plain(word: str) -> str:
    """The word in lower case, without accents."""
    if word.isascii():
        return word.lower()
    apart = unicodedata.normalize("NFKD", word.lower())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


@cache
def names_and_words() -> tuple[frozenset[str], frozenset[str]]:
    """Names of people, and words of everyday language, both plain."""
    words = frozenset(plain(word) for word in texts("lorem", re.compile("word_list"), _LANGUAGES))
    names = {plain(part) for name in texts("person", _NAMES) for part in name.split()}
    return frozenset(name for name in names if len(name) > 2), words
