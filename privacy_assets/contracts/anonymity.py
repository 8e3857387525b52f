"""What a purpose's anonymity means for the columns of its features, from the declarations alone.

Belongs here: which columns are generalized, which leave as they are and which do not leave, which criteria are asked
of which column, and what is wrong with that. Does not belong here: data, how a recoding is found
(`techniques/anonymize/`), what is measured of it (`promises.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from privacy_assets.contracts._faults import Faults
from privacy_assets.contracts._yaml import Place
from privacy_assets.contracts.purpose import Anonymity, Model, Purpose
from privacy_assets.techniques.anonymize import ANONYMIZE
from privacy_assets.techniques.criteria import CRITERIA
from privacy_assets.techniques.hierarchies import HIERARCHIES, flat
from privacy_assets.techniques.profiles import PROFILES
from privacy_assets.words import Column, Role

SPLIT = "split"
"""The column that says in which split a row is: train, validation or test."""

SUPPRESSED_AT_MOST = 0.05
"""The share of rows that may be left out where nobody says another."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One criterion, of one sensitive column where it speaks of one, and the place in the purpose that asks for it."""

    criterion: Any
    place: Place


def quasi_identifiers(purpose: Purpose, columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns that leave by which people are recognized together."""
    return tuple(column for column in leaving(purpose, columns) if column.role is Role.QUASI_IDENTIFIER)


def sensitive(purpose: Purpose, columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns that leave of which nobody should learn a person's value."""
    return tuple(column for column in leaving(purpose, columns) if column.role is Role.SENSITIVE)


def leaving(purpose: Purpose, columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns of the features that leave: no key, no subject, no token, no text in which anybody could be named."""
    apart = {*purpose.features.key, purpose.features.subject, member_column(purpose)}
    return tuple(
        column
        for column in columns
        if column.name not in apart
        and column.role is not Role.DIRECT_IDENTIFIER
        and column.identifier_domain is None
        and not column.free_text
    )


def member_column(purpose: Purpose) -> str | None:
    """The column that says whose rows are published, where delta-presence is asked for."""
    if purpose.guarantee.anonymity is None:
        return None
    named = (getattr(criterion, "member", None) for criterion in purpose.guarantee.anonymity.criteria)
    return next((name for name in named if name is not None), None)


def anonymized_columns(purpose: Purpose, columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns of the features as they are anonymized: without key, subject, tokens and redacted texts.

    Quasi-identifiers are as the first technique leaves them; `split` comes last where a training set is dealt from it.
    """
    asked = purpose.anonymized
    if asked is None:
        return ()
    found = []
    for column in leaving(purpose, columns):
        if column.role is Role.QUASI_IDENTIFIER:
            technique = asked.techniques[0]
            column = ANONYMIZE[technique.kind].output(technique, column, labels(purpose, column))
        found.append(column)
    if purpose.training is not None and purpose.training.source == "anonymized":
        found.append(split_column())
    return tuple(found)


def split_column() -> Column:
    """What is known of the split."""
    return Column(SPLIT, "VARCHAR", Role.ATTRIBUTE, "system.operations", "split", ("train", "validation", "test"))


def hierarchy(purpose: Purpose, column: str) -> Any:
    """The parameters of a quasi-identifier's hierarchy."""
    asked = purpose.anonymized.hierarchies if purpose.anonymized else {}
    return asked.get(column) or flat.Parameters(kind="flat")


def labels(purpose: Purpose, column: Column) -> tuple[str, ...] | None:
    """Every label that a quasi-identifier can have afterwards, where that is known beforehand."""
    asked = hierarchy(purpose, column.name)
    found: tuple[str, ...] | None = HIERARCHIES[asked.kind].domain(asked, column)
    return found


def transferred(purpose: Purpose) -> Model | None:
    """The model by which it is measured what the rows are worth; None where none is asked for."""
    asked = purpose.guarantee.anonymity.transfer if purpose.guarantee.anonymity else None
    return (asked.model or purpose.model) if asked else None


def true_columns(purpose: Purpose, columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns that leave as they are before they are generalized; what a public table lists is declared."""
    found = []
    for column in leaving(purpose, columns):
        listed = tuple(row[0] for row in getattr(hierarchy(purpose, column.name), "rows", ()))
        found.append(replace(column, domain=column.domain or listed) if column.type == "VARCHAR" else column)
    return tuple(found)


def suppressed_at_most(anonymity: Anonymity) -> float:
    """The share of rows that may be left out."""
    if anonymity.suppressed_at_most is not None:
        return anonymity.suppressed_at_most
    if anonymity.profile is not None:
        return float(PROFILES[anonymity.profile.kind].SUPPRESSED_AT_MOST)
    return SUPPRESSED_AT_MOST


def asked_of(purpose: Purpose, columns: Sequence[Column]) -> tuple[Asked, ...]:
    """Every criterion; one that speaks of each sensitive column comes once for each of them."""
    anonymity = purpose.guarantee.anonymity
    if anonymity is None:
        return ()
    place: Place = ("guarantee", "anonymity")
    found = [Asked(criterion, (*place, "criteria", at)) for at, criterion in enumerate(anonymity.criteria)]
    if anonymity.profile is not None:
        profile = PROFILES[anonymity.profile.kind]
        given = [Asked(criterion, (*place, "profile")) for criterion in profile.criteria(anonymity.profile, columns)]
        found = [*given, *found]
    of_each = sensitive(purpose, columns)
    return tuple(Asked(each, asked.place) for asked in found for each in _of_each(asked.criterion, of_each))


def _of_each(criterion: Any, columns: Sequence[Column]) -> tuple[Any, ...]:
    if "column" not in type(criterion).model_fields or criterion.column is not None:
        return (criterion,)
    return tuple(criterion.model_copy(update={"column": column.name}) for column in columns)


def check(purpose: Purpose, columns: Sequence[Column], faults: Faults) -> None:
    """Note what of `anonymized` and `guarantee.anonymity` does not fit the columns of the features."""
    asked, anonymity = purpose.anonymized, purpose.guarantee.anonymity
    _check_fairness(purpose, columns, faults)
    if asked is None or anonymity is None:
        return
    known = {column.name: column for column in columns}
    generalized = {column.name: column for column in quasi_identifiers(purpose, columns)}
    if purpose.features.subject is None:
        faults.add(("anonymized",), "the rows are about nobody", next_step="leave it out, or name a `subject`")
    if not generalized:
        faults.add(
            ("anonymized",),
            "there is no quasi-identifier among the features, so that nothing could be generalized",
            expected="a column with `role: quasi_identifier` in its contract",
            next_step="look at the roles: what others can know about a person is a quasi-identifier",
        )
    for name in (*asked.hierarchies, *asked.weights):
        place: Place = ("anonymized", "hierarchies" if name in asked.hierarchies else "weights", name)
        if name not in known:
            faults.unknown(place, "there is no such column in the features", name, generalized)
        elif name not in generalized:
            faults.add(place, f"`{name}` is no quasi-identifier, so it is not generalized", found=known[name].role)
    kinds = {technique.kind for technique in asked.techniques}
    for column in generalized.values():
        _check_hierarchy(purpose, column, kinds, faults)
    if differing := [column.name for column in generalized.values() if not _alike(purpose, column)]:
        named = ", ".join(f"`{name}`" for name in differing)
        faults.add(
            ("anonymized", "techniques"),
            f"the techniques leave {named} in different forms, so none can take the place of another",
            expected="techniques that all use hierarchies, or `mondrian` alone",
            found=", ".join(sorted(kinds)),
        )
    for name in (column.name for column in leaving(purpose, columns) if column.name.startswith("_")):
        faults.add(
            ("features", "sql"),
            f"`{name}` begins with `_`, as only columns of this program do",
            next_step="name yours otherwise",
        )
    _check_criteria(purpose, anonymity, known, generalized, faults)
    if SPLIT in known and purpose.training is not None:
        faults.add(("features", "sql"), f"`{SPLIT}` is a column that is added", next_step="name yours otherwise")


def _check_hierarchy(purpose: Purpose, column: Column, kinds: set[str], faults: Faults) -> None:
    asked = purpose.anonymized
    assert asked is not None
    place: Place = ("anonymized", "hierarchies", column.name)
    chosen = asked.hierarchies.get(column.name)
    if chosen is None and column.domain is None and column.type != "BOOLEAN" and kinds != {"mondrian"}:
        faults.add(
            ("anonymized", "hierarchies"),
            f"nothing says how `{column.name}` becomes coarser",
            expected=f"one of {', '.join(HIERARCHIES)}",
            next_step=f"add `{column.name}:` with a hierarchy; `learned` reads one off the data, in secret",
        )
    elif chosen is not None and (what := HIERARCHIES[chosen.kind].fault(chosen, column)):
        faults.add(place, f"`{chosen.kind}` does not fit `{column.name}`: {what}")


def _alike(purpose: Purpose, column: Column) -> bool:
    """Whether every technique that is tried leaves a column in the same form."""
    assert purpose.anonymized is not None
    told = labels(purpose, column)
    left = [ANONYMIZE[one.kind].output(one, column, told) for one in purpose.anonymized.techniques]
    return len({(one.type, one.domain) for one in left}) <= 1


def _check_criteria(
    purpose: Purpose, anonymity: Anonymity, known: dict[str, Column], generalized: dict[str, Column], faults: Faults
) -> None:
    columns = tuple(known.values())
    promised: set[tuple[Any, ...]] = set()
    for each in asked_of(purpose, columns):
        criterion = each.criterion
        said = tuple(getattr(criterion, part, None) for part in ("kind", "column", "form", "distance", "member"))
        if said in promised:
            faults.add(each.place, f"`{criterion.kind}` is asked for twice", next_step="leave the weaker one out")
        promised.add(said)
        name = getattr(criterion, "column", None)
        if name is not None and name not in known:
            faults.unknown((*each.place, "column"), "there is no such column in the features", name, known)
        elif name is not None and name in generalized:
            faults.add((*each.place, "column"), f"`{name}` is a quasi-identifier: it is generalized, not diversified")
        elif name is not None and (what := CRITERIA[criterion.kind].fault(criterion, known[name])):
            faults.add(each.place, f"`{criterion.kind}` cannot be asked of `{name}`: {what}")
        member = getattr(criterion, "member", None)
        if member is not None and (member not in known or known[member].type != "BOOLEAN"):
            faults.add(
                (*each.place, "member"),
                "nothing says who is published",
                expected="a BOOLEAN column of the features",
                found=known[member].type if member in known else "no such column",
            )
    place: Place = ("guarantee", "anonymity")
    kinds = {each.criterion.kind for each in asked_of(purpose, columns)}
    if not kinds & {"k_anonymity", "hipaa_safe_harbor"}:
        faults.add(
            place,
            "no `k_anonymity` is asked for, so a class could be one person",
            next_step="add `{kind: k_anonymity, k: 5}`, or another k",
        )
    of_none = [
        criterion
        for criterion in (*anonymity.criteria, *_of_profile(anonymity, columns))
        if "column" in type(criterion).model_fields and criterion.column is None and not sensitive(purpose, columns)
    ]
    if of_none:
        faults.add(
            place,
            f"`{of_none[0].kind}` speaks of sensitive columns, and the features have none",
            next_step="leave it out, or look at the roles in the contracts",
        )
    if len({getattr(one, "member", None) for one in anonymity.criteria} - {None}) > 1:
        faults.add(place, "several columns say who is published", expected="one `member`")


def _of_profile(anonymity: Anonymity, columns: Sequence[Column]) -> Sequence[Any]:
    if anonymity.profile is None:
        return ()
    given: Sequence[Any] = PROFILES[anonymity.profile.kind].criteria(anonymity.profile, columns)
    return given


def _check_fairness(purpose: Purpose, columns: Sequence[Column], faults: Faults) -> None:
    known = {column.name: column for column in columns}
    for at, name in enumerate(purpose.guarantee.fairness.columns if purpose.guarantee.fairness else ()):
        place: Place = ("guarantee", "fairness", "columns", at)
        if name not in known:
            faults.unknown(place, "there is no such column in the features", name, known)
        elif known[name].domain is None and known[name].type != "BOOLEAN":
            faults.add(
                place,
                f"the groups of `{name}` are not declared",
                expected="a BOOLEAN, or declared values",
            )
