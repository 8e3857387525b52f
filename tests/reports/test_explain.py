"""The chain of versions, from one asset down to the source files."""

from __future__ import annotations

from pathlib import Path

import pytest

from privacy_assets.build import steps
from privacy_assets.errors import Refused
from privacy_assets.gate import Gate
from privacy_assets.reports.explain import Link, explain
from privacy_assets.stages.step import carry_out
from privacy_assets.words import AssetName

MODEL = AssetName.parse("model/smoking")
RAW = AssetName.parse("raw/patients")


def assets(link: Link) -> list[str]:
    return [str(link.passport.asset), *(name for below in link.made_from for name in assets(below))]


def edit(root: Path, file: str, before: str, after: str) -> None:
    text = (root / file).read_text()
    assert before in text
    (root / file).write_text(text.replace(before, after))


def links(link: Link) -> list[Link]:
    return [link, *(found for below in link.made_from for found in links(below))]


def test_the_chain_runs_from_the_model_to_the_sources(published: Gate):
    """Each link is made from those below it."""
    assert assets(explain(published, MODEL)) == [
        "model/smoking",
        "training/smoking",
        "features/smoking",
        "pseudonymized/smoking/patients",
        "minimized/smoking/patients",
        "raw/patients",
        "raw/consents",
    ]


def test_every_link_says_what_it_is_made_of(published: Gate):
    """Version, ledger entry, rows, digests of content, file and code, declarations, findings."""
    for link in links(explain(published, MODEL)):
        passport, text = link.passport, "\n".join(link.lines())
        assert f"version {passport.version}" in text
        assert f"ledger entry {passport.position}" in text
        assert f"{passport.rows:,} rows × {len(passport.columns)} columns" in text
        for digest in (passport.content_digest, passport.file_digest, passport.code, *passport.declared.values()):
            assert digest[:16] in text
        for name in passport.declared:
            assert name in text
        assert text.count("kept: ") == len(passport.measured)
        assert ("source files" in text) == (passport.asset.stage == "raw")


def test_a_version_that_is_reached_twice_is_told_once(published: Gate):
    """The second time it points to the first."""
    root = published.project.root
    joined = (
        "SELECT p.patient_id, p.sex, p.age, p.smoker FROM patients AS p "
        "JOIN (SELECT DISTINCT patient_id FROM consents) AS c ON c.patient_id = p.patient_id"
    )
    consents = "  consents:\n    columns:\n      patient_id: {why: to be joined by, technique: {kind: token}}\n"
    decided = "[legal_obligation, consent]\n      consents: consents"
    edit(root, "data/purposes/smoking.yaml", "datasets:\n", f"datasets:\n{consents}")
    edit(root, "data/purposes/smoking.yaml", "SELECT patient_id, sex, age, smoker\n    FROM patients", joined)
    edit(root, "data/contracts/consents.odcs.yaml", "[legal_obligation]", decided)
    gate = Gate.open(published.project.root, _env(published))
    for step in steps(gate.project).values():
        if step.asset.stage not in ("training", "model"):
            carry_out(step, gate).raise_faults()
    found = links(explain(gate, AssetName.parse("features/smoking")))
    of_consents = [link for link in found if str(link.passport.asset) == "raw/consents"]
    assert [link.again for link in of_consents] == [False, True]
    assert of_consents[0].passport == of_consents[1].passport
    assert not of_consents[1].made_from


def _env(gate: Gate) -> dict[str, str]:
    return {
        "PRIVACY_ASSETS_HOME": str(gate.home.path),
        "PRIVACY_ASSETS_KEY_FILE": str(gate.home.key_file),
        "PRIVACY_ASSETS_WITNESS": str(gate.home.witness_folder),
    }


def test_the_chain_names_the_version_that_was_read_not_the_newest(published: Gate):
    """What was published since changes nothing in what a version was made from."""
    read = published.latest(RAW).version
    carry_out(steps(published.project)[RAW], published).raise_faults()
    link = next(link for link in links(explain(published, MODEL)) if link.passport.asset == RAW)
    assert link.passport.version == read != published.latest(RAW).version


def test_what_was_never_published_has_no_chain(gate: Gate):
    """Refused, with what to do; a name that nobody declared is answered with those that are."""
    with pytest.raises(Refused, match="was never published"):
        explain(gate, MODEL)
    with pytest.raises(Refused, match=r"there is no asset model/smokin\n  expected: one of .*model/smoking"):
        explain(gate, AssetName.parse("model/smokin"))


def test_no_value_of_a_person_is_told(published: Gate):
    """Counts, names and digests only."""
    text = "\n".join(line for link in links(explain(published, MODEL)) for line in link.lines())
    assert "example.org" not in text
    assert "p-01" not in text
