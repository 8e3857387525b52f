"""Which source columns each column of a query comes from, and which ones decide what it holds.

    direct     the column's values flow into the output value: projections, arguments, CASE conditions
    indirect   the column decides which rows there are, how they are grouped, joined or ordered; never its values alone

Belongs here: reading that off a sqlglot expression, the very one that runs. Does not belong here: running it, tables
or files, what the columns mean (`contracts/`), the graph of assets.

The claim: change the values of a source column in any way, and an output column (as a bag of values) that has no
edge from it, direct or indirect, stays the same. It covers what DuckDB computes from the expression's SQL; it does
not cover functions that look elsewhere (macros, files, the clock), errors at run time, or a LIMIT without an order;
UNNEST is taken to be of a list (of a struct DuckDB makes an output of each field, which have no lineage then).
Edges may be too many (a filter counts for every column of its query), never too few: a construct whose sources
cannot be told is refused, because partial lineage is worse than none. Kinds follow OpenLineage's column lineage
facet (direct/indirect; FILTER, JOIN, GROUP_BY, SORT, WINDOW).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from privacy_assets.contracts.spelling import DIALECT, spelled_alike
from privacy_assets.errors import BadDeclaration, PrivacyAssetsError

Source = tuple[str, str]
Edge = tuple[str, str, str]

_NOT_TOLD = (
    exp.TableColumn,
    exp.Lambda,
    exp.Comprehension,
    exp.Pseudocolumn,
    exp.PositionalColumn,
    exp.Columns,
    exp.Command,
    exp.Pivot,
    exp.TableSample,
)
_ROW_MAKERS = (exp.Explode, exp.Posexplode, exp.Unnest)


@dataclass(frozen=True, slots=True)
class Lineage:
    """For each output column, by name: `direct` (table, column) and `indirect` (table, column, kind) sources.

    Kinds are `filter`, `join`, `group`, `order`, `window`, `distinct`, `setop` (a row stays or goes for being in
    another query's result) and `unnest` (a list decides the number of rows). Every output column is a key of both.
    """

    direct: Mapping[str, frozenset[Source]]
    indirect: Mapping[str, frozenset[Edge]]


def column_lineage(query: exp.Query, tables: Mapping[str, Sequence[str]]) -> Lineage:
    """The lineage of `query` over `tables` (their columns by table name); `query` itself is left as it is.

    Raises BadDeclaration, naming the part of the query, for a table or column that is not in `tables`, an output
    column without a name or with another's, and every construct whose sources cannot be told: recursive CTEs,
    positional joins, lambdas, samples, pivots, rows as values, table functions other than UNNEST.
    """
    bases = {
        table: _Relation({column: _Flow(frozenset({(table, column)})) for column in columns})
        for table, columns in tables.items()
    }
    schema = MappingSchema(
        {table: dict.fromkeys(columns, "UNKNOWN") for table, columns in tables.items()},
        dialect=DIALECT,
        normalize=False,  # a name is no SQL, which `@timestamp` would be read as
    )
    try:
        qualified = qualify(
            spelled_alike(query, tables), schema=schema, dialect=DIALECT, validate_qualify_columns=False
        )
        result = _Reader(bases).relation(qualified, _Scope(bases))
    except RecursionError:
        raise BadDeclaration.of("the query is nested too deeply", next_step="split it into CTEs") from None
    except SqlglotError as error:
        raise BadDeclaration.of(
            "the lineage of the query cannot be told",
            found=str(error).splitlines()[0],
            expected=f"columns of {', '.join(sorted(tables)) or 'no table'}",
        ) from None
    return Lineage(
        {name: flow.direct for name, flow in result.columns.items()},
        {name: flow.indirect | result.rows for name, flow in result.columns.items()},
    )


@dataclass(frozen=True, slots=True)
class _Flow:
    """What one value depends on."""

    direct: frozenset[Source] = frozenset()
    indirect: frozenset[Edge] = frozenset()

    def __or__(self, other: _Flow) -> _Flow:
        return _Flow(self.direct | other.direct, self.indirect | other.indirect)

    def decides(self, kind: str) -> frozenset[Edge]:
        """The edges to whatever this value decides, of this kind."""
        return self.indirect | {(table, column, kind) for table, column in self.direct}


@dataclass(frozen=True, slots=True)
class _Relation:
    """What the columns of a query or table depend on, and what its rows depend on."""

    columns: Mapping[str, _Flow]
    rows: frozenset[Edge] = frozenset()

    @property
    def whole(self) -> _Flow:
        """All of it as one value, as in `IN (SELECT ...)`."""
        return _union(self.columns.values()) | _Flow(frozenset(), self.rows)


@dataclass(frozen=True, slots=True)
class _Scope:
    """What names mean in one SELECT: tables and CTEs by name, sources by alias, outputs, named windows."""

    tables: Mapping[str, _Relation]
    sources: dict[str, _Relation] = field(default_factory=dict)
    outputs: Mapping[str, _Flow] = field(default_factory=dict)
    windows: Mapping[str, exp.Window] = field(default_factory=dict)
    outer: _Scope | None = None


def _union(flows: Iterable[_Flow]) -> _Flow:
    flows = tuple(flows)
    return _Flow(
        frozenset().union(*(flow.direct for flow in flows)), frozenset().union(*(flow.indirect for flow in flows))
    )


def _refused(what: str, node: exp.Expr, next_step: str = "") -> PrivacyAssetsError:
    return BadDeclaration.of(
        f"the lineage of the query cannot be told: {what}",
        found=node.sql(dialect="duckdb", unsupported_level=ErrorLevel.IGNORE)[:200],
        next_step=next_step,
    )


def _only(node: exp.Expr, *known: str) -> None:
    """Refuse a clause that this module does not know, whatever it may mean."""
    for name, value in node.args.items():
        if value and name not in known:
            raise _refused(f"the clause {name.strip('_')!r} of {node.key}", node)


def _named(columns: Iterable[tuple[str, _Flow]], node: exp.Expr) -> dict[str, _Flow]:
    named: dict[str, _Flow] = {}
    for name, flow in columns:
        if not name or name in named:
            raise _refused(
                f"two columns are named {name!r}" if name else "a column has no name", node, "name each column once"
            )
        named[name] = flow
    return named


class _Reader:
    """One walk from the leaves up. Every CTE is read once; names are looked up from the inside out."""

    def __init__(self, bases: Mapping[str, _Relation]) -> None:
        self._bases = bases

    def relation(self, query: exp.Expr, scope: _Scope) -> _Relation:
        """A query's result; `scope` is what it is written in: its tables and CTEs, and what it may correlate to."""
        if isinstance(query, exp.Select):
            return self._select(query, scope)
        if isinstance(query, exp.SetOperation):
            return self._set_operation(query, scope)
        if isinstance(query, exp.Subquery):
            _only(query, "this", "alias", "with_", "order", "limit", "offset")
            tables = self._with(query, scope)
            inner = self.relation(query.this, replace(scope, tables=tables))
            return replace(
                inner, rows=inner.rows | self._cut(query, _Scope(tables, outputs=inner.columns, outer=scope))
            )
        raise _refused("this is no query", query)

    def _with(self, query: exp.Expr, scope: _Scope) -> Mapping[str, _Relation]:
        with_ = query.args.get("with_")
        if with_ is None:
            return scope.tables
        if with_.recursive:
            raise _refused("a recursive CTE", with_, "write it without RECURSIVE")
        tables = dict(scope.tables)
        for cte in with_.expressions:
            _only(cte, "this", "alias", "materialized")
            inner = self.relation(cte.this, replace(scope, tables=dict(tables)))
            tables[cte.alias] = self._renamed(inner, cte)
        return tables

    def _select(self, select: exp.Select, scope: _Scope) -> _Relation:
        _only(
            select,
            *("with_", "expressions", "distinct", "from_", "joins", "where", "group", "having", "windows", "qualify"),
            *("order", "limit", "offset"),
        )
        windows = {window.name: window for window in select.args.get("windows") or ()}
        inside = _Scope(self._with(select, scope), {}, {}, windows, scope)
        rows: frozenset[Edge] = frozenset()
        if from_ := select.args.get("from_"):
            rows |= self._source(from_.this, inside)
        for join in select.args.get("joins") or ():
            rows |= self._join(join, inside)
        if where := select.args.get("where"):
            rows |= self._flow(where.this, inside).decides("filter")

        columns: list[tuple[str, _Flow]] = []
        for projection in select.expressions:
            flow = self._flow(projection, inside)
            columns.append((projection.alias_or_name, flow))
            if _in_this_query(projection, _ROW_MAKERS):
                rows |= flow.decides("unnest")
        outputs = _named(columns, select)
        after = replace(inside, outputs=outputs)

        if group := select.args.get("group"):
            keys = [self._key(key, after) for part in group.iter_expressions() for key in _grouped_by(part)]
            if group.args.get("all"):
                keys += [
                    outputs[key.alias_or_name] for key in select.expressions if not _in_this_query(key, (exp.AggFunc,))
                ]
            rows |= _union(keys).decides("group")
        for clause in ("having", "qualify"):
            if condition := select.args.get(clause):
                rows |= self._flow(condition.this, after).decides("filter")
        if distinct := select.args.get("distinct"):
            on = distinct.args.get("on")
            parts = [self._key(key, after) for key in on.expressions] if on else outputs.values()
            rows |= _union(parts).decides("distinct")
        return _Relation(outputs, rows | self._cut(select, after))

    def _cut(self, query: exp.Expr, scope: _Scope) -> frozenset[Edge]:
        """What ORDER BY, LIMIT and OFFSET decide."""
        rows: frozenset[Edge] = frozenset()
        if order := query.args.get("order"):
            by_all = any(isinstance(key.this, exp.Var) for key in order.expressions)
            keys = scope.outputs.values() if by_all else [self._key(key.this, scope) for key in order.expressions]
            rows |= _union(keys).decides("order")
        for clause in ("limit", "offset"):
            if count := query.args.get(clause):
                rows |= self._flow(count, scope).decides("filter")
        return rows

    def _key(self, key: exp.Expr, scope: _Scope) -> _Flow:
        """What a key of GROUP BY, DISTINCT ON or ORDER BY depends on: an output by place or name, or an expression.

        Alone, or with a collation, a name is an output's. In any other expression DuckDB takes it for a source's
        column, where there is one.
        """
        key = key.unnest()
        if isinstance(key, exp.Collate):
            return self._key(key.this, scope)
        if isinstance(key, exp.Literal) and key.is_int:
            place = int(key.name)
            if not 1 <= place <= len(scope.outputs):
                raise _refused(f"there is no column {place} to group, order or tell apart by", key)
            return list(scope.outputs.values())[place - 1]
        if isinstance(key, exp.Column):
            return self._flow(key, scope)
        theirs: dict[str, _Flow] = {}
        for source in scope.sources.values():
            for name, flow in source.columns.items():
                theirs[name] = theirs.get(name, _Flow()) | flow
        return self._flow(key, replace(scope, outputs={**scope.outputs, **theirs}))

    def _set_operation(self, query: exp.SetOperation, scope: _Scope) -> _Relation:
        _only(query, "with_", "this", "expression", "distinct", "by_name", "order", "limit", "offset")
        tables = self._with(query, scope)
        inside = replace(scope, tables=tables)
        left, right = self.relation(query.this, inside), self.relation(query.expression, inside)
        if query.args.get("by_name"):
            names = list(dict.fromkeys((*left.columns, *right.columns)))
            pairs = [(name, left.columns.get(name, _Flow()), right.columns.get(name, _Flow())) for name in names]
        elif len(left.columns) == len(right.columns):
            pairs = [(*one, other) for one, other in zip(left.columns.items(), right.columns.values(), strict=True)]
        else:
            raise _refused("the two sides have different numbers of columns", query)
        rows = left.rows | right.rows
        if isinstance(query, exp.Union):
            columns = {name: one | other for name, one, other in pairs}
        else:
            columns = {name: one for name, one, _ in pairs}
        if query.args.get("distinct") or not isinstance(query, exp.Union):
            rows |= _union((*left.columns.values(), *right.columns.values())).decides("setop")
        return _Relation(columns, rows | self._cut(query, _Scope(tables, outputs=columns, outer=scope)))

    def _join(self, join: exp.Join, scope: _Scope) -> frozenset[Edge]:
        _only(join, "this", "on", "kind", "side", "method")
        if join.method not in ("", "ASOF"):
            raise _refused(f"a {join.method.lower()} join", join, "write the join's condition with ON")
        rows = self._source(join.this, scope)
        if on := join.args.get("on"):
            rows |= self._flow(on, scope).decides("join")
        return rows

    def _source(self, source: exp.Expr, scope: _Scope) -> frozenset[Edge]:
        """Enter a FROM or JOIN item into the scope; returns what its rows depend on."""
        rows: frozenset[Edge] = frozenset()
        if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
            _only(source, "this", "alias", "joins")
            relation = scope.tables.get(source.name)
            if relation is None:
                raise _refused(f"there is no table {source.name!r}", source, f"name one of {', '.join(self._bases)}")
        elif (
            isinstance(source, exp.Subquery) and isinstance(source.this, exp.Table | exp.Subquery) and not source.alias
        ):
            # (a JOIN b ON ...): brackets around joins, whose sources stay visible
            _only(source, "this", "joins")
            rows |= self._source(source.this, scope)
            return rows.union(*(self._join(join, scope) for join in source.args.get("joins") or ()))
        elif isinstance(source, exp.Subquery):
            joins = source.args.get("joins")
            relation = self.relation(_without(source, "joins") if joins else source, scope)
        elif isinstance(source, exp.Lateral) and isinstance(source.this, exp.Subquery):
            _only(source, "this", "alias")
            relation = self.relation(source.this, scope)
        elif isinstance(source, exp.Unnest):
            _only(source, "expressions", "alias", "offset")
            flow = _union(self._flow(part, scope) for part in source.expressions)
            names = [name.name for name in _column_aliases(source)]
            if isinstance(source.args.get("offset"), exp.Identifier):
                names.append(source.args["offset"].name)
            rows |= flow.decides("unnest")
            relation = _Relation(dict.fromkeys(names, flow), rows)
        elif isinstance(source, exp.Values):
            _only(source, "expressions", "alias")
            columns = _column_aliases(source)
            flow = _union(self._flow(row, scope) for row in source.expressions)
            relation = _Relation({column.name: flow for column in columns}, flow.decides("filter"))
        else:
            raise _refused("this is no table, query or UNNEST", source)
        name = source.alias_or_name
        if not name or name in scope.sources:
            raise _refused(f"two sources are named {name!r}", source, "give each source an alias of its own")
        scope.sources[name] = (
            relation if isinstance(source, exp.Values | exp.Unnest) else self._renamed(relation, source)
        )
        rows |= relation.rows
        return rows.union(*(self._join(join, scope) for join in source.args.get("joins") or ()))

    def _renamed(self, relation: _Relation, source: exp.Expr) -> _Relation:
        aliases = [column.name for column in _column_aliases(source)]
        if len(aliases) > len(relation.columns):
            raise _refused("more column aliases than columns", source)
        names = (*aliases, *list(relation.columns)[len(aliases) :])
        return replace(relation, columns=_named(zip(names, relation.columns.values(), strict=True), source))

    def _flow(self, node: exp.Expr, scope: _Scope) -> _Flow:
        """What the value of an expression depends on."""
        if isinstance(node, exp.Column):
            return self._column(node, scope)
        if isinstance(node, exp.Star):
            if isinstance(node.parent, exp.Count) and not any(node.args.values()):
                return _Flow()
            raise _refused("a star that stands for no known columns", node.parent or node, "name the columns")
        if isinstance(node, _NOT_TOLD):
            raise _refused(f"a {node.key} hides its sources", node)
        if isinstance(node, exp.Exists):
            return _Flow(frozenset(), self.relation(node.this, scope).rows)
        if isinstance(node, exp.Query):
            return self.relation(node, scope).whole
        if isinstance(node, exp.Window):
            return self._window(node, scope)
        if isinstance(node, exp.Filter):
            condition = self._flow(node.expression.this, scope)
            return self._flow(node.this, scope) | _Flow(frozenset(), condition.decides("filter"))
        if isinstance(node, exp.Order) and node.this is not None:
            keys = _union(self._flow(key, scope) for key in node.expressions)
            return self._flow(node.this, scope) | _Flow(frozenset(), keys.decides("order"))
        return _union(self._flow(child, scope) for child in node.iter_expressions())

    def _window(self, node: exp.Window, scope: _Scope) -> _Flow:
        parts = [part for key in ("partition_by", "order", "spec") for part in _listed(node.args.get(key))]
        flow = _Flow(frozenset(), _union(self._flow(part, scope) for part in parts).decides("window"))
        if name := node.args.get("alias"):
            if name.name not in scope.windows:
                raise _refused(f"there is no window {name.name!r}", node)
            others = {window: spec for window, spec in scope.windows.items() if window != name.name}
            named = scope.windows[name.name].copy()
            named.set("this", None)
            flow |= self._window(named, replace(scope, windows=others))
        return flow if node.this is None else flow | self._flow(node.this, scope)

    def _column(self, column: exp.Column, scope: _Scope) -> _Flow:
        if not isinstance(column.this, exp.Identifier) or column.args.get("db"):
            raise _refused("a star or a field that stands for no known column", column, "name the columns")
        if not column.table:
            if column.name in scope.outputs:
                return scope.outputs[column.name]
            raise _refused(f"there is no column {column.name!r}", column)
        looked: _Scope | None = scope
        while looked is not None:
            if column.table in looked.sources:
                flow = looked.sources[column.table].columns.get(column.name)
                if flow is None:
                    break
                return flow
            looked = looked.outer
        raise _refused(f"there is no column {column.name!r} in {column.table!r}", column)


def _in_this_query(node: exp.Expr, kinds: tuple[type[exp.Expr], ...]) -> bool:
    """Whether one of `kinds` stands in the expression, its subqueries apart."""
    return any(isinstance(found, kinds) for found in node.walk(prune=lambda part: isinstance(part, exp.Query)))


def _grouped_by(part: exp.Expr) -> Iterator[exp.Expr]:
    """The keys in a part of GROUP BY: `(a, b)`, `ROLLUP (a, b)`, `GROUPING SETS ((a), ())` have several."""
    if isinstance(part, exp.Tuple | exp.Rollup | exp.Cube | exp.GroupingSets):
        for inner in part.expressions:
            yield from _grouped_by(inner)
    else:
        yield part


def _without(node: exp.Subquery, clause: str) -> exp.Subquery:
    bare = node.copy()
    bare.set(clause, None)
    return bare


def _column_aliases(source: exp.Expr) -> list[exp.Expr]:
    alias = source.args.get("alias")
    return list(alias.args.get("columns") or ()) if isinstance(alias, exp.TableAlias) else []


def _listed(part: object) -> Iterator[exp.Expr]:
    if isinstance(part, exp.Expr):
        yield part
    elif isinstance(part, list):
        yield from part
