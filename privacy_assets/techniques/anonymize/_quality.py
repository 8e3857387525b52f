"""What a recoding costs, and how far it protects: figures of the field, over the rows that are published.

    loss             mean over all rows of the weighted loss of their cells, 1 for a suppressed row (Iyengar, KDD 2002)
    loss_published   the same over the published rows alone (ILoss of Xiao and Tao, SIGMOD 2006)
    discernibility   (sum of |class|^2 + suppressed * rows) / rows^2 (Bayardo and Agrawal, ICDE 2005)
    average_class    published rows / classes
    entropy          non-uniform entropy: sum over cells of -log2 P(leaf | label), as a share of that of `*` everywhere
                     (Gionis and Tassa, 2009); 0 keeps all, 1 keeps nothing
    prosecutor_risk  1 / people of the smallest class: of the person who is easiest found, by one who knows they are in
    marketer_risk    classes / people: the share of all published people who are found on average
    journalist_risk  as the prosecutor's, against the population, where there is one beside the published

Belongs here: figures by which candidates are compared and people are told. Does not belong here: any guarantee; those
are measured by invariants on what was written.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from privacy_assets.techniques.anonymize._tuples import Grouping, Judge, Recoding, Tuples


def measures(recoding: Recoding, tuples: Tuples) -> Mapping[str, float]:
    """The figures, by name."""
    inside = recoding.classes >= 0
    rows, number = tuples.rows, max(tuples.number, 1)
    published = int(rows[inside].sum())
    [kept] = np.nonzero(inside)
    grouping = Grouping.by(recoding.classes[kept], kept)
    of_classes, people = Judge(tuples, ()).counts(grouping)
    some = of_classes > 0
    of_classes, people = of_classes[some], people[some]
    loss = float((rows[inside] * recoding.loss[inside]).sum())
    found = {
        "loss": (loss + number - published) / number,
        "loss_published": loss / max(published, 1),
        "discernibility": (float((of_classes.astype(float) ** 2).sum()) + (number - published) * number) / number**2,
        "average_class": published / max(len(of_classes), 1),
        "entropy": _entropy(recoding, tuples, inside),
        "classes": float(len(of_classes)),
        "published": float(published),
        "suppressed": float(number - published),
        "suppressed_share": (number - published) / number,
        "prosecutor_risk": 1 / max(int(people.min(initial=number)), 1),
        "marketer_risk": len(of_classes) / max(int(people.sum()), 1),
    }
    if tuples.population is not None:
        everyone = grouping.sums(tuples.population)[some]
        found["journalist_risk"] = 1 / max(int(everyone.min(initial=number)), 1)
    return found


def _entropy(recoding: Recoding, tuples: Tuples, inside: np.ndarray) -> float:
    total, most = 0.0, 0.0
    weights = tuples.rows[inside].astype(float)
    for place in range(len(tuples.columns)):
        leaves = tuples.codes[inside, place]
        frame = pl.DataFrame(
            {"leaf": leaves, "label": recoding.cells[place].filter(pl.Series(inside)), "rows": weights}
        )
        # a label alone can stand for several classes that hold other leaves: of its leaves all are counted
        cells = frame.group_by("label", "leaf").agg(pl.col("rows").sum())
        share = pl.col("rows") / pl.col("rows").sum().over("label")
        total += float(cells.select((-pl.col("rows") * share.log(2)).sum()).item() or 0.0)
        plain = np.bincount(leaves, weights=weights)
        plain = plain[plain > 0]
        most += float(-(plain * np.log2(plain / weights.sum())).sum()) if len(plain) else 0.0
    return total / most if most else 0.0
