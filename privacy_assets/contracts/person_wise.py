"""Whether each row that a purpose's SQL makes depends on one person alone, and says on whom.

Differential privacy counts what one person can change. Bounding a person's rows in the features bounds what that person
contributes only if taking the person out of the datasets takes out these rows, and leaves all others as they are. An
average over everybody, a rank among all, a person joined with others: each would put a person into other people's rows.

**The rule.** One SELECT, in which
* FROM names a dataset about people, and the features' subject is its subject, as it is;
* every other dataset about people is joined by its subject to that of one named before, with AND beside it at most;
* a join is inner or left;
* where rows are put together (GROUP BY, DISTINCT, an aggregate), they are those of one subject;
* a window is within one subject;
* there are no subqueries, set operations, QUALIFY over others, LIMIT or OFFSET.

By induction over the joins, each row is made of rows of one person and of rows about nobody; grouping and windows keep
rows of one person together. What is refused may be sound; what passes is.

What it does not cover: raw and minimized, which judge each row by itself and its person's decisions, but for keys that
are there twice, where both rows are quarantined; and refusals, which tell that a promise over all rows was not kept.

Belongs here: that rule, read off the expression that runs. Does not belong here: parsing (`features_sql.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import exp


def fault(query: exp.Query, subjects: Mapping[str, str | None], subject: str) -> str | None:
    """Why the rows of `query` may depend on several people; None where each depends on the one in column `subject`.

    `query` is resolved: every column with its table. `subjects` names the column of the person of each dataset, None
    for one about nobody.
    """
    if not isinstance(query, exp.Select) or query.args.get("with_"):
        return "it is not one SELECT"
    if any(node is not query for node in query.find_all(exp.Query)):
        return "it has a subquery"
    for clause in ("limit", "offset", "qualify", "sample"):
        if query.args.get(clause):
            return f"it has {clause.upper()}, by which people decide about each other's rows"
    found = query.args.get("from_") or query.args.get("from")
    first = found.this if found is not None else None
    if not isinstance(first, exp.Table) or subjects.get(first.name) is None:
        return "FROM must name a dataset about people first"
    people = {first.alias_or_name: subjects[first.name] or ""}
    for join in query.args.get("joins") or ():
        if what := _join(join, people, subjects):
            return what
    return next(_of_others(query, people, subject), None)


def _join(join: exp.Join, people: dict[str, str], subjects: Mapping[str, str | None]) -> str | None:
    """Why this join may bring people together; adds its dataset to `people` where it is about some."""
    table = join.this
    if not isinstance(table, exp.Table) or table.name not in subjects:
        return "it joins what is no dataset"
    if (join.side or "").upper() not in ("", "LEFT") or (join.kind or "").upper() not in ("", "INNER", "OUTER"):
        return f"the join of `{table.name}` is neither inner nor left"
    own = subjects[table.name]
    if own is None:
        return None
    name, condition = table.alias_or_name, join.args.get("on")
    parts = list(condition.flatten()) if isinstance(condition, exp.And) else [condition]
    if not any(isinstance(part, exp.EQ) and _same_person(part, name, own, people) for part in parts):
        return f"`{table.name}` is about people, and is not joined by its subject `{own}`"
    people[name] = own
    return None


def _same_person(equal: exp.EQ, name: str, own: str, people: Mapping[str, str]) -> bool:
    sides = (equal.this, equal.expression)
    return any(_is(one, {name: own}) and _is(other, people) for one, other in (sides, sides[::-1]))


def _is(node: exp.Expr, people: Mapping[str, str]) -> bool:
    """Whether this is the column that names the person of one of these tables."""
    return isinstance(node, exp.Column) and people.get(node.table) == node.name


def _of_others(query: exp.Select, people: Mapping[str, str], subject: str) -> Iterator[str]:
    named = [one for one in query.expressions if one.alias_or_name == subject]
    # a left join may leave the subject of a later dataset unknown: the first has it in every row
    first = dict([next(iter(people.items()))])
    if not named or not _is(named[0].unalias(), first):
        yield f"`{subject}` is not the subject of the first dataset, as it is"
    group = query.args.get("group")
    keys = group.expressions if group else ()
    if group and any(group.args.get(kind) for kind in ("cube", "rollup", "grouping_sets", "all")):
        yield "GROUP BY has more than columns"
    if group and not any(_is(key, people) for key in keys):
        yield "GROUP BY puts people together: the subject is not among its columns"
    distinct = query.args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        yield "it has DISTINCT ON"
    for window in query.find_all(exp.Window):
        if not any(_is(part, people) for part in window.args.get("partition_by") or ()):
            yield "a window is over several people: PARTITION BY the subject"
    for aggregate in query.find_all(exp.AggFunc):
        if not group and not aggregate.find_ancestor(exp.Window):
            yield "it puts all rows together, those of several people"
