"""The door: where versions lie, who holds their keys, and the only two ways in which a database is opened.

Belongs here: files, keys, connections, and reading sources into a candidate. Does not belong here: what may be read
or published (`gate.py`), what a stage does with a connection (`stages/`).
"""
