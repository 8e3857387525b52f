"""The packet for a design review."""

from __future__ import annotations

import pytest

from privacy_assets.build import flows, steps
from privacy_assets.gate import PERSON, READERS, Gate
from privacy_assets.reports._document import markdown
from privacy_assets.reports.review import _EXAMPLES, NOTHING, alternatives, review
from privacy_assets.techniques.pseudonymize import PSEUDONYMIZE
from privacy_assets.words import Column, Role


def told(gate: Gate) -> str:
    return markdown(review(gate, flows(steps(gate.project))))


def line(text: str, start: str) -> str:
    (found,) = [one for one in text.splitlines() if one.startswith(start)]
    return found


def test_it_says_where_identifiers_are_and_where_they_end(published: Gate) -> None:
    """An address stays in raw and is not told; a number becomes a token, and stands in no model."""
    text = told(published)
    assert "raw/patients.email" not in text
    number = line(text, "| raw/patients.patient_id | patient_id | direct_identifier |")
    assert "minimized/smoking/patients.patient_id (direct_identifier)" in number
    assert "features/smoking.patient_id (quasi_identifier)" in number


def test_each_hop_tells_roles_before_and_after(published: Gate) -> None:
    """By the evidence: where the token was measured it names nobody any more."""
    text = told(published)
    assert "| pseudonymized/smoking/patients | patient_id | token | direct_identifier | quasi_identifier |" in text
    assert "| minimized/smoking/patients | patient_id | - | direct_identifier | direct_identifier |" in text


def test_who_reads_what_is_as_the_gate_has_it(published: Gate) -> None:
    """Recipients stand where people read; an access is on record after it happened."""
    with published.open_version(next(one for one in published.published() if str(one) == "training/smoking"),
                                purpose="smoking"):  # fmt: skip
        pass
    position = published.ledger.size - 1
    text = told(published)
    for asset in published.published():
        if asset.purpose:
            readers = READERS[asset.stage]
            recipients = "the clinic's own doctors" if PERSON in readers else "-"
            assert f"| {asset} | {', '.join(sorted(readers))} | {recipients} |" in text
    assert f"1, the last in ledger entry {position} |" in text


def test_each_attribute_has_its_reason_and_what_hides_more(published: Gate) -> None:
    """Where nothing was measured of it, that is what it says."""
    smoker = line(told(published), "| patients.smoker |")
    assert f"| this is what is predicted | keep | {NOTHING} | randomized_response, redact |" in smoker
    assert "bucket with another edges, redact" in line(told(published), "| patients.age |")


@pytest.mark.parametrize(
    ("column", "kept", "fits"),
    [
        (Column("a", "DATE"), "keep", {"shift_dates", "truncate_date", "redact"}),
        (Column("a", "INTEGER"), "keep", {"bucket", "bounded_noise", "code_extremes", "redact"}),
        (Column("a", "VARCHAR", Role.QUASI_IDENTIFIER), "keep", {"truncate_text", "redact"}),
        (Column("a", "VARCHAR", free_text=True), "keep", {"redact", "redact_identifiers"}),
        (Column("a", "DATE"), "redact", set()),
    ],
)
def test_alternatives_hide_more_and_fit_the_type(column: Column, kept: str, fits: set[str]) -> None:
    """As the techniques say themselves: by their strength and their fault."""
    declared = PSEUDONYMIZE[kept].Parameters(kind=kept)
    assert set(alternatives(column, declared)) == fits


def test_every_technique_can_be_asked_whether_it_fits() -> None:
    """One that needs parameters has an example; a new one without would be passed over in silence."""
    for kind, module in PSEUDONYMIZE.items():
        module.Parameters(kind=kind, **_EXAMPLES.get(kind, {}))
    assert set(_EXAMPLES) <= set(PSEUDONYMIZE)


def test_open_questions_and_signatures_are_left_open(published: Gate) -> None:
    """Nobody signs by generating it."""
    signed = [one for one in told(published).splitlines() if one.startswith("| OPEN |")]
    assert len(signed) == 10 and all(one.endswith("|  |  |") for one in signed)
