"""What a purpose's SQL may be, and what is known of its columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp, parse_one

from privacy_assets.contracts._features_language import BY_NAME, FUNCTIONS, SYNTAX
from privacy_assets.contracts.features_sql import LONGEST_SQL, FeatureQuery, analyse
from privacy_assets.contracts.purpose import DatasetUse, Features, Need, Purpose
from privacy_assets.errors import BadDeclaration
from privacy_assets.lineage.columns import column_lineage
from privacy_assets.words import Column, IdentifierDomain, LawfulBasis, Role

PATIENT = IdentifierDomain(name="patient_id")

TABLES = {
    "patients": (
        Column("patient_id", "UUID", Role.QUASI_IDENTIFIER, "user.unique_id", "token", None, "", PATIENT),
        Column("sex", "VARCHAR", Role.QUASI_IDENTIFIER, "user.demographic.gender", "keep", ("f", "m")),
        Column("born", "DATE", Role.QUASI_IDENTIFIER, "user.demographic.date_of_birth", "truncate_date"),
        Column("smokes", "BOOLEAN", Role.SENSITIVE, "user.health_and_medical", "keep"),
        Column("Home Area", "VARCHAR", Role.ATTRIBUTE, "user.contact.address.postal_code", "truncate_text"),
    ),
    "visits": (
        Column(
            "visit_id", "UUID", Role.QUASI_IDENTIFIER, "user.unique_id", "token", None, "", IdentifierDomain(name="v")
        ),
        Column("patient_id", "UUID", Role.QUASI_IDENTIFIER, "user.unique_id", "token", None, "", PATIENT),
        Column("diagnosis", "VARCHAR", Role.SENSITIVE, "user.health_and_medical", "keep", ("a", "b")),
        Column("ward", "VARCHAR", Role.ATTRIBUTE, "user.behavior", "keep"),
        Column("admitted", "DATE", Role.ATTRIBUTE, "user.behavior", "shift_dates"),
        Column("left_at", "TIMESTAMP", Role.ATTRIBUTE, "user.behavior", "shift_dates"),
        Column("days", "INTEGER", Role.ATTRIBUTE, "user.behavior", "keep"),
        Column("n", "BIGINT", Role.ATTRIBUTE, "user.behavior", "keep"),
        Column("cost", "DOUBLE", Role.ATTRIBUTE, "user.financial", "keep"),
        Column("price", "DECIMAL(10,2)", Role.ATTRIBUTE, "user.financial", "keep"),
    ),
}


def _purpose(sql: str | None, subject: str | None = None, **categories: tuple[str, ...]) -> Purpose:
    need = {"why": "to test", "technique": {"kind": "keep"}}
    return Purpose.model_construct(
        kind="Purpose",
        purpose="trial",
        lawful_basis=LawfulBasis.CONSENT,
        datasets={
            name: DatasetUse.model_construct(columns={column.name: Need.model_construct(**need) for column in columns})
            for name, columns in TABLES.items()
        },
        features=Features(unit="visit", key=("visit_id",), subject=subject, sql=sql, categories=categories),
    )


def _analyse(sql: str | None, subject: str | None = None, **categories: tuple[str, ...]) -> FeatureQuery:
    return analyse(_purpose(sql, subject, **categories), TABLES, subject_domain="patient_id")


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for name, columns in TABLES.items():
            typed = ", ".join(f'"{column.name}" {column.type}' for column in columns)
            connection.execute(f"CREATE TABLE {name} ({typed})")
        connection.execute(
            "INSERT INTO patients SELECT uuid(), CASE WHEN i % 2 = 0 THEN 'f' ELSE 'm' END, DATE '1950-01-01' + i::INT,"
            " i % 3 = 0, 'area ' || i % 4 FROM range(12) r(i)"
        )
        connection.execute(
            "INSERT INTO visits SELECT uuid(), patient_id, CASE WHEN i % 3 = 0 THEN 'a' ELSE 'b' END, 'w' || i % 5,"
            " DATE '2020-01-01' + i::INT, TIMESTAMP '2020-02-01 10:00:00' + to_days(i::INT), i % 7, i, i / 3, i * 1.5"
            " FROM patients, range(4) r(i)"
        )
        yield connection


# (SQL, where its first fault must be)
REFUSED: list[tuple[str, str]] = [
    # files, by function, by name, and what looks like one
    ("SELECT * FROM read_csv('people.csv')", "1:15"),
    ("SELECT * FROM read_csv_auto('people.csv')", "1:15"),
    ("SELECT * FROM read_parquet('people.parquet')", "1:15"),
    ("SELECT * FROM read_json('people.json')", "1:15"),
    ("SELECT * FROM read_text('/etc/passwd')", "1:15"),
    ("SELECT * FROM read_blob('/etc/passwd')", "1:15"),
    ("SELECT * FROM glob('/etc/*')", "1:15"),
    ("SELECT * FROM sniff_csv('people.csv')", "1:15"),
    ("SELECT * FROM 'people.csv'", "1:15"),
    ('SELECT * FROM "people.parquet"', "1:15"),
    ("SELECT ward FROM visits\nWHERE ward IN (SELECT x FROM 'https://example.org/x.csv')", "2:30"),
    ("SELECT (SELECT content FROM read_text('/etc/passwd')) AS x FROM visits", "1:29"),
    # other statements
    ("ATTACH 'other.db' AS other", "1:1"),
    ("DETACH other", "1:1"),
    ("PRAGMA database_list", "1:1"),
    ("SET memory_limit = '1GB'", "1:1"),
    ("RESET memory_limit", "1:1"),
    ("COPY visits TO 'out.csv'", "1:1"),
    ("EXPORT DATABASE 'out'", "1:1"),
    ("INSTALL httpfs", "1:1"),
    ("LOAD httpfs", "1:1"),
    ("INSERT INTO visits SELECT * FROM visits", "1:1"),
    ("UPDATE visits SET days = 0", "1:1"),
    ("DELETE FROM visits", "1:1"),
    ("CREATE TABLE x AS SELECT ward FROM visits", "1:1"),
    ("CREATE MACRO m(a) AS a", "1:1"),
    ("DROP TABLE visits", "1:1"),
    ("CALL pragma_version()", "1:1"),
    ("EXPLAIN SELECT ward FROM visits", "1:1"),
    ("DESCRIBE visits", "1:1"),
    ("SHOW TABLES", "1:1"),
    ("SUMMARIZE visits", "1:1"),
    ("USE other", "1:1"),
    ("EXECUTE prepared", "1:1"),
    ("VACUUM", "1:1"),
    ("VALUES (1)", "1:1"),
    ("-- nothing but a comment", "1:1"),
    ("SELECT ward FROM visits; DROP TABLE visits", "1:26"),
    ("SELECT ward FROM visits; SELECT ward FROM visits", "1:26"),
    ("SELECT ward FROM visits;\n\n  COPY visits TO 'x'", "3:3"),
    ("WITH x AS (DELETE FROM visits RETURNING ward) SELECT ward FROM x", "1:12"),
    # text that is no SQL
    ("SELECT ward FROM visits WHERE", "1:25"),
    ("SELECT ward ward ward FROM visits", "1:18"),
    ("SELECT 'open FROM visits", "1:1"),
    ("SELECT ward /* open FROM visits", "1:1"),
    # tables and columns of others
    ("SELECT name FROM staff", "1:18"),
    ("SELECT x.name\nFROM visits\nJOIN staff x ON true", "3:6"),
    ("SELECT ward FROM other.main.visits", "1:18"),
    ("SELECT ward FROM main.visits", "1:18"),
    ("SELECT ward FROM candidate.main.data", "1:18"),
    ("SELECT table_name FROM information_schema.tables", "1:24"),
    ("SELECT name FROM sqlite_master", "1:18"),
    ("SELECT relname FROM pg_catalog.pg_class", "1:21"),
    ("SELECT name FROM duckdb_settings()", "1:18"),
    ("SELECT secret_string FROM duckdb_secrets()", "1:27"),
    ("SELECT path FROM duckdb_databases()", "1:18"),
    ("SELECT * FROM pragma_database_list()", "1:15"),
    ("SELECT * FROM query('SELECT 1')", "1:15"),
    ("SELECT * FROM query_table('visits')", "1:15"),
    ("SELECT name FROM visits", "1:8"),
    ("SELECT v.name FROM visits v", "1:10"),
    ("SELECT patients.sex FROM visits", "1:17"),
    ("SELECT patient_id FROM visits, patients", "1:8"),
    ("SELECT ward FROM visits WHERE EXISTS (SELECT 1 FROM patients WHERE name = ward)", "1:68"),
    ("SELECT n FROM (WITH c AS (SELECT 1 AS n) SELECT n FROM c) s, c", "1:62"),
    ("WITH visits AS (SELECT 1 AS n) SELECT n FROM visits", "1:6"),
    ("SELECT count(*) AS n FROM visits ORDER BY ghost", "1:43"),
    # functions that look elsewhere, or never give the same twice
    ("SELECT getenv('HOME') AS x FROM visits", "1:8"),
    ("SELECT current_setting('home_directory') AS x FROM visits", "1:8"),
    ("SELECT getvariable('x') AS x FROM visits", "1:8"),
    ("SELECT nextval('s') AS x FROM visits", "1:8"),
    ("SELECT version() AS x FROM visits", "1:8"),
    ("SELECT current_database() AS x FROM visits", "1:8"),
    ("SELECT current_user AS x FROM visits", "1:8"),
    ("SELECT random() AS x FROM visits", "1:8"),
    ("SELECT ward, uuid() AS x FROM visits", "1:14"),
    ("SELECT gen_random_uuid() AS x FROM visits", "1:8"),
    ("SELECT now() AS x FROM visits", "1:8"),
    ("SELECT ward,\n  current_timestamp AS x FROM visits", "2:3"),
    ("SELECT today() AS x FROM visits", "1:8"),
    ("SELECT current_date AS x FROM visits", "1:8"),
    ("SELECT ward FROM visits WHERE admitted > CURRENT_DATE - 30", "1:42"),
    ("SELECT current_time AS x FROM visits", "1:8"),
    ("SELECT get_current_timestamp() AS x FROM visits", "1:8"),
    ("SELECT age(left_at) AS x FROM visits", "1:8"),
    ("SELECT error('x') AS x FROM visits", "1:8"),
    ("SELECT hash(patient_id) AS x FROM visits", "1:8"),
    ("SELECT my_macro(ward) AS x FROM visits", "1:8"),
    ("SELECT \"read_text\"('/etc/passwd') AS x FROM visits", "1:8"),
    ("SELECT nothing.at_all(ward) AS x FROM visits", "1:8"),
    ("SELECT $now AS x FROM visits", "1:8"),
    ("SELECT ? AS x FROM visits", "1:8"),
    ("SELECT @days AS x, getenv('x') AS y FROM visits", "1:20"),
    # arbitrary without an order
    ("SELECT ward FROM visits LIMIT 5", "1:25"),
    ("SELECT ward FROM visits OFFSET 5", "1:25"),
    ("SELECT ward FROM visits ORDER BY ward LIMIT 10%", "1:39"),
    ("SELECT DISTINCT ON (ward) days FROM visits", "1:8"),
    ("SELECT row_number() OVER (PARTITION BY ward) AS r FROM visits", "1:8"),
    ("SELECT lag(days) OVER w AS r FROM visits WINDOW w AS (PARTITION BY ward)", "1:8"),
    ("SELECT string_agg(ward, ',') AS x FROM visits", "1:8"),
    ("SELECT any_value(ward) AS x FROM visits", "1:8"),
    ("SELECT first(ward) AS x FROM visits", "1:8"),
    ("SELECT mode(ward) AS x FROM visits", "1:8"),
    ("SELECT ward FROM visits TABLESAMPLE 10%", "1:25"),
    ("SELECT ward FROM visits USING SAMPLE 5", "1:31"),
    ("SELECT v.ward FROM visits v POSITIONAL JOIN patients p", "1:40"),
    # bombs
    ("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT n FROM r", "1:1"),
    ("SELECT * FROM range(1000000000000) r(n)", "1:15"),
    ("SELECT * FROM generate_series(1, 1000000000000) r(n)", "1:15"),
    ("SELECT repeat('x', 1000000000) AS x FROM visits", "1:8"),
    ("SELECT range(1000000000) AS x FROM visits", "1:8"),
    ("SELECT " + "(" * 3000 + "1" + ")" * 3000 + " AS x FROM visits", "1:108"),
    ("SELECT ward FROM " + "(SELECT ward FROM " * 900 + "visits" + ")" * 900, "1:1818"),
    ("SELECT " + "NOT " * 3000 + "true AS x FROM visits", "1:1"),
    ("SELECT ward FROM visits -- " + "x" * LONGEST_SQL, "1:1"),
    ("SELECT days + days AS a0" + "".join(f", a{i} + a{i} AS a{i + 1}" for i in range(40)) + " FROM visits", "1:1"),
    ("SELECT v.*, v.* FROM visits v", "1:10"),
    ("SELECT * FROM visits a, visits b", "1:8"),
    # values and forms that features cannot have
    ("SELECT list_transform([days], x -> x + 1) AS x FROM visits", "1:8"),
    ("SELECT list_transform([days], lambda x: x + 1) AS x FROM visits", "1:8"),
    ("SELECT [x + 1 FOR x IN [days]] AS y FROM visits", "1:8"),
    ("SELECT unnest([days]) AS x FROM visits", "1:8"),
    ("SELECT x FROM visits, UNNEST([days]) u(x)", "1:23"),
    ("SELECT {'a': days} AS x FROM visits", "1:8"),
    ("SELECT MAP {'a': days} AS x FROM visits", "1:8"),
    ("SELECT [days] AS x FROM visits", "1:8"),
    ("SELECT ward[1] AS x FROM visits", "1:12"),
    ("SELECT visits FROM visits", "1:8"),
    ("SELECT COLUMNS('d.*') FROM visits", "1:8"),
    ("SELECT #1 AS x FROM visits", "1:8"),
    ("SELECT ward::JSON AS x FROM visits", "1:14"),
    ("SELECT ward::ENUM('a', 'b') AS x FROM visits", "1:14"),
    ("SELECT admitted::TIMESTAMPTZ AS x FROM visits", "1:18"),
    ("SELECT date_trunc(ward, admitted) AS x FROM visits", "1:19"),
    ("SELECT * FROM visits PIVOT (count(*) FOR ward IN ('a'))", "1:22"),
    ("PIVOT visits ON ward", "1:1"),
    ("SELECT * FROM patients UNPIVOT (v FOR k IN (sex))", "1:24"),
    ("SELECT ward FROM visits FOR UPDATE", "1:25"),
    ("SELECT ward FROM visits AT (VERSION => 1)", "1:25"),
    ("SELECT ward FROM visits UNION ALL BY NAME SELECT ward FROM visits", "1:25"),
    # names and types of what comes out
    ("SELECT days + 1 FROM visits", "1:8"),
    ("SELECT ward,\n       count(*) FROM visits GROUP BY ward", "2:8"),
    ("SELECT ward, days AS ward FROM visits", "1:14"),
    ("SELECT ward, days AS WARD FROM visits", "1:14"),
    ("SELECT ward FROM (SELECT ward, days AS ward FROM visits)", "1:32"),
    ("SELECT ward, days FROM visits UNION ALL SELECT ward FROM visits", "1:41"),
    ("SELECT NULL AS x FROM visits", "1:8"),
    ("SELECT price * 2 AS x FROM visits", "1:8"),
    ("SELECT coalesce(ward, days) AS x FROM visits", "1:8"),
]

# (SQL, output columns and their types)
ACCEPTED: list[str] = [
    "SELECT visit_id, patient_id, ward FROM visits",
    "FROM patients",
    "SELECT * FROM visits WHERE days > 3;",
    'SELECT "HOME area" AS area, Sex FROM Patients',
    "SELECT v.*, p.sex FROM visits v JOIN patients p USING (patient_id)",
    "SELECT patient_id, sex, days FROM visits JOIN patients USING (patient_id)",
    "SELECT v.visit_id, p.sex FROM visits v NATURAL JOIN patients p",
    "SELECT * EXCLUDE (price, n) REPLACE (days + 1 AS days) FROM visits",
    "SELECT patient_id, count(*) AS visits, sum(days) AS total, avg(days) AS mean_days, max(admitted) AS last"
    " FROM visits GROUP BY patient_id",
    "SELECT ward, max(n) AS n FROM visits GROUP BY ALL ORDER BY ALL",
    "SELECT date_diff('year', p.born, v.admitted) AS age, v.admitted - p.born AS lived FROM visits v, patients p"
    " WHERE v.patient_id = p.patient_id",
    "SELECT visit_id, lag(days) OVER (PARTITION BY patient_id ORDER BY admitted) AS before,"
    " row_number() OVER w AS nth FROM visits WINDOW w AS (PARTITION BY patient_id ORDER BY admitted, visit_id)",
    "SELECT visit_id FROM visits QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY admitted, visit_id) = 1",
    "WITH v AS (SELECT patient_id, count(*) AS n FROM visits GROUP BY 1), p AS (SELECT patient_id, sex FROM patients)"
    " SELECT p.patient_id, p.sex, coalesce(v.n, 0) AS n FROM p LEFT JOIN v ON p.patient_id = v.patient_id",
    "SELECT p.patient_id, (SELECT max(cost) FROM visits v WHERE v.patient_id = p.patient_id) AS most FROM patients p",
    "SELECT patient_id FROM patients WHERE EXISTS (SELECT 1 FROM visits v WHERE v.patient_id = patients.patient_id)",
    "SELECT patient_id, smokes AND sex = 'm' AS risk FROM patients WHERE patient_id NOT IN (SELECT"
    " patient_id FROM visits)",
    "SELECT patient_id, sex FROM patients UNION ALL SELECT patient_id, ward FROM visits",
    "SELECT patient_id FROM patients EXCEPT SELECT patient_id FROM visits",
    "SELECT DISTINCT ON (patient_id) patient_id, ward FROM visits ORDER BY patient_id, admitted, visit_id",
    "SELECT ward, days FROM visits ORDER BY days, visit_id LIMIT 3 OFFSET 1",
    "SELECT ward, label FROM visits JOIN (VALUES ('w1', 'one'), ('w2', 'two')) AS t(w, label) ON ward = w",
    "SELECT CASE WHEN days > 5 THEN 'long' WHEN days > 2 THEN 'short' ELSE 'none' END AS stay FROM visits",
    "SELECT days * 2 AS a, days / 2 AS b, days // 2 AS c, days % 2 AS d, days + n AS e, days * cost AS f, -days AS g,"
    " days ** 2 AS h, cost * 1.5 AS i, 2147483648 AS j FROM visits",
    "SELECT sum(days) AS a, sum(cost) AS b, median(days) AS c, stddev(cost) AS d, quantile_cont(cost, 0.9) AS e,"
    " count(DISTINCT ward) AS f, count_if(days > 3) AS g, bool_or(days > 3) AS h, corr(days, cost) AS i,"
    " count(*) FILTER (WHERE ward = 'w1') AS j, string_agg(ward, ',' ORDER BY ward) AS k, arg_max(ward, n) AS l,"
    " percentile_cont(0.5) WITHIN GROUP (ORDER BY cost) AS m, variance(cost) AS o, min(admitted) AS p FROM visits",
    "SELECT upper(ward) AS a, length(ward) AS b, substring(ward, 1, 2) AS c, ward || 'x' AS d,"
    " replace(ward, 'w', '') AS e,"
    " regexp_matches(ward, '[0-9]') AS f, split_part(ward, '-', 1) AS g, left(ward, 1) AS h, ward LIKE 'w%' AS i,"
    " trim(ward) AS j, strpos(ward, 'w') AS k, starts_with(ward, 'w') AS l, concat(ward, days) AS m,"
    " regexp_replace(ward, 'w', 'v') AS o, regexp_extract(ward, '[0-9]') AS p, contains(ward, 'w') AS q FROM visits",
    "SELECT year(admitted) AS a, extract(month FROM admitted) AS b, dayofweek(admitted) AS c, admitted + 1 AS d,"
    " admitted + INTERVAL 3 DAY AS e, date_trunc('month', admitted) AS f, date_part('week', admitted) AS g,"
    " left_at - INTERVAL 1 HOUR AS h, left_at::DATE AS i, hour(left_at) AS j, monthname(admitted) AS k,"
    " strftime(admitted, '%Y') AS l, last_day(admitted) AS m, quarter(admitted) AS o, weekofyear(admitted) AS p,"
    " date_trunc('hour', left_at) AS q, extract(epoch FROM left_at) AS r, isodow(admitted) AS s FROM visits",
    "SELECT abs(days) AS a, round(cost) AS b, round(cost, 1) AS c, floor(cost) AS d, ceil(days) AS e,"
    " sqrt(days) AS f, trunc(cost) AS u,"
    " ln(cost + 1) AS g, greatest(days, 3) AS h, least(cost, 3) AS i, nullif(days, 0) AS j, sign(days)"
    " AS k, exp(0) AS l,"
    " if(days > 3, 1, 0) AS m, ifnull(days, 0) AS o, CAST(price AS DOUBLE) AS p, price::DECIMAL(12,2) AS q,"
    " TRY_CAST(ward AS INTEGER) AS r, coalesce(cost, 0) AS s, power(days, 2) AS t FROM visits",
    "SELECT rank() OVER w AS a, percent_rank() OVER w AS b, ntile(4) OVER w AS c, sum(days) OVER w AS d,"
    " avg(cost) OVER (PARTITION BY ward) AS e, first_value(ward) OVER w AS f, count(*) OVER () AS g,"
    " max(days) OVER (ORDER BY n ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS h, lead(days, 1, 0) OVER w AS i,"
    " last_value(ward IGNORE NULLS) OVER w AS j, cume_dist() OVER w AS k, dense_rank() OVER w AS l"
    " FROM visits WINDOW w AS (ORDER BY admitted, visit_id)",
    "SELECT days BETWEEN 1 AND 3 AS a, days IN (1, 2) AS b, days IS NULL AS c, NOT days = 1 AS d, days <> 2 AS e,"
    " ward IS DISTINCT FROM 'x' AS f, ward ILIKE 'W%' AS g, days > ALL (SELECT days FROM visits) AS h,"
    " true AS i FROM visits",
    "SELECT p.patient_id, l.c FROM patients p, LATERAL (SELECT CAST(sum(cost) AS DOUBLE) AS c FROM visits v"
    " WHERE v.patient_id = p.patient_id) l",
    "SELECT p.patient_id, v.ward FROM patients p ASOF JOIN visits v ON p.patient_id = v.patient_id AND"
    " p.born <= v.admitted",
    "SELECT ward, days, sum(n) AS n FROM visits GROUP BY GROUPING SETS ((ward), (days), ROLLUP (ward, days))",
    "SELECT ward -- a ward\n, /* its */ days FROM visits",
    "SELECT sin(cost) AS a, cos(cost) AS b, tan(cost) AS c, atan2(cost, 2) AS d, radians(cost) AS e,"
    " degrees(cost) AS f,"
    " cbrt(cost) AS g, isnan(cost) AS h, isinf(cost) AS i, isfinite(cost) AS j, log(cost + 1) AS k,"
    " pi() AS l FROM visits",
    "SELECT concat_ws('-', ward, diagnosis) AS a, ends_with(ward, '1') AS b, lower(ward) AS c, reverse(ward) AS d,"
    " right(ward, 1) AS e, prefix(ward, 'w') AS f, suffix(ward, '1') AS g, strip_accents(ward) AS h,"
    " ward LIKE 'w!_%' ESCAPE '!' OR days >= 2 OR days < 1 AS i, ward IS NOT DISTINCT FROM 'w1' AS j FROM visits",
    "SELECT day(admitted) AS a, dayofmonth(admitted) AS b, dayofyear(admitted) AS c, dayname(admitted) AS d,"
    " minute(left_at) AS e, month(admitted) AS f, second(left_at) AS g, week(admitted) AS h, century(admitted) AS i,"
    " decade(admitted) AS j, weekday(admitted) AS k, date_sub('month', admitted, left_at::DATE) AS l,"
    " admitted + to_months(1) AS m, admitted - to_years(1) AS o, try_strptime(ward, '%Y') AS p,"
    " strptime('2020', '%Y') AS q FROM visits",
    "SELECT ward, arg_min(days, n) AS a, bool_and(days > 1) AS b, regr_slope(cost, days) AS c, stddev_pop(cost) AS d,"
    " stddev_samp(cost) AS e, var_pop(cost) AS f, mean(cost) AS g, sum(cost) AS h FROM visits GROUP BY CUBE (ward)"
    " HAVING count(*) > 1 AND max(days) = ANY (SELECT days FROM visits)",
    "SELECT visit_id, nth_value(days, 2 RESPECT NULLS) OVER (ORDER BY admitted, visit_id) AS a FROM visits",
    "SELECT ward FROM visits INTERSECT SELECT ward FROM visits WHERE days > 3",
]


def _first(error: BadDeclaration) -> str:
    return error.faults[0].where


@pytest.mark.parametrize(("sql", "place"), REFUSED, ids=[sql[:70] for sql, _ in REFUSED])
def test_what_is_not_listed_is_refused_with_its_place(sql: str, place: str) -> None:
    """A statement that names or does anything else is refused, and the fault says where in the SQL."""
    with pytest.raises(BadDeclaration) as refusal:
        _analyse(sql)
    assert _first(refusal.value) == f"SQL {place}"


@pytest.mark.parametrize("sql", ACCEPTED, ids=[sql[:70] for sql in ACCEPTED])
def test_what_is_accepted_means_the_same_and_has_the_types_it_says(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    """The resolved expression returns what the text returns, with the names and types that are told of its columns."""
    features = _analyse(sql)
    resolved = features.expression.sql(dialect="duckdb")
    described = con.execute(f"DESCRIBE {resolved}").fetchall()
    assert [(name, kind) for name, kind, *_ in described] == [(column.name, column.type) for column in features.columns]
    assert _rows(con, resolved) == _rows(con, sql)


@pytest.mark.parametrize("sql", ACCEPTED, ids=[sql[:70] for sql in ACCEPTED])
def test_what_is_accepted_has_a_lineage_that_agrees(sql: str) -> None:
    """Every accepted query has column lineage, and a column is no less protected than a source that flows into it."""
    features = _analyse(sql)
    names = {table: [column.name for column in columns] for table, columns in TABLES.items()}
    lineage = column_lineage(features.expression, names)
    assert list(lineage.direct) == [column.name for column in features.columns]
    held = {(table, column.name): column for table, columns in TABLES.items() for column in columns}
    for column in features.columns:
        roles = {held[source].role for source in lineage.direct[column.name]}
        assert column.type == "BIGINT" or column.role in (roles or {Role.ATTRIBUTE})
        assert Role.SENSITIVE not in roles or column.role is Role.SENSITIVE


def _rows(con: duckdb.DuckDBPyConnection, sql: str) -> Sequence[str]:
    return sorted(map(repr, con.execute(sql).fetchall()))


def test_every_listed_part_is_in_an_accepted_query() -> None:
    """What is listed was run, and its type compared with the engine's."""
    nodes = [node for sql in ACCEPTED for node in parse_one(sql, dialect="duckdb").walk()]
    assert {*FUNCTIONS, *SYNTAX} <= {type(node) for node in nodes}
    assert {*BY_NAME} <= {node.name.lower() for node in nodes if isinstance(node, exp.Anonymous)}


def test_all_faults_are_told_at_once_in_order() -> None:
    """Several faults are one error, from the first place to the last."""
    with pytest.raises(BadDeclaration) as refusal:
        _analyse("SELECT getenv('x') AS a,\n  random() AS b\nFROM visits\nLIMIT 3")
    assert [fault.where for fault in refusal.value.faults] == ["SQL 1:8", "SQL 2:3", "SQL 4:1"]


def test_a_misspelt_name_gets_the_nearest_one() -> None:
    """The next step of an unknown table or column is the name that was probably meant."""
    for sql, meant in (("SELECT wrad FROM visits", "ward"), ("SELECT ward FROM visit", "visits")):
        with pytest.raises(BadDeclaration, match=f"did you mean `{meant}`"):
            _analyse(sql)


def test_without_sql_the_only_dataset_is_taken_as_it_is() -> None:
    """No SQL and one dataset is that dataset, every column with all that is known of it; with two it is refused."""
    only = {"patients": TABLES["patients"]}
    features = analyse(_purpose(None, "patient_id"), only, subject_domain="patient_id")
    assert features.columns == TABLES["patients"]
    with pytest.raises(BadDeclaration, match="several datasets"):
        analyse(_purpose(None), TABLES, subject_domain="patient_id")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT diagnosis AS d FROM visits",
        "WITH a AS (SELECT diagnosis AS x FROM visits), b AS (SELECT x AS y FROM a) SELECT y AS d FROM b ORDER BY d",
        "SELECT z.dd AS d FROM (SELECT diagnosis FROM visits) z(dd)",
        "SELECT l.dd AS d FROM patients p, LATERAL (SELECT diagnosis AS dd FROM visits WHERE patient_id ="
        " p.patient_id) l",
        "SELECT diagnosis AS d FROM visits UNION SELECT diagnosis FROM visits",
    ],
)
def test_a_column_that_is_passed_on_keeps_what_is_known_of_it(sql: str) -> None:
    """Through CTEs, subqueries and unions, a column that no expression changes stays what it was."""
    (column,) = _analyse(sql).columns
    assert column == Column("d", "VARCHAR", Role.SENSITIVE, "user.health_and_medical", "keep", ("a", "b"))


def test_a_derived_column_is_as_protected_as_what_it_is_made_of() -> None:
    """Role: the most protected of the sources. Category: their closest common ancestor. COUNT tells no value."""
    columns = {
        column.name: column
        for column in _analyse(
            "SELECT ward, max(diagnosis) AS worst, count(diagnosis) AS n, max(cost) + max(days) AS sum,"
            " count(*) FILTER (WHERE diagnosis = 'a') AS a, max(CASE WHEN smokes THEN born END) AS d,"
            " max(sex || ward) AS both, max(days) OVER (PARTITION BY patient_id) AS w, 1 AS one,"
            " (SELECT max(born) FROM patients x WHERE x.patient_id = min(p.patient_id)) AS born"
            " FROM visits JOIN patients p USING (patient_id) GROUP BY ward, days, patient_id",
            worst=("a", "b"),
        ).columns
    }
    told = {name: (column.role.value, column.category) for name, column in columns.items()}
    assert told == {
        "ward": ("attribute", "user.behavior"),
        "worst": ("sensitive", "user.health_and_medical"),
        "n": ("attribute", "user.health_and_medical"),
        "sum": ("attribute", "user"),
        "a": ("sensitive", "user.health_and_medical"),
        "d": ("sensitive", "user"),
        "both": ("quasi_identifier", "user"),
        "w": ("attribute", "user.behavior"),
        "one": ("attribute", ""),
        "born": ("quasi_identifier", "user.demographic.date_of_birth"),
    }
    assert columns["worst"].domain == ("a", "b")
    assert {column.technique for column in columns.values()} == {"keep", ""}


def test_a_union_of_unlike_columns_is_none_of_them() -> None:
    """Where two columns become one, what only one of them was known for is not told of both."""
    (column,) = _analyse("SELECT sex AS x FROM patients UNION ALL SELECT diagnosis FROM visits").columns
    assert column == Column("x", "VARCHAR", Role.SENSITIVE, "user")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT patient_id, visit_id FROM visits",
        "SELECT p.patient_id, visit_id FROM visits JOIN patients p USING (patient_id)",
        "SELECT patient_id, visit_id FROM visits JOIN patients USING (patient_id)",
        "SELECT patient_id, count(*) AS visit_id FROM visits GROUP BY patient_id",
        "WITH a AS (SELECT patient_id AS k FROM patients) SELECT k AS patient_id FROM a",
    ],
)
def test_the_subject_is_a_token_passed_on(sql: str) -> None:
    """The column of the person is a token of the subjects' identifier domain, however it came through."""
    assert any(column.identifier_domain == PATIENT for column in _analyse(sql, "patient_id").columns)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT visit_id AS patient_id FROM visits",
        "SELECT ward AS patient_id FROM visits",
        "SELECT max(patient_id) AS patient_id FROM visits",
        "SELECT CAST(patient_id AS VARCHAR) AS patient_id FROM visits",
        "SELECT coalesce(patient_id, visit_id) AS patient_id FROM visits",
        "SELECT row_number() OVER (ORDER BY visit_id) AS patient_id FROM visits",
        "SELECT patient_id FROM visits UNION ALL SELECT visit_id FROM visits",
    ],
)
def test_a_subject_that_is_no_token_is_refused(sql: str) -> None:
    """Anything but the subjects' token, as it stands, would let a person be counted or split as another."""
    with pytest.raises(BadDeclaration, match="no token") as refusal:
        _analyse(sql, "patient_id")
    assert _first(refusal.value) == "SQL 1:8"


def test_a_subject_where_the_datasets_have_none_is_refused() -> None:
    """Tables about nobody have no column of a person."""
    with pytest.raises(BadDeclaration, match="about nobody"):
        analyse(_purpose("SELECT patient_id FROM visits", "patient_id"), TABLES, subject_domain=None)


def test_no_comment_reaches_the_engine() -> None:
    """What runs is the expression alone."""
    assert "secret" not in _analyse("SELECT ward /* secret */ FROM visits -- secret").expression.sql(dialect="duckdb")


# Names that mean two things: what the text means to DuckDB is what the resolved expression means, or it is refused.

_AMBIGUOUS = st.tuples(
    st.sampled_from(["days", "n", "days + n", "max(days)", "sum(n)", "length(ward)"]),
    st.sampled_from(["days", "n", "ward", "x"]),
    st.sampled_from(["ward", "x + 1", "days", "n + 1", "min(n)", "upper(ward)"]),
    st.sampled_from(["n", "ward", "days", "y"]),
    st.sampled_from(["", " WHERE n > 3", " WHERE days > 2", " WHERE x > 2"]),
    st.sampled_from(["", " GROUP BY ALL", " GROUP BY 1, 2", " GROUP BY ward, n, days", " GROUP BY x", " GROUP BY n"]),
    st.sampled_from(["", " HAVING n > 3", " HAVING max(n) > 3", " HAVING x > 1", " HAVING days > 2"]),
    st.sampled_from(["", " ORDER BY n, days LIMIT 3", " ORDER BY ALL LIMIT 2", " ORDER BY x, 1, 2 LIMIT 4"]),
)


@settings(max_examples=250, deadline=None)
@given(parts=_AMBIGUOUS)
def test_a_name_with_two_meanings_has_the_engines(con: duckdb.DuckDBPyConnection, parts: tuple[str, ...]) -> None:
    """Aliases named as columns: an accepted text returns the same rows as the expression that runs in its place."""
    one, alias, other, second, where, group, having, tail = parts
    sql = f"SELECT {one} AS {alias}, {other} AS {second} FROM visits{where}{group}{having}{tail}"
    try:
        meant = _rows(con, sql)
        resolved = _analyse(sql).expression.sql(dialect="duckdb")
    except (duckdb.Error, BadDeclaration):
        return
    assert _rows(con, resolved) == meant, sql
