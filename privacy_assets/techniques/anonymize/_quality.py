"""What a recoding costs, and how far it protects: figures of the field.

    loss             mean over all rows of the weighted loss of their cells, 1 for a suppressed row (Iyengar, KDD 2002)
    loss_published   the same over the published rows alone; ILoss of Xiao and Tao (SIGMOD 2006) divides by the leaves
                     where this divides by the leaves - 1
    discernibility   (sum of |class|^2 + suppressed * rows) / rows^2 (Bayardo and Agrawal, ICDE 2005)
    average_class    published rows / classes (LeFevre et al., ICDE 2006, who divide by k as well)
    entropy          non-uniform entropy: sum over cells of -log2 P(leaf | label), as a share of that of `*` everywhere,
                     which a suppressed row is (Gionis and Tassa, TKDE 2009); 0 keeps all, 1 keeps nothing. P is the
                     share among the published rows with the label; theirs is among all rows whose leaf lies below it,
                     which is the same where a leaf has one label in all rows, and never less in sum
    prosecutor_risk  1 / people of the smallest class: of the person who is easiest found, by one who knows they are in
    marketer_risk    the share of all published people who are found on average, by one who knows who is in, and takes
                     somebody of the class for each: classes / people (Dankar and El Emam, EDBT 2010, with the table as
                     its own population). Who is in several classes of f people each is found in one of them at least,
                     by independent chances: 1 - product of (1 - 1/f)
    journalist_risk  as the prosecutor's, against the population, where there is one beside the published; each row of
                     those who are not published is taken for a person

Where nobody is published there is no risk. Belongs here: figures by which candidates are compared and people are told.
Does not belong here: any guarantee; those are measured by invariants on what was written.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from privacy_assets.techniques.anonymize._tuples import Grouping, Judge, Recoding, Tuples
from privacy_assets.techniques.criteria._classes import Bools, Ints


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
        "entropy": _entropy(recoding, tuples),
        "classes": float(len(of_classes)),
        "published": float(published),
        "suppressed": float(number - published),
        "suppressed_share": (number - published) / number,
        "prosecutor_risk": _highest(people),
        "marketer_risk": _on_average(recoding, tuples, inside),
    }
    if tuples.population is not None:
        everyone = grouping.sums(tuples.population)[some]
        found["journalist_risk"] = _highest(everyone - of_classes + people)
    return found


def _highest(people: Ints) -> float:
    """The risk of who is easiest found, in classes of so many people each."""
    return 1 / max(int(people.min()), 1) if len(people) else 0.0


def _on_average(recoding: Recoding, tuples: Tuples, inside: Bools) -> float:
    """The mean over published people of the chance that they are found in one class of theirs at least."""
    if tuples.people is None:
        rows = int(tuples.rows[inside].sum())
        return len(np.unique(recoding.classes[inside & (tuples.rows > 0)])) / rows if rows else 0.0
    of_tuples, persons = tuples.people
    there = inside[of_tuples]
    pairs = np.unique(np.stack([recoding.classes[of_tuples[there]], persons[there]]), axis=1)
    if not pairs.size:
        return 0.0
    classes, everyone = pairs[0], np.unique(pairs[1], return_inverse=True)[1]
    with np.errstate(divide="ignore"):  # alone in a class: found for sure
        missed = np.bincount(everyone, weights=np.log1p(-1 / np.bincount(classes)[classes]))
    return float(-np.expm1(missed).mean())


def _entropy(recoding: Recoding, tuples: Tuples) -> float:
    total, most, rows = 0.0, 0.0, pl.col("rows")
    # a label alone can stand for several classes that hold other leaves: of its leaves all are counted
    of_label = rows.sum().over("label", "leaf", "published") / rows.sum().over("label", "published")
    of_all = rows.sum().over("leaf") / rows.sum()
    share = pl.when("published").then(of_label).otherwise(of_all)
    for place, cells in enumerate(recoding.cells):
        leaves = tuples.codes[:, place]
        frame = pl.DataFrame({"leaf": leaves, "label": cells, "published": recoding.classes >= 0, "rows": tuples.rows})
        # combinations of nobody who would be published have nothing to lose
        bits = frame.filter(rows > 0).select(told=-rows * share.log(2), all=-rows * of_all.log(2)).sum()
        total, most = total + bits["told"].item(), most + bits["all"].item()
    return total / most if most else 0.0
