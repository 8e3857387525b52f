"""Other programs that look for personal data, measure anonymity or make rows of nobody, on the same data, with a Python
that has them.

Run by `bench/sources.py`, `bench/anonymity.py`, `bench/aggregates.py` and `bench/synthesis.py`. Belongs here: one
function a program. It imports nothing of ours.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def presidio(columns: dict[str, list[str]]) -> tuple[str, float]:
    """presidio-analyzer's recognizers of patterns over every cell, in batches: no model of a language."""
    from importlib.metadata import version

    from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

    class Nothing(NlpEngine):
        def load(self):
            pass

        def is_loaded(self):
            return True

        def process_text(self, text, language):
            return NlpArtifacts([], [], [], [], self, language)

        def process_batch(self, texts, language, **given):
            for text in texts:
                yield text, self.process_text(text, language)

        def is_stopword(self, word, language):
            return False

        def is_punct(self, word, language):
            return False

        def get_supported_entities(self):
            return []

        def get_supported_languages(self):
            return ["en"]

    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    registry.recognizers = [one for one in registry.recognizers if "Spacy" not in type(one).__name__]
    engine = AnalyzerEngine(registry=registry, nlp_engine=Nothing(), supported_languages=["en"])
    batch = BatchAnalyzerEngine(analyzer_engine=engine)
    began = time.perf_counter()
    for cells in columns.values():
        list(batch.analyze_iterator(cells, language="en"))
    return f"presidio-analyzer {version('presidio-analyzer')}, patterns only", time.perf_counter() - began


def datafog(columns: dict[str, list[str]]) -> tuple[str, float]:
    """datafog-core's scan of every cell."""
    from importlib.metadata import version

    import datafog_core

    began = time.perf_counter()
    for cells in columns.values():
        for cell in cells:
            datafog_core.scan(cell)
    return f"datafog-core {version('datafog-core')}", time.perf_counter() - began


def pycanon(asked: dict) -> tuple[str, float, dict]:
    """pycanon's k, distinct l and t of a table, one after the other."""
    from importlib.metadata import version

    import pandas
    from pycanon import anonymity

    table = pandas.read_csv(asked["csv"], sep=";")
    parts, found, columns, cpu = {}, {}, list(asked["quasi_identifiers"]), time.process_time()
    for name, measure, more in (
        ("k", anonymity.k_anonymity, ()),
        ("l", anonymity.l_diversity, ([asked["sensitive"]],)),
        ("t", anonymity.t_closeness, ([asked["sensitive"]],)),
    ):
        began = time.perf_counter()
        found[name] = float(measure(table, columns, *more))
        parts[name] = time.perf_counter() - began
    cpu = time.process_time() - cpu
    return f"pycanon {version('pycanon')}", sum(parts.values()), {"parts": parts, "found": found, "cpu": cpu}


def anjana(asked: dict) -> tuple[str, float, dict]:
    """anjana's k-anonymity by full-domain generalization, with the same hierarchies and the same ceiling."""
    from importlib.metadata import version

    import pandas
    from anjana.anonymity import k_anonymity

    table = pandas.read_csv(asked["csv"], sep=";", dtype=str)
    hierarchies = {name: dict(pandas.DataFrame(rows, dtype=str)) for name, rows in asked["hierarchies"].items()}
    cpu, began = time.process_time(), time.perf_counter()
    made = k_anonymity(table, [], list(hierarchies), asked["k"], 100 * asked["suppressed_at_most"], hierarchies)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    lost = 0.0
    for name, rows in asked["hierarchies"].items():
        leaves = {}
        for row in rows:
            for label in dict.fromkeys(row):
                leaves.setdefault(label, set()).add(row[0])
        lost += sum((len(leaves[label]) - 1) / (len(rows) - 1) for label in made[name])
    gone = len(table) - len(made)
    loss = (lost / len(hierarchies) + gone) / len(table)
    return f"anjana {version('anjana')}", wall, {"cpu": cpu, "loss": loss, "suppressed": gone / len(table)}


def anonypy(asked: dict) -> tuple[str, float, dict]:
    """anonypy's Mondrian; its cells list their values, or the ends of a range."""
    from importlib.metadata import version

    import anonypy as peer_
    import pandas

    table = pandas.read_csv(asked["csv"], sep=";")
    names = list(asked["hierarchies"])
    for name in names:
        if table[name].dtype == object:
            table[name] = table[name].astype("category")
    cpu, began = time.process_time(), time.perf_counter()
    made = pandas.DataFrame(peer_.Preserver(table, names, asked["sensitive"]).anonymize_k_anonymity(asked["k"]))
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    lost = 0.0
    for name in names:
        domain = len(asked["hierarchies"][name]) - 1
        for cell, count in zip(made[name].astype(str), made["count"], strict=True):
            low, dash, high = cell.partition("-")
            if dash and low.isdigit() and high.isdigit():
                lost += (int(high) - int(low)) / domain * count
            else:
                lost += cell.count(",") / domain * count
    return f"anonypy {version('anonypy')}", wall, {"cpu": cpu, "loss": lost / len(names) / len(table)}


def anonymeter(asked: dict) -> tuple[str, float, dict]:
    """anonymeter's six attacks, one after the other; each with its risk and the interval of it."""
    from importlib.metadata import version

    import pandas
    from anonymeter.evaluators import InferenceEvaluator, LinkabilityEvaluator, SinglingOutEvaluator

    tables = {
        name: pandas.read_csv(Path(asked["folder"]) / f"{file}.csv")
        for name, file in (("ori", "fitted"), ("syn", "released"), ("control", "control"))
    }
    columns, tries = list(tables["ori"].columns), {"n_attacks": asked["tries"]}

    def singled(mode):
        return SinglingOutEvaluator(**tables, **tries, n_cols=3, seed=asked["seed"]).evaluate(mode=mode)

    def linked():
        evaluator = LinkabilityEvaluator(
            **tables, **tries, aux_cols=tuple(asked["halves"]), n_neighbors=asked["neighbours"]
        )
        return evaluator.evaluate(n_jobs=-1)

    def inferred(secret):
        known = [name for name in columns if name != secret]
        regression = pandas.api.types.is_numeric_dtype(tables["ori"][secret])
        evaluator = InferenceEvaluator(**tables, **tries, aux_cols=known, secret=secret, regression=regression)
        return evaluator.evaluate(n_jobs=-1)

    made = [lambda: singled("univariate"), lambda: singled("multivariate"), linked]
    made += [lambda secret=secret: inferred(secret) for secret in asked["secrets"]]
    parts, risks, cpu = {}, {}, time.process_time()
    for name, run in zip(asked["names"], made, strict=True):
        began = time.perf_counter()
        risk = run().risk(confidence_level=0.95)
        parts[name] = time.perf_counter() - began
        risks[name] = (risk.value, *risk.ci)
    cpu = time.process_time() - cpu
    return f"anonymeter {version('anonymeter')}", sum(parts.values()), {"parts": parts, "risks": risks, "cpu": cpu}


def opendp_polars(asked: dict) -> tuple[str, float]:
    """OpenDP's own frames: the same bound of 5 rows a person, lengths and clamped sums by ward, pure ε 1."""
    import statistics
    import warnings
    from importlib.metadata import version

    import opendp.prelude as dp
    import polars as pl

    warnings.simplefilter("ignore")
    dp.enable_features("contrib")
    keys, taken = pl.LazyFrame({"ward": asked["wards"]}), []
    for _ in range(asked["times"]):
        began = time.perf_counter()
        context = dp.Context.compositor(
            data=pl.scan_parquet(asked["file"]),
            privacy_unit=dp.unit_of(contributions=1, identifier=pl.col("person")),
            privacy_loss=dp.loss_of(epsilon=1.0),
            split_evenly_over=1,
            margins=[dp.polars.Margin(by=by, max_length=100_000_000) for by in ([], ["ward"])],
        )
        query = context.query().truncate_per_group(5).group_by("ward")
        query = query.agg(dp.len(), pl.col("days").fill_null(0).dp.sum((0, 60))).with_keys(keys)
        assert query.release().collect().height == len(asked["wards"])
        taken.append(time.perf_counter() - began)
    return f"opendp.polars {version('opendp')}", statistics.median(taken)


def snsynth(asked: dict) -> tuple[str, float, dict]:
    """smartnoise-synth's MST: ten public bins of equal width for each number."""
    import warnings
    from importlib.metadata import version

    import pandas
    from snsynth import Synthesizer
    from snsynth.transform import BinTransformer, LabelTransformer, TableTransformer

    warnings.simplefilter("ignore")
    table = pandas.read_csv(asked["csv"])
    parts = [
        BinTransformer(bins=10, lower=asked["numbers"][name][0], upper=asked["numbers"][name][1])
        if name in asked["numbers"]
        else LabelTransformer(nullable=False)
        for name in table.columns
    ]
    cpu, began = time.process_time(), time.perf_counter()
    synthesizer = Synthesizer.create("mst", epsilon=asked["epsilon"], delta=asked["delta"])
    synthesizer.fit(table, transformer=TableTransformer(parts), preprocessor_eps=0.0)
    made = synthesizer.sample(len(table))
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    made.columns = table.columns
    made.to_csv(asked["out"], index=False)
    return f"smartnoise-synth {version('smartnoise-synth')}", wall, {"cpu": cpu, "peak": _peak()}


def dpmm(asked: dict) -> tuple[str, float, dict]:
    """dpmm's MST: a tenth of epsilon for its private bins, the rest for the tree."""
    import warnings
    from importlib.metadata import version

    import pandas
    from dpmm.pipelines.mst import MSTPipeline

    warnings.simplefilter("ignore")
    table = pandas.read_csv(asked["csv"])
    domain = {name: {"lower": low, "upper": high} for name, (low, high) in asked["numbers"].items()}
    domain |= {name: {"categories": labels} for name, labels in asked["labels"].items()}
    for name in asked["labels"]:
        table[name] = table[name].astype("category")
    for name in asked["numbers"]:
        table[name] = table[name].astype(float)
    cpu, began = time.process_time(), time.perf_counter()
    pipeline = MSTPipeline(epsilon=0.9 * asked["epsilon"], delta=asked["delta"], proc_epsilon=0.1 * asked["epsilon"])
    pipeline.fit(table, domain)
    made = pipeline.generate(n_records=len(table))
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    made[list(table.columns)].to_csv(asked["out"], index=False)
    return f"dpmm {version('dpmm')}", wall, {"cpu": cpu, "peak": _peak()}


def _peak() -> float:
    """The most memory (MiB, resident) that this process has held."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    name, seconds, *more = globals()[sys.argv[1]](json.loads(Path(sys.argv[2]).read_text()))
    print(json.dumps({"name": name, "wall": seconds, **(more[0] if more else {})}))
