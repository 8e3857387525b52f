"""The promises: what is declared about datasets (contracts) and processing (purposes), typed, loaded and checked.

Belongs here: the two kinds of YAML, the SQL of features as text, and what both promise of each asset. Does not belong
here: data, DuckDB, Dagster. Only `loading.py` opens a file.
"""
