"""What every synthesizer owes: whoever adds one gets these tests by its file being there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from privacy_assets.coded import Coded, Domain
from privacy_assets.errors import NotKept
from privacy_assets.techniques.synthesize import SYNTHESIZE, is_linked
from privacy_assets.words import Frozen, PrivacyLoss
from tests.techniques.synthesize.tables import DOMAINS, SIZES, coded, distance, only, people

EXAMPLES: dict[str, dict[str, Any]] = {
    "ctgan": {"epochs": 1, "batch_size": 60},
    "gaussian_copula": {"distribution": "norm"},
    "hma": {"distribution": "norm"},
    "independent_marginals": {"epsilon": 2.0, "delta": 1e-5},
    "marginal_tree": {"epsilon": 2.0, "delta": 1e-5},
    "sequential_trees": {"min_samples_leaf": 20},
    "tvae": {"epochs": 1, "batch_size": 60},
}
"""Of each synthesizer parameters with which it is quick."""

EVERY = sorted(SYNTHESIZE)
MEMBERS = [kind for kind in EVERY if not getattr(SYNTHESIZE[kind], "LINKED", False)]
"""Those that see one table; for those that see several, see `test_hma.py`."""
PRIVATE = [kind for kind in MEMBERS if "epsilon" in EXAMPLES[kind]]
PLAIN = [kind for kind in MEMBERS if kind not in PRIVATE]
AGE = Domain("age", low=18, high=90)


def parameters(kind: str, **more: Any) -> Frozen:
    """The example's, or others."""
    return SYNTHESIZE[kind].Parameters(**{"kind": kind, **EXAMPLES[kind], **more})


def synthesize(kind: str, table: Coded, rows: int | None = None, m: int = 1, seed: int = 4) -> Coded:
    """What is made with the example's parameters."""
    made = SYNTHESIZE[kind].synthesize(parameters(kind), table, rows=rows, rows_per_person=m, seed=seed)
    assert isinstance(made, Coded)
    return made


def test_each_has_an_example() -> None:
    """Whoever adds a file adds a line here, and everything below is asked of it."""
    assert sorted(EXAMPLES) == EVERY


def test_who_sees_several_tables_says_so() -> None:
    """By the module, and so for the parameters that a purpose declares."""
    assert [kind for kind in EVERY if is_linked(parameters(kind))] == ["hma"]


@pytest.mark.parametrize("kind", MEMBERS)
@pytest.mark.parametrize("rows", [0, 1, 137])
def test_as_many_rows_as_were_asked_for_over_the_same_domains(kind: str, rows: int) -> None:
    """Also none, and also more than there were."""
    made = synthesize(kind, people(90), rows)
    assert made.rows == rows
    assert made.domains == DOMAINS


@pytest.mark.parametrize("kind", MEMBERS)
def test_as_many_rows_as_there_were_where_nothing_is_asked(kind: str) -> None:
    """Under differential privacy about as many: by a noisy count."""
    made = synthesize(kind, people(300 if kind in PRIVATE else 100))
    assert made.rows == 100 if kind in PLAIN else abs(made.rows - 300) < 90


@pytest.mark.parametrize("kind", EVERY)
def test_what_it_costs_is_a_loss_or_nothing(kind: str) -> None:
    """Who takes ε has a cost, and who has none takes no ε."""
    loss = SYNTHESIZE[kind].cost(parameters(kind))
    assert isinstance(loss, PrivacyLoss) == (kind in PRIVATE)
    assert loss is None or (0 < loss.epsilon <= 2.0 and loss.delta == 1e-5 and loss.rho)


@pytest.mark.parametrize("kind", PLAIN)
def test_the_same_seed_gives_the_same_rows(kind: str) -> None:
    """And another seed others; no generator of anybody else is moved."""
    before = np.random.get_state()[1].tolist()
    first, again, other = (synthesize(kind, people(80), seed=seed) for seed in (4, 4, 2**40 + 5))
    assert np.array_equal(first.codes, again.codes)
    assert not np.array_equal(first.codes, other.codes)
    assert np.random.get_state()[1].tolist() == before


@pytest.mark.parametrize("kind", PRIVATE)
def test_private_rows_are_others_each_time(kind: str) -> None:
    """Noise takes no seed."""
    first, again = (synthesize(kind, people(300), 300) for _ in range(2))
    assert not np.array_equal(first.codes, again.codes)


@pytest.mark.parametrize("kind", [kind for kind in MEMBERS if kind not in ("ctgan", "tvae")])
def test_columns_keep_their_shares_however_rows_are_ordered(kind: str) -> None:
    """The same people in another order make rows of the same distribution, which is near theirs."""
    table = people(4000)
    shuffled = table.take(np.random.default_rng(9).permutation(table.rows))
    first, second = synthesize(kind, table), synthesize(kind, shuffled)
    # it knows no heaps, and whom it sees first has the lower place among labels
    alike, near = (0.2, 0.3) if kind == "gaussian_copula" else (0.06, 0.06)
    for place in range(len(DOMAINS)):
        assert distance(first, second, place) < alike, DOMAINS[place].name
        assert distance(first, table, place) < near, DOMAINS[place].name


@pytest.mark.parametrize("kind", MEMBERS)
@pytest.mark.parametrize("rows", [0, 1])
def test_who_is_hardly_there_is_refused_or_drowned_in_noise(kind: str, rows: int) -> None:
    """A private synthesizer may not show by an error how many there are; the others say that they are too few."""
    if kind in PRIVATE:
        assert synthesize(kind, people(rows), 40).rows == 40
        assert synthesize(kind, people(rows)).rows < 300
        return
    with pytest.raises(NotKept, match="too few rows") as caught:
        synthesize(kind, people(rows))
    assert f"{rows} rows" in caught.value.faults[0].found
    assert caught.value.faults[0].next_step


@pytest.mark.parametrize("kind", PLAIN)
def test_leaves_and_models_count_people_not_rows(kind: str) -> None:
    """Enough rows, but of so few people that they might be five."""
    synthesize(kind, people(100), 5)
    with pytest.raises(NotKept, match="too few rows"):
        synthesize(kind, people(100), 5, m=20)


@pytest.mark.parametrize("kind", MEMBERS)
def test_a_column_of_null_only_stays_one(kind: str) -> None:
    """Nothing is invented where nothing is known. Under differential privacy hardly anything: noise is."""
    table = people(600 if kind in PRIVATE else 100)
    codes = table.codes.copy()
    codes[:, 0], codes[:, 1] = SIZES[0], SIZES[1]
    made = synthesize(kind, Coded(DOMAINS, codes), 200)
    for place in (0, 1):
        nulls = (made.codes[:, place] == SIZES[place]).mean()
        assert nulls == 1 if kind in PLAIN else nulls > 0.5


@pytest.mark.parametrize("kind", MEMBERS)
@pytest.mark.parametrize("domain", [Domain("only", ("yes",)), Domain("only", low=7, high=7)], ids=["label", "number"])
def test_a_domain_of_one_value_is_that_value(kind: str, domain: Domain) -> None:
    """Beside others, and by itself."""
    table = people(200 if kind in PRIVATE else 80)
    beside = coded(np.zeros(table.rows), *table.codes.T[1:], domains=(domain, *DOMAINS[1:]))
    assert not synthesize(kind, beside, 50).codes[:, 0].any()
    assert not synthesize(kind, only([0] * 200, domain), 50).codes.any()


@pytest.mark.parametrize("kind", MEMBERS)
def test_a_single_column_is_enough(kind: str) -> None:
    """There is nothing to know of others then."""
    table = only(people(200).codes[:, 1].tolist(), AGE)
    made = synthesize(kind, table, 100)
    assert made.rows == 100 and made.codes.shape[1] == 1


@pytest.mark.parametrize("kind", MEMBERS)
def test_null_is_made_only_where_it_was(kind: str) -> None:
    """A column in which everything is known keeps being one."""
    made = synthesize(kind, people(300 if kind in PRIVATE else 100), 200)
    assert not (made.codes[:, [0, 2, 3]] == np.array(SIZES)[[0, 2, 3]]).any()


@pytest.mark.parametrize("kind", MEMBERS)
def test_nothing_is_printed_and_nothing_written(
    kind: str, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No progress, no log, no telemetry."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    synthesize(kind, people(100), 20)
    assert list(tmp_path.rglob("*")) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", EVERY)
def test_unknown_words_are_refused(kind: str) -> None:
    """A misspelled parameter is none."""
    with pytest.raises(ValidationError, match="Extra inputs"):
        parameters(kind, epslon=1)


@pytest.mark.parametrize("kind", EVERY)
def test_each_says_what_it_does_not_cover(kind: str) -> None:
    """In the docstring of its file, with its source, unless it is the baseline."""
    text = SYNTHESIZE[kind].__doc__ or ""
    assert re.search(r"Learns", text) and re.search(r"[Dd]oes not cover", text)
    assert "Source:" in text or kind == "independent_marginals"
    assert ("No differential privacy" in text) == (kind not in PRIVATE)
