"""A publication under faults: killed at every call, a failing disk, a full one, another run at the same time.

Afterwards the old version stands or the new one does, whole; the next run is green and sweeps.
"""

from __future__ import annotations

import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .conftest import Parent, Workshop

RAW, MINIMIZED, FEATURES = "raw/patients", "minimized/smoking/patients", "features/smoking"
CORRIDOR = ["raw/consents", RAW, MINIMIZED, "pseudonymized/smoking/patients", FEATURES]
MANY, LONG = 40, 100
"""From so many tries on, every part of a publication is hit; and each is followed by a run that nobody disturbs."""
CANARIES = (b"@example.org", b"p-01;", b"p-01,")
CHANGES = re.compile(r"(write|pwrite64|f\w*sync|f?truncate|rename\w*|link\w*|unlink\w*|mkdir\w*|rmdir|f?chmod\w*)\(")
"""Calls that change what lies on the disk. Making a file is left out: what follows it is not."""
MOMENTS = {
    "candidate made": r"versions/.*\.key\.",
    "written": r'chmod\(".*\.duckdb"',
    "sealed": r"rmdir\(.*/spill/",
    "appended": r"ledger/entries.*O_APPEND",
    "witnessed": r"rename\w*\(.*witness/\.?checkpoint",
    "published": r"rename\w*\(.*ledger/\.?checkpoint",
}
"""When each part of a publication begins, as calls of the first thread show; which thread opens a file is by chance."""


@pytest.fixture
def shop(parent: Parent, tmp_path: Path, write_project: Callable[[Path], None]) -> Workshop:
    """The tiny project, and a process to be forked."""
    write_project(tmp_path / "project")
    return Workshop(tmp_path, parent)


def calls_of(log: str) -> Iterator[tuple[str, str, str]]:
    """Each call of the first thread that strace saw: where it is (as strace injects), its part, its text."""
    lines = [line.split(maxsplit=1) for line in log.splitlines() if re.match(r"\d+ +[a-z]\w*\(", line)]
    part, waiting = "before", list(MOMENTS.items())
    seen: Counter[str] = Counter()
    for call in (call for pid, call in lines if pid == lines[0][0]):
        name = call.partition("(")[0]
        seen[name] += 1
        for place, (begins, pattern) in enumerate(waiting):
            if re.search(pattern, call):
                part, waiting = begins, waiting[place + 1 :]
                break
        yield f"{name}:when={seen[name]}", part, call


def of_interest(call: str, folder: Path) -> bool:
    """Whether a call changes something in the home, or in the guards."""
    return bool(CHANGES.match(call)) and (f"{folder}/home" in call or f"{folder}/guards" in call)


def points(log: str, folder: Path, tries: int, rng: random.Random) -> list[str]:
    """Where to kill: as many calls of each part as of any other, as far as there are so many."""
    parts: dict[str, list[str]] = {}
    for place, part, call in calls_of(log):
        if of_interest(call, folder):
            parts.setdefault(part, []).append(place)
    for each in parts.values():
        rng.shuffle(each)
    chosen: list[str] = []
    while len(chosen) < tries:
        more = [each.pop() for each in parts.values() if each]
        if not more:
            return chosen + points(log, folder, tries - len(chosen), rng)
        chosen += more
    return chosen[:tries]


def kills(
    log: str, folder: Path, tries: int, rng: random.Random, parts: Counter[str], counts: Counter[str]
) -> Iterator[str]:
    """Those points; then more where none of them hit: from run to run a kill drifts by a call or two.

    Of few tries one has to come so late that the new version stands; of many each part needs one as well.
    """
    yield from points(log, folder, tries, rng)
    for _ in range(MANY):
        missed = set(MOMENTS) - set(parts) if tries >= MANY else set()
        missed |= set() if counts["new"] else {"published"}
        places = [place for place, part, call in calls_of(log) if part in missed and of_interest(call, folder)]
        if not places:
            return
        yield rng.choice(places)


def changed(shop: Workshop, rng: random.Random) -> None:
    """Let the source hold something new, so that the old version and the new one can be told apart."""
    path = shop.project / "data/samples/patients.csv"
    head, *rest = [line.split(";") for line in path.read_text().splitlines()]
    for fields in rest[:5]:
        fields[3], fields[5] = str(rng.randrange(18, 90)), f"{rng.randrange(10**6)}.{rng.randrange(10, 99)}"
    path.write_text("\n".join(";".join(fields) for fields in (head, *rest)) + "\n")


def visible(shop: Workshop) -> int:
    """Files of home and guards in which a person can be read."""
    files = [path for name in ("home", "guards") for path in (shop.folder / name).rglob("*") if path.is_file()]
    return sum(any(canary in path.read_bytes() for canary in CANARIES) for path in files)


def standing(asset: str, before: dict, found: dict) -> str:
    """Whether "old" or "new" stands after a fault, whole and measured again ("lost": neither)."""
    was, now = before[asset], found[asset]
    if now["standing"] != "kept" or now["faults"] or found["missing"] or now["rows"] != was["rows"]:
        return "lost"
    if now["version"] == was["version"]:
        return "old"
    return "new" if now["digest"] != was["digest"] else "lost"


def judged(asset: str, before: dict, answer: dict) -> tuple[str, int, int]:
    """That, the orphans there were, and what was left after the next run, which has to be green."""
    assert "fault" in answer, answer
    found, after = answer["fault"], answer["next"]
    kind = standing(asset, before, found)
    assert after[asset]["standing"] == "kept"
    if kind == "new":
        assert after[asset]["digest"] == found[asset]["digest"], "the next run makes the same of the same source"
    left = [*after["missing"], *after["orphans"], *(set(after["others"]) - set(before["others"]))]
    return kind, len(found["orphans"]) + found["spill"], len(left) + after["spill"]


@pytest.mark.needs("strace")
@pytest.mark.parametrize(
    ("asset", "tries"),
    [
        pytest.param(RAW, 50, id="raw"),
        pytest.param(MINIMIZED, 7, id="minimized"),
        pytest.param(RAW, 600, id="raw-long", marks=[pytest.mark.long, pytest.mark.timeout(3600)]),
        pytest.param(MINIMIZED, 400, id="minimized-long", marks=[pytest.mark.long, pytest.mark.timeout(3600)]),
    ],
)
def test_a_publication_that_is_killed_is_whole_or_never_was(
    shop: Workshop, figures: Callable[..., None], asset: str, tries: int
) -> None:
    """T-REL-1: kill -9 before any call that changes a file: the old version or the new one, then green."""
    rng = random.Random(f"{asset} {tries}")
    upstream = CORRIDOR[: CORRIDOR.index(asset)] if asset != RAW else []
    shop.do("made", assets=[*upstream, asset] * 2)
    said, log = shop.under("", "made", assets=[asset])
    assert said["status"] == 0, said
    counts, parts, swept, left, readable = Counter(), Counter(), 0, 0, 0
    before = shop.do("examined", assets=[asset])
    for at, point in enumerate(kills(log, shop.folder, tries, rng, parts, counts), start=1):
        changed(shop, rng)
        if upstream:
            shop.do("made", assets=[RAW])
        said, killed = shop.under(f"{point}:signal=KILL", "made", assets=[asset])
        assert said["status"] in (-9, 0), said
        readable += visible(shop)
        if tries < LONG and at % 3 and at < tries:
            # the run that is killed next has to cope with what this one left
            found = shop.do("examined", assets=[asset])
            kind, before = standing(asset, before, found), found | {"others": before["others"]}
        else:
            answer = shop.do("recovered", assets=[asset])
            kind, orphans, remains = judged(asset, before, answer)
            swept, left, before = swept + orphans, left + remains, answer["next"]
        counts[kind if said["status"] else "not hit"] += 1
        parts[list(calls_of(killed))[-1][1]] += 1
    figures(
        f"T-REL-1 kill -9 while {asset} is published",
        tried=counts.total(),
        **{"old stands": counts["old"], "new stands": counts["new"], "lost": counts["lost"]},
        **{"raw rows visible": readable, "files swept": swept, "left behind": left},
    )
    figures(f"T-REL-1 kill -9 while {asset} is published, after", **parts)
    assert counts["old"] and counts["new"] and swept
    assert counts["lost"] == readable == left == 0
    assert tries < MANY or set(MOMENTS) <= set(parts)


@pytest.mark.parametrize(
    "tries", [3, pytest.param(60, marks=[pytest.mark.long, pytest.mark.timeout(3600)])], ids=["sample", "long"]
)
def test_dagsters_history_is_repaired_after_a_kill(shop: Workshop, figures: Callable[..., None], tries: int) -> None:
    """T-REL-1: kill -9 a moment after the append: what Dagster was not told it is told by the next run, once."""
    rng = random.Random(tries)
    assert shop.do("materialized", assets=[RAW])["success"]
    checkpoint = shop.home / "ledger/checkpoint"
    repaired = unknown = lost = tried = 0
    # on a busy machine a kill may come too late: the first is at once, and until one is in time there are more of them
    while tried < tries or (not unknown and tried < 20 * tries):
        tried += 1
        published = checkpoint.read_bytes()
        run = shop.start("materialized", assets=[RAW])
        while checkpoint.read_bytes() == published:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.1) if unknown else 0)
        os.kill(run.pid, signal.SIGKILL)
        assert run.end()["status"] == -9
        answer = shop.do("told", assets=[RAW])
        before, found = answer["fault"], answer["next"]
        assert answer["success"]
        unknown += before["stands"] not in before["known"]
        repaired += found["repaired"] - before["repaired"]
        lost += len(set(found["published"]) - set(found["known"]))
        assert len(found["known"]) == len(set(found["known"])), "a version was told twice"
    figures("T-REL-1 kill -9 before Dagster is told", tried=tried, unknown=unknown, repaired=repaired, lost=lost)
    assert repaired == unknown > 0
    assert lost == 0


ERRORS = ("EIO", "ENOSPC")


@pytest.mark.needs("strace")
@pytest.mark.parametrize(
    ("errors", "tries"),
    [
        pytest.param(ERRORS, 8, id="sample"),
        *(pytest.param((one,), 0, id=one, marks=[pytest.mark.long, pytest.mark.timeout(3600)]) for one in ERRORS),
    ],
)
def test_a_publication_on_a_failing_disk_says_so_and_is_whole(
    shop: Workshop, figures: Callable[..., None], errors: tuple[str, ...], tries: int
) -> None:
    """T-REL-2: EIO and ENOSPC from any call about the home (long: from every one): an error of ours, or none."""
    rng = random.Random(tries)
    shop.do("made", assets=[RAW, RAW])
    _, log = shop.under("", "made", assets=[RAW])
    about = (f"{shop.home}", f"{shop.folder}/guards")
    places = [
        (place, error)
        for place, _, call in calls_of(log)
        for error in errors
        if any(name in call for name in about) and not call.startswith("flock")
    ]
    before, counts, readable, left = shop.do("examined", assets=[RAW]), Counter[str](), 0, 0
    for place, error in rng.sample(places, tries) if tries else places:
        changed(shop, rng)
        said, _ = shop.under(f"{place}:error={error}", "made", assets=[RAW])
        assert "foreign" not in said, (place, error, said["foreign"])
        if "faults" in said:
            assert all(fault["next"] for fault in said["faults"]), (place, error, said["faults"])
        readable += visible(shop)
        answer = shop.do("recovered", assets=[RAW])
        kind, _, remains = judged(RAW, before, answer)
        counts[f"{'refused' if 'faults' in said else 'green'}, {kind}"] += 1
        left += remains
        before = answer["next"]
    figures(
        f"T-REL-2 {' and '.join(errors)} at calls of a publication",
        tried=counts.total(),
        **{f"{name} stands": count for name, count in sorted(counts.items())},
        **{"raw rows visible": readable, "left behind": left},
    )
    assert counts["refused, old"]
    assert not counts["refused, lost"] + counts["green, lost"] + readable + left


@pytest.mark.needs("strace")
@pytest.mark.parametrize(
    "tries", [2, pytest.param(60, marks=[pytest.mark.long, pytest.mark.timeout(3600)])], ids=["sample", "long"]
)
def test_people_are_told_of_a_failing_disk_in_our_words(
    shop: Workshop, figures: Callable[..., None], tries: int
) -> None:
    """T-REL-2: `privacy-assets run` on a disk that fails ends with exit code 1, a next step and no traceback."""
    rng = random.Random(tries)
    (shop.project / "data/purposes/smoking.yaml").unlink()
    said = shop.do("commanded", argv=["run"])
    assert said["status"] == 0, said
    _, log = shop.under("", "commanded", argv=["run"])
    places = [place for place, _, call in calls_of(log) if of_interest(call, shop.folder)]
    red = 0
    for place in rng.sample(places, tries):
        said, _ = shop.under(f"{place}+:error={rng.choice(ERRORS)}", "commanded", argv=["run"])
        assert "Traceback" not in said["text"], (place, said["text"])
        assert said["status"] in (0, 1), (place, said)
        if said["status"]:
            red += 1
            assert "next: " in said["text"], (place, said["text"])
        (shop.home / "ballast").unlink(missing_ok=True)
        assert shop.do("commanded", argv=["run"])["status"] == 0
    figures("T-REL-2 commands on a failing disk", tried=tries, **{"red with a next step": red})
    assert red


def test_a_damaged_history_of_dagster_is_named_and_made_anew(shop: Workshop) -> None:
    """Its files are no database any more: the command says which folder, and without them the ledger fills it again."""
    (shop.project / "data/purposes/smoking.yaml").unlink()
    assert shop.do("commanded", argv=["run"])["status"] == 0
    for path in (shop.home / "dagster").rglob("*.db"):
        path.write_bytes(b"no database " * 1000)
    said = shop.do("commanded", argv=["run"])
    assert said["status"] == 1, said
    assert "Traceback" not in said["text"]
    assert "Dagster's history cannot be read" in said["text"]
    assert str(shop.home / "dagster") in said["text"]
    (shop.home / "dagster").rename(shop.folder / "damaged")
    assert shop.do("commanded", argv=["run"])["status"] == 0
    told = shop.do("history", assets=[RAW])
    assert told["published"] == list(reversed(told["known"]))
    assert told["repaired"] == 1


def namespace(folder: Path) -> tuple[str, ...]:
    """What starts a program whose `home` is a file system of 48 MiB that nobody else sees."""
    script = f'mount -t tmpfs -o size=48m tmpfs "{folder}/home" && exec "$@"'
    return ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh")


@pytest.fixture
def small(tmp_path: Path, write_project: Callable[[Path], None]) -> Iterator[Workshop]:
    """The same, in a home of 48 MiB, and a process of its own that sees it."""
    write_project(tmp_path / "project")
    (tmp_path / "home").mkdir()
    parent = Parent(namespace(tmp_path))
    yield Workshop(tmp_path, parent)
    parent.close()


@pytest.mark.needs("unshare")
@pytest.mark.parametrize("leave", [0, 8 << 10, 300 << 10], ids=["nothing", "8 KiB", "300 KiB"])
def test_a_full_disk_refuses_the_publication_and_takes_nothing(
    small: Workshop, figures: Callable[..., None], leave: int
) -> None:
    """T-REL-3: with no space, too little for the ledger or for Dagster, what stood stands; with space again, green."""
    assert small.do("materialized", assets=[RAW])["success"]
    before = small.do("examined", assets=[RAW])
    small.do("filled", leave=leave)
    said = small.do("made", assets=[RAW])
    told = small.start("commanded", argv=["run"]).end()
    assert "Traceback" not in told["text"], told["text"]
    assert told["status"] == 1
    assert "next: " in told["text"]
    refused = "faults" in said
    assert refused or "versions" in said, said
    full = small.do("examined", assets=[RAW])
    small.do("freed")
    answer = small.do("recovered", assets=[RAW])
    assert small.do("materialized", assets=[RAW])["success"]
    figures(
        f"T-REL-3 full disk, {leave} bytes left", tried=2, refused=refused + 1, lost=len(answer["fault"]["missing"])
    )
    assert refused or leave
    for found in (full, answer["fault"], answer["next"]):
        assert found[RAW]["standing"] == "kept", found
        assert found[RAW]["rows"] == before[RAW]["rows"]
        assert not found["missing"]
    assert not answer["next"]["orphans"]


@pytest.mark.needs("unshare")
def test_a_home_that_cannot_be_written_refuses_and_is_whole(small: Workshop) -> None:
    """T-REL-3: a file system that was mounted read-only: an error of ours, and everything is readable again later."""
    small.do("made", assets=[RAW])
    small.do("mounted", options="remount,ro")
    said = small.do("made", assets=[RAW])
    assert "foreign" not in said
    assert all(fault["next"] for fault in said["faults"])
    told = small.do("commanded", argv=["run"])
    assert told["status"] == 1
    assert "Traceback" not in told["text"]
    assert "next: " in told["text"]
    small.do("mounted", options="remount,rw")
    answer = small.do("recovered", assets=[RAW])
    assert answer["fault"][RAW]["standing"] == answer["next"][RAW]["standing"] == "kept"
    assert not answer["next"]["orphans"]


@pytest.mark.parametrize(
    "times", [5, pytest.param(50, marks=[pytest.mark.long, pytest.mark.timeout(3600)])], ids=["sample", "long"]
)
@pytest.mark.parametrize("content", ["equal", "changing"])
def test_of_two_runs_of_one_asset_one_publishes(
    shop: Workshop, figures: Callable[..., None], content: str, times: int
) -> None:
    """T-REL-4: both end green with one version where the content is equal; else at least one is green."""
    rng = random.Random(content)
    shop.do("made", assets=[RAW])
    counts = Counter[str]()
    for _ in range(times):
        before = shop.do("examined", assets=[RAW])
        changed(shop, rng)
        runs = [shop.start("made", hold=True, assets=[RAW]) for _ in range(2)]
        held = set((shop.home / "versions" / RAW).glob("*.duckdb"))
        runs[0].release()
        if content == "changing":
            # it has begun to read its source; the other one will read something else, and it may notice that itself
            while held >= set((shop.home / "versions" / RAW).glob("*.duckdb.wal")):
                time.sleep(0.001)
            changed(shop, rng)
        runs[1].release()
        said = [run.end() for run in runs]
        assert not any("foreign" in one for one in said), said
        green = [one["versions"][0] for one in said if "versions" in one]
        found = shop.do("examined", assets=[RAW])
        assert found[RAW]["version"] in green
        assert found[RAW]["standing"] == "kept"
        assert not found[RAW]["faults"], "the digest in the ledger is not the one on the disk"
        assert not found["orphans"]
        assert not found["missing"]
        counts["green"] += len(green)
        counts["published"] += len(set(green))
        counts["red"] += 2 - len(green)
        counts["shared"] += len(green) == 2 and len(set(green)) == 1
        texts = [fault["text"] for one in said for fault in one.get("faults", ())]
        steps = ("materialize it again", "run it again when the delivery is complete")
        assert all(any(step in text for step in steps) for text in texts), texts
        assert found["size"] > before["size"]
    figures(f"T-REL-4 two runs of one asset, content {content}", tried=times, **counts)
    assert counts["green"] >= times
    if content == "equal":
        assert not counts["red"]
        assert counts["shared"]


@pytest.mark.parametrize(
    "times", [1, pytest.param(20, marks=[pytest.mark.long, pytest.mark.timeout(3600)])], ids=["sample", "long"]
)
def test_of_two_whole_runs_both_end_green(shop: Workshop, figures: Callable[..., None], times: int) -> None:
    """T-REL-4: two commands at once over equal data; the slower one of each asset goes on with the faster one's."""
    path = shop.project / "data/purposes/smoking.yaml"
    path.write_text(path.read_text().partition("model:")[0])
    rng, green, told = random.Random(times), 0, 0
    for _ in range(times):
        changed(shop, rng)
        runs = [shop.start("commanded", hold=True, argv=["run"]) for _ in range(2)]
        for run in runs:
            run.release()
        said = [run.end() for run in runs]
        assert [one["status"] for one in said] == [0, 0], said
        green += sum(one["status"] == 0 for one in said)
        found = shop.do("examined", assets=CORRIDOR)
        assert {found[asset]["standing"] for asset in CORRIDOR} == {"kept"}
        assert not any(found[asset]["faults"] for asset in CORRIDOR)
        assert not found["orphans"]
        history = shop.do("history", assets=[FEATURES])
        told += history["known"][0] == history["stands"]
        assert set(history["known"]) == set(history["published"])
    figures("T-REL-4 two whole runs at once", tried=times, **{"green": green, "told Dagster": told})
    assert told == times


@pytest.mark.parametrize(
    "times", [3, pytest.param(20, marks=[pytest.mark.long, pytest.mark.timeout(3600)])], ids=["sample", "long"]
)
def test_the_same_inputs_give_the_same_content(shop: Workshop, figures: Callable[..., None], times: int) -> None:
    """T-REL-5: however often, and in whichever process, the whole corridor is carried out."""
    assets = [*CORRIDOR, "training/smoking", *(["model/smoking"] if times > 3 else [])]
    digests: dict[str, set[str]] = {asset: set() for asset in assets}
    for _ in range(times):
        for asset, digest in zip(assets, shop.do("made", assets=assets)["digests"], strict=True):
            digests[asset].add(digest)
    figures("T-REL-5 the corridor again", tried=times, assets=len(assets), digests=sum(map(len, digests.values())))
    assert all(len(each) == 1 for each in digests.values()), digests
    changed(shop, random.Random(times))
    assert shop.do("made", assets=[RAW])["digests"][0] not in digests[RAW]


@pytest.mark.needs("strace")
def test_a_killed_run_leaves_no_spill_folder(shop: Workshop) -> None:
    """The folder of a connection whose process is gone is removed by whoever opens next."""
    said, _ = shop.under("pwrite64:when=1:signal=KILL", "made", assets=[RAW])
    assert said["status"] == -9
    assert len(list((shop.home / "spill").iterdir())) == 1
    assert shop.do("made", assets=[RAW])["status"] == 0
    assert not list((shop.home / "spill").iterdir())


def test_an_interrupted_command_says_what_stands(shop: Workshop) -> None:
    """Ctrl-C while it runs: our words, exit code 130, and the next run is green."""
    run = shop.start("commanded", argv=["run"])
    while not list((shop.home / "versions").glob("raw/*/*.duckdb")):
        time.sleep(0.02)
    os.kill(run.pid, signal.SIGINT)
    said = run.end()
    assert said["status"] == 130, said
    assert "Traceback" not in said["text"]
    assert "What was published stands" in said["text"]
    assert shop.do("recovered", assets=[RAW])["next"][RAW]["standing"] == "kept"
