"""What the walls cost: each figure beside a floor, measured in the same run on the same machine.

    python -m bench                     everything, at full size, printed
    python -m bench --rows 100000       smaller, to develop with
    make bench                          everything, at full size, and docs/benchmarks.md is written anew

A floor is the shortest hand-written program that does the same to the data, on the same libraries, without a gate, a
finding, a ledger or Dagster. It is a bound, not a product.

One theme, one file; each has `rows(run) -> list[Row]`, which `__main__.py` collects. Belongs here: measuring. Does
not belong here: anything that the product needs.
"""
