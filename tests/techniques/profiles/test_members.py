"""What every profile owes: whoever adds one gets these tests by its file being there."""

from __future__ import annotations

import pytest

from privacy_assets.techniques.criteria import CRITERIA
from privacy_assets.techniques.profiles import PROFILES
from privacy_assets.words import Column, Role

COLUMNS = (
    Column("born", "DATE", Role.QUASI_IDENTIFIER, "user.demographic.date_of_birth"),
    Column("ill", "VARCHAR", Role.SENSITIVE, "user.health_and_medical"),
)


@pytest.mark.parametrize("kind", sorted(PROFILES))
def test_it_asks_for_known_criteria(kind: str):
    """And says how much may be left out, who set it, and what it does not promise."""
    module = PROFILES[kind]
    asked = module.criteria(module.Parameters(kind=kind), COLUMNS)
    assert {type(one) for one in asked} <= {criterion.Parameters for criterion in CRITERIA.values()}
    assert {one.kind for one in asked} & {"k_anonymity", "hipaa_safe_harbor"}
    assert 0 <= module.SUPPRESSED_AT_MOST <= 1
    assert "Source" in module.__doc__
    assert "not promise" in " ".join(module.__doc__.split())


def test_the_names_say_the_figures():
    """k10_l3_t02 is k = 10, l = 3, t = 0.2."""
    k, l, t = PROFILES["k10_l3_t02"].criteria(PROFILES["k10_l3_t02"].Parameters(kind="k10_l3_t02"), COLUMNS)  # noqa: E741
    assert (k.k, l.l, t.t) == (10, 3, 0.2)
    assert [PROFILES[kind].criteria(PROFILES[kind].Parameters(kind=kind), ())[0].k for kind in ("k5", "k11")] == [5, 11]
