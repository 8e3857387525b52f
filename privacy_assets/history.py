"""Dagster's own storage, kept in the home beside the ledger: two classes that `dagster.yaml` names.

Dagster's configuration knows no default for a folder from the environment; these resolve it as the rest of the house
does (PRIVACY_ASSETS_HOME, else data/state of the project). Nothing here is trusted: the gate reads the ledger.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import NullPool

from privacy_assets.durable import held, lock_of
from privacy_assets.warehouse.home import Home


def history_folder() -> str:
    """The folder of Dagster's files in this project's home, made if it is not there."""
    root = Path(os.environ.get("DAGSTER_HOME") or Path.cwd())
    return str(Home.open(root).dagster)


class _Events(SqliteEventLogStorage):
    """Dagster's own, with one engine for each file instead of one for each event.

    An engine keeps the statements that it has compiled, which is most of what an event costs. Connections are closed
    after each, as Dagster's are.
    """

    def __init__(self, folder: str) -> None:
        self._engine = cache(_engine)
        super().__init__(folder)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine(self.conn_string_for_shard(shard))
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection


def _engine(address: str) -> Engine:
    return create_engine(address, poolclass=NullPool, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})


class HomeStorage(DagsterSqliteStorage):
    """Runs, events and schedules as SQLite files in the home."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = _Events(self._event_log_storage._base_dir)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """It takes no configuration."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> HomeStorage:
        """Made by Dagster from `dagster.yaml`."""
        folder = history_folder()
        # Dagster makes its tables without a lock: of two first runs at once each would, and neither could start again
        with held(lock_of(Path(folder)), f"Dagster's history {folder}"):
            return cls(folder, inst_data=inst_data)


class HomeArtifacts(LocalArtifactStorage):
    """The folder for what steps would store through Dagster; ours store nothing there."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """It takes no configuration."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> HomeArtifacts:
        """Made by Dagster from `dagster.yaml`."""
        return cls(history_folder(), inst_data=inst_data)
