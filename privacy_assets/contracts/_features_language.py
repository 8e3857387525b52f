"""The part of SQL that a purpose's features may be written in, as closed lists: syntax, functions, types.

Belongs here: what may stand in the SQL, why a part of it may not, and the type of what a function returns where sqlglot
does not tell the one that DuckDB gives. Does not belong here: which tables and columns there are (`features_sql.py`).

What is not named here is refused, so that a new function of the engine is refused until somebody has read what it
does. Listed are functions of their arguments alone: no files, settings, variables, other tables, clock or chance.
What is arbitrary by nature is refused without an order: LIMIT, DISTINCT ON, row_number and its kind, string_agg.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

from privacy_assets.contracts.spelling import folded

Rule = str | Callable[[exp.Expr], str | None] | None
"""The type of a function's result: a name, a way to tell it from the arguments, or None where sqlglot knows it."""

_INTEGERS = ("INT", "BIGINT", "INT128")
_UNKNOWN = "UNKNOWN"


def _dtype(node: exp.Expr | None) -> str:
    kind = node.type if node is not None else None
    if kind is None or kind.this is None:
        return _UNKNOWN
    if isinstance(kind.this, exp.Interval):
        return "INTERVAL"
    return str(kind.this.value).replace("TIMESTAMPNTZ", "TIMESTAMP")


def _same(node: exp.Expr) -> str | None:
    return _spelled(node.this)


def _spelled(node: exp.Expr) -> str | None:
    return None if node.type is None else node.type.sql("duckdb")


def _promoted(*types: str) -> str | None:
    """The type in which DuckDB calculates with INTEGER, BIGINT, HUGEINT and DOUBLE; others need a CAST to be told."""
    if all(kind in _INTEGERS for kind in types):
        return max(types, key=_INTEGERS.index)
    if all(kind in (*_INTEGERS, "DOUBLE", "DECIMAL") for kind in types) and "DOUBLE" in types:
        return "DOUBLE"
    return None


def _arithmetic(node: exp.Expr) -> str | None:
    left, right = _dtype(node.this), _dtype(node.expression)
    dates: dict[tuple[type[exp.Expr], str, str], str] = {
        (exp.Sub, "DATE", "DATE"): "BIGINT",
        (exp.Sub, "TIMESTAMP", "TIMESTAMP"): "INTERVAL",
        (exp.Add, "DATE", "INT"): "DATE",
        (exp.Sub, "DATE", "INT"): "DATE",
        **{(kind, of, "INTERVAL"): "TIMESTAMP" for kind in (exp.Add, exp.Sub) for of in ("DATE", "TIMESTAMP")},
    }
    return dates.get((type(node), left, right)) or _promoted(left, right)


def _one_of(node: exp.Expr) -> str | None:
    """COALESCE, CASE, greatest ...: the type that all branches have, NULL apart."""
    if isinstance(node, exp.Case):
        branches = [branch.args["true"] for branch in node.args["ifs"]] + [node.args.get("default")]
    elif isinstance(node, exp.If):
        branches = [node.args["true"], node.args.get("false")]
    else:
        branches = [node.this, *node.expressions]
    types = {_dtype(branch): branch for branch in branches if branch is not None and not isinstance(branch, exp.Null)}
    if len(types) == 1:
        return _spelled(next(iter(types.values())))
    return _promoted(*types) if types else None


def _number(node: exp.Expr) -> str | None:
    if node.args.get("is_string"):
        return "VARCHAR"
    if not node.name.isdigit():
        return "DECIMAL"
    return next((kind for kind, most in (("INTEGER", 2**31), ("BIGINT", 2**63)) if int(node.name) < most), None)


def _total(node: exp.Expr) -> str | None:
    kind = _dtype(node.this)
    return (
        "HUGEINT" if kind in (*_INTEGERS, "BOOLEAN", "SMALLINT", "TINYINT") else "DOUBLE" if kind == "DOUBLE" else None
    )


def _midst(node: exp.Expr) -> str | None:
    return "DOUBLE" if _dtype(node.this) in (*_INTEGERS, "DOUBLE") else None


def _rounded(node: exp.Expr) -> str | None:
    kind = _dtype(node.this)
    return kind if kind in (*_INTEGERS, "DOUBLE") else None


FUNCTIONS: Mapping[type[exp.Expr], Rule] = {
    # numbers
    exp.Abs: None,
    exp.Atan2: "DOUBLE",
    exp.Cbrt: "DOUBLE",
    exp.Ceil: _midst,
    exp.Cos: "DOUBLE",
    exp.Degrees: "DOUBLE",
    exp.Exp: "DOUBLE",
    exp.Floor: _midst,
    exp.IsInf: "BOOLEAN",
    exp.IsNan: "BOOLEAN",
    exp.Ln: "DOUBLE",
    exp.Log: "DOUBLE",
    exp.Pi: "DOUBLE",
    exp.Pow: "DOUBLE",
    exp.Radians: "DOUBLE",
    exp.Round: _rounded,
    exp.Sign: "TINYINT",
    exp.Sin: "DOUBLE",
    exp.Sqrt: "DOUBLE",
    exp.Tan: "DOUBLE",
    exp.Trunc: _midst,
    # text
    exp.Concat: "VARCHAR",
    exp.ConcatWs: "VARCHAR",
    exp.Contains: "BOOLEAN",
    exp.EndsWith: "BOOLEAN",
    exp.Left: "VARCHAR",
    exp.Length: "BIGINT",
    exp.Lower: "VARCHAR",
    exp.RegexpExtract: "VARCHAR",
    exp.RegexpLike: "BOOLEAN",
    exp.RegexpReplace: "VARCHAR",
    exp.Replace: "VARCHAR",
    exp.Reverse: "VARCHAR",
    exp.Right: "VARCHAR",
    exp.SplitPart: "VARCHAR",
    exp.StartsWith: "BOOLEAN",
    exp.StrPosition: "BIGINT",
    exp.Substring: "VARCHAR",
    exp.Trim: "VARCHAR",
    exp.Upper: "VARCHAR",
    # one of several
    exp.Case: _one_of,
    exp.Coalesce: _one_of,
    exp.Greatest: _one_of,
    exp.If: _one_of,
    exp.Least: _one_of,
    exp.Nullif: _same,
    # dates
    exp.DateDiff: "BIGINT",
    exp.Day: "BIGINT",
    exp.DayOfMonth: "BIGINT",
    exp.DayOfWeek: "BIGINT",
    exp.DayOfWeekIso: "BIGINT",
    exp.DayOfYear: "BIGINT",
    exp.Dayname: "VARCHAR",
    exp.Extract: lambda node: "DOUBLE" if node.name.upper() in ("EPOCH", "JULIAN") else "BIGINT",
    exp.Hour: "BIGINT",
    exp.LastDay: "DATE",
    exp.Minute: "BIGINT",
    exp.Month: "BIGINT",
    exp.Monthname: "VARCHAR",
    exp.Quarter: "BIGINT",
    exp.Second: "BIGINT",
    exp.StrToTime: "TIMESTAMP",
    exp.TimeToStr: "VARCHAR",
    exp.TimestampTrunc: "TIMESTAMP",
    exp.Week: "BIGINT",
    exp.WeekOfYear: "BIGINT",
    exp.Year: "BIGINT",
    # over many rows
    exp.ArgMax: _same,
    exp.ArgMin: _same,
    exp.Avg: "DOUBLE",
    exp.Corr: "DOUBLE",
    exp.Count: "BIGINT",
    exp.CountIf: "HUGEINT",
    exp.GroupConcat: "VARCHAR",
    exp.LogicalAnd: "BOOLEAN",
    exp.LogicalOr: "BOOLEAN",
    exp.Max: None,
    exp.Median: _midst,
    exp.Min: None,
    exp.PercentileCont: None,
    exp.RegrSlope: "DOUBLE",
    exp.Stddev: "DOUBLE",
    exp.StddevPop: "DOUBLE",
    exp.StddevSamp: "DOUBLE",
    exp.Sum: _total,
    exp.Variance: "DOUBLE",
    exp.VariancePop: "DOUBLE",
    # over a window
    exp.CumeDist: "DOUBLE",
    exp.DenseRank: "BIGINT",
    exp.FirstValue: _same,
    exp.Lag: _same,
    exp.LastValue: _same,
    exp.Lead: _same,
    exp.NthValue: _same,
    exp.Ntile: "BIGINT",
    exp.PercentRank: "DOUBLE",
    exp.Rank: "BIGINT",
    exp.RowNumber: "BIGINT",
    # operators
    exp.Add: _arithmetic,
    exp.Div: "DOUBLE",
    exp.IntDiv: _arithmetic,
    exp.Mod: _arithmetic,
    exp.Mul: _arithmetic,
    exp.Neg: None,
    exp.Sub: _arithmetic,
    exp.DPipe: "VARCHAR",
    exp.Literal: _number,
    **dict.fromkeys((exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE), "BOOLEAN"),
    **dict.fromkeys((exp.NullSafeEQ, exp.NullSafeNEQ, exp.Is, exp.In, exp.Between, exp.Exists), "BOOLEAN"),
    **dict.fromkeys((exp.Like, exp.ILike), "BOOLEAN"),
}

BY_NAME: Mapping[str, Rule] = {
    "century": "BIGINT",
    "date_part": "BIGINT",
    "date_sub": "BIGINT",
    "decade": "BIGINT",
    "isfinite": "BOOLEAN",
    "mean": "DOUBLE",
    "prefix": "BOOLEAN",
    "strip_accents": "VARCHAR",
    "suffix": "BOOLEAN",
    "to_months": "INTERVAL",
    "to_years": "INTERVAL",
    "try_strptime": "TIMESTAMP",
    "weekday": "BIGINT",
}
"""Functions of DuckDB that sqlglot has no type for."""

SYNTAX: frozenset[type[exp.Expr]] = frozenset(
    (
        *(exp.Select, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Qualify, exp.Order, exp.Ordered),
        *(exp.Limit, exp.Offset, exp.Distinct, exp.With, exp.CTE, exp.TableAlias, exp.Table, exp.Identifier),
        *(exp.Column, exp.Star, exp.Alias, exp.Subquery, exp.Union, exp.Except, exp.Intersect, exp.Paren, exp.Tuple),
        *(exp.Boolean, exp.Null, exp.Var, exp.Interval, exp.Cast, exp.TryCast, exp.DataType, exp.DataTypeParam),
        *(exp.Window, exp.WindowSpec, exp.Filter, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls, exp.Escape),
        *(exp.GroupingSets, exp.Cube, exp.Rollup, exp.Lateral, exp.Any, exp.All, exp.Values),
    )
)

TYPES = frozenset(
    (
        "BOOLEAN",
        "TINYINT",
        "SMALLINT",
        "INT",
        "BIGINT",
        "INT128",
        "FLOAT",
        "DOUBLE",
        "DECIMAL",
        "TEXT",
        "VARCHAR",
        "DATE",
        "TIME",
        "TIMESTAMP",
        "TIMESTAMPNTZ",
        "INTERVAL",
    )
)

_UNITS = frozenset(
    (
        "MILLENNIUM",
        "CENTURY",
        "DECADE",
        "YEAR",
        "ISOYEAR",
        "QUARTER",
        "MONTH",
        "WEEK",
        "DAY",
        "HOUR",
        "MINUTE",
        "SECOND",
        "MILLISECOND",
        "MICROSECOND",
        "YEARS",
        "QUARTERS",
        "MONTHS",
        "WEEKS",
        "DAYS",
        "HOURS",
        "MINUTES",
        "SECONDS",
        "DOW",
        "DAYOFWEEK",
        "ISODOW",
        "DOY",
        "DAYOFYEAR",
        "EPOCH",
        "JULIAN",
        "ERA",
    )
)

_ORDERED = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile) + (
    *(exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue),
)


def refusal(node: exp.Expr) -> str | None:
    """Why this part of the SQL, taken by itself, is refused; None if it is not."""
    kind = type(node)
    if kind is exp.Anonymous:
        if not isinstance(node.this, str) or folded(node.name) not in BY_NAME:
            return f"the function `{node.name}` is not among those that features may use"
    elif kind not in FUNCTIONS and kind not in SYNTAX:
        if isinstance(node, exp.Func):
            return f"the function `{node.sql_name().lower()}` is not among those that features may use"
        return f"`{node.key}` is not part of the SQL that features may use"
    check = _CHECKS.get(kind)
    return check(node) if check else _unordered(node) if isinstance(node, _ORDERED) else None


def _table(node: exp.Expr) -> str | None:
    return None if isinstance(node.this, exp.Identifier) else "a function is no table of this purpose"


def _join(node: exp.Expr) -> str | None:
    return None if node.args.get("method") in (None, "", "NATURAL", "ASOF") else "rows cannot be joined by their place"


def _with(node: exp.Expr) -> str | None:
    return "a recursive CTE may never end" if node.args.get("recursive") else None


def _star(node: exp.Expr) -> str | None:
    above = node.parent
    if isinstance(above, exp.Count):
        return None
    select = above.parent if isinstance(above, exp.Column) else above
    if not isinstance(select, exp.Select):
        return "a star stands for columns here that cannot be told"
    stars = [part for part in select.expressions if part.is_star]
    sources = len(select.args.get("joins") or ()) + 1
    if len(stars) > 1 or (sources > 1 and not isinstance(above, exp.Column)):
        return "a star over several tables gives columns of one name twice"
    return None


def _column(node: exp.Expr) -> str | None:
    return "a field of a value cannot be named" if node.args.get("db") else None


def _data_type(node: exp.Expr) -> str | None:
    return None if node.this.value in TYPES else "this type is not among those that features may have"


def _var(node: exp.Expr) -> str | None:
    if node.name.upper() in _UNITS or isinstance(node.parent, exp.Ordered):
        return None
    return f"`{node.name}` is no unit of time"


def _limit(node: exp.Expr) -> str | None:
    above = node.parent
    if above is None or not above.args.get("order"):
        return "which rows are the first is arbitrary without an order"
    return "a share of rows cannot be taken" if node.args.get("limit_options") else None


def _distinct(node: exp.Expr) -> str | None:
    above = node.parent
    if node.args.get("on") and (above is None or not above.args.get("order")):
        return "which row is the first of its kind is arbitrary without an order"
    return None


def _unordered(node: exp.Expr) -> str | None:
    above = node.parent
    if isinstance(above, exp.IgnoreNulls | exp.RespectNulls):
        above = above.parent
    if not isinstance(above, exp.Window):
        return f"`{node.key}` needs a window"
    named = above.args.get("alias")
    select = above.find_ancestor(exp.Select)
    windows = (select.args.get("windows") or []) if select else []
    inherited = [window for window in windows if named is not None and folded(window.name) == folded(named.name)]
    if any(window.args.get("order") for window in (above, *inherited)):
        return None
    return "which row comes before another is arbitrary without an order"


def _listed_in_order(node: exp.Expr) -> str | None:
    inner = node.this.this if isinstance(node.this, exp.Distinct) else node.this
    ordered = isinstance(inner, exp.Order) or isinstance(node.parent, exp.WithinGroup)
    return None if ordered else "the order of the list is arbitrary: write string_agg(x, ',' ORDER BY ...)"


def _set_operation(node: exp.Expr) -> str | None:
    return "columns are joined by their place, not by name" if node.args.get("by_name") else None


_CHECKS: Mapping[type[exp.Expr], Callable[[exp.Expr], str | None]] = {
    exp.Table: _table,
    exp.Join: _join,
    exp.With: _with,
    exp.Star: _star,
    exp.Column: _column,
    exp.DataType: _data_type,
    exp.Var: _var,
    exp.Limit: _limit,
    exp.Offset: _limit,
    exp.Distinct: _distinct,
    exp.GroupConcat: _listed_in_order,
    **dict.fromkeys((exp.Union, exp.Except, exp.Intersect), _set_operation),
}


def _annotated(rule: str | Callable[[exp.Expr], str | None]) -> dict[str, Any]:
    def annotate(annotator: Any, node: exp.Expr) -> exp.Expr:
        told = rule if isinstance(rule, str) else rule(node)
        node.type = exp.DataType.build(told or _UNKNOWN, dialect="duckdb")
        return node

    return {"annotator": annotate}


def _annotated_by_name(annotator: Any, node: exp.Expr) -> exp.Expr:
    node.type = exp.DataType.build(str(BY_NAME.get(folded(node.name)) or _UNKNOWN), dialect="duckdb")
    return node


TYPING = {
    **Dialect.get_or_raise("duckdb").EXPRESSION_METADATA,
    **{kind: _annotated(rule) for kind, rule in FUNCTIONS.items() if rule is not None},
    exp.Anonymous: {"annotator": _annotated_by_name},
}
