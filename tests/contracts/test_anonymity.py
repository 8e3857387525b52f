"""A purpose's anonymity against the columns of its features: what does not fit is refused before anything runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from privacy_assets.contracts import anonymity
from privacy_assets.contracts.loading import check, load
from privacy_assets.contracts.promises import promises
from privacy_assets.words import AssetName

SMOKING = "data/purposes/smoking.yaml"
ASKED = """\
  anonymity:
    criteria: [{kind: k_anonymity, k: 3}, {kind: l_diversity, l: 2}]
    suppressed_at_most: 0.2
  fairness: {columns: [sex]}
anonymized:
  techniques: [{kind: full_domain}, {kind: top_down}]
  hierarchies:
    sex: {kind: table, rows: [[F, "*"], [M, "*"], [X, "*"]]}
  weights: {sex: 2}
training:
  from: anonymized
"""
BEFORE = """\
training:
  from: features
  reason: the doctors who treat these people learn nothing new about them
"""


@pytest.fixture
def edit(tiny_project: Path) -> Callable[[str, str], None]:
    """Replaces text in the purpose."""

    def replace(before: str, after: str) -> None:
        text = (tiny_project / SMOKING).read_text("utf-8")
        assert before in text
        (tiny_project / SMOKING).write_text(text.replace(before, after), "utf-8")

    replace(BEFORE, ASKED)
    return replace


def test_keys_and_tokens_do_not_leave_and_labels_are_declared(tiny_project: Path, edit: Callable[[str, str], None]):
    """What is left: quasi-identifiers as labels, the others as they were, and the split."""
    project = load(tiny_project)
    columns = {column.name: column for column in project.anonymized_columns("smoking")}
    assert list(columns) == ["sex", "age", "smoker", "split"]
    assert columns["sex"].domain == ("F", "M", "X", "*")
    assert columns["age"].domain == ("<30", "[30,50)", ">=50", "*")
    assert columns["age"].type == "VARCHAR"
    assert columns["smoker"] == next(one for one in project.features("smoking").columns if one.name == "smoker")


def test_every_criterion_is_promised_and_nothing_else_may_be_there(
    tiny_project: Path, edit: Callable[[str, str], None]
):
    """One invariant for each, one more for people, with the line that asks for it."""
    names = [promise.name for promise in promises(load(tiny_project), AssetName.parse("anonymized/smoking"))]
    assert names == [
        "has_rows",
        "only_columns",
        "k_anonymity",
        "persons_per_class__patient_id",
        "l_diversity__distinct_smoker",
        "suppressed_share",
        "in_domain__sex",
        "in_domain__age",
        "splits_disjoint__split",
    ]
    edit("{kind: k_anonymity, k: 3}, {kind: l_diversity, l: 2}", "{kind: k_anonymity, k: 4}")
    asked = promises(load(tiny_project), AssetName.parse("anonymized/smoking"))
    assert [promise.parameters.k for promise in asked if promise.name == "k_anonymity"] == [4]
    assert not any(promise.name.startswith("l_diversity") for promise in asked)
    assert all(promise.where.startswith(f"{SMOKING}:") for promise in asked)


def test_a_profile_is_its_criteria_of_every_sensitive_column(tiny_project: Path, edit: Callable[[str, str], None]):
    """And lets as much be left out as it says, unless the purpose says less."""
    edit("criteria: [{kind: k_anonymity, k: 3}, {kind: l_diversity, l: 2}]", "profile: {kind: k10_l3_t02}")
    edit("    suppressed_at_most: 0.2\n", "")
    # a BOOLEAN has three values with NULL: what it can never have is said before anything runs
    project = load(tiny_project)
    guarantee = project.purposes["smoking"].guarantee.anonymity
    assert guarantee is not None
    asked = anonymity.asked_of(project.purposes["smoking"], project.features("smoking").columns)
    assert [(one.criterion.kind, getattr(one.criterion, "column", None)) for one in asked] == [
        ("k_anonymity", None),
        ("l_diversity", "smoker"),
        ("t_closeness", "smoker"),
    ]
    assert anonymity.suppressed_at_most(guarantee) == 0.05


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        pytest.param("{sex: 2}", "{smoker: 2}", "`smoker` is no quasi-identifier", id="weight of no quasi-identifier"),
        pytest.param("{sex: 2}", "{height: 2}", "there is no such column in the features", id="unknown weight"),
        pytest.param(
            "{kind: l_diversity, l: 2}", "{kind: l_diversity, column: age, l: 2}", "it is generalized", id="of a QI"
        ),
        pytest.param(
            "{kind: l_diversity, l: 2}", "{kind: l_diversity, column: lungs, l: 2}", "no such column",
            id="unknown column",
        ),
        pytest.param(
            "{kind: l_diversity, l: 2}", "{kind: t_closeness, t: 0.1, distance: ordered}", "no order",
            id="text in order",
        ),
        pytest.param("{kind: k_anonymity, k: 3}, ", "", "no `k_anonymity` is asked for", id="no k"),
        pytest.param(
            "{kind: k_anonymity, k: 3}, ", "{kind: k_anonymity, k: 3}, {kind: k_anonymity, k: 9}, ", "asked for twice",
            id="twice",
        ),
        pytest.param(
            "{kind: full_domain}, {kind: top_down}", "{kind: full_domain}, {kind: mondrian}", "different forms",
            id="forms",
        ),
        pytest.param("[M, \"*\"], [X, \"*\"]]", "[M, \"*\"]]", "declared values have no row", id="no row"),
        pytest.param("[X, \"*\"]]", "[M, \"*\"]]", "same value as row 2", id="twice in the table"),
        pytest.param("rows: [[F, \"*\"], [M, \"*\"], [X, \"*\"]]", "file: no.csv", "no such file", id="no file"),
        pytest.param("rows: [[F, \"*\"], [M, \"*\"], [X, \"*\"]]", "file: ../x", "outside the project", id="outside"),
        pytest.param("fairness: {columns: [sex]}", "fairness: {columns: [hue]}", "no such column", id="fairness"),
        pytest.param("subject: patient_id", "subject: null", "about nobody", id="nobody"),
        pytest.param(
            "{kind: l_diversity, l: 2}", "{kind: delta_presence, member: sex, at_most: 0.5}", "who is published",
            id="no member",
        ),
        pytest.param("sex, age, smoker", "sex, age, smoker AS _rows", "only columns of this program do", id="ours"),
        pytest.param("sex, age, smoker", "sex, age, smoker, sex AS split", "is a column that is added", id="split"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(
    tiny_project: Path, edit: Callable[[str, str], None], before: str, after: str, what: str
):
    """With the line, and what to do next."""
    edit(before, after)
    found = check(tiny_project)
    assert any(what in fault.what for fault in found), found
    assert all(fault.next_step and fault.where.startswith(SMOKING) for fault in found)


def test_techniques_that_leave_columns_in_different_forms_are_one_fault(
    tiny_project: Path, edit: Callable[[str, str], None]
) -> None:
    """Of all columns together, which are named."""
    edit("{kind: full_domain}, {kind: top_down}", "{kind: full_domain}, {kind: mondrian}")
    (fault,) = check(tiny_project)
    assert fault.what.startswith("the techniques leave `sex`, `age` in different forms")


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        (ASKED, BEFORE.replace("features", "anonymized"), "`training.from: anonymized` needs `anonymized`"),
        ("  from: anonymized", "  from: features", "write the `reason`"),
        (ASKED, re.sub(r"(?s)anonymized:.*(?=training:)", "", ASKED), "`guarantee.anonymity` needs `anonymized`"),
        (ASKED, re.sub(r"(?s)  anonymity:.*(?=anonymized:)", "", ASKED), "`anonymized` needs `guarantee.anonymity`"),
    ],
)
def test_one_half_without_the_other_is_refused(
    tiny_project: Path, edit: Callable[[str, str], None], before: str, after: str, what: str
):
    """A guarantee that nothing reaches, a technique that nothing asks for, personal data without a reason."""
    edit(before, after)
    assert any(what in str(fault) for fault in check(tiny_project)), check(tiny_project)


def test_a_column_that_nothing_makes_coarser_is_named(tiny_project: Path, edit: Callable[[str, str], None]):
    """Numbers have no labels of their own."""
    edit("{kind: bucket, edges: [30, 50]}", "{kind: keep}")
    assert [fault.what for fault in check(tiny_project)] == ["nothing says how `age` becomes coarser"]
    edit("  hierarchies:", "  hierarchies:\n    age: {kind: intervals, widths: [5, 20], low: 20, high: 80}")
    assert check(tiny_project) == []
    edit("age: {kind: intervals, widths: [5, 20], low: 20, high: 80}", "age: {kind: prefixes, keep: [1]}")
    assert "does not fit `age`" in check(tiny_project)[0].what


def test_what_is_learned_from_the_data_teaches_no_model(tiny_project: Path, edit: Callable[[str, str], None]):
    """Its labels would be categories that the data made."""
    edit("{kind: bucket, edges: [30, 50]}", "{kind: keep}")
    edit("  hierarchies:", "  hierarchies:\n    age: {kind: learned}")
    assert any("cannot learn from the text column 'age'" in fault.what for fault in check(tiny_project))
