"""Floors: what each stage does to the data, written by hand, as short as it can be on the same libraries.

No gate, no finding, no digest, no ledger, no Dagster; the same encryption, and the same results for every reader.
"""

from __future__ import annotations

import secrets
from importlib import resources
from pathlib import Path

import duckdb

KEY = secrets.token_hex(32)


def connected(**attached: tuple[Path, str] | Path) -> duckdb.DuckDBPyConnection:
    """A connection that can encrypt, with files attached: (path, key) to read, a path alone to write."""
    con = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    extension = resources.files("duckdb_extension_httpfs").joinpath(
        f"extensions/v{duckdb.__version__}/httpfs.duckdb_extension"
    )
    con.execute(f"LOAD '{extension}'")
    for name, file in attached.items():
        if isinstance(file, tuple):
            con.execute(f"ATTACH '{file[0]}' AS {name} (READ_ONLY, ENCRYPTION_KEY '{file[1]}')")
        else:
            con.execute(f"ATTACH '{file}' AS {name} (ENCRYPTION_KEY '{KEY}', STORAGE_VERSION 'latest')")
    return con


def finish(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """One checkpoint, and the file is whole."""
    con.execute(f"CHECKPOINT {name}")
    con.execute(f"DETACH {name}")
    con.close()


MINIMIZED = """
    SELECT stay_id, email, birth_date, sex, postcode, admitted_on, ward, length_of_stay, readmitted,
           discharged_on AS _retention_from
    FROM {stays}
    WHERE discharged_on >= CAST(now() AT TIME ZONE 'UTC' AS DATE) - INTERVAL 36500 DAY
      AND email IN (
        SELECT email FROM {consents} WHERE purpose = 'readmission' AND decided_at <= now() AT TIME ZONE 'UTC'
        GROUP BY email HAVING arg_max(decision, decided_at) = 'granted'
      )
"""


def minimized(stays: tuple[Path, str], consents: tuple[Path, str], to: Path) -> None:
    """One statement, from the encrypted raw versions, and one checkpoint."""
    con = connected(stays=stays, consents=consents, made=to)
    con.execute(f"CREATE TABLE made.data AS {MINIMIZED.format(stays='stays.data', consents='consents.data')}")
    finish(con, "made")


def raw(source: Path, to: Path) -> None:
    """The file as it is, encrypted."""
    con = connected(made=to)
    con.execute(f"CREATE TABLE made.data AS SELECT * FROM '{source}'")
    finish(con, "made")


def pseudonymized(minimized: tuple[Path, str], to: Path) -> None:
    """Tokens by polars-hash over distinct values, written as UUIDs; years, districts and shifted dates in SQL."""
    import polars as pl
    import polars_hash as plh

    con = connected(held=minimized, made=to)
    for column in ("stay_id", "email"):
        distinct = con.sql(f"SELECT DISTINCT CAST({column} AS VARCHAR) AS value FROM held.data").pl()
        token = plh.col("value").chash.hmac_sha256(key=f"{column}{KEY}")
        tokens = distinct.select("value", token.str.slice(0, 32).alias("token"))
        if column == "email":
            shift = plh.col("value").chash.hmac_sha256(key=f"days{KEY}").str.slice(0, 15).str.to_integer(base=16)
            tokens = tokens.hstack(distinct.select((shift % 361 - 180).cast(pl.Int32).alias("days")))
        con.register("arriving", tokens.to_arrow())
        con.execute(f"CREATE TEMP TABLE of_{column} AS SELECT * REPLACE (CAST(token AS UUID) AS token) FROM arriving")
        con.unregister("arriving")
    con.execute("""
        CREATE TABLE made.data AS
        SELECT of_stay_id.token AS stay_id, of_email.token AS email,
               CAST(date_trunc('year', birth_date) AS DATE) AS birth_date, sex, left(postcode, 4) AS postcode,
               admitted_on + of_email.days AS admitted_on, ward, least(length_of_stay, 30) AS length_of_stay, readmitted
        FROM held.data
        LEFT JOIN of_stay_id ON CAST(data.stay_id AS VARCHAR) = of_stay_id.value
        LEFT JOIN of_email ON data.email = of_email.value
    """)
    finish(con, "made")


def features(pseudonymized: tuple[Path, str], to: Path) -> None:
    """The purpose's SQL."""
    con = connected(held=pseudonymized, made=to)
    con.execute("""
        CREATE TABLE made.data AS
        SELECT stay_id, email, date_diff('year', birth_date, admitted_on) AS age, sex, postcode AS district, ward,
               length_of_stay, readmitted
        FROM held.data
    """)
    finish(con, "made")


def training(features: tuple[Path, str], to: Path) -> None:
    """Splits by person."""
    con = connected(held=features, made=to)
    con.execute("""
        CREATE TABLE made.data AS
        SELECT *, CASE WHEN share < 0.7 THEN 'train' WHEN share < 0.85 THEN 'validation' ELSE 'test' END AS split
        FROM (SELECT *, (hash(email) % 1000) / 1000 AS share FROM held.data WHERE readmitted IS NOT NULL)
    """)
    finish(con, "made")


def model(training: tuple[Path, str], to: Path) -> None:
    """The same trainer with its own number of threads, and each metric once, without an interval."""
    import polars as pl
    import skops.io
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import accuracy_score, balanced_accuracy_score, brier_score_loss, roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    con = connected(held=training, made=to)
    classes, numbers = ["sex", "district", "ward"], ["age", "length_of_stay"]
    names = ", ".join([*classes, *numbers, "readmitted", "split"])
    frame = con.sql(f"SELECT {names} FROM held.data").pl()
    encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    pipeline = make_pipeline(
        make_column_transformer((encode, classes), (StandardScaler(), numbers)),
        HistGradientBoostingClassifier(max_iter=50, early_stopping=False, random_state=2026),
    )
    train = frame.filter(pl.col("split") == "train")
    pipeline.fit(train.select(classes + numbers), train["readmitted"].to_numpy())
    found = []
    for split in ("validation", "test"):
        rows = frame.filter(pl.col("split") == split)
        truth, chance = rows["readmitted"].to_numpy(), pipeline.predict_proba(rows.select(classes + numbers))[:, 1]
        found += [(split, "roc_auc", roc_auc_score(truth, chance)), (split, "brier", brier_score_loss(truth, chance))]
        found.append((split, "accuracy", accuracy_score(truth, chance > 0.5)))
        found.append((split, "balanced_accuracy", balanced_accuracy_score(truth, chance > 0.5)))
    con.execute("CREATE TABLE made.artefact (content BLOB)")
    con.execute("INSERT INTO made.artefact VALUES (?)", [skops.io.dumps(pipeline)])
    con.execute("CREATE TABLE made.data (split VARCHAR, metric VARCHAR, value DOUBLE)")
    con.executemany("INSERT INTO made.data VALUES (?, ?, ?)", found)
    finish(con, "made")
