"""Column lineage, confirmed by running: what has no edge does not change."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import duckdb
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlglot import exp, parse_one

from privacy_assets.contracts.spelling import folded
from privacy_assets.errors import BadDeclaration
from privacy_assets.lineage.columns import Lineage, column_lineage
from tests.lineage.perturbing import TABLES, TYPES, Perturbed, Seen, Source
from tests.lineage.queries import CORPUS, REFUSED


def _parsed(sql: str) -> exp.Query:
    query = parse_one(sql, dialect="duckdb")
    assert isinstance(query, exp.Query)
    return query


@pytest.fixture(scope="module")
def tables() -> Iterator[Perturbed]:
    with duckdb.connect() as connection:
        yield Perturbed(connection)


Pair = tuple[str, Source]
"""An output column, and a source column that it may depend on."""


def _direct(lineage: Lineage) -> set[Pair]:
    return {(name, source) for name, sources in lineage.direct.items() for source in sources}


def _indirect(lineage: Lineage) -> set[Pair]:
    """Of the edges those that are no direct ones as well."""
    edges = {(name, (table, column)) for name, edges in lineage.indirect.items() for table, column, _ in edges}
    return edges - _direct(lineage)


def _changed(lineage: Lineage, seen: Seen) -> set[Pair]:
    """What was seen to change, by the names of the lineage, which are those of the result."""
    names = list(lineage.direct)
    assert list(map(folded, seen.names)) == list(map(folded, names)) and list(lineage.indirect) == names
    return {(names[place], source) for place, source in seen.changed}


def _missed(lineage: Lineage, seen: Seen) -> set[Pair]:
    """Which outputs changed with which source columns, though there is no edge between them."""
    return _changed(lineage, seen) - _direct(lineage) - _indirect(lineage)


def _label(labels: dict[str, str]) -> Lineage:
    def parts(text: str) -> tuple[frozenset[Source], frozenset[tuple[str, str, str]]]:
        direct, _, indirect = text.replace("Home Town", "Home\0Town").partition("|")
        edges = (edge.split(":") for edge in indirect.split())
        return frozenset(map(source, direct.split())), frozenset((*source(where), kind) for kind, where in edges)

    def source(written: str) -> Source:
        table, column = written.replace("\0", " ").split(".")
        return table, column

    _, everywhere = parts(labels.get("*", ""))
    read = {name: parts(text) for name, text in labels.items() if name != "*"}
    return Lineage(
        {name: direct for name, (direct, _) in read.items()},
        {name: indirect | everywhere for name, (_, indirect) in read.items()},
    )


@pytest.mark.parametrize(("sql", "labels"), CORPUS, ids=[sql[:60] for sql, _ in CORPUS])
def test_labelled_lineage_is_read(sql: str, labels: dict[str, str]) -> None:
    """Every query of the corpus has exactly the labelled edges."""
    assert column_lineage(_parsed(sql), TABLES) == _label(labels)


# Edges that stand for a value that is made of parts, of which the output shows one.
WIDER = {("SELECT s.a AS a FROM (SELECT {'a': id, 'b': name} AS s FROM people)", "a", ("people", "name"))}


def test_no_edge_is_missed_and_direct_ones_are_seen(tables: Perturbed, figures: Callable[..., None]) -> None:
    """Over the corpus, what has no edge does not change, and every direct edge is one along which something does."""
    missed, unseen, indirect, unseen_indirect, direct, none, runs = set(), set(), 0, 0, 0, 0, 0
    for sql, _ in CORPUS:
        lineage, seen = column_lineage(_parsed(sql), TABLES), tables.see(sql)
        assert seen is not None, f"this query does not run: {sql}"
        changed = _changed(lineage, seen)
        missed |= {(sql, *pair) for pair in _missed(lineage, seen)}
        unseen |= {(sql, *pair) for pair in _direct(lineage) - changed}
        direct += len(_direct(lineage))
        indirect += len(_indirect(lineage))
        unseen_indirect += len(_indirect(lineage) - changed)
        none += len(lineage.direct) * sum(map(len, TABLES.values())) - len(_direct(lineage)) - len(_indirect(lineage))
        runs += seen.runs
    figures("lineage corpus", queries=len(CORPUS), runs=runs, missed=len(missed))
    figures("lineage corpus, direct", edges=direct, unseen=len(unseen))
    figures("lineage corpus, indirect", edges=indirect, unseen=unseen_indirect)
    figures("lineage corpus, no edge", pairs=none)
    assert not missed
    assert unseen == WIDER


def test_a_missing_edge_is_found_by_running(tables: Perturbed) -> None:
    """The lineage that lacks one edge of any kind is one that is seen to miss it."""
    sql = "SELECT name, (SELECT max(cost) FROM visits v WHERE v.person = p.id) AS most FROM people p WHERE born > 1955"
    whole, seen = column_lineage(_parsed(sql), TABLES), tables.see(sql)
    assert seen is not None and not _missed(whole, seen)
    without_direct = Lineage({**whole.direct, "most": frozenset()}, whole.indirect)
    assert _missed(without_direct, seen) == {("most", ("visits", "cost"))}
    for name, table, lost in (("name", "people", "born"), ("most", "visits", "person")):
        edges = frozenset(edge for edge in whole.indirect[name] if edge[1] != lost)
        found = _missed(Lineage(whole.direct, {**whole.indirect, name: edges}), seen)
        assert found == {(name, (table, lost))}


@pytest.mark.parametrize(("sql", "part"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_told_is_refused(sql: str, part: str) -> None:
    """A query whose sources cannot all be told has no lineage at all; which part of it is at fault is said."""
    with pytest.raises(BadDeclaration) as refused:
        column_lineage(_parsed(sql), TABLES)
    assert part in str(refused.value)


def test_names_that_differ_by_case_only_are_refused() -> None:
    """Two columns that DuckDB takes for one cannot be told apart, so neither can their lineage."""
    with pytest.raises(BadDeclaration, match="upper and lower case"):
        column_lineage(_parsed("SELECT a FROM t"), {"t": ("a", "A")})


def test_the_query_is_left_as_it_is() -> None:
    """Reading the lineage does not change the expression that will run."""
    query = _parsed("SELECT Name AS N, * EXCLUDE (name) FROM People p")
    before = query.sql(dialect="duckdb")
    column_lineage(query, TABLES)
    assert query.sql(dialect="duckdb") == before


def test_no_column_is_an_empty_edge_set_and_not_a_missing_key() -> None:
    """A constant column is in the lineage, with no edge."""
    lineage = column_lineage(_parsed("SELECT 1 AS one, count(*) AS n FROM people"), TABLES)
    assert lineage == Lineage({"one": frozenset(), "n": frozenset()}, {"one": frozenset(), "n": frozenset()})


# Generated queries. Every relation is drawn with typed output columns, so that most of what is drawn runs.

_KINDS = {"INTEGER": "n", "DOUBLE": "n", "VARCHAR": "s"}
_TYPES = {
    table: {name: _KINDS[kind] for name, kind in columns.items() if kind in _KINDS and " " not in name}
    for table, columns in TYPES.items()
    if table != "stays"
}


@st.composite
def _scalar(draw: st.DrawFn, scope: dict[str, dict[str, str]], kind: str, depth: int = 2) -> str:
    columns = [f"{alias}.{name}" for alias, names in scope.items() for name, of in names.items() if of == kind]
    leaf = st.sampled_from(columns) if columns else st.just("abs(2)" if kind == "n" else "lower('x')")
    if depth == 0:
        return draw(leaf)
    number, text = (_scalar(scope, of, depth - 1) for of in "ns")
    condition = _condition(scope, depth - 1)
    if kind == "n":
        return draw(
            leaf
            | st.builds("({} + {})".format, number, number)
            | st.builds("length({})".format, text)
            | st.builds("(CASE WHEN {} THEN {} ELSE {} END)".format, condition, number, number)
            | _subquery(scope)
        )
    return draw(leaf | st.builds("coalesce({}, {})".format, text, text) | st.builds("upper({})".format, text))


@st.composite
def _subquery(draw: st.DrawFn, scope: dict[str, dict[str, str]]) -> str:
    table = draw(st.sampled_from(sorted(_TYPES)))
    alias = f"q{len(scope)}"
    inside = {**scope, alias: _TYPES[table]}
    value, condition = draw(_scalar({alias: _TYPES[table]}, "n", 0)), draw(_condition(inside, 0))
    return f"(SELECT {draw(st.sampled_from(['max', 'sum', 'count']))}({value}) FROM {table} {alias} WHERE {condition})"


@st.composite
def _condition(draw: st.DrawFn, scope: dict[str, dict[str, str]], depth: int = 1) -> str:
    number, text = (_scalar(scope, of, 0) for of in "ns")
    simple = (
        st.builds("{} > {}".format, number, number)
        | st.builds("{} = {}".format, text, text)
        | st.builds("{} IS NULL".format, text)
    )
    if depth == 0:
        return draw(simple)
    table = draw(st.sampled_from(sorted(_TYPES)))
    alias = f"e{len(scope)}"
    inside = {**scope, alias: _TYPES[table]}
    one, other = draw(_condition(inside, 0)), draw(_scalar({alias: _TYPES[table]}, "n", 0))
    return draw(
        simple
        | st.builds("({} OR {})".format, simple, simple)
        | st.just(f"EXISTS (SELECT 1 FROM {table} {alias} WHERE {one})")
        | st.builds((f"{{}} IN (SELECT {other} FROM {table} {alias} WHERE {one})").format, number)
    )


@st.composite
def _query(draw: st.DrawFn, depth: int = 2) -> tuple[str, dict[str, str]]:
    if depth == 2 and draw(st.booleans()):
        (one, names), (other, others) = draw(_query(1)), draw(_query(1))
        if list(names.values()) == list(others.values()):
            operator = draw(st.sampled_from(["UNION ALL", "UNION", "EXCEPT", "INTERSECT"]))
            return f"({one}) {operator} ({other})", names
    scope: dict[str, dict[str, str]] = {}
    from_ = ""
    for place in range(draw(st.integers(1, 2))):
        if depth and draw(st.booleans()):
            sql, names = draw(_query(depth - 1))
            source = f"({sql}) s{place}"
        else:
            table = draw(st.sampled_from(sorted(_TYPES)))
            source, names = f"{table} s{place}", _TYPES[table]
        scope[f"s{place}"] = names
        if place:
            kind = draw(st.sampled_from(["JOIN", "LEFT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN"]))
            from_ += f" {kind} {source} ON {draw(_condition(scope, 0))}"
            if kind in ("SEMI JOIN", "ANTI JOIN"):
                del scope[f"s{place}"]
        else:
            from_ = f" FROM {source}"
    where = f" WHERE {draw(_condition(scope))}" if draw(st.booleans()) else ""
    kinds = [draw(st.sampled_from("ns")) for _ in range(draw(st.integers(1, 3)))]
    shape = draw(st.sampled_from(["plain", "distinct", "group", "window", "first"]))
    # the outputs take the names of source columns on purpose: a name can mean two things
    pool = draw(st.permutations(["id", "name", "ward", "cost", "floor", "other"]))
    outputs = dict(zip(pool, kinds, strict=False))
    if shape == "group":
        key = draw(_scalar(scope, "s", 1))
        values = {
            name: f"{draw(st.sampled_from(['max', 'min']))}({draw(_scalar(scope, kind, 0))})"
            for name, kind in outputs.items()
        }
        having = f" HAVING count(*) > 1 OR max({draw(_scalar(scope, 'n', 0))}) > 3" if draw(st.booleans()) else ""
        where += f" GROUP BY {key}{having}"
    else:
        values = {name: draw(_scalar(scope, kind)) for name, kind in outputs.items()}
    if shape == "window":
        part, order = draw(_scalar(scope, "s", 0)), draw(_scalar(scope, "n", 0))
        values["ranked"], outputs["ranked"] = f"rank() OVER (PARTITION BY {part} ORDER BY {order})", "n"
    tail = ""
    if shape == "first":
        tail = f" ORDER BY {draw(_scalar(scope, 'n', 0))}, {', '.join(values.values())} LIMIT 2"
    projected = ", ".join(f"{value} AS {name}" for name, value in values.items())
    return f"SELECT {'DISTINCT ' if shape == 'distinct' else ''}{projected}{from_}{where}{tail}", outputs


@settings(max_examples=30, deadline=None)
@given(drawn=_query())
def test_no_edge_means_no_change(tables: Perturbed, drawn: tuple[str, dict[str, str]]) -> None:
    """In any generated query, an output column without an edge to a source column does not change with it."""
    sql, outputs = drawn
    lineage = column_lineage(_parsed(sql), TABLES)
    assert list(lineage.direct) == list(outputs)
    seen = tables.see(sql, ["drawn"])
    assert seen is not None, f"this query does not run: {sql}"
    assert not _missed(lineage, seen), sql


# Names as people write them: outputs that are called as columns are, places, and expressions of both.

_WHERE = st.sampled_from(["", " WHERE day > 2", " WHERE id < 5"])
_PLAIN = st.builds(
    "SELECT {}{} AS {}, {} AS cost FROM visits{}{} ORDER BY {}, 1, 2 LIMIT 3".format,
    st.sampled_from(["", "", "DISTINCT ON (id % 2) ", "DISTINCT ON (2) "]),
    st.sampled_from(["-day", "upper(ward)", "unnest([day, cost])"]),
    st.sampled_from(["id", "ward", "x"]),
    st.sampled_from(["person", "rank() OVER (ORDER BY day)"]),
    _WHERE,
    st.sampled_from(["", " QUALIFY cost > 1 AND count(*) OVER () > 1"]),
    st.sampled_from(["id", "-id", "abs(day)", "ward || 'a'", "ward COLLATE NOCASE", "2", "(1)", "-cost", "cost"]),
)
_GROUPED = st.builds(
    "SELECT {} AS {}, {} AS day, count(*) AS n FROM visits{} GROUP BY {}{} ORDER BY {}, 1, 2, 3 LIMIT 3".format,
    st.sampled_from(["ward", "person % 2", "upper(ward)"]),
    st.sampled_from(["id", "ward", "x"]),
    st.sampled_from(["cost", "-person"]),
    _WHERE,
    st.sampled_from(["ALL", "1, 2", "(2, 1)", "ROLLUP (1, 2)", "CUBE ((1), 2)", "GROUPING SETS ((2), (1, 2), ())"]),
    st.sampled_from(["", " HAVING max(id) > 2", " HAVING n > 1"]),
    st.sampled_from(["id", "2", "n", "max(day)", "-n", "day"]),
)


@settings(max_examples=60, deadline=None)
@given(sql=_PLAIN | _GROUPED)
def test_no_edge_means_no_change_whatever_a_name_means(tables: Perturbed, sql: str) -> None:
    """The same where a name has two meanings: what is accepted, and runs, has the edges of the one that DuckDB takes.

    The outputs stand last in the order, so that ties do not decide which rows are cut off.
    """
    seen = tables.see(sql, ["drawn"])
    assume(seen is not None)
    assert seen is not None and not _missed(column_lineage(_parsed(sql), TABLES), seen), sql
