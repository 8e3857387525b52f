"""Which SQL makes rows that depend on one person alone, and that what passes really does."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify

from privacy_assets.contracts import person_wise

SUBJECTS = {"visits": "person", "people": "id", "wards": None}
SCHEMA = {
    "visits": {"visit": "BIGINT", "person": "VARCHAR", "ward": "VARCHAR", "days": "BIGINT"},
    "people": {"id": "VARCHAR", "age": "BIGINT"},
    "wards": {"ward": "VARCHAR", "beds": "BIGINT"},
}

SOUND = {
    "as it is": "SELECT visit, person, days FROM visits",
    "a filter": "SELECT visit, person FROM visits WHERE days > 3 ORDER BY days",
    "a join of one person": "SELECT visit, person, age FROM visits JOIN people ON people.id = visits.person",
    "with more beside": "SELECT visit, person FROM visits JOIN people ON age > 3 AND visits.person = id AND days > 1",
    "a left join": "SELECT visit, person, age FROM visits LEFT JOIN people ON id = person",
    "a table about nobody": "SELECT visit, person, beds FROM visits JOIN wards ON wards.ward = visits.ward",
    "grouped by person": "SELECT person, ward, sum(days) AS days FROM visits GROUP BY person, ward",
    "distinct": "SELECT DISTINCT person, ward FROM visits",
    "a window of a person": "SELECT person, lag(days) OVER (PARTITION BY person ORDER BY visit) AS before FROM visits",
    "twice the same people": "SELECT a.person, b.days FROM visits AS a JOIN visits AS b ON a.person = b.person",
}
UNSOUND = {
    "an average of all": "SELECT person, days - avg(days) OVER () AS away FROM visits",
    "a rank in the ward": "SELECT person, rank() OVER (PARTITION BY ward ORDER BY days) AS place FROM visits",
    "joined by ward": "SELECT a.person, b.days FROM visits AS a JOIN visits AS b ON a.ward = b.ward",
    "joined by one or the other": "SELECT a.person, b.days FROM visits AS a JOIN visits AS b "
    "ON a.person = b.person OR a.ward = b.ward",
    "not joined": "SELECT visits.person, people.age FROM visits, people",
    "another person's subject": "SELECT b.person, a.days FROM visits AS a LEFT JOIN visits AS b ON a.person = b.person",
    "a made-up subject": "SELECT upper(person) AS person, days FROM visits",
    "grouped by ward": "SELECT ward AS person, sum(days) AS days FROM visits GROUP BY ward",
    "grouped by no person": "SELECT min(person) AS person, ward FROM visits GROUP BY ward",
    "all rows together": "SELECT max(person) AS person, sum(days) AS days FROM visits",
    "a subquery": "SELECT person, days FROM visits WHERE days > (SELECT avg(days) FROM visits)",
    "a CTE": "WITH v AS (SELECT * FROM visits) SELECT person, days FROM v",
    "a union": "SELECT person, days FROM visits UNION SELECT id, age FROM people",
    "a limit": "SELECT person, days FROM visits ORDER BY days LIMIT 3",
    "qualify": "SELECT person, days FROM visits QUALIFY row_number() OVER (ORDER BY days) = 1",
    "from nobody": "SELECT visits.person, beds FROM wards LEFT JOIN visits ON visits.ward = wards.ward",
    "a full join": "SELECT visits.person FROM visits FULL JOIN people ON id = person",
    "distinct on": "SELECT DISTINCT ON (ward) person, ward FROM visits",
    "rollup": "SELECT person, ward, sum(days) AS d FROM visits GROUP BY ROLLUP (person, ward)",
    "aggregate beside a window": "SELECT person, sum(count(*)) OVER (PARTITION BY ward) AS n FROM visits "
    "GROUP BY person, ward",
}


def _resolved(sql: str) -> exp.Query:
    found = qualify(sqlglot.parse_one(sql, dialect="duckdb"), schema=SCHEMA, dialect="duckdb")
    assert isinstance(found, exp.Query)
    return found


@pytest.mark.parametrize("name", list(SOUND))
def test_what_joins_and_groups_within_a_person_passes(name: str) -> None:
    """And it is so: without a person, the rows of all others are as they were."""
    assert person_wise.fault(_resolved(SOUND[name]), SUBJECTS, "person") is None
    for gone in ("a", "b", "c"):
        assert [row for row in _ran(SOUND[name]) if gone not in row] == _ran(SOUND[name], without=gone)


@pytest.mark.parametrize("name", list(UNSOUND))
def test_what_puts_people_together_is_refused_in_words(name: str) -> None:
    """Whatever might let one person change another's rows."""
    said = person_wise.fault(_resolved(UNSOUND[name]), SUBJECTS, "person")
    assert said and len(said) > 10


@pytest.mark.parametrize("name", ["an average of all", "joined by ward", "a subquery", "a limit"])
def test_what_is_refused_does_put_people_together(name: str) -> None:
    """The control of the law above."""
    assert any(
        [row for row in _ran(UNSOUND[name]) if gone not in row] != _ran(UNSOUND[name], without=gone) for gone in "abc"
    )


def _ran(sql: str, without: str = "") -> list[tuple[Any, ...]]:
    con = duckdb.connect()
    people = [one for one in "abc" if one != without]
    for table, columns in SCHEMA.items():
        con.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
    for at, one in enumerate("abc"):
        if one in people:
            con.execute("INSERT INTO people VALUES (?, ?)", [one, 10 * at])
            for visit in range(3):
                con.execute(
                    "INSERT INTO visits VALUES (?, ?, ?, ?)", [10 * at + visit, one, "xyz"[visit], 2 + at + visit]
                )
    con.execute("INSERT INTO wards VALUES ('x', 3), ('y', 4)")
    return sorted(con.execute(sql).fetchall(), key=str)
