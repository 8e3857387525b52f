"""Test data: files for developers in the form of the sources, without a row of anybody.

    copied.py   which columns of raw a column of the features is, by the lineage of the purpose's SQL
    keys.py     identifiers from a domain of their own
    values.py   all other values
    people.py   who there is, and which rows of which dataset are theirs
    files.py    the folder, in the format of each source
    making.py   all of it in order

No module here opens raw, nor anything that is made of it without noise; `docs/decisions/0053-*` says why.
"""
