"""Other programs that look for personal data or measure anonymity, on the same data, with a Python that has them.

Run by `bench/sources.py` and `bench/anonymity.py`. Belongs here: one function a program. It imports nothing of ours.
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


if __name__ == "__main__":
    name, seconds, *more = globals()[sys.argv[1]](json.loads(Path(sys.argv[2]).read_text()))
    print(json.dumps({"name": name, "wall": seconds, **(more[0] if more else {})}))
