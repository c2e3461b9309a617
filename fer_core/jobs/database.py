"""The database that jobs are recorded in: SQLite in the store, or any other that SQLAlchemy speaks to."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import PoolProxiedConnection

from fer_core.errors import JobError
from fer_core.jobs.schema import bring_up_to_date
from fer_core.settings import Settings


class JobDatabase:
    """Connections to the job database; may be shared between threads.

    Nothing is opened before the first transaction. Each transaction either only reads or begins with its
    write: a SQLite transaction that reads first can't be turned into a writing one while others write.
    """

    def __init__(self, settings: Settings, busy_timeout_s: float) -> None:
        self._settings = settings
        self._busy_timeout_s = busy_timeout_s
        self._url = _database_url(settings)
        self._engine = self._make_engine()
        self._prepared = False
        self._preparing = threading.Lock()

    @property
    def shown_url(self) -> str:
        """The database's URL for messages, its password hidden."""
        return self._url.render_as_string(hide_password=True)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection whose work is committed when the block ends without an error.

        Raises:
            JobError: the database can't be reached or written to.
            IntegrityError: a row with the same key is there.
        """
        try:
            self._prepare()
            with self._engine.begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except (SQLAlchemyError, OSError, Timeout) as exc:
            raise JobError(self._explain(exc)) from exc

    def dispose(self) -> None:
        """Close all connections; a later transaction opens new ones."""
        self._engine.dispose()

    def _make_engine(self) -> Engine:
        sqlite = self._url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"connect_args": {"timeout": self._busy_timeout_s}} if sqlite else {}
        try:
            engine = create_engine(self._url, pool_pre_ping=not sqlite, **options)
        except (SQLAlchemyError, ImportError) as exc:
            raise JobError(
                f"The job database {self.shown_url} can't be used: {_first_line(exc)}. Install its driver, or "
                "mend FERSCOPE_DATABASE_URL (empty is SQLite in the store)."
            ) from exc
        if sqlite:
            event.listen(engine, "connect", _tune_sqlite)
        return engine

    def _prepare(self) -> None:
        """Make the table, or what it lacks, on first use. A file lock, as two processes may both find it missing."""
        if self._prepared:
            return
        with self._preparing:
            if self._prepared:
                return
            self._settings.store.mkdir(parents=True, exist_ok=True)
            if self._url.get_backend_name() == "sqlite" and self._url.database:
                Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self._settings.store / "database.lock", timeout=self._busy_timeout_s):
                bring_up_to_date(self._engine)
            self._prepared = True

    def _explain(self, exc: Exception) -> str:
        reason = _first_line(getattr(exc, "orig", None) or exc)
        if isinstance(exc, Timeout) or "locked" in reason:
            return (
                f"The job database {self.shown_url} stayed locked for {self._busy_timeout_s:g} s. Try again; if it "
                "stays so, end the program that holds it open."
            )
        if "is full" in reason or "No space left" in reason:
            return (
                f"The job database {self.shown_url} can't be written to: the disk is full. Free some room; "
                "deleting runs and what lies in the store's cache folder gives some."
            )
        return (
            f"The job database {self.shown_url} can't be used: {reason}. Check that it is there and may be "
            "written to, or set FERSCOPE_DATABASE_URL (empty is SQLite in the store)."
        )


def _database_url(settings: Settings) -> URL:
    """The database's URL; a relative SQLite path lies in the store, wherever a process was started."""
    try:
        url = make_url(settings.jobs_url)
    except ArgumentError as exc:
        shown = re.sub(r"^.*@", "***@", settings.jobs_url)
        raise JobError(
            f"FERSCOPE_DATABASE_URL={shown!r} is not an SQLAlchemy URL. Write it like "
            "postgresql+psycopg://user:password@host/name, or leave it empty for SQLite in the store."
        ) from exc
    if url.get_backend_name() != "sqlite":
        return url
    if url.database in (None, "", ":memory:"):
        raise JobError(
            f"FERSCOPE_DATABASE_URL={settings.jobs_url!r} is a database in memory, which other processes can't "
            "see. Give a file, or leave it empty for SQLite in the store."
        )
    if str(url.database).startswith("file:"):
        return url
    return url.set(database=str(settings.store / str(url.database)))


def _tune_sqlite(connection: Any, _record: PoolProxiedConnection) -> None:
    """WAL lets readers and a writer work at the same time; NORMAL is safe with it and spares an fsync a write."""
    try:
        with closing(connection.cursor()) as cursor:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=NORMAL")
    except Exception:
        connection.close()
        raise


def _first_line(exc: BaseException) -> str:
    """The first line of an error's words, without a full stop."""
    lines = str(exc).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(exc).__name__
