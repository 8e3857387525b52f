"""The record of processing activities."""

from __future__ import annotations

from privacy_assets.build import flows, steps
from privacy_assets.gate import Gate
from privacy_assets.lineage.flows import Flows
from privacy_assets.reports._document import markdown
from privacy_assets.reports._told import Known
from privacy_assets.reports.record import reached, record


def graph(gate: Gate) -> Flows:
    return flows(steps(gate.project))


def test_it_tells_what_article_30_asks_for(published: Gate) -> None:
    """What is declared, as it is declared; what nobody declares is open."""
    text = markdown(record(published, graph(published)))
    for told in (
        "| name | Who smokes (smoking, version 1.0.0) |",
        "| purpose | Tell whom a course against smoking would help |",
        "| lawful basis (art. 6(1)) | consent |",
        "| categories of data subjects | patient |",
        "| recipients | the clinic's own doctors |",
        "| time limits for erasure | results 365 days; rows of patients 3,650 days after registered |",
        "| transfers to third countries | OPEN",
    ):
        assert told in text


def test_data_is_what_reaches_the_purpose_by_the_graph(published: Gate) -> None:
    """Not all that a contract has: e-mail and cost stay in raw. A decision decides, and no value of it flows."""
    known = Known.of(published, graph(published))
    found = {f"{asset.dataset}.{column}": by for (asset, column), by in reached(
        known, published.project.purposes["smoking"]).items()}  # fmt: skip
    assert {"patients.email", "patients.cost"}.isdisjoint(found)
    assert found["patients.age"] and not found["consents.decision"]
    text = markdown(record(published, graph(published)))
    assert "user.contact.email" not in text and "user.demographic.age\\_range" not in text
    assert (
        "| patients.age | quasi_identifier | user.demographic.age_range | values | bucket | smoking differs by age |"
        in text
    )


def test_it_says_where_each_asset_stands(published: Gate, gate: Gate) -> None:
    """Version, entry and rows by the ledger."""
    text = markdown(record(published, graph(published)))
    for asset in published.project.assets():
        passport = published.latest(asset)
        if asset.purpose and passport:
            assert (
                f"| {asset} | {passport.version} |" in text and f"| {passport.position} | {passport.rows:,} |" in text
            )
