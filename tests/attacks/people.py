"""Invented people with names that stand out and values that go together, and releases about them that are known to
leak or not to."""

from __future__ import annotations

import numpy as np

from privacy_assets.attacks._people import exposure
from privacy_assets.coded import Coded, Domain

DOMAINS = (
    Domain("age", low=18, high=90),
    Domain("region", tuple("abcdefghij")),
    Domain("work", tuple("abcdefgh")),
    Domain("school", tuple("abcdef")),
    Domain("alone", ("false", "true")),
    Domain("income", low=0, high=300),
    Domain("hours", low=0, high=80),
    Domain("spent", low=0, high=500),
    Domain("ill", ("no", "yes", "unsaid")),
)
SECRET = (8, 5)
ALL = tuple(range(len(DOMAINS)))


def population(rows: int, generator: np.random.Generator) -> Coded:
    """People of four sorts; some values follow from others, some are unknown, and a few people are like nobody."""
    sort = generator.choice(4, rows, p=[0.4, 0.3, 0.2, 0.1])
    age = 30 + 9 * sort + generator.normal(0, 9, rows)
    school = (sort + generator.poisson(0.7, rows)) % 6
    work = (2 * sort + generator.poisson(0.8, rows)) % 8
    region = generator.choice(10, rows, p=np.arange(10, 0, -1) / 55)
    income = np.exp(3.2 + 0.25 * school + generator.normal(0, 0.45, rows))
    hours = 38 + 3 * (work % 3) + generator.normal(0, 7, rows)
    spent = income * generator.uniform(0.4, 1.1, rows) + 10 * (region % 4)
    alone = generator.random(rows) < 0.2 + 0.1 * sort
    ill = np.where(generator.random(rows) < 0.05 + age / 300, 1, 2 * (generator.random(rows) < 0.1))
    columns = (age - 18, region, work, school, alone, income, hours, spent, ill)
    odd = generator.random(rows) < 0.02
    codes = np.empty((rows, len(DOMAINS)), np.int32)
    for place, (domain, values) in enumerate(zip(DOMAINS, columns, strict=True)):
        values = np.where(odd, generator.integers(domain.size, size=rows), np.rint(values))
        codes[:, place] = np.clip(values, 0, domain.size - 1)
    codes[generator.random(rows) < 0.03, 6] = DOMAINS[6].size
    return Coded(DOMAINS, codes)


def marginals(table: Coded, rows: int, generator: np.random.Generator) -> Coded:
    """Rows whose columns have nothing to do with each other: drawn from histograms, numbers from 24 bins."""
    codes = np.empty((rows, len(table.domains)), np.int32)
    for place, domain in enumerate(table.domains):
        drawn = generator.choice(table.codes[:, place], rows)
        width = max(1, -(-domain.size // 24)) if domain.ordered else 1
        moved = np.minimum(drawn // width * width + generator.integers(width, size=rows), domain.size - 1)
        codes[:, place] = np.where(drawn == domain.size, drawn, moved)
    return Coded(table.domains, codes)


def partly_copied(table: Coded, generator: np.random.Generator, share: float = 0.5) -> Coded:
    """A part of the rows as they are, the rest from the marginals."""
    made = marginals(table, table.rows, generator)
    size = round(share * table.rows)
    made.codes[:size] = table.codes[generator.permutation(table.rows)[:size]]
    return made


def memorized(table: Coded, generator: np.random.Generator, share: float = 0.01) -> Coded:
    """The most outlying part of the rows as they are, the rest from the marginals."""
    made = marginals(table, table.rows, generator)
    size = round(share * table.rows)
    made.codes[:size] = table.codes[np.argsort(-exposure(table), kind="stable")[:size]]
    return made


def disguised(table: Coded, generator: np.random.Generator) -> Coded:
    """Every row by one fixed rule: numbers shifted, categories renamed. No row is close to its own."""
    codes = np.empty_like(table.codes)
    for place, domain in enumerate(table.domains):
        own = table.codes[:, place]
        if domain.ordered:
            shift = generator.integers(domain.size // 10, domain.size // 4)
            moved = np.clip(own + shift, 0, domain.size - 1)
        else:
            moved = np.append(generator.permutation(domain.size), domain.size)[own]
        codes[:, place] = np.where(own == domain.size, own, moved)
    return Coded(table.domains, codes)
