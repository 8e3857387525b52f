"""k, l, t and delta a second time, in plain Python, from the papers' definitions: lists, dictionaries and fractions.

Nothing here is shared with the invariants, and nothing is clever: what the definition sums over is looped over.
`None` is a value like any other. Rows are dictionaries.
"""

from collections import Counter
from fractions import Fraction
from math import log

from hypothesis import strategies as st


def table(quasi_identifiers, values=None, most=40):
    """Rows with few different values, so that classes have several of them, and with unknown ones."""
    few = st.one_of(st.none(), st.sampled_from(["a", "b", "c"]))
    columns = dict.fromkeys(quasi_identifiers, few) | ({} if values is None else {"s": values})
    return st.lists(st.fixed_dictionaries(columns), min_size=1, max_size=most)


def classes(rows, quasi_identifiers):
    """The rows of each class."""
    found = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in quasi_identifiers), []).append(row)
    return list(found.values())


def k(rows, quasi_identifiers):
    """Rows of the smallest class."""
    return min(len(group) for group in classes(rows, quasi_identifiers))


def distinct_l(rows, quasi_identifiers, column):
    """The smallest number of different values in a class."""
    return min(len({row[column] for row in group}) for group in classes(rows, quasi_identifiers))


def entropy(rows, quasi_identifiers, column):
    """The smallest entropy of a class: l is exp of it."""
    return min(
        -sum(Fraction(n, len(group)) * log(Fraction(n, len(group))) for n in _counted(group, column).values())
        for group in classes(rows, quasi_identifiers)
    )


def recursive(rows, quasi_identifiers, column, least):
    """The largest r_1 / (r_least + ... + r_m), 0 where there is none, and how many classes are short."""
    ratios, short = [Fraction(0)], 0
    for group in classes(rows, quasi_identifiers):
        r = sorted(_counted(group, column).values(), reverse=True)
        if len(r) < least:
            short += 1
        else:
            ratios.append(Fraction(r[0], sum(r[least - 1 :])))
    return max(ratios), short


def t_equal(rows, quasi_identifiers, column):
    """1/2 sum |p - q|, of the farthest class."""
    everything = _shares(rows, column)
    return max(
        sum(abs(_shares(group, column).get(value, 0) - q) for value, q in everything.items()) / 2
        for group in classes(rows, quasi_identifiers)
    )


def t_ordered(rows, quasi_identifiers, column, order):
    """1/(m - 1) sum |cumulative difference|, over the whole order."""
    if len(order) == 1:
        return Fraction(0)
    everything, farthest = _shares(rows, column), Fraction(0)
    for group in classes(rows, quasi_identifiers):
        p, difference, moved = _shares(group, column), Fraction(0), Fraction(0)
        for value in order:
            difference += p.get(value, 0) - everything.get(value, 0)
            moved += abs(difference)
        farthest = max(farthest, moved / (len(order) - 1))
    return farthest


def t_hierarchical(rows, quasi_identifiers, column, hierarchy):
    """Sum over inner nodes of height/H min(pos_extra, neg_extra), as section 5 has it: node by node, upwards."""
    top, everything, farthest = len(hierarchy[0]) - 1, _shares(rows, column), Fraction(0)
    for group in classes(rows, quasi_identifiers):
        p = _shares(group, column)
        extra = {(0, row[0]): p.get(row[0], Fraction(0)) - everything.get(row[0], Fraction(0)) for row in hierarchy}
        cost = Fraction(0)
        for height in range(1, top + 1):
            children = {}
            for row in hierarchy:
                children.setdefault((height, row[height]), set()).add((height - 1, row[height - 1]))
            for node, below in children.items():
                extra[node] = sum(extra[child] for child in below)
                too_much = sum(extra[child] for child in below if extra[child] > 0)
                too_little = sum(-extra[child] for child in below if extra[child] < 0)
                cost += Fraction(height, top) * min(too_much, too_little)
        farthest = max(farthest, cost)
    return farthest


def delta(rows, quasi_identifiers, member):
    """The lowest and the highest share of members in a class of the whole population."""
    shares = [
        Fraction(sum(row[member] is True for row in group), len(group)) for group in classes(rows, quasi_identifiers)
    ]
    return min(shares), max(shares)


def _counted(rows, column):
    return Counter(row[column] for row in rows)


def _shares(rows, column):
    return {value: Fraction(count, len(rows)) for value, count in _counted(rows, column).items()}
