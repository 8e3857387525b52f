"""The workshop: how a guarantee is reached. One family a folder, one technique a file, found by being there.

Belongs here: frozen parameters and the pure function that each drives. Does not belong here: Dagster, files,
connections; a technique returns an expression or a frame, and the stage runs it.
"""
