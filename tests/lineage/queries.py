"""Queries over the tables of `perturbing.py`: those whose lineage is labelled, and those that have none.

Belongs here: every construct of SQL that the lineage is read from, with its edges, written by hand. Does not belong
here: what is asked of them (`test_columns.py`).
"""

from __future__ import annotations

# (query, {output: "direct sources | kind:indirect sources"}); what `*` has, every output has
CORPUS: list[tuple[str, dict[str, str]]] = [
    ("SELECT name FROM people", {"name": "people.name"}),
    ("SELECT 1 AS one FROM people", {"one": ""}),
    ("SELECT upper(name) || ward AS x, born FROM people", {"x": "people.name people.ward", "born": "people.born"}),
    ("FROM wards", {"ward": "wards.ward", "floor": "wards.floor"}),
    ('SELECT "home town" AS t FROM People', {"t": "people.Home Town"}),
    ("SELECT name FROM people WHERE born > 1955", {"name": "people.name | filter:people.born"}),
    ("SELECT CASE WHEN born > 1955 THEN ward END AS w FROM people", {"w": "people.born people.ward"}),
    (
        "SELECT p.name, v.cost FROM people p JOIN visits v ON p.id = v.person",
        {
            "name": "people.name | join:people.id join:visits.person",
            "cost": "visits.cost | join:people.id join:visits.person",
        },
    ),
    (
        "SELECT name, floor FROM people LEFT JOIN wards USING (ward)",
        {
            "name": "people.name | join:people.ward join:wards.ward",
            "floor": "wards.floor | join:people.ward join:wards.ward",
        },
    ),
    (
        "SELECT ward FROM people JOIN wards USING (ward)",
        {"ward": "people.ward wards.ward | join:people.ward join:wards.ward"},
    ),
    (
        "SELECT floor FROM wards NATURAL JOIN (SELECT ward, cost FROM visits)",
        {"floor": "wards.floor | join:wards.ward join:visits.ward"},
    ),
    (
        "SELECT a.name FROM people a, people b WHERE a.born < b.id",
        {"name": "people.name | filter:people.born filter:people.id"},
    ),
    ("SELECT name FROM people CROSS JOIN wards", {"name": "people.name"}),
    (
        "SELECT name FROM people SEMI JOIN visits ON people.id = visits.person",
        {"name": "people.name | join:people.id join:visits.person"},
    ),
    (
        "SELECT name FROM people p ANTI JOIN visits v ON p.id = v.person AND v.cost > 15",
        {"name": "people.name | join:people.id join:visits.person join:visits.cost"},
    ),
    (
        "SELECT p.name, v.cost FROM people p ASOF JOIN visits v ON p.id >= v.person",
        {
            "name": "people.name | join:people.id join:visits.person",
            "cost": "visits.cost | join:people.id join:visits.person",
        },
    ),
    (
        "SELECT person, sum(cost) AS spent, count(*) AS n FROM visits GROUP BY person",
        {
            "person": "visits.person | group:visits.person",
            "spent": "visits.cost | group:visits.person",
            "n": "| group:visits.person",
        },
    ),
    (
        "SELECT ward, max(day) AS d FROM visits GROUP BY ALL ORDER BY ALL",
        {
            "ward": "visits.ward | group:visits.ward order:visits.ward order:visits.day",
            "d": "visits.day | group:visits.ward order:visits.ward order:visits.day",
        },
    ),
    (
        "SELECT ward, count(*) AS n FROM visits GROUP BY 1 HAVING sum(cost) > 30 ORDER BY 2 LIMIT 2",
        {
            "ward": "visits.ward | group:visits.ward filter:visits.cost",
            "n": "| group:visits.ward filter:visits.cost",
        },
    ),
    (
        "SELECT ward, day, sum(cost) AS s FROM visits GROUP BY GROUPING SETS ((ward), (day), ())",
        {
            "ward": "visits.ward | group:visits.ward group:visits.day",
            "day": "visits.day | group:visits.ward group:visits.day",
            "s": "visits.cost | group:visits.ward group:visits.day",
        },
    ),
    ("SELECT count(*) FILTER (WHERE cost > 15) AS n FROM visits", {"n": "| filter:visits.cost"}),
    (
        "SELECT string_agg(name, ',' ORDER BY born) AS names FROM people",
        {"names": "people.name | order:people.born"},
    ),
    (
        "SELECT id, lag(cost) OVER (PARTITION BY person ORDER BY day) AS before FROM visits",
        {"id": "visits.id", "before": "visits.cost | window:visits.person window:visits.day"},
    ),
    (
        "SELECT id, sum(cost) OVER w s, rank() OVER (w ORDER BY day) r FROM visits WINDOW w AS (PARTITION BY ward)",
        {"id": "visits.id", "s": "visits.cost | window:visits.ward", "r": "| window:visits.ward window:visits.day"},
    ),
    (
        "SELECT cost FROM visits QUALIFY row_number() OVER (PARTITION BY person ORDER BY day) = 1",
        {"cost": "visits.cost | window:visits.person window:visits.day"},
    ),
    (
        "SELECT DISTINCT ward, day % 2 AS odd FROM visits",
        {
            "ward": "visits.ward | distinct:visits.ward distinct:visits.day",
            "odd": "visits.day | distinct:visits.ward distinct:visits.day",
        },
    ),
    (
        "SELECT DISTINCT ON (person) cost FROM visits ORDER BY person, day",
        {"cost": "visits.cost | distinct:visits.person order:visits.person order:visits.day"},
    ),
    (
        "SELECT name, (SELECT max(cost) FROM visits WHERE person = people.id) AS most FROM people",
        {"name": "people.name", "most": "visits.cost | filter:visits.person filter:people.id"},
    ),
    (
        "SELECT name FROM people WHERE EXISTS (SELECT cost FROM visits WHERE person = people.id)",
        {"name": "people.name | filter:visits.person filter:people.id"},
    ),
    (
        "SELECT name FROM people WHERE id IN (SELECT person FROM visits WHERE day > 3)",
        {"name": "people.name | filter:people.id filter:visits.person filter:visits.day"},
    ),
    (
        "SELECT id IN (SELECT person FROM visits) AS came FROM people",
        {"came": "people.id visits.person"},
    ),
    (
        "SELECT name FROM people WHERE born > ALL (SELECT day FROM visits WHERE ward = people.ward)",
        {"name": "people.name | filter:people.born filter:visits.day filter:visits.ward filter:people.ward"},
    ),
    (
        "SELECT p.name, l.c FROM people p, LATERAL (SELECT sum(cost) AS c FROM visits WHERE person = p.id) l",
        {
            "name": "people.name | filter:visits.person filter:people.id",
            "c": "visits.cost | filter:visits.person filter:people.id",
        },
    ),
    (
        "WITH v AS (SELECT person, cost FROM visits WHERE day > 2) SELECT a.cost FROM v a JOIN v b USING (person)",
        {"cost": "visits.cost | filter:visits.day join:visits.person"},
    ),
    (
        "WITH people AS (SELECT id k, name FROM people), k(n) AS (SELECT name FROM people WHERE k > 1) SELECT n FROM k",
        {"n": "people.name | filter:people.id"},
    ),
    (
        "SELECT x FROM (SELECT ward, count(*) FROM visits GROUP BY ward) AS c(w, x)",
        {"x": "| group:visits.ward"},
    ),
    (
        "SELECT name AS x FROM people UNION ALL SELECT ward FROM wards WHERE floor = 1",
        {"x": "people.name wards.ward | filter:wards.floor"},
    ),
    (
        "SELECT ward, born FROM people UNION SELECT ward, floor FROM wards",
        {
            name: f"{direct} | setop:people.ward setop:people.born setop:wards.ward setop:wards.floor"
            for name, direct in (("ward", "people.ward wards.ward"), ("born", "people.born wards.floor"))
        },
    ),
    (
        "SELECT ward FROM people EXCEPT SELECT ward FROM wards",
        {"ward": "people.ward | setop:people.ward setop:wards.ward"},
    ),
    (
        "SELECT ward FROM people INTERSECT ALL SELECT ward FROM visits ORDER BY ward",
        {"ward": "people.ward | setop:people.ward setop:visits.ward order:people.ward"},
    ),
    (
        "SELECT name, id FROM people UNION ALL BY NAME SELECT id, cost FROM visits",
        {"name": "people.name", "id": "people.id visits.id", "cost": "visits.cost"},
    ),
    (
        "SELECT * EXCLUDE (id, tags, born, ward) REPLACE (lower(name) AS name) FROM people",
        {"name": "people.name", "Home Town": "people.Home Town"},
    ),
    ("SELECT w.* FROM people p JOIN wards w ON true", {"ward": "wards.ward", "floor": "wards.floor"}),
    (
        "SELECT name, tag FROM people, UNNEST(tags) AS u(tag)",
        {"name": "people.name | unnest:people.tags", "tag": "people.tags | unnest:people.tags"},
    ),
    (
        "SELECT name, unnest(tags) AS tag FROM people",
        {"name": "people.name | unnest:people.tags", "tag": "people.tags | unnest:people.tags"},
    ),
    (
        "SELECT ward, label FROM wards JOIN (VALUES (1, 'low'), (2, 'high')) AS f(floor, label) USING (floor)",
        {"ward": "wards.ward | join:wards.floor", "label": "| join:wards.floor"},
    ),
    ("SELECT born + 1 AS b, b * 2 AS c FROM people", {"b": "people.born", "c": "people.born"}),
    (
        "SELECT p.name FROM (people p JOIN wards w ON p.ward = w.ward)",
        {"name": "people.name | join:people.ward join:wards.ward"},
    ),
    (
        "SELECT z.a FROM people AS z(a, b) WHERE b = 'a'",
        {"a": "people.id | filter:people.name"},
    ),
    (
        "(SELECT name FROM people ORDER BY born LIMIT 2) UNION ALL (SELECT ward FROM wards)",
        {"name": "people.name wards.ward | order:people.born"},
    ),
    (
        "SELECT sum(c) AS t FROM (SELECT cost AS c FROM visits ORDER BY day LIMIT 3)",
        {"t": "visits.cost | order:visits.day"},
    ),
    (
        "SELECT name FROM people LIMIT (SELECT max(floor) FROM wards)",
        {"name": "people.name | filter:wards.floor"},
    ),
    ("SELECT name FROM people WHERE $now > TIMESTAMP '2020-01-01'", {"name": "people.name"}),
    # names that mean two things
    ("SELECT name AS ward, ward AS name FROM people", {"ward": "people.name", "name": "people.ward"}),
    ("SELECT born AS id, id * 2 AS twice FROM people", {"id": "people.born", "twice": "people.id"}),
    ("SELECT id AS born FROM people WHERE born > 1955", {"born": "people.id | filter:people.born"}),
    ("SELECT id + 1 AS b FROM people WHERE b > 3", {"b": "people.id | filter:people.id"}),
    ("SELECT x: born, y: x + 1 FROM people", {"x": "people.born", "y": "people.born"}),
    ("SELECT ward FROM wards ward", {"ward": "wards.ward"}),
    (
        "SELECT -born AS id, name FROM people ORDER BY id LIMIT 2",
        {"*": "| order:people.born", "id": "people.born", "name": "people.name"},
    ),
    (
        "SELECT -born AS id, name FROM people ORDER BY abs(id) LIMIT 2",
        {"*": "| order:people.id", "id": "people.born", "name": "people.name"},
    ),
    (
        "SELECT -born AS b, name FROM people ORDER BY abs(b) LIMIT 2",
        {"*": "| order:people.born", "b": "people.born", "name": "people.name"},
    ),
    (
        "SELECT name AS ward, id FROM people ORDER BY ward COLLATE NOCASE, id LIMIT 2",
        {"*": "| order:people.name order:people.id", "ward": "people.name", "id": "people.id"},
    ),
    (
        "SELECT born AS ward, name FROM people JOIN wards USING (ward) ORDER BY ward || '!', name LIMIT 2",
        {
            "*": "| join:people.ward join:wards.ward order:people.ward order:wards.ward order:people.name",
            "ward": "people.born",
            "name": "people.name",
        },
    ),
    (
        "SELECT unnest(tags) AS id, name FROM people ORDER BY id + 1, tags LIMIT 2",
        {"*": "| unnest:people.tags order:people.id order:people.tags", "id": "people.tags", "name": "people.name"},
    ),
    (
        "SELECT DISTINCT ON (id % 2) born AS id, name FROM people ORDER BY id % 2, name, born",
        {
            "*": "| distinct:people.id order:people.id order:people.name order:people.born",
            "id": "people.born",
            "name": "people.name",
        },
    ),
    (
        "SELECT DISTINCT ON (2) cost, person FROM visits ORDER BY 2, 1",
        {
            "*": "| distinct:visits.person order:visits.person order:visits.cost",
            "cost": "visits.cost",
            "person": "visits.person",
        },
    ),
    (
        "SELECT person % 2 AS person, count(*) AS n FROM visits GROUP BY person",
        {"*": "| group:visits.person", "person": "visits.person", "n": ""},
    ),
    (
        "SELECT max(id) AS ward, count(*) AS n FROM people GROUP BY ward",
        {"*": "| group:people.ward", "ward": "people.id", "n": ""},
    ),
    (
        "SELECT ward, sum(cost) AS day FROM visits GROUP BY ward HAVING day > 30",
        {"*": "| group:visits.ward filter:visits.cost", "ward": "visits.ward", "day": "visits.cost"},
    ),
    (
        "SELECT id AS cost, day FROM visits QUALIFY row_number() OVER (ORDER BY cost, id) < 3",
        {"*": "| window:visits.cost window:visits.id", "cost": "visits.id", "day": "visits.day"},
    ),
    (
        "SELECT -id AS born, sum(id) OVER (ORDER BY born) AS s FROM people",
        {"born": "people.id", "s": "people.id | window:people.born"},
    ),
    # groups
    (
        "SELECT ward, day, count(*) AS n FROM visits GROUP BY CUBE (ward, day)",
        {"*": "| group:visits.ward group:visits.day", "ward": "visits.ward", "day": "visits.day", "n": ""},
    ),
    (
        "SELECT ward, day, count(*) AS n FROM visits GROUP BY ROLLUP (1, 2)",
        {"*": "| group:visits.ward group:visits.day", "ward": "visits.ward", "day": "visits.day", "n": ""},
    ),
    (
        "SELECT ward, day, count(*) AS n FROM visits GROUP BY GROUPING SETS ((1), (2, 1), ())",
        {"*": "| group:visits.ward group:visits.day", "ward": "visits.ward", "day": "visits.day", "n": ""},
    ),
    (
        "SELECT grouping(ward) AS g, count(*) AS n FROM visits GROUP BY ROLLUP (ward)",
        {"*": "| group:visits.ward", "g": "visits.ward", "n": ""},
    ),
    (
        "SELECT day % 2 AS odd, max(cost) AS most, list_max([day, person]) AS late FROM visits GROUP BY ALL",
        {
            "*": "| group:visits.day group:visits.person",
            "odd": "visits.day",
            "most": "visits.cost",
            "late": "visits.day visits.person",
        },
    ),
    (
        "SELECT count(DISTINCT person) AS n, bool_or(day > 5) AS late FROM visits",
        {"n": "visits.person", "late": "visits.day"},
    ),
    (
        "SELECT arg_max(ward, cost) AS w, mode() WITHIN GROUP (ORDER BY day) AS d FROM visits",
        {"w": "visits.ward visits.cost", "d": "visits.day"},
    ),
    # windows
    (
        "SELECT ward, sum(sum(cost)) OVER (ORDER BY ward) AS s FROM visits GROUP BY ward",
        {"*": "| group:visits.ward", "ward": "visits.ward", "s": "visits.cost | window:visits.ward"},
    ),
    (
        "SELECT sum(cost) FILTER (WHERE day > 2) OVER (PARTITION BY person) AS s FROM visits",
        {"s": "visits.cost | filter:visits.day window:visits.person"},
    ),
    (
        "SELECT id, sum(cost) OVER (ORDER BY day RANGE BETWEEN person PRECEDING AND CURRENT ROW) AS s "
        "FROM visits WHERE person > 0",
        {"*": "| filter:visits.person", "id": "visits.id", "s": "visits.cost | window:visits.day window:visits.person"},
    ),
    (
        "SELECT count(*) OVER last AS n FROM visits WINDOW w AS (PARTITION BY ward), last AS (w ORDER BY day)",
        {"n": "| window:visits.ward window:visits.day"},
    ),
    (
        "SELECT id FROM visits WINDOW w AS (ORDER BY day) QUALIFY rank() OVER w < 3",
        {"id": "visits.id | window:visits.day"},
    ),
    (
        "SELECT lag(cost IGNORE NULLS) OVER (PARTITION BY ward ORDER BY day) AS s FROM visits",
        {"s": "visits.cost | window:visits.ward window:visits.day"},
    ),
    # joins
    (
        "SELECT a.name AS x, b.name AS y FROM people a JOIN people b ON a.born = b.born AND a.id < b.id",
        {"*": "| join:people.born join:people.id", "x": "people.name", "y": "people.name"},
    ),
    (
        "SELECT ward, name, floor FROM people FULL JOIN wards USING (ward)",
        {
            "*": "| join:people.ward join:wards.ward",
            "ward": "people.ward wards.ward",
            "name": "people.name",
            "floor": "wards.floor",
        },
    ),
    (
        "SELECT p.ward AS one, w.ward AS other FROM people p FULL JOIN wards w USING (ward)",
        {"*": "| join:people.ward join:wards.ward", "one": "people.ward", "other": "wards.ward"},
    ),
    (
        "SELECT * FROM wards NATURAL JOIN (SELECT ward, cost FROM visits)",
        {
            "*": "| join:wards.ward join:visits.ward",
            "ward": "wards.ward visits.ward",
            "floor": "wards.floor",
            "cost": "visits.cost",
        },
    ),
    (
        "SELECT p.name, v.cost, w.floor FROM people p JOIN wards w USING (ward) JOIN visits v USING (ward)",
        {
            "*": "| join:people.ward join:wards.ward join:visits.ward",
            "name": "people.name",
            "cost": "visits.cost",
            "floor": "wards.floor",
        },
    ),
    (
        "SELECT name FROM people SEMI JOIN visits USING (id)",
        {"name": "people.name | join:people.id join:visits.id"},
    ),
    (
        "SELECT * FROM wards ANTI JOIN visits USING (ward)",
        {"*": "| join:wards.ward join:visits.ward", "ward": "wards.ward", "floor": "wards.floor"},
    ),
    (
        "SELECT v.cost FROM people p ASOF LEFT JOIN visits v ON p.ward = v.ward AND p.id >= v.id",
        {"cost": "visits.cost | join:people.ward join:visits.ward join:people.id join:visits.id"},
    ),
    (
        "SELECT p.id FROM people p JOIN visits v ON p.id = v.person AND v.ward IN (SELECT ward FROM wards)",
        {"id": "people.id | join:people.id join:visits.person join:visits.ward join:wards.ward"},
    ),
    # queries in queries
    (
        "WITH a AS (WITH b AS (SELECT id, ward FROM people WHERE born > 1955) SELECT ward, count(*) AS n FROM b "
        "GROUP BY ward) SELECT n FROM a WHERE ward = 'x'",
        {"n": "| filter:people.born group:people.ward filter:people.ward"},
    ),
    (
        "WITH w AS MATERIALIZED (SELECT ward FROM wards WHERE floor = 1) "
        "SELECT name FROM people WHERE ward IN (FROM w)",
        {"name": "people.name | filter:people.ward filter:wards.ward filter:wards.floor"},
    ),
    (
        "WITH v(n) AS (VALUES (1), (2)) SELECT name FROM v JOIN people ON n = id",
        {"name": "people.name | join:people.id"},
    ),
    (
        "SELECT n FROM people, (VALUES (id), (born)) v(n)",
        {"n": "people.id people.born | filter:people.id filter:people.born"},
    ),
    (
        "SELECT name FROM people p WHERE born = (SELECT max(born) FROM people WHERE ward = p.ward)",
        {"name": "people.name | filter:people.born filter:people.ward"},
    ),
    (
        "SELECT name FROM people WHERE NOT EXISTS (FROM visits WHERE person = people.id AND cost > 15)",
        {"name": "people.name | filter:visits.person filter:people.id filter:visits.cost"},
    ),
    ("SELECT EXISTS (SELECT day FROM visits WHERE cost > 50) AS e FROM people", {"e": "| filter:visits.cost"}),
    ("SELECT (SELECT count(*) FROM visits) AS n FROM wards", {"n": ""}),
    (
        "SELECT (born, ward) IN (SELECT floor, ward FROM wards) AS met FROM people WHERE born < 10",
        {"met": "people.born people.ward wards.floor wards.ward | filter:people.born"},
    ),
    (
        "SELECT array(SELECT cost FROM visits WHERE person = people.id ORDER BY day) AS costs FROM people",
        {"costs": "visits.cost | filter:visits.person filter:people.id order:visits.day"},
    ),
    (
        "SELECT l.c FROM people p LEFT JOIN LATERAL (SELECT cost AS c FROM visits WHERE person = p.id "
        "ORDER BY day, cost LIMIT 1) l ON true",
        {"c": "visits.cost | filter:visits.person filter:people.id order:visits.day order:visits.cost"},
    ),
    (
        "SELECT f.n FROM people p, LATERAL (SELECT count(*) AS n FROM visits v WHERE v.ward = p.ward) f, "
        "LATERAL (SELECT f.n + 1 AS m) g WHERE g.m > 1",
        {"n": "| filter:visits.ward filter:people.ward"},
    ),
    (
        "SELECT ward FROM ((SELECT ward, day FROM visits) ORDER BY 2 LIMIT 2)",
        {"ward": "visits.ward | order:visits.day"},
    ),
    # sets
    (
        "SELECT ward FROM people INTERSECT SELECT ward FROM visits EXCEPT SELECT ward FROM wards",
        {"ward": "people.ward | setop:people.ward setop:visits.ward setop:wards.ward"},
    ),
    (
        "SELECT ward, born FROM people UNION ALL SELECT ward, floor FROM wards ORDER BY 2, 1 LIMIT 3",
        {
            "*": "| order:people.born order:wards.floor order:people.ward order:wards.ward",
            "ward": "people.ward wards.ward",
            "born": "people.born wards.floor",
        },
    ),
    # stars
    ("SELECT * REPLACE (-floor AS floor) FROM wards", {"ward": "wards.ward", "floor": "wards.floor"}),
    ("SELECT * RENAME (ward AS w) FROM wards", {"w": "wards.ward", "floor": "wards.floor"}),
    (
        "SELECT w.* EXCLUDE (ward), p.id FROM people p, wards w",
        {"floor": "wards.floor", "id": "people.id"},
    ),
    ("TABLE wards", {"ward": "wards.ward", "floor": "wards.floor"}),
    # values with parts
    ("SELECT tags[1] AS one, tags[2:] AS rest FROM people", {"one": "people.tags", "rest": "people.tags"}),
    ("SELECT id IN tags AS own FROM people", {"own": "people.id people.tags"}),
    (
        "SELECT t, i FROM people, UNNEST(tags) WITH ORDINALITY AS u(t, i)",
        {"*": "| unnest:people.tags", "t": "people.tags", "i": "people.tags"},
    ),
    (
        "SELECT name, x.t FROM people, LATERAL (SELECT unnest(tags) AS t) AS x WHERE t > 1",
        {"*": "| unnest:people.tags filter:people.tags", "name": "people.name", "t": "people.tags"},
    ),
    (
        "SELECT place.ward AS w, s.place['bed'] AS b, struct_extract(place, 'bed') AS c FROM stays s",
        {"w": "stays.place", "b": "stays.place", "c": "stays.place"},
    ),
    (
        "SELECT s.a AS a FROM (SELECT {'a': id, 'b': name} AS s FROM people)",
        {"a": "people.id people.name"},
    ),
    # values
    (
        "SELECT CASE ward WHEN 'x' THEN cost WHEN 'y' THEN day END AS c FROM visits",
        {"c": "visits.ward visits.cost visits.day"},
    ),
    (
        "SELECT coalesce(ward, name) AS c, nullif(born, 1960) AS n, id BETWEEN 2 AND born AS b FROM people",
        {"c": "people.ward people.name", "n": "people.born", "b": "people.id people.born"},
    ),
    (
        "SELECT name FROM people ORDER BY born DESC NULLS LAST, name LIMIT 2 OFFSET 1",
        {"name": "people.name | order:people.born order:people.name"},
    ),
]


# what is refused: (query, the part that the refusal names)
REFUSED = {
    "an unknown table": ("SELECT x FROM ghosts", "ghosts"),
    "an unknown column": ("SELECT ghost FROM people", "ghost"),
    "an unknown column of a known table": ("SELECT p.ghost FROM people p", "ghost"),
    "a column that two tables have": ("SELECT ward FROM people, visits", "ward"),
    "a table of another catalog": ("SELECT name FROM other.main.people", "other"),
    "a recursive CTE": (
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT n FROM r",
        "recursive CTE",
    ),
    "a CTE that is out of reach": ("SELECT n FROM (WITH c AS (SELECT 1 AS n) SELECT n FROM c) s, c", "c"),
    "a row as a value": ("SELECT people FROM people", "people"),
    "a positional join": ("SELECT p.name FROM people p POSITIONAL JOIN wards w", "positional join"),
    "a natural join on nothing": ("SELECT floor FROM wards NATURAL JOIN (SELECT cost FROM visits)", ""),
    "a column by its place": ("SELECT #1 AS x FROM people", "#1"),
    "columns by pattern": ("SELECT COLUMNS('w.*') FROM people", "COLUMNS"),
    "a lambda": ("SELECT list_transform(tags, x -> x + 1) AS x FROM people", "lambda"),
    "a comprehension": ("SELECT [x + 1 FOR x IN tags] AS y FROM people", "comprehension"),
    "a sample": ("SELECT name FROM people TABLESAMPLE 10%", "sample"),
    "a sample of the result": ("SELECT name FROM people USING SAMPLE 2", "sample"),
    "a pivot": ("SELECT * FROM people PIVOT (count(*) FOR ward IN ('x', 'y'))", "pivot"),
    "an unpivot": ("SELECT * FROM wards UNPIVOT (v FOR n IN (floor))", "pivot"),
    "a table function": ("SELECT * FROM range(10) AS r(n)", "RANGE"),
    "a file": ("SELECT * FROM 'people.csv'", "people.csv"),
    "a file by function": ("SELECT a FROM read_csv('people.csv')", "READ_CSV"),
    "two outputs of one name": ("SELECT name, ward AS name FROM people", "two columns are named 'name'"),
    "two inner columns of one name": (
        "SELECT id FROM (SELECT id, name AS id FROM people)",
        "two columns are named 'id'",
    ),
    "two sources of one name": ("SELECT s.floor FROM wards s, (SELECT floor FROM wards) s", "already used: s"),
    "a union of unequal width": ("SELECT id, name FROM people UNION ALL SELECT ward FROM wards", "different numbers"),
    "a window that is not there": ("SELECT sum(id) OVER w AS s FROM people", "'w'"),
    "a version of a table": ("SELECT name FROM people AT (VERSION => 1)", "AT (VERSION"),
    "a lock": ("SELECT name FROM people FOR UPDATE", "locks"),
    "a star in a function": ("SELECT count(people.*) AS n FROM people", "star"),
    "too much nesting": ("SELECT name FROM " + "(SELECT name FROM " * 400 + "people" + ")" * 400, "nested too deeply"),
    "a place that is not there": ("SELECT ward FROM wards GROUP BY ROLLUP (3)", "no column 3"),
    "all fields of a struct": ("SELECT place.* FROM stays", "place"),
    "columns by likeness": ("SELECT * LIKE 'w%' FROM wards", "LIKE"),
    "a row that is counted": ("SELECT count(w) AS n FROM wards w", "w"),
    "an outer alias": ("SELECT born AS b, (SELECT max(day) FROM visits WHERE id = b) AS m FROM people", "'b'"),
}
