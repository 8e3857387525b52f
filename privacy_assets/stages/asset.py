"""A step as Dagster sees it: one asset with its blocking checks, made by one factory for every stage.

With the asset selected, the step is carried out; with only checks selected, the published version is measured again.
A finding that is not kept is recorded as a failed check of the *candidate*, and the run fails with what was found and
the line that promised otherwise; Dagster shows such a result beside the version published before, which stands.

Belongs here: all that the stages have in common in Dagster. Does not belong here: anything of one stage.
"""

# No `from __future__ import annotations` here: Dagster reads the type of `context` from the function itself.
import inspect
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import dagster as dg

from privacy_assets.contracts.contract import Contract
from privacy_assets.contracts.loading import Project
from privacy_assets.contracts.promises import Promise, promises
from privacy_assets.errors import Fault, PrivacyAssetsError, unexpected
from privacy_assets.gate import PASSING, Gate, Measured, Passport, Standing
from privacy_assets.invariants import attack_excess
from privacy_assets.reports import comparison
from privacy_assets.reports import frontier as report
from privacy_assets.stages.metadata import Declared, Digest, Fact, Picture, Rows, metadata
from privacy_assets.stages.redteam import Attacked, redteam, said
from privacy_assets.stages.step import Outcome, Step, carry_out, measure_again
from privacy_assets.words import AssetName, Column, Stage, Verdict

T = TypeVar("T")

DATA_CLASS = {
    Stage.RAW: "identified",
    Stage.MINIMIZED: "identified",
    Stage.PSEUDONYMIZED: "pseudonymous",
    Stage.FEATURES: "pseudonymous",
    Stage.ANONYMIZED: "anonymized",
    Stage.SYNTHETIC: "synthetic",
    Stage.STATISTICS: "aggregated",
    Stage.TRAINING: "pseudonymous",
    Stage.MODEL: "derived",
}
"""What the data of a stage is to the person it is about; pseudonymous data is still personal data."""

WHAT = {
    Stage.RAW: "As received, encrypted; rows that break the contract are in quarantine, counted.",
    Stage.MINIMIZED: "Only the columns that the purpose needs, only of those who may be used for it, inside retention.",
    Stage.PSEUDONYMIZED: "Identifiers replaced by keyed tokens of this purpose, attributes masked by rule.",
    Stage.FEATURES: "The purpose's own SQL over its pseudonymized tables, one row a unit of observation.",
    Stage.ANONYMIZED: "Rows without keys or tokens, generalized until nobody stands out by what is measured.",
    Stage.SYNTHETIC: "Rows of nobody, drawn from what was learned, and tried by the attacks of a threat model.",
    Stage.STATISTICS: "Aggregates, each with its mechanism, its accuracy and what it cost.",
    Stage.TRAINING: "The exact rows and columns that a model may see, with splits by subject.",
    Stage.MODEL: "The fitted model, its card and its metrics with confidence intervals.",
}

_STANDS = "A failed check speaks of a candidate that was not published: the version published before stands."


def key_of(asset: AssetName) -> dg.AssetKey:
    """The Dagster key of an asset."""
    return dg.AssetKey(list(asset.path))


def source_key(dataset: str) -> dg.AssetKey:
    """The Dagster key of the source that a dataset comes from."""
    return dg.AssetKey(["source", dataset])


def asset_of(project: Project, step: Step, open_gate: Callable[[], Gate]) -> dg.AssetsDefinition:
    """The asset of one step. `open_gate` is called when it runs, never when definitions are loaded."""
    asked = promises(project, step.asset)
    key, whole = key_of(step.asset), step

    @dg.multi_asset(
        name="__".join(step.asset.path),
        specs=[_spec(project, step)],
        check_specs=[
            dg.AssetCheckSpec(
                promise.name,
                asset=key,
                blocking=not promise.later,
                description=f"{_first_sentence(promise)} Promised in {promise.where}.",
            )
            for promise in asked
        ],
        can_subset=True,
    )
    def carried_out(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        step = whole.of(context.partition_key) if context.has_partition_key and _days(project, whole) else whole
        again = not context.selected_asset_keys

        def work() -> tuple[Gate, Outcome]:
            gate = open_gate()
            _repair_history(context.instance, gate, step)
            if again:
                return gate, _ask_again(step, gate)
            if any(gate.closed(made_from) for made_from in step.inputs if made_from.day):
                return gate, Outcome((), (), None, closed=True)  # with the minimized day, in this run or before
            context.log.info(f"{step.asset}: writing a candidate")
            return gate, carry_out(step, gate, context.run.run_id)

        gate, outcome = guarded(work)
        results = _check_results(asked, outcome, candidate=outcome.passport is None)
        if outcome.closed:
            context.log.info(f"{step.asset}: nobody of the day may be used, so nothing stands of it")
            # told to Dagster as a day that is done: a backfill takes a day of which it hears nothing for failed
            closed = metadata({"dagster/row_count": 0, "closed": Declared("nobody of the day may be used")})
            yield dg.MaterializeResult(asset_key=key, metadata=closed, data_version=dg.DataVersion("closed"))
        elif outcome.passport is not None and not again:
            published = outcome.passport
            how = "published" if published.run == context.run.run_id else "another run was first with the same"
            context.log.info(f"{step.asset}: {how} {published.rows} rows as {published.version}")
            yield dg.MaterializeResult(
                asset_key=key,
                metadata=guarded(
                    lambda: (
                        _published(step, published, outcome.destroyed)
                        | _budgets(project, gate, step.asset)
                        | _pictures(gate, published)
                    )
                ),
                check_results=results,
                data_version=dg.DataVersion(outcome.passport.content_digest),
            )
        else:
            yield from results
        if outcome.faults:
            what = "not published" if outcome.passport is None else "published, but not kept now"
            text = "\n".join([*map(str, outcome.faults), *counted(outcome.counts)])
            raise dg.Failure(f"{step.asset}: {what}\n{text}", metadata=_faults(outcome.faults), allow_retries=False)

    return carried_out


def guarded(do: Callable[[], T]) -> T:
    """What it gives. Whatever fails in it is told to Dagster as a failure in words of ours, none of a library's."""
    try:
        return do()
    except PrivacyAssetsError as error:
        failure = dg.Failure(str(error), metadata=_faults(error.faults), allow_retries=False)
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
        raise
    except BaseException as error:  # a panic of polars is no Exception, and quotes what it met
        failure = dg.Failure(unexpected(error), allow_retries=False)
    raise failure  # not in the handler: there it would carry the error that it stands for as its context


def _ask_again(step: Step, gate: Gate) -> Outcome:
    """The published version as it is measured now, and as the gate would answer a reader; of all days the worst.

    Raises PrivacyAssetsError where nothing is published.
    """
    outcomes = []
    for part in gate.parts(step.asset):
        passport = gate.latest(part)
        if passport is None:
            raise PrivacyAssetsError(Fault(f"{part} was never published", next_step="materialize it first"))
        outcome, examined = measure_again(step.of(part.day) if part.day else step, gate, passport), gate.examine(part)
        if examined.standing not in PASSING:
            outcome = replace(outcome, faults=tuple(dict.fromkeys((*outcome.faults, *examined.faults))))
        outcomes.append(outcome)
    if not outcomes:
        raise PrivacyAssetsError(Fault(f"{step.asset} was never published", next_step="materialize a day of it first"))
    worst = {found.finding.name: found for outcome in outcomes for found in outcome.measured}
    for outcome in outcomes:
        worst |= {found.finding.name: found for found in outcome.measured if not found.finding.kept}
    faults = tuple(dict.fromkeys(fault for outcome in outcomes for fault in outcome.faults))
    return replace(outcomes[-1], measured=tuple(worst.values()), faults=faults)


def counted(counts: Mapping[str, int]) -> list[str]:
    """What was counted beside the findings, one line each: `quarantined, age:unreadable: 3 rows`."""
    return [f"{name}: {count:,} rows" for name, count in counts.items()]


def _spec(project: Project, step: Step) -> dg.AssetSpec:
    asset, key = step.asset, key_of(step.asset)
    fresh = project.contracts[asset.dataset].fresh_within_hours if asset.stage is Stage.RAW else None
    condition = dg.AutomationCondition.eager() & dg.AutomationCondition.all_deps_blocking_checks_passed()
    deps = [key_of(name) for name in step.inputs] or [source_key(asset.dataset)]
    facts: dict[str, Fact] = {
        "dagster/column_schema": _schema(step.columns),
        "column_lineage": _lineage_rows(step),
        "note": Declared(_STANDS),
    }
    if step.lineage.direct:
        facts["dagster/column_lineage"] = _lineage(step)
    if step.query is not None:
        facts["sql"] = step.query
    facts["dagster/code_references"] = _code_references(project, step)
    return dg.AssetSpec(
        key,
        deps=deps,
        skippable=True,
        description=_description(project, asset),
        group_name=f"s{list(Stage).index(asset.stage) + 1}_{asset.stage.value}",
        metadata=metadata(facts),
        owners=[_owner(project, asset)],
        tags=_tags(project, asset),
        kinds={"duckdb"} if asset.stage is not Stage.MODEL else {"scikitlearn"},
        code_version=step.code_version,
        partitions_def=_days(project, step),
        # a release costs people: nobody makes one by accident
        automation_condition=None
        if asset.purpose and asset in project.paid(asset.purpose)
        else condition.with_label("when inputs change and their checks passed"),
        freshness_policy=dg.FreshnessPolicy.time_window(timedelta(hours=fresh)) if fresh else None,
    )


def _days(project: Project, step: Step) -> dg.PartitionsDefinition[str] | None:
    """The days of an asset that is kept by day, today among them."""
    contract = project.contracts.get(step.asset.dataset)
    return days_of(contract) if contract is not None else None


def days_of(contract: Contract) -> dg.PartitionsDefinition[str] | None:
    """The days of a dataset that is delivered by day, today among them."""
    if contract.deliveries is None:
        return None
    return dg.DailyPartitionsDefinition(start_date=contract.deliveries.since, end_offset=1)


def told(instance: dg.DagsterInstance, asset: AssetName) -> dg.AssetMaterialization | None:
    """What Dagster was last told of an asset, or of a day of it: the whole is told of by itself, if it ever was."""
    if not asset.day:
        event = instance.get_latest_materialization_event(key_of(asset))
        last = event.asset_materialization if event else None
        return last if last and last.partition is None else None
    wanted = dg.AssetRecordsFilter(asset_key=key_of(asset), asset_partitions=[asset.day])
    records = instance.fetch_materializations(wanted, limit=1).records
    return records[0].asset_materialization if records else None


def _code_references(project: Project, step: Step) -> dg.CodeReferencesMetadataValue:
    """The stage's own source, and the lines of contract and purpose that ask for this asset."""
    asset, places = (
        step.asset,
        {f"{step.asset.stage} stage": (Path(inspect.getfile(sys.modules[step.write.__module__])), 1)},
    )
    declared = [("contract", asset.dataset), ("purpose", asset.purpose)]
    for kind, name in declared:
        if name:
            path, _, line = project.where(kind, name).rpartition(":")
            places[f"{kind} {name}"] = (project.root / path, int(line))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # the release is pinned, and a test looks at what comes out
        return dg.CodeReferencesMetadataValue(
            code_references=[
                dg.LocalFileCodeReference(file_path=str(path), line_number=line, label=label)
                for label, (path, line) in places.items()
            ]
        )


def _description(project: Project, asset: AssetName) -> str:
    about = project.contracts[asset.dataset].description if asset.dataset else ""
    if asset.purpose:
        about = f"{project.purposes[asset.purpose].title}: {project.purposes[asset.purpose].why} {about}"
    return f"{WHAT[asset.stage]}\n\n{about}".strip()


def _owner(project: Project, asset: AssetName) -> str:
    return project.purposes[asset.purpose].owner if asset.purpose else project.contracts[asset.dataset].owner


def _tags(project: Project, asset: AssetName) -> dict[str, str]:
    tags = {"privacy/stage": asset.stage.value, "privacy/data_class": DATA_CLASS[asset.stage]}
    if asset.purpose:
        purpose = project.purposes[asset.purpose]
        if asset.stage is Stage.TRAINING and purpose.training:
            tags["privacy/data_class"] = DATA_CLASS[Stage(purpose.training.source)]
        tags |= {
            "privacy/purpose": asset.purpose,
            "privacy/purpose_version": purpose.version,
            "privacy/lawful_basis": purpose.lawful_basis.value,
        }
    if asset.dataset:
        tags |= {
            "privacy/contract": asset.dataset,
            "privacy/contract_version": project.contracts[asset.dataset].version,
        }
    return tags


def _schema(columns: Sequence[Column]) -> dg.TableSchema:
    return dg.TableSchema(
        [
            dg.TableColumn(
                column.name,
                column.type,
                description=column.description or None,
                tags={
                    name: value
                    for name, value in (
                        ("role", column.role.value),
                        ("category", column.category),
                        ("technique", column.technique),
                    )
                    if value
                },
            )
            for column in columns
        ]
    )


def _lineage(step: Step) -> dg.TableColumnLineage:
    return dg.TableColumnLineage(
        {
            out: [
                dg.TableColumnDep(key_of(step.views[view].asset), column)
                for view, column in sorted({(view, column) for view, column in sources})
            ]
            for out, sources in step.lineage.direct.items()
        }
    )


def _lineage_rows(step: Step) -> Rows:
    """Column lineage as a table: the open-source UI does not show `dagster/column_lineage`.

    What decides about all columns alike, such as a consent filter, stands once, as "every row".
    """
    if step.asset.stage is Stage.RAW:
        source = f"source/{step.asset.dataset}"
        return Rows(tuple(_edge(column.name, f"{source}.{column.name}", "value", "") for column in step.columns))
    every = frozenset.intersection(*step.lineage.indirect.values())
    rows = []
    for column in step.columns:
        direct = step.lineage.direct.get(column.name, frozenset())
        apart = step.lineage.indirect.get(column.name, frozenset()) - every
        rows += [_edge(column.name, _place(step, *source), "value", column.technique) for source in sorted(direct)]
        rows += [_edge(column.name, _place(step, *edge[:2]), edge[2], "") for edge in sorted(apart)]
    rows += [_edge("every row", _place(step, *edge[:2]), edge[2], "") for edge in sorted(every)]
    return Rows(tuple(rows))


def _place(step: Step, view: str, column: str) -> str:
    return f"{step.views[view].asset}.{column}"


def _edge(column: str, source: str, through: str, technique: str) -> dict[str, str | int | float | bool]:
    return {"column": column, "through": through, "technique": technique, "from": source}


def _published(step: Step, passport: Passport, destroyed: int) -> dict[str, dg.MetadataValue]:
    known = {column.name: column for column in step.columns}
    observed = [
        known.get(name, Column(name, kind, technique="unknown column: flows nowhere"))
        for name, kind in passport.columns
    ]
    facts: dict[str, Fact] = {
        "dagster/row_count": passport.rows,
        "dagster/column_schema": _schema(observed),
        "version": Digest(passport.version),
        "file_digest": Digest(passport.file_digest),
        "content_digest": Digest(passport.content_digest),
        "ledger_entry": passport.position,
        "published_at": passport.time,
        "superseded_versions_destroyed": destroyed,
        "unknown_columns": sum(name not in known for name, _ in passport.columns),
        "declared": Rows(tuple({"declaration": name, "digest": digest} for name, digest in passport.declared.items())),
    }
    if passport.inputs:
        facts["made_from"] = Rows(
            tuple({"asset": str(made.asset), "version": made.version} for made in passport.inputs)
        )
    if step.lineage.direct:
        facts["dagster/column_lineage"] = _lineage(step)
    if step.query is not None:
        facts["sql"] = step.query
    if passport.counts:
        facts["counts"] = Rows(tuple({"what": name, "rows": count} for name, count in passport.counts.items()))
    facts |= {f"measures/{name}": float(value) for name, value in passport.measures.items()}
    for measured in passport.measured:
        for name, number in measured.finding.numbers.items():
            facts[f"{measured.finding.name}/{name}"] = number
    return metadata(facts)


def _pictures(gate: Gate, passport: Passport) -> dict[str, dg.MetadataValue]:
    """What synthetic rows look like beside the real ones, and what attacks came to; of what is pending nothing."""
    if passport.asset.stage is not Stage.SYNTHETIC or gate.awaited(passport):
        return {}
    found = comparison.figures(comparison.of_version(gate, passport))
    return metadata({f"picture/{name}": Picture(png) for name, png in found.items()})


def _budgets(project: Project, gate: Gate, asset: AssetName) -> dict[str, dg.MetadataValue]:
    """How the budgets stand from which this asset was paid, as floats: Dagster plots them. `epsilon_left` is the least.

    Empty for what costs nobody.
    """
    if asset.purpose == "" or not any(debit.asset == str(asset) for debit in gate.debits()):
        return {}
    accounts = [account for name in project.paying(asset.purpose) if (account := gate.account(name))]
    facts: dict[str, Fact] = {}
    for account in accounts:
        facts[f"budget/{account.dataset}/epsilon_spent"] = float(account.epsilon_spent)
        facts[f"budget/{account.dataset}/epsilon_left"] = float(account.epsilon_left)
        facts[f"budget/{account.dataset}/epsilon_lifetime"] = float(account.epsilon_lifetime)
    if accounts:
        facts["epsilon_spent"] = max(float(account.epsilon_spent) for account in accounts)
        facts["epsilon_left"] = min(float(account.epsilon_left) for account in accounts)
    return metadata(facts)


def _check_results(asked: Sequence[Promise], outcome: Outcome, *, candidate: bool) -> list[dg.AssetCheckResult]:
    where = {promise.name: promise.where for promise in asked}
    later = {promise.name: promise.later for promise in asked}
    attested = outcome.passport.attested if outcome.passport else ()
    judged: dict[str, Measured] = {measured.finding.name: measured for measured in (*outcome.measured, *attested)}
    results = []
    for name, place in where.items():
        found = judged[name].finding if name in judged else None
        facts: dict[str, Fact] = dict(found.numbers) if found else {}
        facts |= {
            "subject": Declared("candidate" if candidate else "published version"),
            "promise": Declared(found.promise if found else "was never measured"),
            "promised_in": Declared(place),
            "promises": len(where),
            "verdict": found.verdict if found else Verdict.INCONCLUSIVE,
        }
        if outcome.passport and later[name] and found is None:  # Dagster knows passed and failed alone
            facts |= {
                "promise": Declared("waits for the red team: until it was tried, nobody reads this version"),
                "verdict": Declared(Standing.PENDING.value),
                "next_step": Declared(f"`privacy-assets redteam {outcome.passport.asset.purpose}`, or the job redteam"),
            }
        results.append(
            dg.AssetCheckResult(
                passed=bool(found and found.kept),
                check_name=name,
                metadata=metadata(facts),
                severity=dg.AssetCheckSeverity.WARN if later[name] else dg.AssetCheckSeverity.ERROR,
            )
        )
    return results


def _faults(faults: Sequence[Fault]) -> dict[str, dg.MetadataValue]:
    rows = tuple(
        {
            "what": fault.what,
            "where": fault.where,
            "expected": fault.expected,
            "found": fault.found,
            "next_step": fault.next_step,
        }
        for fault in faults
    )
    return metadata({"faults": Rows(rows)})


def _first_sentence(promise: Promise) -> str:
    text = " ".join((promise.invariant.__doc__ or promise.name).split())
    return text.split(". ")[0].rstrip(".") + "."


_REPAIRED = "published by a run that ended before it could say so; repaired from the ledger"


def _repair_history(instance: dg.DagsterInstance, gate: Gate, step: Step, how: str = _REPAIRED) -> None:
    """Tell Dagster of a version that the ledger holds and Dagster missed: a crash came between the two."""
    passport = gate.latest(step.asset)
    if passport is None:
        return
    last = told(instance, step.asset)
    known = last.metadata.get("version") if last else None
    if known is None or known.value != passport.version:
        instance.report_runless_asset_event(
            dg.AssetMaterialization(
                key_of(step.asset),
                partition=step.asset.day or None,
                description=how,
                metadata=_published(step, passport, 0),
                tags={"dagster/data_version": passport.content_digest, "dagster/code_version": passport.code},
            )
        )


def _observed_attack(one: Attacked, seed: int) -> dg.AssetObservation:
    """What a red team came to, for the page of the asset: each attack with its counts, and the largest excess."""
    lines, largest = [], 0.0
    for found in one.findings:
        numbers = {name: found.numbers[name] for name in attack_excess.NUMBERS if name in found.numbers}
        interval = attack_excess.excess(numbers) if numbers.get("tried") and numbers.get("control_tried") else None
        largest = max(largest, interval.high if interval else 0.0)
        told = {"excess": interval.value, "from": interval.low, "to": interval.high} if interval else {}
        lines.append({"attack": found.about, "verdict": found.verdict.value, **numbers, **told})
    facts: dict[str, Fact] = {
        "attacks": Rows(tuple(lines)),
        "largest_excess": largest,
        "withdrawn": one.withdrawn is not None,
        "version": Digest(one.version) if one.version else Declared("never published"),
        "seed": seed,
    }
    return dg.AssetObservation(key_of(one.asset), description="attacked by the red team", metadata=metadata(facts))


def tell_attested(instance: dg.DagsterInstance, gate: Gate, asset: AssetName) -> None:
    """Show as checks what was measured of the version that stands after it was published."""
    passport = gate.latest(asset)
    asked = [promise for promise in promises(gate.project, asset) if promise.later]
    if passport is None or not passport.attested or not asked:
        return
    for result in _check_results(asked, Outcome(passport.attested, (), passport), candidate=False):
        _tell_check(instance, asset, result)


def tell_published(instance: dg.DagsterInstance, gate: Gate, step: Step, outcome: Outcome) -> None:
    """Tell Dagster what came of a step that no run of its own carried out: the version, and its checks."""
    _repair_history(instance, gate, step, "published by an erasure, without the rows of those who were erased")
    for result in _check_results(promises(gate.project, step.asset), outcome, candidate=outcome.passport is None):
        _tell_check(instance, step.asset, result)


def _tell_check(instance: dg.DagsterInstance, asset: AssetName, result: dg.AssetCheckResult) -> None:
    instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=key_of(asset),
            check_name=str(result.check_name),
            passed=result.passed,
            metadata=result.metadata,
            severity=result.severity,
        )
    )


def redteam_job(name: str, made: Mapping[AssetName, Step], open_gate: Callable[[], Gate]) -> dg.JobDefinition:
    """A job of one step: everything that is released is attacked; what came of it stands on the page of each asset."""
    about = "Tries every attack on everything that is released again, and withdraws what does not survive."

    @dg.op(name="attack_everything", description=about, out=dg.Out(dg.Nothing))
    def attacks(context: dg.OpExecutionContext) -> None:
        def work() -> list[Attacked]:
            gate, found = open_gate(), []
            seed = gate.entries_by_now()
            for one in redteam(gate, made, seed=seed):
                context.log_event(_observed_attack(one, seed))
                tell_attested(context.instance, gate, one.asset)
                found.append(one)
            return found

        if failed := [one for one in guarded(work) if not one.passes]:
            raise dg.Failure("\n".join(map(said, failed)), allow_retries=False)

    graph = dg.GraphDefinition(name=name, description=about, node_defs=[attacks])
    return graph.to_job(executor_def=dg.in_process_executor)


def tell_frontier(instance: dg.DagsterInstance, frontier: report.Frontier) -> None:
    """Show what was weighed on the page of the purpose's anonymized asset: the figure, the points, from what."""
    heads = [head or "marks" for head in report.columns(frontier)]
    points = tuple(dict(zip(heads, cells, strict=True)) for cells in report.rows(frontier))
    facts: dict[str, Fact] = {
        "frontier": Picture(report.figure_png(frontier.points)),
        "points": Rows(points),
        "declared": Declared(frontier.declared),
        "features": Declared(frontier.features),
    }
    key = key_of(AssetName(Stage.ANONYMIZED, frontier.purpose))
    instance.report_runless_asset_event(
        dg.AssetObservation(key, description="risk against utility of techniques and k", metadata=metadata(facts))
    )
