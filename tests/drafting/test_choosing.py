"""A person is asked about what is unsure, decides, and nothing is written before the last answer."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from privacy_assets.build import steps
from privacy_assets.contracts.loading import load
from privacy_assets.drafting import choosing
from privacy_assets.drafting.drafting import draft_files
from privacy_assets.drafting.judging import Guess
from privacy_assets.gate import Gate
from privacy_assets.stages.step import carry_out
from privacy_assets.words import Role
from tests.conftest import environment_in

WORDS = ("red", "blue", 'it\'s "green"')


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Colours of which three are common and canary ones are not; a sure column, and two unsure ones."""
    root = tmp_path / "project"
    (root / "data/contracts").mkdir(parents=True)
    colours = [WORDS[n % 3] if n % 10 else f"canary {n}" for n in range(600)]
    rows = [
        f'{n % 60 + 18},"{colour.replace(chr(34), 2 * chr(34))}",{n % 7},{n % 2 == 0}'
        for n, colour in enumerate(colours)
    ]
    (root / "people.csv").write_text("age,colour,visits,bought\n" + "\n".join(rows) + "\n")
    return root


def answering(role: Role | None = None, *, needed: bool = False) -> Callable[[Guess], Guess]:
    def choose(guess: Guess) -> Guess:
        if choosing.is_open(guess):
            guess = choosing.with_role(guess, role or guess.role)
        return choosing.as_needed(guess) if needed and choosing.could_be_needed(guess) else guess

    return choose


def test_a_chosen_role_is_what_is_written(project: Path) -> None:
    """And that somebody chose it; what was guessed is kept beside it, for later."""
    draft_files(project / "people.csv", "shop", project, subject=None, target=None, choose=answering(Role.SENSITIVE))
    contract = load(project).contracts["shop"]
    assert {column.name: column.privacy.role for column in contract.columns} == {
        "age": Role.QUASI_IDENTIFIER, "colour": Role.SENSITIVE, "visits": Role.SENSITIVE, "bought": Role.SENSITIVE,
    }  # fmt: skip
    assert contract.drafted is not None
    assert contract.drafted.guessed["bought"] is Role.ATTRIBUTE
    assert (project / "data/contracts/shop.odcs.yaml").read_text().count("chosen by who drafted it") == 3


def test_a_needed_column_runs_with_its_common_values_and_one_word_for_the_rest(project: Path, tmp_path: Path) -> None:
    """Up to the model; no rare value is written anywhere."""
    drafted = draft_files(
        project / "people.csv", "shop", project, subject=None, target="bought", choose=answering(needed=True)
    )
    assert "canary" not in drafted.paths[0].read_text() + drafted.paths[1].read_text()
    purpose = load(project).purposes["shop_model"]
    assert set(purpose.features.categories["colour"]) == {*WORDS, "other"}
    gate = Gate.open(project, environment_in(tmp_path))
    for step in steps(gate.project).values():
        carry_out(step, gate).raise_faults()
    training = next(asset for asset in gate.project.assets() if asset.stage.value == "model")
    assert gate.latest(training) is not None


def test_without_an_answer_the_column_stays_out(project: Path) -> None:
    """As a draft without questions leaves it."""
    draft_files(project / "people.csv", "shop", project, subject=None, target=None, choose=answering())
    purpose = yaml.safe_load((project / "data/purposes/shop_model.yaml").read_text())
    assert set(purpose["datasets"]["shop"]["columns"]) == {"_row", "age", "visits", "bought"}
    assert "sql" not in purpose["features"]


def test_a_file_that_somebody_made_meanwhile_is_left_as_it_is(project: Path) -> None:
    """An answer may take its time; what else was written is taken away again."""
    theirs = project / "data/purposes/shop_model.yaml"

    def choose(guess: Guess) -> Guess:
        theirs.parent.mkdir(exist_ok=True)
        theirs.write_text("mine")
        return guess

    with pytest.raises(FileExistsError):
        draft_files(project / "people.csv", "shop", project, subject=None, target=None, choose=choose)
    assert theirs.read_text() == "mine"
    assert not (project / "data/contracts/shop.odcs.yaml").exists()


def test_what_is_said_of_a_need_is_counts(project: Path) -> None:
    """How many values, how many of them common, how many rows these are."""
    said: list[str] = []

    def choose(guess: Guess) -> Guess:
        if choosing.could_be_needed(guess):
            said.append(choosing.about_need(guess))
        return guess

    draft_files(project / "people.csv", "shop", project, subject=None, target=None, choose=choose)
    assert said == [
        "63 different values, of which 3 are shared by at least 100 people, or rows where nobody is told apart (90% of "
        "those with a value). If it is needed, the purpose lists these and calls the rest `other`"
    ]


# ---- in a terminal


HEARS = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from privacy_assets.cli import main; main()"
)
"""What a shell starts in the background is deaf to Ctrl-C, and so is all that it starts: this is not."""


def in_terminal(project: Path, *answers: str) -> tuple[int, str]:
    """Runs the command in a terminal of its own, gives one answer at each question; "^C" interrupts."""
    ours, theirs = pty.openpty()
    words = [sys.executable, "-c", HEARS, "draft", "people.csv", "--name", "shop", "--interactive"]
    with subprocess.Popen(words, cwd=project, stdin=theirs, stdout=theirs, stderr=theirs) as it:
        os.close(theirs)
        said, left = "", list(answers)
        while select.select([ours], [], [], 60)[0]:
            try:
                some = os.read(ours, 4096).decode(errors="replace")
            except OSError:  # the other end is closed
                break
            if not some:
                break
            said += some
            if left and said.rstrip().endswith(":") and "(" in said.splitlines()[-1]:
                answer = left.pop(0)
                if answer == "^C":
                    time.sleep(0.5)  # nobody is as fast as the question: it is read before it is interrupted
                    it.send_signal(signal.SIGINT)
                else:
                    os.write(ours, f"{answer}\n".encode())
        os.close(ours)
        return it.wait(60), said


def test_somebody_at_a_terminal_is_asked_about_what_is_unsure_alone(project: Path) -> None:
    """Enter keeps a guess; a letter chooses a role; nothing that stands in the file is shown."""
    code, said = in_terminal(project, "", "y", "s", "a")
    assert code == 0, said
    columns = load(project).contracts["shop"].columns
    assert [column.privacy.role.value for column in columns] == [
        "quasi_identifier", "quasi_identifier", "sensitive", "attribute",
    ]  # fmt: skip
    assert "colour" in load(project).purposes["shop_model"].features.categories
    assert said.count("Role: ") == 3
    assert not any(word in said for word in ("canary", "green"))


@pytest.mark.parametrize("answers", [("^C",), ("", "y", "^C"), ("\x04",)])
def test_an_interrupted_talk_leaves_nothing_written(project: Path, answers: tuple[str, ...]) -> None:
    """At the first question or a later one, by Ctrl-C or by the end of the input."""
    code, said = in_terminal(project, *answers)
    assert (code, "nothing is written" in said) == (130, True), said
    assert not list((project / "data").rglob("*.yaml"))


def test_without_a_terminal_there_is_nobody_to_ask(project: Path) -> None:
    """It says so, and writes nothing."""
    words = [sys.executable, "-m", "privacy_assets.cli", "draft", "people.csv", "--name", "shop", "--interactive"]
    ended = subprocess.run(words, cwd=project, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert (ended.returncode, "there is nobody to ask" in ended.stderr) == (1, True)
    assert not list((project / "data").rglob("*.yaml"))
