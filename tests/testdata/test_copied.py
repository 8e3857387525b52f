"""Which columns of sources the features hand on: the sample's purposes, column by column."""

from __future__ import annotations

from pathlib import Path

import pytest

from privacy_assets.contracts.loading import load
from privacy_assets.testdata.copied import copies, declared

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def project():
    return load(ROOT)


def copied(project, purpose: str) -> dict[str, str]:
    found = copies(project, project.purposes[purpose])
    return {f"{dataset}.{column}": copy.feature for (dataset, column), copy in found.items()}


def test_what_is_passed_on_as_it_stands_is_a_copy(project) -> None:
    """Not a token, not what the SQL computes, not a number that became a label."""
    assert copied(project, "research_sharing") == {
        "patients.sex": "sex",
        "visits.ward": "ward",
        "visits.severity": "severity",
        "visits.emergency": "emergency",
        "visits.length_of_stay": "length_of_stay",
    }
    # prior_visits is a label there, month is computed, age_band is both
    assert set(copied(project, "capacity_planning")) == {
        "visits.ward", "visits.diagnosis_group", "visits.severity", "visits.emergency", "visits.length_of_stay",
    }  # fmt: skip


def test_a_text_that_is_cut_is_written_with_an_end_of_nobody(project) -> None:
    """The district is the beginning of a postcode that no clinic has."""
    copy = copies(project, project.purposes["readmission_model"])["patients", "postcode"]
    assert copy.feature == "district" and copy.kept == 4
    assert copy.labels is not None and copy.labels[0] == "QX10 TEST" and all(one[4:] == " TEST" for one in copy.labels)
    assert copy.written("QX1") == "QX1"  # shorter than what is kept: it is the whole text


def test_purposes_tell_what_contracts_do_not(project) -> None:
    """Bounds and categories: of this purpose first, then of the others."""
    told = declared(project, project.purposes["research_sharing"])
    assert told["visits", "length_of_stay"].span == (0, 30)
    assert told["visits", "prior_visits"].by == "the bounds in capacity_planning"
    assert told["patients", "postcode"].by == "the categories of district in readmission_model"
    assert declared(project, project.purposes["capacity_planning"])["visits", "length_of_stay"].span == (0, 45)
