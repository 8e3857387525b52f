"""`privacy-assets …`: one function a command, thin.

Belongs here: words, tables and exit codes for people. Does not belong here: what the commands do.
Exit codes: 0 all is well, 1 something is not kept or was refused, 2 the command was misspelt, 3 (`diff`) less is
promised, and the versions say so, 130 it was interrupted.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.prompt import Confirm, Prompt
from rich.table import Column, Table
from rich.tree import Tree

from privacy_assets.durable import disk_errors
from privacy_assets.errors import BadEnvironment, Fault, PrivacyAssetsError, Tampered, unexpected
from privacy_assets.reading import find_root, gate_of

if TYPE_CHECKING:
    import dagster as dg

    from privacy_assets.contracts.loading import Project
    from privacy_assets.drafting.judging import Guess
    from privacy_assets.lineage.diff import Diff, Side
    from privacy_assets.stages.step import Outcome, Step
    from privacy_assets.subjects.erasing import Erased
    from privacy_assets.subjects.erasing import Line as Planned

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
# a pipe has no width of its own: wide enough that no table is cut
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True, highlight=False, soft_wrap=True, width=None if sys.stderr.isatty() else 200)

Root = Annotated[Path | None, typer.Option("--root", help="The project's folder; default: the one you are in.")]
Asset = Annotated[str, typer.Argument(help="An asset's path, such as training/readmission_model.")]
PurposeOption = Annotated[str, typer.Option("--purpose", help="The purpose that you read for.")]


def main() -> None:
    """Run a command; an error that was foreseen is printed as what it says, any other as its kind and place."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # where a letter of ours cannot be shown, the answer still is
    try:
        with disk_errors("the project, or its home"):
            app()
    except PrivacyAssetsError as error:
        err.print(f"[red]{type(error).__name__}[/red]")
        for fault in error.faults:
            err.print(str(fault), markup=False)
        sys.exit(1)
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # a panic of polars is no Exception, and quotes what it met
        err.print(unexpected(error), markup=False)
        sys.exit(1)


_INTERRUPTED = ("KeyboardInterrupt", "DagsterExecutionInterruptedError")


@app.callback()
def describe() -> None:
    """Turns tables about people into data that models may be trained on, with proof of what was done."""


@app.command()
def validate(root: Root = None) -> None:
    """Check all contracts and purposes; print every fault at once."""
    from privacy_assets.contracts.loading import load

    project = load(find_root(root))
    out.print(
        f"{len(project.contracts)} contracts and {len(project.purposes)} purposes are sound: "
        + ", ".join([*project.contracts, *project.purposes]),
    )
    for line in _tries_that_decide(project):
        out.print(line, markup=False)


def _tries_that_decide(project: Project) -> Iterator[str]:
    """Of each threat model that is named: how many people it takes until its ceilings can be kept by the innocent."""
    from privacy_assets.contracts.promises import promises
    from privacy_assets.invariants.attack_excess import pairs_that_decide, tries_that_decide
    from privacy_assets.words import Stage

    for name, purpose in project.purposes.items():
        asked = [
            each.parameters
            for asset in sorted(project.assets())
            if asset.purpose == name and asset.stage is not Stage.MODEL
            for each in promises(project, asset)
            if each.parameters.kind == "attack_excess"
        ]
        if purpose.guarantee.withstands is not None and asked:
            least = min(each.excess_at_most for each in asked if each.rate is None)
            seldom, often = (tries_that_decide(least, rate) for rate in (0.01, 0.5))
            yield (
                f"{name} withstands {purpose.guarantee.withstands.kind}: {len(asked)} promises; an excess of at most "
                f"{least:g} takes {seldom:,} tries, so as many people who are not learned from, where chance succeeds "
                f"once in a hundred, {often:,} where it does half the time"
            )
        few = {
            (each.small_sample_at_most, each.tries_at_least)
            for asset in sorted(project.assets())
            if asset.purpose == name
            for each in (promise.parameters for promise in promises(project, asset))
            if each.kind == "attack_excess" and each.small_sample_at_most
        }
        for at_most, tries in sorted(few):
            yield (
                f"{name}: membership takes {tries:,} people in train and {2 * tries:,} others; of fewer, pairs of one "
                f"and one decide whether the area under the curve is over {0.5 + at_most:g}, and "
                f"{pairs_that_decide(at_most):,} of them let the innocent pass"
            )


@app.command()
def schema(
    kind: Annotated[str, typer.Argument(help="contract or purpose")],
) -> None:
    """Print the JSON Schema of contracts or purposes, for your editor."""
    from privacy_assets.contracts.json_schemas import json_schemas

    schemas = json_schemas()
    if kind not in schemas:
        raise typer.BadParameter(f"expected one of {', '.join(schemas)}")
    out.print_json(json.dumps(schemas[kind]))


@app.command()
def draft(
    file: Annotated[
        str | None,
        typer.Argument(
            help="A CSV, TSV, Parquet or NDJSON file, a pattern of such in quotes, "
            "postgres://USER@HOST/DATABASE/SCHEMA.TABLE or s3://BUCKET/KEY.",
            metavar="<file>",
        ),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="What to call the dataset: letters, digits and _.")] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="The column that names a person.")] = None,
    target: Annotated[str | None, typer.Option("--target", help="The column that a model is to predict.")] = None,
    interactive: Annotated[bool, typer.Option("--interactive", help="Be asked about every unsure guess.")] = False,
    drift: Annotated[
        str | None,
        typer.Option(
            "--drift", help="Instead of a file: a dataset, whose contract is compared with its source as it is now."
        ),
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="With --drift: write the new version of the contract.")
    ] = False,
    root: Root = None,
) -> None:
    """Write a contract and a purpose for a file of your own: guesses, each with its evidence."""
    if drift is not None:
        for option, given in (("<file>", file), ("--name", name), ("--subject", subject), ("--target", target),
                              ("--interactive", interactive or None)):  # fmt: skip
            if given is not None:
                raise typer.BadParameter(f"{option} does not go with --drift: its contract says what is meant")
        _drift(drift, find_root(root), apply=apply)
        return
    if apply:
        raise typer.BadParameter("--apply goes with --drift")
    if file is None or name is None:
        raise typer.BadParameter("expected a file and --name, or --drift and a dataset")
    from privacy_assets.contracts.loading import shown
    from privacy_assets.drafting.drafting import draft_files

    folder = find_root(root)
    if interactive and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BadEnvironment.of(
            "there is nobody to ask", where="--interactive", expected="a terminal",
            next_step="run it in one, or leave the option out: what is unsure becomes the more protected role",
        )  # fmt: skip
    try:
        drafted = draft_files(
            file, name, folder, subject=subject, target=target, choose=_choose if interactive else None
        )
    except (KeyboardInterrupt, EOFError):
        err.print("Interrupted: nothing is written.")
        raise typer.Exit(130) from None
    table = Table("column", "type", "role", "what it is", "evidence", box=None)
    for guess in drafted.guesses:
        facts = guess.facts
        sure = guess.kind if guess.sure else f"{guess.kind} (unsure)"
        table.add_row(escape(facts.name), facts.type, guess.role.value, sure, guess.evidence)
    out.print(table)
    if drafted.without_header:
        out.print("No header was found: the first line is read as a row, and columns are named by their place.")
    if drafted.left_out:
        out.print(
            f"Left out, and not shown: {drafted.left_out} columns whose names could be those of people. They stay in "
            "raw; rename them in the source to use them."
        )
    if drafted.ours:
        out.print(
            f"Left out: {drafted.ours} columns whose names begin with _, as only columns of this program do. They stay "
            "in raw; rename them in the source to use them."
        )
    for path in drafted.paths:
        out.print(f"written: {shown(path, folder)}", markup=False)
    out.print("Next: read them, mend what is guessed wrong, then `privacy-assets validate` and `privacy-assets run`.")


def _drift(dataset: str, folder: Path, *, apply: bool) -> None:
    """Print how a contract and its source differ, and write the version that fits where that is wanted."""
    from privacy_assets.drafting import drift as drifting
    from privacy_assets.errors import BadDeclaration, raise_gathered

    found = drifting.drift(dataset, folder)
    for change in found.changes:
        out.print(f"{change.size.name.lower()}: {change.what}", markup=False)
    for note in found.notes:
        out.print(f"note: {note}", markup=False)
    if not found.changes:
        out.print(f"Nothing changed in what {found.file} promises: version {found.versions[0]} stands.", markup=False)
        return
    out.print(found.diff, markup=False)
    raise_gathered(BadDeclaration, found.faults)
    before, after = found.versions
    if apply:
        drifting.apply(found)
        out.print(f"written: {found.file}, version {after} (it was {before})")
        out.print("Next: read it, mend what is guessed wrong, then `privacy-assets validate`.")
    else:
        out.print(f"Next: `privacy-assets draft --drift {dataset} --apply` writes version {after} (it is {before}).")


def _choose(guess: Guess) -> Guess:
    """Ask about a guess what is open of it."""
    from privacy_assets.drafting import choosing
    from privacy_assets.words import Role

    letters = {role.value[0]: role for role in Role}
    is_open, facts = choosing.is_open(guess), guess.facts
    if not is_open and not choosing.could_be_needed(guess):
        return guess
    # polars has a handler of its own, after which a question goes on waiting
    signal.siginterrupt(signal.SIGINT, True)
    out.print(f"\n{facts.name} ({facts.type}): {guess.kind}, {guess.evidence}", markup=False)
    if is_open:
        roles = ", ".join(f"{letter} {role.value}" for letter, role in letters.items())
        default = guess.role.value[0]
        answer = Prompt.ask(f"Role: {roles}", choices=list(letters), default=default, console=out, show_choices=False)
        guess = choosing.with_role(guess, letters[answer])
    if choosing.could_be_needed(guess):
        out.print(choosing.about_need(guess), markup=False)
        if Confirm.ask("Is it needed?", default=False, console=out):
            guess = choosing.as_needed(guess)
    return guess


@app.command()
def run(root: Root = None) -> None:
    """Materialize everything, from raw to the models, and say what came of it."""
    from dagster._core.errors import DagsterExecutionInterruptedError

    from privacy_assets.build import steps
    from privacy_assets.gate import Gate
    from privacy_assets.running import run_all
    from privacy_assets.stages.days import left_alone
    from privacy_assets.words import Stage

    folder = find_root(root)
    failures: list[dg.DagsterEvent] = []
    success = True
    with (
        _instance(folder) as instance,
        Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            console=err, disable=not err.is_terminal, transient=True,
        ) as progress,
    ):  # fmt: skip
        task = progress.add_task("loading definitions", total=None)

        def starts(what: str, count: int) -> None:
            progress.reset(task, description=what, total=count)

        try:
            for result in run_all(folder, instance, starts, lambda: progress.advance(task)):
                failed = [event for event in result.all_events if event.is_step_failure]
                if any(one.step_failure_data.error.cls_name in _INTERRUPTED for one in failed
                       if one.step_failure_data.error):  # fmt: skip
                    raise KeyboardInterrupt
                failures += failed
                success = success and result.success
        except (KeyboardInterrupt, DagsterExecutionInterruptedError):
            progress.stop()
            err.print("Interrupted. What was published stands, nothing is half published: run it again to go on.")
            raise typer.Exit(130) from None
    for event in failures:
        if (failure := event.step_failure_data).user_failure_data:
            named, description = (event.step_key or "").replace("__", "/"), failure.user_failure_data.description or ""
            head, _, told = description.partition("\n")
            if not head.startswith(named):  # an input that is refused does not say to which asset
                head, told = f"{named} {event.partition or ''}".rstrip(), description
            err.print(f"[red]{escape(head)}[/red]")
            err.print(told, markup=False)
    gate = Gate.open(folder)
    examined = {asset: [gate.examine(part) for part in gate.parts(asset) or (asset,)] for asset in steps(gate.project)}
    standing = Counter(one.standing.value for each in examined.values() for one in each)
    passports = [one.passport for each in examined.values() for one in each if one.passport]
    findings = Counter(measured.finding.verdict.value for passport in passports for measured in passport.evidence)
    table = Table("asset", "rows", "findings", "standing", box=None)
    for asset, each in examined.items():
        held = [one.passport for one in each if one.passport]
        days = f" ({len(held)} days)" if any(one.asset.day for one in each) else ""
        table.add_row(
            f"{asset}{days}",
            f"{sum(passport.rows for passport in held):,}" if held else "-",
            str(sum(len(passport.evidence) for passport in held)) if held else "-",
            ", ".join(Counter(one.standing.value for one in each)),
        )
    out.print(table)
    for name, contract in gate.project.contracts.items():
        alone = left_alone(gate, contract)
        if alone.changed:
            out.print(
                f"raw/{name}: delivered again since it was taken in: {', '.join(alone.changed)}. To take that in: "
                f"dagster asset materialize -m definitions --select raw/{name} --partition {alone.changed[0]}"
            )
        if alone.passed_over:
            out.print(f"raw/{name}: no day that is taken in: {', '.join(alone.passed_over)}.")
    taken_in = sum(passport.rows for passport in passports if passport.asset.stage is Stage.RAW)
    out.print(
        f"{len(examined)} assets ({_counted(standing)}) from {taken_in:,} raw rows, findings: {_counted(findings)}."
    )
    out.print("Next: `make ui` for the lineage, `privacy-assets explain ASSET` for a chain, `privacy-assets verify`.")
    if not success:
        sys.exit(1)


@app.command()
def verify(
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(
            "--checkpoint",
            help="A checkpoint of the ledger that was kept elsewhere (see the command checkpoint): the ledger must "
            "continue it. Can be given several times; older ones tell how far a ledger that was changed still agrees.",
        ),
    ] = None,
    root: Root = None,
) -> None:
    """Measure everything published, and the ledger, again; exit 1 on broken, overdue, inconclusive, missing, forged."""
    from privacy_assets.verify import Line
    from privacy_assets.verify import verify as verify_all

    folder = find_root(root)
    kept = {str(path): _content(path) for path in checkpoint or ()}
    gate = gate_of(folder, kept)
    table = Table("asset", "rows", "measured again", "standing", box=None)
    faults: list[Fault] = []
    lines: list[Line] = []
    with (
        _instance(folder) as instance,
        Progress(
            TextColumn("{task.description}"), TimeElapsedColumn(),
            console=err, disable=not err.is_terminal, transient=True,
        ) as progress,
    ):  # fmt: skip
        task = progress.add_task("verifying the ledger")
        for line in verify_all(gate, instance, lambda asset: progress.update(task, description=f"measuring {asset}")):
            lines.append(line)
            table.add_row(str(line.asset), f"{line.rows:,}", str(line.measured), line.standing.value)
            faults += line.faults
    out.print(table)
    for fault in dict.fromkeys(faults):
        err.print(str(fault), markup=False)
    report = gate.ledger.report()
    out.print(f"ledger: {report.size} entries, root {report.root[:16]}…, witnessed up to {report.cosigned_size}")
    for position in report.corrections:
        out.print(f"ledger: entry {position} corrects the clock: what was written ahead of it counts as older")
    for name in kept:
        out.print(f"ledger: continues the checkpoint {name}")
    unfinished = gate.unfinished()
    for erasure in unfinished:
        err.print(f"erasure {erasure.id}, ledger entry {erasure.position}: it was begun and is not finished")
        err.print("  next: `privacy-assets erase --resume`, if no process is at it")
    out.print(f"{_counted(Counter(line.standing.value for line in lines))} of {len(lines)} assets")
    if unfinished or not all(line.passes for line in lines):
        sys.exit(1)


@app.command()
def checkpoint(root: Root = None) -> None:
    """Print the ledger's signed checkpoint, to keep elsewhere: by it a rollback of ledger and witness shows."""
    from privacy_assets.ledger import log as beside

    gate = gate_of(root)
    sys.stdout.write(gate.ledger.checkpoint())
    log, witness = gate.ledger.keys
    for line in (
        "Keep it where nobody who can write to home or witness can: privacy-assets checkpoint > FILE, then move it.",
        "Later: privacy-assets verify --checkpoint FILE. Without this program, by the two public keys:",
        f"python -I {quote(str(Path(beside.__file__).with_name('standalone.py')))} {quote(str(gate.home.ledger))} "
        f"--log-key '{log}' --witness-key '{witness}' --checkpoint FILE",
    ):
        err.print(line, markup=False)


@app.command()
def correct_clock(
    today: Annotated[
        datetime,
        typer.Option(
            "--today", formats=["%Y-%m-%d"], help="Today's date in UTC, from another clock than this machine's."
        ),
    ],
    root: Root = None,
) -> None:
    """Put on record, signed, that the clock was ahead and is right now, so that what expires can be judged again."""
    position = gate_of(root).correct_clock(today.date())
    out.print(f"ledger entry {position}: the clock is right from here on; what was written ahead of it counts as older")


@app.command()
def explain(asset: Asset, root: Root = None) -> None:
    """Print the chain from an asset's version down to the source files."""
    from privacy_assets.reports.explain import Link
    from privacy_assets.reports.explain import explain as chain
    from privacy_assets.words import AssetName

    def grow(tree: Tree, link: Link) -> None:
        branch = tree.add(f"[bold]{link.passport.asset}[/bold]" + (" (see above)" if link.again else ""))
        if link.again:
            return
        for line in link.lines():
            branch.add(escape(line))
        for below in link.made_from:
            grow(branch, below)

    top = Tree(".", hide_root=True)
    grow(top, chain(gate_of(root), AssetName.parse(asset)))
    out.print(top)


@app.command("history")
def history_of(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="`contract` or `purpose`.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name; it need not be declared any more.")],
    between: Annotated[
        tuple[str, str] | None,
        typer.Option("--between", metavar="A B", help="What changed from one version to another, value by value."),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option("--text", metavar="A", help="A version as it was: its number, or how its digest begins."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    root: Root = None,
) -> None:
    """Print which versions of a contract or a purpose there were, from when to when, and what became of the columns."""
    from privacy_assets.reports import history

    if kind not in list(history.Kind):
        raise typer.BadParameter("expected `contract` or `purpose`", param_hint="KIND")
    if between and text:
        raise typer.BadParameter("--between and --text are two questions")
    of, gate = history.Kind(kind), gate_of(root)
    if text:
        kept = history.text(gate, of, name, text)
        sys.stdout.write(kept.text if as_json else history.as_yaml(kept))
        return
    if between:
        before, after = (history.text(gate, of, name, one) for one in between)
        if as_json:
            out.print_json(json.dumps(history.between_as_json(of, name, before, after)))
            return
        table = Table(*(Column(head, overflow="fold") for head in history.CHANGES), box=None)
        for cells in history.changes(history.between(of, before, after)):
            table.add_row(*map(escape, cells))
        out.print(table)
        return
    states = history.history(gate, of, name)
    if as_json:
        out.print_json(json.dumps(history.as_json(of, name, states)))
        return
    table = Table(*(Column(head, overflow="fold") for head in history.HEADS), box=None)
    for cells in history.rows(states):
        table.add_row(*map(escape, cells))
    out.print(table)


@app.command("impact")
def impact_of(
    ctx: typer.Context,
    of: Annotated[
        str,
        typer.Argument(
            metavar="OF",
            help="A column (raw/patients.email), an asset (also one of your own, by its key), a dataset, a purpose, a "
            "technique.",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    root: Root = None,
) -> None:
    """Print what depends on a column, an asset, a dataset, a purpose or a technique, and what that depends on."""
    from privacy_assets.build import flows, steps
    from privacy_assets.gate import Gate
    from privacy_assets.lineage.roles import carried, evidence
    from privacy_assets.reports import impact
    from privacy_assets.resolved import surroundings

    gate = ctx.with_resource(Gate.looking(find_root(root)))
    graph = flows(steps(gate.project))
    roles = carried(graph, {asset: evidence(gate, asset) for asset in graph.made})
    project = gate.project
    found = impact.impact(project, graph, of, roles, surroundings(project))
    if as_json:
        out.print_json(json.dumps(impact.as_json(project, found)))
        return
    table = Table(*impact.HEADS, box=None)
    for cells in impact.rows(found):
        table.add_row(*map(escape, cells))
    out.print(table)
    for line in impact.summary(project, found):
        out.print(line, markup=False)
    if not gate.publications():
        out.print("Nothing is published in this home: no finding takes a role away yet.")


@app.command("diff")
def diff_with(
    base: Annotated[
        str,
        typer.Option("--base", help="What to compare with: a branch, a tag or a commit of git, or a project's folder."),
    ],
    as_markdown: Annotated[bool, typer.Option("--markdown", help="For a pull request.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    root: Root = None,
) -> None:
    """Print what a change does to people: flows, guarantees, versions, models; exit 1 unversioned, 3 weaker."""
    from privacy_assets.build import flows, steps
    from privacy_assets.contracts.loading import load
    from privacy_assets.contracts.revisions import revision
    from privacy_assets.lineage import program
    from privacy_assets.lineage.diff import Side, diff
    from privacy_assets.reports import diff as report

    if as_markdown and as_json:
        raise typer.BadParameter("--markdown and --json are two forms of one answer")
    project = load(find_root(root))
    with revision(project.root, base) as earlier:
        before, after = (Side(one, flows(steps(one))) for one in (earlier, project))
        changes, notes = program.compared(base, before, after)
        found = _with_measured(diff(before, after, base, changes, notes), before, after)
    if as_json:
        sys.stdout.write(json.dumps(report.as_json(found), indent=1, ensure_ascii=False) + "\n")
    elif as_markdown:
        sys.stdout.write(report.markdown(found))
    else:
        table = Table(*(Column(head, overflow="fold") for head in report.HEADS), box=None)
        for cells in report.rows(found):
            table.add_row(*map(escape, cells))
        if table.row_count:
            out.print(table)
        for line in report.summary(found):
            out.print(line, markup=False)
    if not found.versioned or found.weakens:
        raise typer.Exit(1 if not found.versioned else 3)


def _with_measured(found: Diff, before: Side, after: Side) -> Diff:
    """The same with what was measured on both sides, where there is a home; none is made for that."""
    from dataclasses import replace

    from privacy_assets.gate import Gate
    from privacy_assets.lineage.diff import measured
    from privacy_assets.warehouse.home import Home

    project = after.project
    if not found.changes or Home.is_new(project.root):
        return found
    try:
        Home.require(project.root)
        return replace(found, measured=measured(Gate.open(project.root, project=project), before, after))
    except Tampered:
        raise
    except PrivacyAssetsError as error:
        return replace(found, notes=(*found.notes, f"What was measured is not told: {error.faults[0].what}."))


@app.command("lineage")
def lineage_of(
    ctx: typer.Context,
    html: Annotated[
        Path | None,
        typer.Option("--html", help="One page to look through: every asset and column, what was proven, what is left."),
    ] = None,
    openlineage: Annotated[
        Path | None,
        typer.Option("--openlineage", help="An OpenLineage event for each version ever published, one a line (JSON)."),
    ] = None,
    root: Root = None,
) -> None:
    """Write the lineage of everything: as one HTML page, as OpenLineage events for a catalogue; nothing is sent."""
    from privacy_assets.build import flows, steps
    from privacy_assets.gate import Gate

    if html is None and openlineage is None:
        raise typer.BadParameter("expected --html FILE, --openlineage FILE, or both")
    # events are about versions that were published, the page is about declarations too
    gate = gate_of(root) if openlineage else ctx.with_resource(Gate.looking(find_root(root)))
    graph = flows(steps(gate.project))
    if html is not None:
        from privacy_assets.reports import lineage

        out.print(f"written: {lineage.write(gate, graph, html)}", markup=False)
    if openlineage is not None:
        from privacy_assets.reports import openlineage as report

        out.print(f"written: {report.write(gate, graph, openlineage)}", markup=False)


@app.command()
def report(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(help="record, assessment, review or audit.")],
    purpose: Annotated[str | None, typer.Argument(help="Which purpose; default: all of them in one report.")] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="The folder for KIND.md and KIND.html; default: reports.")
    ] = None,
    root: Root = None,
) -> None:
    """Write a report as Markdown and HTML: record of processing, impact assessment, design review, or audit pack."""
    from privacy_assets.build import flows, steps
    from privacy_assets.gate import Gate
    from privacy_assets.reports import _document
    from privacy_assets.reports.reports import KINDS

    if kind not in KINDS:
        raise typer.BadParameter(f"expected one of {', '.join(KINDS)}")
    gate = ctx.with_resource(Gate.looking(find_root(root)))
    made = KINDS[kind].make(gate, flows(steps(gate.project)), purpose)
    for path in _document.write(gate, f"{kind}-{purpose}" if purpose else kind, made, to):
        out.print(f"written: {path}", markup=False)


@app.command()
def show(asset: Asset, root: Root = None) -> None:
    """Print an asset's schema and counts, from the ledger and the declarations; never its rows."""
    from privacy_assets.build import steps
    from privacy_assets.words import AssetName

    gate, name = gate_of(root), AssetName.parse(asset)
    parts = gate.parts(name)
    examined = gate.examine(parts[-1] if parts else name)
    step = steps(gate.project).get(name.whole)
    declared = {column.name: column for column in step.columns} if step else {}
    table = Table("column", "type", "role", "category", "technique", box=None)
    passport = examined.passport
    for column, kind in passport.columns if passport else ():
        known = declared.get(column)
        table.add_row(
            escape(column),
            kind,
            *((known.role.value, known.category, known.technique) if known else ("", "", "not declared")),
        )
    out.print(table)
    for part in parts[:-1]:
        if earlier := gate.latest(part):
            out.print(f"{part}: {earlier.rows:,} rows, {gate.examine(part).standing.value}")
    out.print(f"{examined.asset}: {f'{passport.rows:,} rows, ' if passport else ''}{examined.standing.value}")
    for what, count in passport.counts.items() if passport else ():
        out.print(f"{what}: {count:,} rows")
    for what, value in passport.measures.items() if passport else ():
        out.print(f"{what}: {value:g}", markup=False)
    for fault in examined.faults:
        err.print(str(fault), markup=False)
    if passport is None:
        sys.exit(1)


@app.command()
def budget(ctx: typer.Context, root: Root = None) -> None:
    """Print what releases have cost the people of each dataset, and what is left, from the ledger."""
    from privacy_assets.gate import Gate

    gate = ctx.with_resource(Gate.looking(find_root(root)))
    accounts = [account for name in gate.project.contracts if (account := gate.account(name))]
    table = Table("dataset", "budget", "spent", "left", "lifetime", "cap", "debits", "frees at", box=None)
    for account in accounts:
        held = account.budget
        table.add_row(
            account.dataset,
            f"ε {held.epsilon:g} in {held.period_days} days" + (f" at δ {held.delta:g}" if held.delta else ""),
            f"ε {account.epsilon_spent:.4g}",
            f"ε {account.epsilon_left:.4g}",
            f"ε {account.epsilon_lifetime:.4g}",
            f"ε {held.lifetime_epsilon:g}" if held.lifetime_epsilon is not None else "none",
            str(account.debits),
            f"{account.frees_at:%Y-%m-%d}" if account.frees_at else "-",
        )
    out.print(table)
    without = sorted(set(gate.project.contracts) - {account.dataset for account in accounts})
    if without:
        out.print(f"Without a budget, so that nothing is released under differential privacy: {', '.join(without)}.")
    debits = Table("debited", "release", "of", "ε", "δ", "ρ", "for", box=None)
    for debit in gate.debits():
        debits.add_row(
            f"{debit.time:%Y-%m-%d %H:%M} UTC" if debit.time else "",
            debit.asset,
            ", ".join(debit.datasets),
            f"{debit.loss.epsilon:.4g}",
            f"{debit.loss.delta:g}",
            f"{debit.loss.rho:.4g}" if debit.loss.rho is not None else "-",
            ", ".join(debit.what),
        )
    if debits.row_count:
        out.print(debits)
    out.print(
        "Each is a loss for one person, at most. Losses add up; what is older than the period counts in the lifetime."
    )


@app.command()
def frontier(
    purpose: Annotated[str, typer.Argument(help="The purpose whose anonymization is weighed.")],
    to: Annotated[
        Path | None, typer.Option("--to", help="The folder for figure and page; default: frontier/PURPOSE.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="The seed of every technique that draws; default: its own.", min=0)
    ] = None,
    with_model: Annotated[
        bool, typer.Option("--with-model", help="Fit the purpose's model on each point, and measure it on validation.")
    ] = False,
    choose: Annotated[
        int | None,
        typer.Option("--choose", help="The number of the point that is chosen; default: the one that is taken now."),
    ] = None,
    because: Annotated[
        str | None,
        typer.Option("--because", help="Why: kept in the ledger, with your name as a pseudonym. Name no person in it."),
    ] = None,
    root: Root = None,
) -> None:
    """Weigh a purpose's anonymization: risk against utility of techniques and k, and keep what is chosen, and why."""
    from privacy_assets.reports import frontier as report
    from privacy_assets.stages import frontier as weighing
    from privacy_assets.stages.asset import tell_frontier

    if choose is not None and because is None:
        raise typer.BadParameter("--choose goes with --because: a choice is kept with its reason")
    project = find_root(root)
    gate = gate_of(project)
    folder = report.folder_for(gate, purpose, to)
    reason = None if because is None else weighing.sound_reason(because)
    with Progress(
        TextColumn("{task.description}"), TimeElapsedColumn(),
        console=err, disable=not err.is_terminal, transient=True,
    ) as progress:  # fmt: skip
        progress.add_task("trying techniques and k")
        found = weighing.frontier(gate, purpose, seed=seed, with_model=with_model)
    table = Table(*report.columns(found), box=None)
    for cells in report.rows(found):
        table.add_row(*map(escape, cells))
    out.print(table)
    if reason is not None:
        point = weighing.chosen(found, choose)
        position = weighing.decide(gate, found, point, reason)
        out.print(f"ledger entry {position}: point {point.number} was chosen, {point.said}", markup=False)
        if not point.declared:
            out.print(
                f"Next: say so in the purpose, as a new version of {found.declared}; nothing changes before that."
            )
    else:
        out.print('No choice is kept: --because "…" keeps the point that is taken now, with --choose N another.')
    for path in report.write(folder, found, report.decisions(gate, purpose)):
        out.print(f"written: {path}", markup=False)
    with _instance(project) as instance:
        tell_frontier(instance, found)
    out.print(f"In Dagster it stands on the page of anonymized/{purpose}, as an observation.")


@app.command()
def compare(
    purpose: Annotated[str, typer.Argument(help="The purpose whose synthetic rows are compared.")],
    to: Annotated[
        Path | None, typer.Option("--to", help="The folder for page and pictures; default: comparison/PURPOSE.")
    ] = None,
    root: Root = None,
) -> None:
    """Show synthetic rows beside the real ones: columns, pairs, attacks, versions; as tables, pictures and one page."""
    from privacy_assets.reports import comparison as report

    gate = gate_of(root)
    found = report.comparison(gate, purpose)
    for heads, lines in (
        (("attack", "tried", "succeeded", "on others", "excess", "95 %", "at most"), report.attacks(found)),
        (("measure", "value", "95 %"), report.rows(found)),
    ):
        table = Table(*heads, box=None)
        for cells in lines:
            table.add_row(*map(escape, cells))
        out.print(table)
    for path in report.write(gate, found, to):
        out.print(f"written: {path}", markup=False)


@app.command()
def redteam(
    purpose: Annotated[str | None, typer.Argument(help="Whose releases are attacked; default: all.")] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="By which chances; default: the number of ledger entries.", min=0)
    ] = None,
    root: Root = None,
) -> None:
    """Try every attack on everything released again, and withdraw what does not survive; exit 1 if there is any."""
    from privacy_assets.build import steps
    from privacy_assets.invariants.attack_excess import excess
    from privacy_assets.stages.redteam import redteam as attacked
    from privacy_assets.stages.redteam import said

    gate = gate_of(root)
    seed = gate.entries_by_now() if seed is None else seed
    table = Table("release", "attack", "tried", "succeeded", "on others", "excess", "95 %", "verdict", box=None)
    failed: list[str] = []
    with Progress(
        TextColumn("{task.description}"), TimeElapsedColumn(),
        console=err, disable=not err.is_terminal, transient=True,
    ) as progress:  # fmt: skip
        task = progress.add_task("looking at what is released")
        for one in attacked(
            gate, steps(gate.project), purpose, seed=seed,
            progress=lambda asset: progress.update(task, description=f"attacking {asset}"),
        ):  # fmt: skip
            if not one.passes:
                failed.append(said(one))
            for found in one.findings:
                numbers = found.numbers
                counts = [f"{numbers.get(name, 0):,.0f}" for name in ("tried", "succeeded", "control_succeeded")]
                if numbers.get("tried") and numbers.get("control_tried"):
                    interval = excess(numbers)
                    told = [f"{interval.value:+.3f}", f"{interval.low:+.3f} to {interval.high:+.3f}"]
                else:
                    told = ["", ""]
                table.add_row(str(one.asset), found.about, *counts, *told, found.verdict.value)
    out.print(table)
    for line in failed:
        err.print(line, markup=False)
    out.print(f"seed {seed}; what was broken once only is chance by these rules, and stays.", markup=False)
    if failed:
        raise typer.Exit(1)


@app.command()
def testdata(
    ctx: typer.Context,
    purpose: Annotated[str, typer.Argument(help="The purpose whose datasets are made.")],
    rows: Annotated[int, typer.Option("--rows", help="How many people there are; some have several rows.")],
    seed: Annotated[int, typer.Option("--seed", help="Another number, other people.", min=0)] = 0,
    day: Annotated[
        datetime | None,
        typer.Option("--day", formats=["%Y-%m-%d"], help="The day before which all days lie; default: today, UTC."),
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="A folder that is empty or not there; default: testdata/PURPOSE.")
    ] = None,
    root: Root = None,
) -> None:
    """Make a purpose's datasets for developers, without a row of anybody: from contracts, and from rows under noise."""
    from privacy_assets.gate import Gate
    from privacy_assets.testdata.making import make, place_of

    gate = ctx.with_resource(Gate.looking(find_root(root)))
    on = day.date() if day else gate.now().date()
    made = make(gate, purpose, rows=rows, seed=seed, day=on, to=to)
    table = Table("dataset", "column", "made from", box=None)
    for one in made.data.made_from:
        table.add_row(one.dataset, escape(one.column), escape(one.source))
    out.print(table)
    for path, (dataset, frame) in zip(made.paths, made.data.tables.items(), strict=True):
        contract = gate.project.contracts[dataset]
        out.print(f"written: {path}, {frame.height:,} rows; its contract reads {place_of(contract, on)}", markup=False)
    for passport in made.read:
        out.print(f"read: {passport.asset} version {passport.version}, on record in the ledger", markup=False)
    for note in made.notes:
        out.print(note, markup=False)
    out.print(f"{rows:,} people of seed {seed}, by the day {on:%Y-%m-%d}: the same again with --seed and --day.")


@app.command()
def export(
    asset: Asset,
    purpose: PurposeOption,
    to: Annotated[Path, typer.Option("--to", help="The encrypted copy, a DuckDB file that does not exist yet.")],
    key_file: Annotated[Path, typer.Option("--key-file", help="Where its key goes: another folder.")],
    root: Root = None,
) -> None:
    """Write an encrypted copy of a released asset, under a key of its own."""
    from privacy_assets.reading import export as export_copy

    rows = export_copy(asset, purpose=purpose, to=to, key_file=key_file, root=root)
    out.print(f"{rows:,} rows of {asset} written to {to}, key in {key_file}", markup=False)


IdentifiersFile = Annotated[
    Path | None,
    typer.Option(
        "--file",
        help="A file with identifiers of people (<identifier>, or <domain>=<identifier>), one a line; "
        "default: standard input.",
    ),
]


@app.command()
def trace(file: IdentifiersFile = None, root: Root = None) -> None:
    """Find every asset, version and model that holds a person; exit 1 where nobody is found."""
    from privacy_assets.build import steps
    from privacy_assets.subjects import people, tracing

    identifiers = _identifiers(file)
    gate = gate_of(root)
    held, position = tracing.trace(gate, steps(gate.project), people.find(gate, identifiers))
    table = Table("asset", "version", "published", "rows", "stands", box=None)
    for one in held:
        passport = one.passport
        unsure = "made from rows of theirs" if one.known else "anybody may be in it"
        rows = unsure if one.rows is None else f"{one.rows:,}"
        stands = gate.examine(passport.asset).standing.value if one.latest else "superseded"
        table.add_row(str(passport.asset), passport.version[:8], f"{passport.time:%Y-%m-%d %H:%M}", rows, stands)
    out.print(table)
    out.print(f"{len(held)} versions; that they were looked up is entry {position} of the ledger.")


@app.command("export-subject")
def export_subject(
    to: Annotated[Path, typer.Option("--to", help="The encrypted copy, a DuckDB file that does not exist yet.")],
    key_file: Annotated[Path, typer.Option("--key-file", help="Where its key goes: another folder.")],
    file: IdentifiersFile = None,
    root: Root = None,
) -> None:
    """Write all that is held of one person into a sealed file, for them: their rows, and who uses them for what."""
    from privacy_assets.build import steps
    from privacy_assets.errors import BadDeclaration
    from privacy_assets.subjects import people
    from privacy_assets.subjects.handing_out import hand_out

    identifiers = _identifiers(file)
    gate = gate_of(root)
    found = people.find(gate, identifiers)
    if len(found) > 1:
        raise BadDeclaration.of(f"these are {len(found)} people", expected="one: nobody's data goes to anybody else")
    counts, position = hand_out(gate, steps(gate.project), found[0], to, key_file)
    for name, count in counts.items():
        out.print(f"{name}: {count:,} rows", markup=False)
    out.print(f"Written to {to}, key in {key_file}; it is entry {position} of the ledger.", markup=False)


@app.command()
def erase(
    reason: Annotated[str, typer.Option("--reason", help="Why, and on whose request; naming nobody.")] = "",
    file: IdentifiersFile = None,
    yes: Annotated[bool, typer.Option("--yes", help="Carry the plan out; without it nothing is changed.")] = False,
    lapsed: Annotated[
        bool, typer.Option("--lapsed", help="Not people: every row past retention, withdrawn or objected.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Finish an erasure that was interrupted.")] = False,
    root: Root = None,
) -> None:
    """Erase people through to the models: plan, rewrite, retrain, destroy, and search for what is left."""
    from privacy_assets.build import steps
    from privacy_assets.stages.asset import tell_published
    from privacy_assets.subjects import erasing, people, tracing

    if sum((lapsed, resume, bool(reason))) != 1:
        raise typer.BadParameter("one of --reason (and identifiers), --lapsed, --resume")
    identifiers = [] if lapsed or resume else _identifiers(file)
    folder = find_root(root)
    gate = gate_of(folder)
    people.require_published(gate)
    made = steps(gate.project)
    who = people.find(gate, identifiers) if reason else ()
    if not resume:
        presence = people.presence(gate, who) if who else people.Presence(erasing.lapsed(gate))
        if who:
            erasing.require_sound_reason(gate, who, presence, reason)
        planned = erasing.plan(gate, presence.rooted)
        if who and not yes:
            with suppress(PrivacyAssetsError):  # what cannot be read is destroyed all the same, and not counted here
                held = {one.passport.version: one.rows for one in tracing.holding(gate, made, who)}
                planned = [replace(line, rows=held.get(line.passport.version)) for line in planned]
        _show_plan(planned, len(who))
        if not planned:
            return
        if not yes:
            out.print("Nothing is changed. With --yes this is carried out.")
            return
    with (
        _instance(folder) as instance,
        Progress(
            TextColumn("{task.description}"), TimeElapsedColumn(),
            console=err, disable=not err.is_terminal, transient=True,
        ) as progress,
    ):  # fmt: skip
        task = progress.add_task("beginning")

        def says(what: str) -> None:
            progress.update(task, description=what)

        def told(step: Step, outcome: Outcome) -> None:
            tell_published(instance, gate, step, outcome)

        if resume:
            done = erasing.resume(gate, made, told, says)
        elif who:
            done = [erasing.erase(gate, made, who, reason, told, says)]
        else:
            done = [found for found in [erasing.erase_lapsed(gate, made, told, says)] if found]
    for one in done:
        _show_erased(one)
    if not done:
        out.print("There is nothing to finish.")
    if not all(one.complete for one in done):
        raise typer.Exit(1)


def _show_plan(lines: Sequence[Planned], people: int) -> None:
    table = Table("asset", "version", "rows of theirs", "what becomes of it", "why", box=None)
    for line in lines:
        rows = "" if line.rows is None else f"{line.rows:,}"
        passport = line.passport
        table.add_row(str(passport.asset), passport.version[:8], rows, line.what.value, line.why)
    out.print(table)
    whom = f"{people:,} {'person' if people == 1 else 'people'}" if people else "rows whose time is over"
    out.print(f"{whom}: {len(lines)} versions.")


def _show_erased(done: Erased) -> None:
    table = Table("asset", "version", "receipt", "now", box=None)
    for one, position in done.receipts.items():
        now = done.stands.get(one.asset)
        stands = f"{now.rows:,} rows in {now.version[:8]}" if now else "nothing stands"
        table.add_row(str(one.asset), one.version[:8], f"ledger entry {position}", stands)
    for asset, why in done.spared.items():
        table.add_row(str(asset), "", "", f"left as it is: {why}")
    out.print(table)
    failed: dict[tuple[Fault, ...], list[str]] = {}
    for asset, faults in done.failed.items():
        failed.setdefault(faults, []).append(str(asset))
    for faults, assets in failed.items():
        err.print(f"could not be made again, and the old version is destroyed: [red]{', '.join(assets)}[/red]")
        for fault in faults:
            err.print(str(fault), markup=False)
    if failed:
        err.print("Mend that first; then `privacy-assets run` makes what does not stand.")
    for store in done.searched:
        if not store.clean:
            err.print(str(store.fault()), markup=False)
    controls = sum(store.control for store in done.searched)
    hits = sum(store.hits for store in done.searched)
    if done.searched:
        out.print(
            f"Searched {len(done.searched):,} stores for what identified them, decoded: {hits} places found; "
            f"the planted control was found in {controls:,} of {len(done.searched):,}."
        )
    out.print(
        f"Erasure {done.erasure.id}: ledger entries {done.erasure.position} to {done.end}. The source may still have "
        "them: what it delivers of them is left out from now on. Exports and backups elsewhere are not reached."
    )


def _identifiers(file: Path | None) -> list[str]:
    """Identifiers of people, one a line: never an argument, which others on the machine would see."""
    try:
        text = file.read_text(encoding="utf-8") if file else sys.stdin.read()
    except (OSError, UnicodeError) as error:
        raise BadEnvironment.of(
            "the file of identifiers cannot be read", where=str(file), found=type(error).__name__
        ) from None
    return [line.strip() for line in text.splitlines() if line.strip()]


@app.command("rotate-master")
def rotate_master(
    new_key_file: Annotated[
        Path, typer.Option("--new-key-file", help="The new master key; made where the file is not there.")
    ],
    root: Root = None,
) -> None:
    """Put all keys of the home under a new master key; data files are not touched."""
    from privacy_assets.rotation import rotate_master as rotate

    new_key_file = new_key_file.expanduser().resolve()
    count = rotate(find_root(root), new_key_file)
    out.print(f"The keys of {count} versions and the project's secrets are under the master key in {new_key_file}.")
    out.print(
        f"Next: set PRIVACY_ASSETS_KEY_FILE={quote(str(new_key_file))} wherever the project runs, or put the file in "
        "the place of the old one. The old key opens nothing in the home any more; it still opens backups of the home "
        "from before."
    )
    out.print("Whoever may have had the old key and the home: `privacy-assets rotate-data-keys` as well.")


@app.command("rotate-data-keys")
def rotate_data_keys(
    assets: Annotated[list[str] | None, typer.Argument(help="Assets' paths; default: all.")] = None,
    root: Root = None,
) -> None:
    """Write every version that is kept into a new file under a new data key, and destroy the old file and key."""
    from privacy_assets.rotation import rotate_data_keys as rotate
    from privacy_assets.words import AssetName

    gate = gate_of(root)
    with Progress(
        TextColumn("{task.description}"), TimeElapsedColumn(),
        console=err, disable=not err.is_terminal, transient=True,
    ) as progress:  # fmt: skip
        task = progress.add_task("looking at every file")
        count = rotate(
            gate,
            [AssetName.parse(asset) for asset in assets or ()],
            lambda passport: progress.update(task, description=f"copying {passport.asset}"),
        )
    out.print(f"{count} versions have a new data key; their content and passports are as they were.")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadEnvironment.of(
            f"the checkpoint cannot be read: {error.strerror}", where=str(path), next_step="name the file that was kept"
        ) from None


@contextmanager
def _instance(folder: Path) -> Iterator[dg.DagsterInstance]:
    import sqlite3

    import dagster as dg
    from alembic.util.exc import CommandError
    from sqlalchemy.exc import SQLAlchemyError

    from privacy_assets.warehouse.home import Home

    # The project's own settings, wherever DAGSTER_HOME points: telemetry off, no compute logs, history in the home.
    # A project that took the corridor in may have none, and its history where Dagster has it.
    named = os.environ.get("DAGSTER_HOME")
    settings = folder if not named or (folder / "dagster.yaml").is_file() else Path(named).expanduser().resolve()
    if not (settings / "dagster.yaml").is_file():
        raise BadEnvironment.of(
            "the project has no dagster.yaml",
            where=str(folder),
            expected="one there, or in the folder that DAGSTER_HOME names",
            next_step="put the file back, or set DAGSTER_HOME to the folder of the Dagster that runs the project",
        )
    os.environ["DAGSTER_HOME"] = str(settings)
    try:
        with dg.DagsterInstance.get() as instance:
            yield instance
    except (SQLAlchemyError, CommandError, sqlite3.Error) as error:
        raise BadEnvironment.of(
            "Dagster's history cannot be read or written; what is published does not depend on it",
            where=str(Home.open(folder).dagster if settings == folder else settings),
            found=type(getattr(error, "orig", None) or error).__name__,
            next_step="mend the disk and its space; if its files are damaged, move that folder away and run again: "
            "Dagster is told anew what the ledger holds"
            if settings == folder
            else "mend the storage that its dagster.yaml names, and run again",
        ) from None


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common()) or "none"


if __name__ == "__main__":
    main()
