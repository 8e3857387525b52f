"""A purpose's SQL, read before anything runs: what it may name, what it may do, and what its columns are.

Belongs here: parsing `features.sql`, resolving its names, refusing what it may not name or do, and telling of each
output column its type, role, category and domain. Does not belong here: the lists of what it may do
(`_features_language.py`), running it, lineage as it is published (`lineage/`), whether key and categories name columns
(`checks.py`, which knows their lines).

What runs is not the text but the expression that was read from it, with every name resolved and quoted. The memory
and time that it takes are not bounded here: a join of a table with itself may still be large.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, OptimizeError, ParseError, TokenError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.schema import MappingSchema
from sqlglot.tokenizer_core import Token, TokenType

from privacy_assets.contracts._features_language import BY_NAME, TYPES, TYPING, refusal
from privacy_assets.contracts.purpose import Purpose
from privacy_assets.contracts.spelling import DIALECT, folded, spelled_alike
from privacy_assets.errors import BadDeclaration, Fault, raise_gathered
from privacy_assets.words import Column, Role

LONGEST_SQL = 20_000
"""Characters of a statement that is read at all."""

DEEPEST_SQL = 100
"""Brackets within brackets of a statement that is read."""

LARGEST_SQL = 5_000
"""Parts of a statement (nodes of its syntax tree) that is read, counted after names are replaced by what they mean."""

_PROTECTION = (Role.DIRECT_IDENTIFIER, Role.SENSITIVE, Role.QUASI_IDENTIFIER, Role.ATTRIBUTE)

_WORDS: Mapping[type[exp.Expr], tuple[str, ...]] = {
    exp.Lambda: ("->", "LAMBDA"),
    exp.TableSample: ("TABLESAMPLE", "SAMPLE"),
    exp.Pivot: ("PIVOT", "UNPIVOT"),
    exp.Placeholder: ("?", "$"),
    exp.Comprehension: ("FOR",),
    exp.Lock: ("FOR",),
    exp.HistoricalData: ("AT",),
    exp.Bracket: ("[",),
    exp.Array: ("[",),
    exp.GroupConcat: ("STRING_AGG", "LISTAGG"),
    exp.PositionalColumn: ("#",),
    exp.Struct: ("{",),
    exp.ToMap: ("MAP",),
    exp.Rand: ("RANDOM",),
    exp.CurrentVersion: ("VERSION",),
    exp.CurrentDate: ("CURRENT_DATE", "TODAY"),
    exp.Limit: ("LIMIT",),
    exp.Offset: ("OFFSET",),
}


@dataclass(frozen=True, slots=True)
class FeatureQuery:
    """What a purpose's SQL is: the expression that runs, every name in it resolved and quoted, and its columns.

    `made_of` are, by column, the datasets whose values flow into it.
    """

    expression: exp.Query
    columns: tuple[Column, ...]
    made_of: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def datasets(self) -> frozenset[str]:
        """All that the query reads: each decides which rows there are, whether a value of it is shown or not."""
        inside = {cte.alias for cte in self.expression.find_all(exp.CTE)}
        return frozenset(table.name for table in self.expression.find_all(exp.Table)) - inside


def analyse(purpose: Purpose, tables: Mapping[str, tuple[Column, ...]], *, subject_domain: str | None) -> FeatureQuery:
    """Read the SQL of a purpose over `tables`, the columns of its pseudonymized tables by dataset name.

    Without SQL, the only dataset is taken as it is. `subject_domain` is the identifier domain of the subjects' tokens
    (None where the datasets are about nobody). A column that is only passed on keeps what is known of it. A derived
    one has the role of the most protected column that its value or its conditions are made of (COUNT apart, which
    tells no value), the closest common ancestor of their categories in the taxonomy, if there is one, and the domain
    that `features.categories` declares.

    Raises BadDeclaration with every fault that was found; `where` is `SQL line:column`, from 1.
    """
    sql = purpose.features.sql
    if sql is None:
        if len(tables) != 1:
            raise BadDeclaration.of(
                "the purpose uses several datasets, and nothing says how they become one table",
                expected="`features.sql`, one SELECT over " + ", ".join(sorted(tables)),
            )
        ((table, columns),) = tables.items()
        names = ", ".join(exp.column(column.name, quoted=True).sql(dialect="duckdb") for column in columns)
        sql = f"SELECT {names} FROM {exp.to_identifier(table, quoted=True).sql(dialect='duckdb')}"
    try:
        return _Text(sql).analysed(purpose, tables, subject_domain)
    except RecursionError:
        raise BadDeclaration.of(
            "the SQL is nested too deeply", where="SQL 1:1", next_step="split it into CTEs"
        ) from None


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a value: the source column that it is, if it is one as it stands, and those it is made of.

    `tables` are those of them, also of what is only counted.
    """

    passed: Column | None
    sources: frozenset[Column] = frozenset()
    counted: frozenset[Column] = frozenset()
    tables: frozenset[str] = frozenset()

    def __or__(self, other: _Known) -> _Known:
        return _Known(None, self.sources | other.sources, self.counted | other.counted, self.tables | other.tables)


@dataclass(slots=True)
class _Text:
    """One statement and what was found wrong with it so far."""

    sql: str
    faults: list[Fault] = field(default_factory=list)
    tokens: list[Token] = field(default_factory=list)

    def analysed(
        self, purpose: Purpose, tables: Mapping[str, tuple[Column, ...]], subject_domain: str | None
    ) -> FeatureQuery:
        tree = self._parsed()
        self._check_syntax(tree)
        self._check_size(tree)
        for projection in tree.selects:
            if not (isinstance(projection, exp.Alias | exp.Column) or projection.is_star):
                self._fault("a column has no name", projection, found=_text(projection), next_step="add AS name")
        self._stop()
        spelled = spelled_alike(tree, {table: [column.name for column in columns] for table, columns in tables.items()})
        self._check_tables(spelled, tables)
        self._stop()
        query = self._qualified(spelled, tables)
        self._check_columns(query, tables)
        self._check_names(query)
        self._stop()
        reader = _Reader(query, tables)
        columns = self._columns(query, reader, purpose)
        self._check_subject(query, columns, purpose, subject_domain)
        self._stop()
        made_of = {name: known.tables for name, known in reader.known(query).items()}
        for node in query.walk():
            node.comments = None
        return FeatureQuery(query, columns, made_of)

    def _stop(self) -> None:
        raise_gathered(BadDeclaration, sorted(self.faults, key=lambda fault: _place_of(fault.where)))

    def _fault(self, what: str, at: exp.Expr | int, **more: str) -> None:
        start = at if isinstance(at, int) else self._start(at)
        before = self.sql[:start]
        where = f"SQL {before.count(chr(10)) + 1}:{start - before.rfind(chr(10))}"
        self.faults.append(Fault(what, where, **more))

    def _start(self, node: exp.Expr) -> int:
        """Where in the text a part of the tree was read from: exactly, or from the words that it is written with."""
        if isinstance(node, exp.Alias):
            return self._start(node.this)
        own = node.meta.get("start")
        if own is not None:
            return int(own)
        within = [int(part.meta["start"]) for part in node.walk() if "start" in part.meta]
        first = min(within, default=len(self.sql))
        words = {*_WORDS.get(type(node), ()), node.key.upper()}
        if isinstance(node, exp.Func):
            words.update(type(node).sql_names())
        if isinstance(node, exp.Var | exp.DataType):
            words.add(str(getattr(node.this, "value", node.this)).upper())
        written = [token.start for token in self.tokens if token.text.upper() in words]
        before = [start for start in written if start <= first]
        if before and within:
            return before[-1]
        return written[0] if written else first if within else 0

    def _parsed(self) -> exp.Query:
        if len(self.sql) > LONGEST_SQL:
            self._fault(
                "the SQL is too long",
                0,
                expected=f"at most {LONGEST_SQL} characters",
                found=f"{len(self.sql)}",
                next_step="split the purpose, or prepare columns at the source",
            )
            self._stop()
        try:
            self.tokens = sqlglot.tokenize(self.sql, dialect="duckdb")
        except TokenError:
            self._fault("a quotation or comment is opened and not closed", 0)
            self._stop()
        starts = (TokenType.SELECT, TokenType.WITH, TokenType.FROM)
        if not self.tokens or self.tokens[0].token_type not in starts:
            self._fault("this is not a SELECT", self.tokens[0].start if self.tokens else 0, expected="one SELECT")
            self._stop()
        depth = 0
        for token in self.tokens:
            depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
            if depth > DEEPEST_SQL:
                self._fault("the SQL is nested too deeply", token.start, next_step="split it into CTEs")
                self._stop()
        for token, following in zip(self.tokens, self.tokens[1:], strict=False):
            if token.token_type is TokenType.SEMICOLON:
                self._fault("a second statement", following.start, expected="one SELECT")
                self._stop()
        try:
            tree = sqlglot.parse_one(self.sql, dialect="duckdb")
        except ParseError as error:
            told = error.errors[0] if error.errors else {}
            end = [token.end for token in self.tokens if (token.line, token.col) == (told.get("line"), told.get("col"))]
            start = next((token.start for token in self.tokens if token.end in end), 0)
            self._fault("the SQL cannot be read", start, found=self.sql[start : start + 40].split("\n")[0])
            self._stop()
        if not isinstance(tree, exp.Select | exp.SetOperation):
            self._fault("this is not a SELECT", 0, expected="one SELECT")
            self._stop()
        assert isinstance(tree, exp.Query)
        return tree

    def _check_syntax(self, tree: exp.Query) -> None:
        """Refuse every part that is not listed; what is inside a refused part is not looked at."""
        stack: list[exp.Expr] = [tree]
        while stack:
            node = stack.pop()
            if what := refusal(node):
                self._fault(what, node, found=_text(node), next_step=_advice(node))
            else:
                stack.extend(node.iter_expressions())

    def _check_size(self, tree: exp.Query) -> None:
        """Refuse what grows when names are replaced: `a + a AS b, b + b AS c, ...` doubles with every column."""
        total = 0
        for select in tree.find_all(exp.Select):
            sizes: dict[str, int] = {}
            for projection in select.expressions:
                size = sum(
                    sizes.get(folded(node.name), 1) if isinstance(node, exp.Column) and not node.table else 1
                    for node in projection.walk()
                )
                sizes[folded(projection.alias_or_name)] = size
                total += size
        if total > LARGEST_SQL:
            self._fault("the SQL is too large once its names are resolved", 0, next_step="name fewer columns by others")

    def _check_tables(self, tree: exp.Query, tables: Mapping[str, tuple[Column, ...]]) -> None:
        for cte in tree.find_all(exp.CTE):
            if cte.alias in tables:
                self._fault("a CTE takes the name of a dataset", cte.args["alias"], found=f"`{cte.alias}`")
        reached: set[int] = set()
        for scope in traverse_scope(tree):
            reached |= {id(table) for table in scope.tables if table.name in scope.cte_sources}
        for table in tree.find_all(exp.Table):
            written = ".".join(part.name for part in table.parts)
            if id(table) in reached and not table.db:
                continue
            if table.db or table.name not in tables:
                self._fault(
                    f"there is no table `{written}` in this purpose",
                    table.parts[0],
                    expected=f"one of {', '.join(sorted(tables))}",
                    next_step=_near(written, tables),
                )

    def _qualified(self, tree: exp.Query, tables: Mapping[str, tuple[Column, ...]]) -> exp.Query:
        schema = MappingSchema(
            {table: {column.name: column.type for column in columns} for table, columns in tables.items()},
            dialect=DIALECT,
            normalize=False,  # a name is no SQL, which `@timestamp` would be read as
        )
        try:
            query = qualify(tree, schema=schema, dialect=DIALECT, validate_qualify_columns=False)
            typed = annotate_types(query, schema=schema, expression_metadata=TYPING, dialect=DIALECT)
        except OptimizeError as error:
            told = str(error).splitlines()[0]
            named = [name for token in self.tokens if len(name := folded(token.text)) > 1 and name in folded(told)]
            place = next((token.start for token in self.tokens if named and folded(token.text) == named[-1]), 0)
            self._fault("a name cannot be resolved", place, found=told)
            self._stop()
        assert isinstance(typed, exp.Query)
        return typed

    def _check_columns(self, query: exp.Query, tables: Mapping[str, tuple[Column, ...]]) -> None:
        """Refuse columns that no table in reach has, or that more than one could mean."""
        for scope in traverse_scope(query):
            outputs = set(scope.expression.named_selects) if isinstance(scope.expression, exp.Query) else set()
            for column in _own_columns(scope):
                if column.table:
                    found = _source(scope, column.table, tables, column.name) is not None
                else:
                    clause = column.find_ancestor(exp.Order, exp.Distinct, exp.Query)
                    found = column.name in outputs and clause is not None and clause.parent is scope.expression
                if not found:
                    self._no_column(column, scope, tables)

    def _no_column(self, column: exp.Column, scope: Scope, tables: Mapping[str, tuple[Column, ...]]) -> None:
        known = [name for source in scope.sources.values() for name in _names(source, tables)]
        several = known.count(column.name) > 1
        self._fault(
            f"`{column.name}` is a column of several tables" if several else f"there is no column `{column.name}` here",
            column.this,
            expected="" if several else f"one of {', '.join(sorted(set(known)))}",
            next_step=f"write table.{column.name}" if several else _near(column.name, known),
        )

    def _check_names(self, whole: exp.Query) -> None:
        for scope in traverse_scope(whole):
            query = scope.expression
            if isinstance(query, exp.SetOperation):
                left, right = (len(_unwrapped(side).selects) for side in (query.this, query.expression))
                if left != right:
                    self._fault(f"one side has {left} columns, the other {right}", query.expression)
            if not isinstance(query, exp.Select):
                continue
            seen: set[str] = set()
            for projection in query.selects:
                name = projection.alias_or_name
                if folded(name) in seen:
                    self._fault(f"two columns are named `{name}`", projection, next_step="name each column once")
                seen.add(folded(name))

    def _columns(self, query: exp.Query, reader: _Reader, purpose: Purpose) -> tuple[Column, ...]:
        declared = purpose.features.categories
        columns = []
        for projection, (name, known) in zip(query.selects, reader.known(query).items(), strict=True):
            if known.passed is not None:
                column = replace(known.passed, name=name)
                columns.append(replace(column, domain=declared[name]) if name in declared else column)
                continue
            kind = reader.type(query, name)
            if kind is None:
                self._fault(
                    f"the type of `{name}` cannot be told from the SQL",
                    projection,
                    found=_text(projection),
                    next_step=f"say it: CAST(... AS DOUBLE) AS {name}",
                )
                continue
            columns.append(
                Column(
                    name=name,
                    type=kind,
                    role=min((source.role for source in known.sources), key=_PROTECTION.index, default=Role.ATTRIBUTE),
                    category=_ancestor([source.category for source in known.sources | known.counted]),
                    domain=declared.get(name) if kind != "BOOLEAN" else None,
                )
            )
        return tuple(columns)

    def _check_subject(
        self, query: exp.Query, columns: tuple[Column, ...], purpose: Purpose, subject_domain: str | None
    ) -> None:
        subject = purpose.features.subject
        for projection, column in zip(query.selects, columns, strict=False):
            if column.name != subject:
                continue
            domain = column.identifier_domain.name if column.identifier_domain else None
            if column.technique != "token" or domain is None or domain != subject_domain:
                self._fault(
                    f"`{subject}` is said to be the person, and is no token of one",
                    projection,
                    expected=f"a token column of the identifier domain `{subject_domain}`, passed on as it stands"
                    if subject_domain
                    else "`features.subject: null`, as the datasets are about nobody",
                    found=_text(projection),
                )


class _Reader:
    """What is known of the output columns of each query within a query."""

    def __init__(self, query: exp.Query, tables: Mapping[str, tuple[Column, ...]]) -> None:
        self._tables = {name: {column.name: column for column in columns} for name, columns in tables.items()}
        self._scopes: dict[int, Scope] = {}
        self._owners: dict[int, Scope] = {}
        self._done: dict[int, dict[str, _Known]] = {}
        for scope in traverse_scope(query):
            self._scopes[id(scope.expression)] = scope
            self._owners |= {id(column): scope for column in _own_columns(scope)}

    def known(self, query: exp.Expr) -> dict[str, _Known]:
        """What is known of each output column of a query, by name."""
        query = _unwrapped(query)
        if id(query) not in self._done:
            self._done[id(query)] = self._read(query)
        return self._done[id(query)]

    def type(self, query: exp.Expr, name: str) -> str | None:
        """The engine's type of an output column; None where it cannot be told."""
        query = _unwrapped(query)
        if isinstance(query, exp.SetOperation):
            at = query.named_selects.index(name)
            sides = (_unwrapped(query.this), _unwrapped(query.expression))
            types = {self.type(side, side.named_selects[at]) for side in sides}
            return types.pop() if len(types) == 1 else None
        projection = next(part for part in query.selects if part.alias_or_name == name)
        known = self.known(query)[name].passed
        if known is not None:
            return known.type
        value = projection.unalias()
        source = self._source(value) if isinstance(value, exp.Column) else None
        if isinstance(source, exp.Query):
            return self.type(source, value.name)
        return _engine_type(projection)

    def _read(self, query: exp.Expr) -> dict[str, _Known]:
        if isinstance(query, exp.SetOperation):
            left, right = self.known(query.this), self.known(query.expression)
            merged = zip(left.items(), right.values(), strict=True)
            return {name: replace(one | two, passed=_agreed([one.passed, two.passed])) for (name, one), two in merged}
        return {part.alias_or_name: self._value(part.unalias()) for part in _unwrapped(query).selects}

    def _value(self, node: exp.Expr) -> _Known:
        if isinstance(node, exp.Column):
            return self._column(node)
        if isinstance(node, exp.Coalesce):
            # JOIN ... USING passes a column on as COALESCE of its two sides
            parts = [self._value(part) for part in (node.this, *node.expressions)]
            return replace(_union(parts), passed=_agreed([part.passed for part in parts]))
        if isinstance(node, exp.Paren):
            return self._value(node.this)
        if isinstance(node, exp.Count):
            told = _union([self._value(part) for part in node.iter_expressions()])
            return _Known(None, frozenset(), told.sources | told.counted, told.tables)
        if isinstance(node, exp.Query):
            return _union(list(self.known(node).values()))
        if isinstance(node, exp.Exists):
            return _Known(None)
        if isinstance(node, exp.Window):
            return replace(self._value(node.this), passed=None)
        return _union([self._value(part) for part in node.iter_expressions()])

    def _column(self, column: exp.Column) -> _Known:
        source = self._source(column)
        if isinstance(source, tuple):
            table, held = source
            return _Known(held, frozenset((held,)), tables=frozenset((table,)))
        return self.known(source)[column.name] if source is not None else _Known(None)

    def _source(self, column: exp.Column) -> tuple[str, Column] | exp.Query | None:
        """What a column of a query is taken from: a table's column, another query; None where it is a constant."""
        scope = self._owners.get(id(column))
        while scope is not None and column.table not in scope.sources:
            scope = scope.parent
        source = scope.sources[column.table] if scope is not None else None
        if isinstance(source, exp.Table):
            held = self._tables[source.name]
            return source.name, held[_renamed_back(source, column.name, held)]
        if not isinstance(source, Scope) or isinstance(source.expression, exp.Values):
            return None
        inner = source.expression
        return _unwrapped(inner.this if isinstance(inner, exp.Lateral) else inner)


def _unwrapped(query: exp.Expr) -> exp.Query:
    inner = query.unnest() if isinstance(query, exp.Subquery) else query
    assert isinstance(inner, exp.Query)
    return inner


def _union(parts: list[_Known]) -> _Known:
    union = _Known(None)
    for part in parts:
        union |= part
    return union


def _agreed(columns: list[Column | None]) -> Column | None:
    """The column that several are, where they differ in name, description and domain at most."""
    first, *others = columns
    if first is None or any(other is None for other in others):
        return None
    alike = [replace(other, name=first.name, description="", domain=None) for other in others if other is not None]
    if any(other != replace(first, description="", domain=None) for other in alike):
        return None
    if any(other is None or other.domain != first.domain for other in others):
        return replace(first, domain=None)
    return first


def _own_columns(scope: Scope) -> Iterator[exp.Column]:
    """The columns that are written in this query itself, not in one within it."""
    return (node for node in scope.walk() if isinstance(node, exp.Column))


def _names(source: exp.Expr | Scope, tables: Mapping[str, tuple[Column, ...]]) -> list[str]:
    if isinstance(source, exp.Table):
        own = [column.name for column in tables.get(source.name, ())]
        aliases = source.alias_column_names
        return [*aliases, *own[len(aliases) :]]
    expression = source.expression if isinstance(source, Scope) else source
    if isinstance(expression, exp.Lateral):
        expression = expression.this.unnest()
    if isinstance(expression, exp.Values):
        return list(expression.alias_column_names)
    return list(expression.named_selects) if isinstance(expression, exp.Query) else []


def _source(scope: Scope, name: str, tables: Mapping[str, tuple[Column, ...]], column: str) -> exp.Expr | Scope | None:
    looked: Scope | None = scope
    while looked is not None:
        if name in looked.sources:
            source = looked.sources[name]
            return source if column in _names(source, tables) else None
        looked = looked.parent
    return None


def _renamed_back(table: exp.Table, name: str, columns: Mapping[str, Column]) -> str:
    aliases = table.alias_column_names
    return list(columns)[aliases.index(name)] if name in aliases else name


def _engine_type(node: exp.Expr) -> str | None:
    kind = node.type
    value = node.unalias()
    if kind is None or kind.this.value not in (*TYPES, "UUID"):
        return None
    if kind.this.value == "DECIMAL" and not isinstance(value, exp.Cast):
        return None
    spelled = {"TEXT": "VARCHAR", "INT": "INTEGER", "REAL": "FLOAT", "INT128": "HUGEINT"}
    text = kind.sql("duckdb").replace(", ", ",")
    return spelled.get(text, text)


def _ancestor(categories: list[str]) -> str:
    """The closest common ancestor in a taxonomy of dotted names: `user.health` and `user.name` give `user`."""
    if not categories:
        return ""
    shared: list[str] = []
    for level in zip(*(category.split(".") for category in categories), strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return ".".join(shared)


def _advice(node: exp.Expr) -> str:
    if isinstance(node, exp.Func) and not isinstance(node, exp.Anonymous):
        return ""
    name = folded(node.name) if isinstance(node, exp.Anonymous) else ""
    near = difflib.get_close_matches(name, BY_NAME, n=1)
    return f"did you mean `{near[0]}`?" if near else ""


def _near(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else ""


def _text(node: exp.Expr) -> str:
    return node.sql(dialect="duckdb", unsupported_level=ErrorLevel.IGNORE)[:80]


def _place_of(where: str) -> tuple[int, int]:
    line, column = where.removeprefix("SQL ").split(":")
    return int(line), int(column)
