"""T-ANON-1: the measures of classes agree with a second implementation on random tables, and a wrong one is caught.

The tables have unknown values, ties, one row, one class, classes that are all different, and values that no row has.
"""

import random
from collections import Counter
from fractions import Fraction
from math import exp

import pytest

from tests.invariants import brute_force
from tests.invariants.brute_force import classes
from tests.invariants.engine import measured

TABLES, MANY_TABLES, MOST = 200, 1_000, 200
LARGER_TABLES, LARGER = 100, 2_000
EXACT = 1e-12
"""What one division may round; the sums before it are of whole numbers."""
ROUNDED = 1e-9
"""What the logarithms of an entropy may round."""

ORDER = ["low", "rather low", "middle", "rather high", "high"]
HIERARCHY = [
    ["a", "A", "vowel", "*"],
    ["e", "E", "vowel", "*"],
    ["b", "B", "consonant", "*"],
    ["c", "B", "consonant", "*"],
    ["d", "D", "consonant", "*"],
]
LEAVES = [row[0] for row in HIERARCHY]


def _table(dice, most):
    """Rows with 1 to 3 quasi-identifiers and a value of each kind; how many differ is a matter of dice."""
    names = ["q1", "q2", "q3"][: dice.randint(1, 3)]
    n = dice.choice([1, 2, 3, dice.randint(1, 20), dice.randint(1, most), dice.randint(1, most)])
    shape = dice.choice(["mixed", "mixed", "mixed", "mixed", "one class", "all different"])
    widths = [dice.randint(1, 6) for _ in names]
    weights = [dice.random() ** dice.choice([0, 3]) + 1e-9 for _ in ORDER]
    unknown, numbers = dice.choice([0, 0.1, 0.5]), dice.choice([2, 5, 1000])

    def or_unknown(value):
        return None if dice.random() < unknown else value

    rows = []
    for place in range(n):
        match shape:
            case "one class":
                row = dict.fromkeys(names, "same")
            case "all different":
                row = dict.fromkeys(names, str(place))
            case _:
                row = {name: or_unknown(str(dice.randrange(width))) for name, width in zip(names, widths, strict=True)}
        row["number"] = or_unknown(dice.randrange(numbers) - numbers // 2)
        row["order"] = dice.choices(ORDER, weights)[0]
        row["leaf"] = dice.choices(LEAVES, weights)[0]
        row["member"] = dice.random() < weights[0]
        rows.append(row)
    rows[dice.randrange(n)]["member"] = True
    return names, rows


def _ours(names, rows, least):
    """All that the invariants say of a table."""

    def ask(kind, number, **asks):
        return measured(kind, {"quasi_identifiers": names, **asks}, output=rows)[number]

    diverse = {"column": "number", "l": least}
    recursive = measured(
        "l_diversity", {"quasi_identifiers": names, "form": "recursive", "c": 2.0, **diverse}, output=rows
    )
    presence = measured(
        "delta_presence", {"quasi_identifiers": names, "member": "member", "at_most": 1.0}, output=rows, linked=rows
    )
    return {
        "k": ask("k_anonymity", "smallest", k=1),
        "l distinct": ask("l_diversity", "worst", **diverse),
        "l entropy": ask("l_diversity", "worst", form="entropy", **diverse),
        "l recursive": recursive["worst"],
        "l recursive, short": recursive["short"],
        "t equal": ask("t_closeness", "farthest", column="number", t=1.0),
        "t ordered": ask("t_closeness", "farthest", column="number", t=1.0, distance="ordered"),
        "t ordered, declared": ask("t_closeness", "farthest", column="order", t=1.0, distance="ordered", order=ORDER),
        "t hierarchical": ask(
            "t_closeness", "farthest", column="leaf", t=1.0, distance="hierarchical", hierarchy=HIERARCHY
        ),
        "delta lowest": presence["lowest"],
        "delta highest": presence["highest"],
    }


def _theirs(names, rows, least):
    """The same by the second implementation."""
    ratio, short = brute_force.recursive(rows, names, "number", least)
    lowest, highest = brute_force.delta(rows, names, "member")
    return {
        "k": brute_force.k(rows, names),
        "l distinct": brute_force.distinct_l(rows, names, "number"),
        "l entropy": exp(brute_force.entropy(rows, names, "number")),
        "l recursive": ratio,
        "l recursive, short": short,
        "t equal": brute_force.t_equal(rows, names, "number"),
        "t ordered": brute_force.t_ordered(rows, names, "number", _in_order(rows)),
        "t ordered, declared": brute_force.t_ordered(rows, names, "order", ORDER),
        "t hierarchical": brute_force.t_hierarchical(rows, names, "leaf", HIERARCHY),
        "delta lowest": lowest,
        "delta highest": highest,
    }


def _in_order(rows):
    """The different numbers of a table, the unknown one last."""
    found = {row["number"] for row in rows}
    return sorted(found - {None}) + [None] * (None in found)


def _differ(ours, theirs):
    """Which of the numbers are not the same."""
    return [
        name
        for name, number in theirs.items()
        if abs(ours[name] - float(number)) > (ROUNDED if name == "l entropy" else EXACT) * max(1, float(number))
    ]


def _mutants(names, rows, least, theirs):
    """Wrong measures, by what is wrong with them: the number that each gets wrong, and what it says."""
    groups = classes(rows, names)
    known = [row for row in rows if None not in (row[name] for name in names)]
    shares = [Counter(row["number"] for row in group) for group in groups]
    first = groups[0]
    yield "unknown in a class is no value", "l distinct", min(len(set(of) - {None}) for of in shares)
    yield "unknown as quasi-identifier is no value", "k", brute_force.k(known, names) if known else 0
    few = rows if len(rows) <= 40 else []
    like = [sum(all(row[name] in (one[name], None) for name in names) for row in few) for one in few]
    yield "unknown is like any other", "k", min(like, default=theirs["k"])
    yield "the first class only", "k", len(first)
    yield "one quasi-identifier forgotten", "k", brute_force.k(rows, names[1:])
    yield "the mean class", "k", Fraction(len(rows), len(groups))
    yield "the largest entropy", "l entropy", max(exp(brute_force.entropy(group, [], "number")) for group in groups)
    yield "the entropy in bits", "l entropy", exp(brute_force.entropy(rows, names, "number") / 0.6931471805599453)
    yield "a tail from l + 1 on", "l recursive", brute_force.recursive(rows, names, "number", least + 1)[0]
    yield "short only below l - 1", "l recursive, short", brute_force.recursive(rows, names, "number", least - 1)[1]
    yield "the class's own distribution", "t equal", max(brute_force.t_equal(group, [], "number") for group in groups)
    yield "the rest in place of the whole", "t equal", _against_the_rest(groups)
    yield "the halving forgotten", "t equal", 2 * theirs["t equal"]
    order = _in_order(rows)
    yield "m for m - 1", "t ordered", theirs["t ordered"] * (len(order) - 1) / len(order)
    turned = [None, *order[:-1]] if order[-1] is None else order
    yield "unknown first", "t ordered", brute_force.t_ordered(rows, names, "number", turned)
    seen = [value for value in ORDER if any(row["order"] == value for row in rows)]
    yield "only values that occur", "t ordered, declared", brute_force.t_ordered(rows, names, "order", seen)
    yield "no heights", "t hierarchical", brute_force.t_equal(rows, names, "leaf")
    flat = [[row[0], row[1], row[-1]] for row in HIERARCHY]
    yield "a level forgotten", "t hierarchical", brute_force.t_hierarchical(rows, names, "leaf", flat)
    yield (
        "only classes with members",
        "delta lowest",
        brute_force.delta(
            [row for group in groups if any(row["member"] for row in group) for row in group], names, "member"
        )[0],
    )
    yield "the share of the whole", "delta highest", brute_force.delta(rows, [], "member")[1]


def _against_the_rest(groups):
    everything, farthest = Counter(row["number"] for group in groups for row in group), Fraction(0)
    for group in groups:
        p = Counter(row["number"] for row in group)
        q = everything - p or everything
        moved = sum(abs(Fraction(p[value], p.total()) - Fraction(q[value], q.total())) for value in p | q)
        farthest = max(farthest, moved / 2)
    return farthest


def _compare(figures, seed, tables, most):
    """Fails where a number differs; the mutants that no table caught."""
    dice, caught, rows_seen = random.Random(seed), Counter(), 0
    compared, disagreeing = 0, []
    for place in range(tables):
        names, rows = _table(dice, most)
        least = dice.randint(1, 4)
        ours, theirs = _ours(names, rows, least), _theirs(names, rows, least)
        compared += len(theirs)
        rows_seen += len(rows)
        disagreeing += [(place, name, ours[name], theirs[name]) for name in _differ(ours, theirs)]
        for what, name, said in _mutants(names, rows, least, theirs):
            caught[what] += bool(_differ({name: ours[name]}, {name: said}))
    figures(
        f"T-ANON-1 second implementation, up to {most:,} rows a table",
        tables=tables, rows=rows_seen, numbers_compared=compared, disagreeing=len(disagreeing),
        mutants=len(caught), mutants_caught=sum(times > 0 for times in caught.values()),
        least_tables_that_caught_a_mutant=min(caught.values()),
    )  # fmt: skip
    assert not disagreeing, disagreeing[:5]
    return [what for what, times in caught.items() if not times]


def test_the_measures_agree_with_a_second_implementation(figures):
    """On every number of every table; each of the wrong measures differs on some table."""
    assert _compare(figures, 1, TABLES, MOST) == []


@pytest.mark.long
def test_the_measures_agree_on_many_tables(figures):
    """The same on five times as many, others among them."""
    assert _compare(figures, 3, MANY_TABLES, MOST) == []


@pytest.mark.long
def test_the_measures_agree_on_larger_tables(figures):
    """With up to 2,000 rows, on fewer tables: a mutant may meet no table that shows it."""
    _compare(figures, 2, LARGER_TABLES, LARGER)
