"""A change of the program: what counts as one, which assets it reaches, and that it says so where nobody can tell."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from privacy_assets.build import flows, steps
from privacy_assets.contracts.loading import load
from privacy_assets.contracts.revisions import files
from privacy_assets.lineage.diff import Change, Side, diff
from privacy_assets.lineage.program import MEMBERS, ORDER, RUNNING, TELLS, changes, compared, meaning
from privacy_assets.weakening import Effect
from tests.lineage.test_diff import PURPOSE, W, _edit, _side, _write

ROOT = Path(__file__).parents[2]
AS_IT_IS = files(RUNNING)
MORE = b"\n\ndef more() -> None:\n    pass\n"


@pytest.fixture(scope="module")
def side(tmp_path_factory: pytest.TempPathFactory) -> Side:
    return _side(_write(tmp_path_factory.mktemp("project")))


def _changed(side: Side, *paths: str) -> Mapping[str, Change]:
    after = {**AS_IT_IS, **{path: AS_IT_IS[path] + MORE for path in paths}}
    return {change.of.name: change for change in changes(AS_IT_IS, after, side, side)}


def _assets(change: Change) -> set[str]:
    return {str(asset) for asset, _ in change.starts}


def test_nothing_differs_from_itself(side: Side):
    """Nor where only comments, docstrings and white space differ, of every module."""
    told = {
        path: content.replace(b'"""', b'"""Otherwise: ', 1) + b"\n# a comment\n" if path.endswith(".py") else content
        for path, content in AS_IT_IS.items()
    }
    assert told != AS_IT_IS and not list(changes(AS_IT_IS, told, side, side))


BASE = b'X = 1\n"""Why."""\n\n\ndef f(k: int = 3) -> int:\n    """How."""\n    return k  # so\n'


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (b"X = 1\ndef f(k: int = 3) -> int:\n    return (k)\n", True),
        (b"X = 2\ndef f(k: int = 3) -> int:\n    return k\n", False),
        (b"X = 1\ndef f(k: int = 2) -> int:\n    return k\n", False),
        (b"X = 1\ndef f(k: float = 3) -> int:\n    return k\n", False),
        (b"X = 1\ndef f(k: int = 3) -> int:\n    'how'\n    return 'how'\n", False),
        (b"def f(k: int = 3) -> int:\n    return k\nX = 1\n", False),
        (b"X = 1\ndef f(k: int = 3) -> int\n    return k\n", False),
        (b"X = 1\0", False),
    ],
    ids=str,
)
def test_what_a_module_means(text: bytes, same: bool):
    """Values, defaults, types, returned texts, the order of its parts, and what is no Python count; words do not."""
    assert (meaning("a.py", BASE) == meaning("a.py", text)) is same
    assert meaning("a.txt", BASE) != meaning("a.txt", text)


def test_each_kind_of_member_reaches_those_that_name_it(side: Side):
    """A technique, a criterion, a hierarchy, an invariant, an attack, a threat model, a stage; anything else all."""
    every = {str(asset) for asset in side.flows.made}
    of_purpose = {name for name in every if not name.startswith("raw/")}
    for path, what, assets in [
        ("techniques/pseudonymize/token.py", "technique token", {"pseudonymized/smoking/patients"}),
        ("techniques/hierarchies/table.py", "technique table", {"anonymized/smoking"}),
        ("techniques/criteria/l_diversity.py", "technique l_diversity", {"anonymized/smoking"}),
        ("invariants/k_anonymity.py", "invariant k_anonymity", {"anonymized/smoking"}),
        ("attacks/downcoding.py", "attack downcoding", {"anonymized/smoking"}),
        ("threat_models/public_release.py", "threat model public_release", of_purpose),
        ("stages/s5_anonymized.py", "module s5_anonymized", {"anonymized/smoking"}),
        ("gate.py", "module gate", every),
        ("stages/step.py", "module step", every),
        ("techniques/anonymize/__init__.py", "module __init__", every),
        ("invariants/_asking.py", "module _asking", every),
    ]:
        change = _changed(side, path)[path]
        assert change.effect is Effect.CHANGED and change.topic == "program", path
        assert change.what.startswith(f"{what}, ") and change.where == f"privacy_assets/{path}"
        assert _assets(change) == assets, path
        assert (change.before, change.after) == ("", "more")


def test_what_nobody_uses_touches_nobody(side: Side):
    """A technique that no purpose names, and what only tells; it is listed all the same."""
    for path in ("techniques/pseudonymize/surrogate.py", "attacks/membership.py", "cli.py", "reports/impact.py"):
        change = _changed(side, path)[path]
        assert change.effect is Effect.OTHER and not change.starts and change.what.endswith("of no asset")
    named = {module for made in side.flows.made.values() for module in made.made_by}
    sample = load(ROOT)
    named |= {module for made in flows(steps(sample)).made.values() for module in made.made_by}
    assert named
    for told in TELLS:
        assert (RUNNING / told).exists()
        assert not [module for module in named if module.startswith(f"privacy_assets.{told.removesuffix('.py')}")]
    assert all((RUNNING / folder).is_dir() for folder in MEMBERS)


def test_files_come_and_go(side: Side):
    """A file that is on one side only has nothing on the other; a new technique that nobody names touches nobody."""
    after = {**AS_IT_IS, "techniques/pseudonymize/hide.py": b"X = 1\n", "words.txt": b"a\n"}
    del after["techniques/pseudonymize/_keyed.py"]
    found = {change.of.name: change for change in changes(AS_IT_IS, after, side, side)}
    new, data, gone = (
        found[path] for path in ("techniques/pseudonymize/hide.py", "words.txt", "techniques/pseudonymize/_keyed.py")
    )
    assert (new.before, new.after, new.effect) == (None, "X", Effect.OTHER)
    assert (data.before, data.after, data.effect) == (None, "content", Effect.CHANGED)
    assert gone.after is None and gone.before and _assets(gone) == {"pseudonymized/smoking/patients"}
    (moved,) = changes({"gate.py": b"X = 1\nY = 2\n"}, {"gate.py": b"Y = 2\nX = 1\n"}, side, side)
    assert (moved.before, moved.after) == (ORDER, ORDER)


def test_it_follows_like_any_other_change(side: Side, tmp_path: Path):
    """Models below and owners are told, no declaration has to say it by its version, and less promised comes first."""
    root = shutil.copytree(side.project.root, tmp_path / "head")
    _edit(root, (PURPOSE, "recipients: [", "recipients: [an insurer, "))
    head = _side(root)
    program = tuple(_changed(head, "invariants/k_anonymity.py", "cli.py").values())
    alone = diff(side, side, "main", program)
    assert alone.weakens and alone.versioned and not alone.versions
    assert [str(asset) for asset in alone.models] == ["model/smoking"]
    assert [str(one.of) for one in alone.approvals] == ["purpose smoking"]
    both = diff(side, head, "main", program)
    assert [(one.topic, one.effect) for one in both.changes] == [
        ("recipient", W), ("program", Effect.CHANGED), ("program", Effect.OTHER)]  # fmt: skip
    assert not diff(side, side, "main", tuple(_changed(side, "cli.py").values())).weakens


def test_the_program_of_a_folder_is_compared(side: Side, tmp_path: Path):
    """Where the project has the program in its own folder: with that of the other one, or with none."""
    base, head = (shutil.copytree(side.project.root, tmp_path / name) for name in ("base", "head"))
    other = _side(head)
    assert compared(str(base), side, other) == (
        (), (f"Whether the program is the same is not told: {base} has none that could be compared with the one "
             "at hand.",))  # fmt: skip
    for root in (base, head):
        shutil.copytree(RUNNING, root / "privacy_assets", ignore=shutil.ignore_patterns("__pycache__"))
    assert compared(str(base), side, other) == ((), ())
    gate = head / "privacy_assets/gate.py"
    gate.write_bytes(gate.read_bytes() + MORE)
    (head / "privacy_assets/__pycache__").mkdir()
    (head / "privacy_assets/__pycache__/gate.pyc").write_bytes(b"x")
    (change,), notes = compared(str(base), side, other)
    assert change.of.name == "gate.py" and not notes
