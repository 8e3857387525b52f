"""A family is whole or not at all: what stops the program, and what makes a member."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from privacy_assets.discovery import members, union

ROUND = '''
"""A member."""
from typing import Literal
from privacy_assets.words import Frozen

class Parameters(Frozen):
    kind: Literal["round"]
    digits: int = 0

def measure(parameters, value):
    return round(value, parameters.digits)
'''
FLOOR = ROUND.replace("round", "floor").replace("floor(value, parameters.digits)", "value // 1")
NUMBER = itertools.count()

Make = Callable[[Mapping[str, str]], str]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Writes a package of the modules that are given by name and source, and returns its name."""
    monkeypatch.syspath_prepend(tmp_path)
    made = []

    def write(modules: Mapping[str, str]) -> str:
        name = f"family_{next(NUMBER)}"
        (tmp_path / name).mkdir()
        for module, source in {"__init__": "", **modules}.items():
            (tmp_path / name / f"{module}.py").write_text(source, "utf-8")
        made.append(name)
        return name

    yield write
    for module in [module for module in sys.modules if module.partition(".")[0] in made]:
        del sys.modules[module]


def test_every_public_module_is_a_member(make: Make) -> None:
    """By name, in the order of names; what starts with an underscore is shared by members, and none."""
    family = members(make({"round": ROUND, "floor": FLOOR, "_shared": "raise ValueError"}), ("measure",))
    assert list(family) == ["floor", "round"]
    assert family["round"].measure(family["round"].Parameters(kind="round"), 1.4) == 1


def test_a_family_cannot_be_changed(make: Make) -> None:
    """A member is a file, not something that is put in at run time."""
    family = members(make({"round": ROUND}), ())
    with pytest.raises(TypeError):
        family["floor"] = family["round"]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        pytest.param("def measure(): ...", "needs a class Parameters", id="no parameters"),
        pytest.param("Parameters = 1\ndef measure(): ...", "needs a class Parameters", id="parameters are no class"),
        pytest.param(ROUND.replace("(Frozen)", ""), "needs a class Parameters", id="parameters are not frozen"),
        pytest.param(
            ROUND.replace('    kind: Literal["round"]\n', ""), 'needs kind: Literal\\["round"\\]', id="no kind"
        ),
        pytest.param(
            ROUND.replace('Literal["round"]', 'Literal["floor"]'), 'needs kind: Literal\\["round"\\]', id="other kind"
        ),
        pytest.param(
            ROUND.replace('Literal["round"]', 'Literal["round", "floor"]'), "needs kind", id="two kinds"
        ),
        pytest.param(ROUND.replace('Literal["round"]', "str"), "needs kind", id="any kind"),
        pytest.param(ROUND.replace("def measure", "def measures"), "lacks measure", id="no function"),
        pytest.param(ROUND.partition("def measure")[0] + "measure = 1\n", "lacks measure", id="function is none"),
    ],
)  # fmt: skip
def test_a_module_that_is_no_member_stops_the_program(make: Make, source: str, says: str) -> None:
    """The error names the module and what it lacks; the sound member beside it does not help."""
    with pytest.raises(TypeError, match=rf"\.round.*{says}"):
        members(make({"floor": FLOOR, "round": source}), ("measure",))


@pytest.mark.parametrize("source", ["def (", "import no_such_module", "raise RuntimeError"])
def test_a_file_that_does_not_load_stops_the_program(make: Make, source: str) -> None:
    """Nothing is left out because it could not be read."""
    package = make({"floor": FLOOR, "round": source})
    with pytest.raises((SyntaxError, ImportError, RuntimeError)):
        members(package, ("measure",))


def test_the_union_takes_each_member_by_its_kind_and_refuses_others_with_those_there_are(make: Make) -> None:
    """What YAML says of `kind` decides whose parameters are read; an unknown one is answered with the known ones."""
    family = members(make({"round": ROUND, "floor": FLOOR}), ("measure",))
    adapter = TypeAdapter(union(family))
    found = adapter.validate_python({"kind": "round", "digits": 2})
    assert type(found) is family["round"].Parameters
    with pytest.raises(ValidationError, match="'floor', 'round'"):
        adapter.validate_python({"kind": "ceiling"})
    with pytest.raises(ValidationError, match="kind"):
        adapter.validate_python({"digits": 2})
    with pytest.raises(ValidationError, match=r"digit\b"):
        adapter.validate_python({"kind": "round", "digit": 2})
