"""Nothing that a command writes or prints holds a value of a person, whether it succeeds or fails.

Values that stand nowhere else are planted in the tiny project's rows; then every byte of the home, of the project (the
source apart), of the user's and the temporary folder, and of both streams is searched for them.
"""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

CANARIES = {
    "name": "Zyxwilhelmina Quogglebury",
    "e-mail": "zyx.quogglebury@canary.example",
    "phone": "+44 7700 900461",
    "free text": "limps since the accident at Vlorngate",
    "age": "fortyzyxtwo",
    "date": "31-02-Zyx26",
    "identifier": "p-zyx-4711-quogg",
}
"""One for each way in which a value enters: read, kept in raw only, in quarantine, of a wrong type, as a subject."""

SOURCES = ("patients.csv", "consents.csv")


def forms(text: str) -> Iterator[bytes]:
    """The ways in which a text is commonly written into bytes."""
    plain = text.encode()
    for encoded in (plain, text.encode("utf-16-le"), text.encode("utf-16-be")):
        yield encoded
        yield encoded.hex().encode()
        # at each of the three places within a group that base64 may start from; the edges depend on neighbours
        for before in range(3):
            told = base64.b64encode(b"\0" * before + encoded)
            yield told[4 if before else 0 : -4]


def hits(text: Mapping[str, bytes]) -> list[str]:
    """Where which canary is, in any of its forms and in any case of its letters."""
    needles = [(name, form.lower()) for name, canary in CANARIES.items() for form in forms(canary)]
    return [
        f"{name} in {place}" for place, content in text.items() for name, form in needles if form in content.lower()
    ]


def written(checkout: Any) -> dict[str, bytes]:
    """Every file of the checkout's folder but the sources."""
    return {
        str(path.relative_to(checkout.folder)): path.read_bytes()
        for path in checkout.folder.rglob("*")
        if path.is_file() and path.name not in SOURCES
    }


@pytest.fixture(scope="module")
def spoken(
    tmp_path_factory: pytest.TempPathFactory, corridor_that_ran: Path, make_checkout: Any
) -> tuple[Any, list[subprocess.CompletedProcess[str]]]:
    """The tiny project with canaries in it, after commands that succeed and that fail in several ways; their words."""
    made = make_checkout.make(tmp_path_factory.mktemp("leaks") / "checkout", corridor_that_ran / "project" / "data")
    samples = made.project / "data" / "samples"
    samples.mkdir()
    for name in SOURCES:
        (samples / name).write_bytes((corridor_that_ran / "project" / "data" / "samples" / name).read_bytes())
    contract, purpose = "data/contracts/patients.odcs.yaml", "data/purposes/smoking.yaml"
    made.edit(contract, "      - name: sex\n", _NOTE + "      - name: sex\n")
    made.edit(contract, "      third_parties: []\n", "      third_parties: []\n      quarantine_at_most: 0.2\n")
    made.edit(
        purpose, "      sex:\n", "      note:\n        why: it may tell\n        technique: {kind: keep}\n      sex:\n"
    )

    rows = (samples / "patients.csv").read_text().splitlines()
    # header, then rows with: an identifier and e-mail, a phone number, a name, a note; then rows that are quarantined
    head, *people = (row.split(";") for row in rows)
    head.insert(2, "note")
    head.append("added later")
    for person in people:
        person.insert(2, "")
        person.append("")
    people[0][0], people[0][1] = CANARIES["identifier"], CANARIES["e-mail"]
    people[1][2], people[2][2], people[3][2] = CANARIES["phone"], CANARIES["name"], CANARIES["free text"]
    people[4][-1], people[5][-1] = CANARIES["name"], CANARIES["free text"]
    people[6][4], people[7][7] = CANARIES["age"], CANARIES["date"]
    people[8][3], people[9][5] = CANARIES["name"], CANARIES["phone"]
    people.append([CANARIES["identifier"], CANARIES["e-mail"], CANARIES["free text"]])
    (samples / "patients.csv").write_text("\n".join(";".join(person) for person in [head, *people]) + "\n")
    consents = samples / "consents.csv"
    consents.write_text(consents.read_text() + f"{CANARIES['identifier']},smoking,granted,2026-02-01 09:00:00\n")

    said = [made.run("privacy-assets", "run"), made.run("privacy-assets", "verify")]
    said += [made.run("privacy-assets", *words) for words in (["explain", "model/smoking"], ["show", "raw/patients"])]
    assert [one.returncode for one in said] == [0] * len(said), said[0].stderr

    # the database meets a note that is no number; a row too many is broken; a decision cannot be read
    made.edit(
        purpose,
        "SELECT patient_id, sex, age, smoker",
        "SELECT patient_id, CAST(note AS INTEGER) AS note, sex, age, smoker",
    )
    failed = [made.materialize("features/smoking")]
    made.edit(contract, "quarantine_at_most: 0.2", "quarantine_at_most: 0.0")
    consents.write_text(
        consents.read_text() + f"{CANARIES['name']},smoking,{CANARIES['free text']},{CANARIES['date']}\n"
    )
    failed.append(made.run("privacy-assets", "run"))
    (samples / "patients.csv").write_text(
        CANARIES["name"] + ";" + CANARIES["e-mail"] + "\n" + CANARIES["free text"] + "\n"
    )
    failed.append(made.materialize("raw/patients"))
    (samples / "patients.csv").write_bytes(CANARIES["free text"].encode() + b"\xff\xfe\n" + CANARIES["name"].encode())
    failed.append(made.materialize("raw/patients"))
    assert [one.returncode for one in failed] == [1] * len(failed)
    return made, said + failed


_NOTE = """\
      - name: note
        logicalType: string
        customProperties:
          - property: privacy
            value: {role: attribute, category: user.health_and_medical}
"""


def test_the_canaries_were_read(spoken: tuple[Any, list[subprocess.CompletedProcess[str]]]):
    """Otherwise their absence says nothing: rows were taken in, rows were quarantined, and the failures were these."""
    _, said = spoken
    assert "raw/patients" in said[0].stdout
    failures = [one.stderr for one in said if one.returncode]
    assert "computing features" in failures[0]
    assert "ConversionException" in failures[0]
    assert "quarantine_share is broken" in failures[1]
    for failure in failures[2:]:
        assert "data/contracts/patients.odcs.yaml" in failure or "patients.csv" in failure


def test_no_value_is_in_any_file_that_was_written(spoken: tuple[Any, list[subprocess.CompletedProcess[str]]]):
    """Home, project, the user's folder and the temporary one: Dagster's history, ledger, versions, spill, keys."""
    found = written(spoken[0])
    assert any(place.endswith(".db") for place in found)
    assert any(place.endswith(".duckdb") for place in found)
    assert any("ledger" in place for place in found)
    assert not hits(found)


def test_no_value_is_in_what_the_commands_said(spoken: tuple[Any, list[subprocess.CompletedProcess[str]]]):
    """Both streams of every command, whatever its end."""
    _, said = spoken
    assert not hits({f"{one.args}": (one.stdout + one.stderr).encode() for one in said})


@pytest.mark.parametrize("canary", list(CANARIES))
def test_a_value_that_is_planted_in_the_home_is_found(tmp_path: Path, canary: str):
    """The search can fail: in each form, within other bytes."""
    for form in forms(CANARIES[canary]):
        assert hits({"planted": b"\x07\x01" + form.upper() if form.isalpha() else b"\x07" + form}) != []
    for before in range(3):
        held = base64.b64encode(b"x" * before + CANARIES[canary].encode() + b"more")
        assert hits({"planted": held}) == [f"{canary} in planted"]
