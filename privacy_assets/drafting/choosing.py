"""What a person may be asked about a guess, and what follows from the answer.

Belongs here: which guesses are open, what is told of them (counts, never values), and the guess after the answer. Does
not belong here: how somebody is asked (`cli.py`), what is written of it (`writing.py`).
"""

from __future__ import annotations

from dataclasses import replace

from privacy_assets.drafting.judging import FREE_TEXT, Guess
from privacy_assets.drafting.looking import SHARED
from privacy_assets.drafting.writing import OTHER
from privacy_assets.words import Role


def is_open(guess: Guess) -> bool:
    """Whether its role rests on nothing that is sure."""
    return not guess.sure


def with_role(guess: Guess, role: Role) -> Guess:
    """The guess as somebody answered; an answer is sure, also where it is the same role."""
    said = "kept" if role is guess.role else "chosen"
    return replace(guess, role=role, sure=True, evidence=f"{guess.evidence}; {said} by who drafted it")


def could_be_needed(guess: Guess) -> bool:
    """Whether it is text that is left out of a purpose for values that too few share, while others are common."""
    names_people = guess.role is Role.DIRECT_IDENTIFIER or guess.kind == FREE_TEXT
    return not names_people and guess.facts.type == "VARCHAR" and bool(guess.facts.common)


def about_need(guess: Guess) -> str:
    """What it would mean to take such a column, in counts."""
    facts = guess.facts
    held = f"{facts.common_rows / facts.filled:.0%} of those with a value"
    return (
        f"{facts.distinct:,} different values, of which {len(facts.common)} are shared by at least {SHARED} people, or "
        f"rows where nobody is told apart ({held}). If it is needed, the purpose lists these and "
        f"calls the rest `{OTHER}`"
    )


def as_needed(guess: Guess) -> Guess:
    """The guess with the word that a purpose needs the column all the same."""
    return replace(guess, needed=True)
