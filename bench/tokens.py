"""Tokens of e-mail-like strings: ours beside the bare hash, beside the plain loop, and where people come back."""

from __future__ import annotations

import hmac
from typing import Any

from bench import people
from bench.measuring import Clock, Row, Run, Table, compared, in_turn

LOOPED = 500_000
"""The plain loop is measured on so many strings, and scaled: it is linear."""

KEY = "7" * 64


def rows(run: Run) -> list[Table]:
    """The one table of this theme."""
    where = {"rows": run.rows}
    ours, ours_written_alike, hashed, loop = in_turn(
        run.times,
        ("bench.tokens:ours", where),
        ("bench.tokens:ours", {**where, "normalization": "email"}),
        ("bench.tokens:hashed", where),
        ("bench.tokens:looped", {"rows": min(run.rows, LOOPED)}),
    )
    looped = loop["wall"] * run.rows / min(run.rows, LOOPED)
    repeated = {"rows": run.rows, "people_": run.rows // people.ROWS_OF_A_PERSON}
    distinct, everyone = in_turn(
        run.times, ("bench.tokens:distinct_first", repeated), ("bench.tokens:every_row", repeated)
    )
    table = Table("Tokens")
    table.rows += [
        compared(
            f"{run.rows:,} tokens beside polars-hash's hmac_sha256 alone", ours["wall"], hashed["wall"], at_most=1.25
        ),
        compared("the same, CPU seconds", ours["cpu"], hashed["cpu"]),
        compared("the same beside a plain loop of hmac.digest", ours["wall"], looped, at_least=10),
        compared("of e-mails, which are written alike first", ours_written_alike["wall"], hashed["wall"]),
        compared(
            f"{run.rows:,} rows of {repeated['people_']:,} people beside polars-hash on all rows",
            distinct["wall"],
            everyone["wall"],
            at_least=3,
        ),
        Row("writing the tokens into a table of the engine", f"{ours['write']:.2f} s"),
    ]
    table.notes.append(
        f"The loop was measured on {min(run.rows, LOOPED):,} strings and scaled. Where people come back, the time "
        "of ours holds finding the distinct strings and hashing them; the join that brings them back to their rows is "
        "part of the stage's own query (see the chain)."
    )
    return [table]


def _emails(rows: int, people_: int = 0) -> Any:
    import duckdb

    person = f"hash(i) % {people_}" if people_ else "i"
    return duckdb.sql(f"SELECT {people.email(person)} AS value FROM range({rows}) t(i)").pl()["value"]


def ours(rows: int, normalization: str = "none") -> dict[str, Any]:
    """The technique `token`, as the stage asks it: texts in, texts of tokens out."""
    import duckdb
    import polars_hash  # noqa: F401 - not part of what is timed

    from privacy_assets.techniques.pseudonymize import token
    from privacy_assets.words import IdentifierDomain

    values = _emails(rows)
    domain = IdentifierDomain(name="email", normalization=normalization)
    with Clock() as clock:
        mapped = token.map_values(token.Parameters(kind="token"), values, KEY, domain)
    with Clock() as write, duckdb.connect() as con:
        con.register("arriving", mapped.rename("mapped").to_frame().to_arrow())
        con.execute("CREATE TABLE made AS SELECT CAST(mapped AS UUID) AS mapped FROM arriving")
    return {**clock.taken(), "write": write.wall}


def hashed(rows: int) -> dict[str, Any]:
    """polars-hash's hmac_sha256 alone: no key of its own, no form of a token."""
    import polars as pl
    import polars_hash as plh

    frame = pl.DataFrame({"value": _emails(rows)})
    with Clock() as clock:
        frame.select(plh.col("value").chash.hmac_sha256(key=KEY))
    return clock.taken()


def looped(rows: int) -> dict[str, Any]:
    """What people write first: one call a string."""
    values, key = _emails(rows).to_list(), KEY.encode()
    with Clock() as clock:
        [hmac.digest(key, value.encode(), "sha256").hex() for value in values]
    return clock.taken()


def distinct_first(rows: int, people_: int) -> dict[str, Any]:
    """As the stage does it: the engine finds the distinct strings, they alone are hashed."""
    import duckdb
    import polars as pl
    import polars_hash  # noqa: F401 - not part of what is timed

    from privacy_assets.techniques.pseudonymize import token
    from privacy_assets.words import IdentifierDomain

    with duckdb.connect() as con:
        con.execute(
            f"CREATE TABLE held AS SELECT {people.email(f'hash(i) % {people_}')} AS value FROM range({rows}) t(i)"
        )
        with Clock() as clock:
            values = pl.DataFrame(con.sql("SELECT DISTINCT value FROM held").to_arrow_table())["value"]
            token.map_values(token.Parameters(kind="token"), values, KEY, IdentifierDomain(name="email"))
    return clock.taken()


def every_row(rows: int, people_: int) -> dict[str, Any]:
    """polars-hash on every row, from the same table."""
    import duckdb
    import polars as pl
    import polars_hash as plh

    with duckdb.connect() as con:
        con.execute(
            f"CREATE TABLE held AS SELECT {people.email(f'hash(i) % {people_}')} AS value FROM range({rows}) t(i)"
        )
        with Clock() as clock:
            frame = pl.DataFrame(con.sql("SELECT value FROM held").to_arrow_table())
            frame.select(plh.col("value").chash.hmac_sha256(key=KEY))
    return clock.taken()
