"""Models to be attacked: made up, and fitted to invented people.

Belongs here: targets of attacks on models. Does not belong here: laws (`test_*.py`).
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import polars as pl

from privacy_assets.attacks import ATTACKS
from privacy_assets.attacks._modelled import Floats, Modelled, Places
from privacy_assets.attacks._trying import EVERYONE, Tries
from privacy_assets.invariants import attack_excess
from privacy_assets.stages._attacking import counts
from privacy_assets.techniques.train import TRAIN, _fitting
from privacy_assets.techniques.train._again import Again
from privacy_assets.threat_models import THREAT_MODELS
from privacy_assets.words import Column, Verdict

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

    def plant(learned: Places, canaries: Places, first: int) -> Floats:
        assert first <= len(learned) / 100 and member[learned].all() and len(np.unique(learned)) == len(learned)
        assert not member[canaries].any() and canaries.shape[1] == 4
        off = hard[canaries[:, 0]] + np.random.default_rng((seed, int(canaries.sum()))).normal(size=len(canaries))
        off = np.where(np.arange(len(canaries)) < first, off / (1 + remembers), off)
        return off if task == "regression" else 1 / (1 + np.exp(np.abs(off)))

    return Modelled(person, member, said(member, np.random.default_rng((seed, 0))), learn, task, 3, plant)


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
    member = (frame["split"] == "train").to_numpy()
    return Modelled(np.arange(frame.height), member, again.said(), again.learn, task, again.inputs, again.plant)


def lines(target: Modelled, seed: int = 1, kind: str = "shadow_models", **asks: Any) -> dict[str, Tries]:
    """What the attack came to, by its rate of false positives."""
    parameters = ATTACKS[kind].Parameters(kind=kind, **asks)
    return {one.about: one for one in ATTACKS[kind].attack(parameters, target, np.random.default_rng(seed))}


def verdicts(
    attack: str, found: dict[str, Tries], kind: str = "public_release", fewest: int = 1000
) -> dict[str, Verdict]:
    """What the threat model says of that attack, by rate."""
    model = THREAT_MODELS[kind]
    judged = {}
    for asked in model.on_model(model.Parameters(kind=kind, members_at_least=fewest)):
        if asked.attack.kind != attack:
            continue
        (about,), ceiling = asked.about, asked.ceilings[EVERYONE]
        parameters = attack_excess.Parameters(
            kind="attack_excess", attack=attack, about=about, **dataclasses.asdict(ceiling)
        )
        numbers = counts([(attack, line) for line in found.values()], attack, about, EVERYONE)
        judged[about] = attack_excess.judge(parameters, numbers).verdict
    return judged
