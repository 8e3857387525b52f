"""Models to be attacked: made up, and fitted to invented people.

Belongs here: targets of attacks on models. Does not belong here: laws (`test_*.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from privacy_assets.attacks import shadow_models
from privacy_assets.attacks._modelled import Floats, Modelled, Places
from privacy_assets.attacks._trying import Tries
from privacy_assets.techniques.train import TRAIN, _fitting
from privacy_assets.techniques.train._again import Again
from privacy_assets.words import Column

INPUTS = (*(Column(f"x{place}", "DOUBLE") for place in range(8)), Column("ward", "VARCHAR", domain=tuple("abcdefgh")))


def made_up(people: int, remembers: float, seed: int = 0, rows: int = 1, task: Any = "regression") -> Modelled:
    """A model that is off by chance, and that much nearer to the truth on rows that it learned from.

    Every second person is a member, each with so many rows; every fit is off by other chances.
    """
    person = np.arange(people * rows) // rows
    member = person % 2 == 0
    hard = np.random.default_rng(seed).normal(size=len(person))

    def said(inside: np.ndarray, draw: np.random.Generator) -> Floats:
        off: Floats = hard + draw.normal(size=len(person)) - remembers * inside
        return off if task == "regression" else 1 / (1 + np.exp(off))

    def learn(learned: Places, told: Places) -> Floats:
        inside = np.isin(np.arange(len(person)), learned)
        whole = np.bincount(person[inside], minlength=people)
        assert np.isin(whole, (0, rows)).all()  # nobody's rows are torn apart
        return said(inside, np.random.default_rng((seed, int(learned.sum()))))[told]

    return Modelled(person, member, said(member, np.random.default_rng((seed, 0))), learn, task)


def invented(rows: int, noise: float = 4.0, seed: int = 0) -> pl.DataFrame:
    """People of whom little can be told, half of them in train: `yes` and `number` depend on two columns and chance."""
    draw = np.random.default_rng(seed)
    values = draw.normal(size=(rows, 8))
    number = 2 * values[:, 0] - values[:, 1] + noise * draw.normal(size=rows)
    columns = {f"x{place}": values[:, place] for place in range(8)}
    told = {"ward": draw.choice(list("abcdefgh"), rows), "yes": number > 0, "number": number}
    return pl.DataFrame(columns | told | {"split": np.where(np.arange(rows) % 2 == 0, "train", "test")})


def fitted(kind: str, frame: pl.DataFrame, task: Any = "classification", **asks: Any) -> Again:
    """An estimator fitted to train; what is asked may be less than its parameters allow."""
    parameters = TRAIN[kind].Parameters
    estimator = parameters.model_construct(**{**parameters(kind=kind).model_dump(), **asks})
    target = "yes" if task == "classification" else "number"
    model = _fitting.fit(frame, inputs=INPUTS, target=target, task=task, estimator=estimator, seed=1)
    return Again(model, frame, estimator, 1)


def modelled(kind: str, frame: pl.DataFrame, task: Any = "classification", **asks: Any) -> Modelled:
    """The same as an adversary meets it, each row a person."""
    again = fitted(kind, frame, task, **asks)
    return Modelled(np.arange(frame.height), (frame["split"] == "train").to_numpy(), again.said(), again.learn, task)


def lines(target: Modelled, seed: int = 1, **asks: Any) -> dict[str, Tries]:
    """What the attack came to, by its rate of false positives."""
    parameters = shadow_models.Parameters(kind="shadow_models", **asks)
    return {one.about: one for one in shadow_models.attack(parameters, target, np.random.default_rng(seed))}
