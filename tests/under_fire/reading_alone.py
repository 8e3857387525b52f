"""What the engine reads from a file with its key, and no gate: the control of tests that touch files.

In a process of its own: blocks that are each authentic, and in the wrong place, can end it or let it hang. This module
imports the engine alone, so that such a process begins at once.
"""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection

import duckdb

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["__main__", __name__])


def cipher_alone(path: str, key: str, extension: str, seconds: int = 8) -> str:
    """A digest of the rows; or "refused"; or "crashed"."""
    ours, theirs = _PROCESSES.Pipe(duplex=False)
    child = _PROCESSES.Process(target=_read, args=(path, key, extension, theirs))
    child.start()
    theirs.close()
    try:
        found = str(ours.recv()) if ours.poll(seconds) else "crashed"
    except EOFError:
        found = "crashed"
    child.kill()
    child.join()
    return found


def _read(path: str, key: str, extension: str, say: Connection) -> None:
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as con:
        con.execute(f"LOAD '{extension}'")
        try:
            # not as a parameter: at the first one the engine imports pandas, in every process anew
            con.execute(f"ATTACH '{path}' AS read (READ_ONLY, ENCRYPTION_KEY '{key}')")
            found = str(con.execute("SELECT count(*), sum(hash(data)) FROM read.main.data AS data").fetchone())
        except duckdb.Error:
            found = "refused"
    say.send(found)
