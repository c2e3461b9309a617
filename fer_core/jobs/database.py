"""The job database: its table and connections. SQLite in the store, or any database that SQLAlchemy supports."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    DateTime,
    Dialect,
    Double,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    create_engine,
    event,
    false,
    inspect,
    text,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.schema import CreateColumn, CreateTable

from fer_core.errors import JobError
from fer_core.settings import Settings


class UtcDateTime(TypeDecorator[datetime]):
    """A timezone-aware time, stored as UTC because SQLite drops the time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC before storing."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return a timezone-aware UTC time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


JOBS = Table(
    "jobs",
    MetaData(),
    Column("id", String(80), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("args", JSON, nullable=False),
    Column("resume_args", JSON, nullable=False),
    Column("target", Text, nullable=False),
    Column("state", String(16), nullable=False, default="queued"),
    Column("priority", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("heartbeat_at", UtcDateTime),
    Column("pid", Integer),
    Column("pid_started_at", Double),
    Column("exit_code", Integer),
    Column("progress_01", Double, nullable=False, default=0.0),
    Column("message", Text, nullable=False, default=""),
    Column("error", Text, nullable=False, default=""),
    Column("cancel_requested", Boolean, nullable=False, default=False),
    Column("attempts", Integer, nullable=False, default=0),
    # Columns added later: each is nullable or has a default, for rows of older versions. `key` is the name in Python.
    Column("device", String(16), nullable=False, server_default="cpu"),
    Column("from_start", Boolean, nullable=False, server_default=false()),
    Column("left_s", Double),
    Column("silent_s", Double, key="step_elapsed_s"),
    Column("stalled_after_s", Double),
    Column("pace_s", Double, key="usual_step_s"),
    Column("stalls", Integer, nullable=False, server_default="0"),
    Column("stall_noted", Boolean, key="stall_recorded", nullable=False, server_default=false()),
)


class JobDatabase:
    """Connections to the job database. Thread-safe.

    Connects on the first transaction. A transaction must either only read, or write first: SQLite can't upgrade a read
    transaction to a write transaction while another process writes.
    """

    def __init__(self, settings: Settings, busy_timeout_s: float) -> None:
        self._settings = settings
        self._busy_timeout_s = busy_timeout_s
        self._url = _database_url(settings)
        self._engine = self._make_engine()
        self._prepared = False
        self._prepare_lock = threading.Lock()

    @property
    def shown_url(self) -> str:
        """The database's URL for messages, without the password."""
        return self._url.render_as_string(hide_password=True)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Open a transaction that is committed when the block ends without an error.

        Raises:
            JobError: the database can't be reached or written to.
            IntegrityError: a row with the same key exists.
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
        """Close all connections; a later transaction reconnects."""
        self._engine.dispose()

    def _make_engine(self) -> Engine:
        sqlite = self._url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"connect_args": {"timeout": self._busy_timeout_s}} if sqlite else {}
        try:
            engine = create_engine(self._url, pool_pre_ping=not sqlite, **options)
        except (SQLAlchemyError, ImportError) as exc:
            raise JobError(
                f"The job database {self.shown_url} can't be used: {_first_line(exc)}. Install its driver, or "
                "correct FERSCOPE_DATABASE_URL (empty is SQLite in the store)."
            ) from exc
        if sqlite:
            event.listen(engine, "connect", _tune_sqlite)
        return engine

    def _prepare(self) -> None:
        """Create or upgrade the table on first use, under a file lock against concurrent processes."""
        if self._prepared:
            return
        with self._prepare_lock:
            if self._prepared:
                return
            self._settings.store.mkdir(parents=True, exist_ok=True)
            if self._url.get_backend_name() == "sqlite" and self._url.database:
                Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self._settings.store / "database.lock", timeout=self._busy_timeout_s):
                upgrade_schema(self._engine)
            self._prepared = True

    def _explain(self, exc: Exception) -> str:
        reason = _first_line(getattr(exc, "orig", None) or exc)
        if isinstance(exc, Timeout) or "locked" in reason:
            return (
                f"The job database {self.shown_url} was locked for {self._busy_timeout_s:g} s. Try again; if this "
                "persists, close the program that uses it."
            )
        if "is full" in reason or "No space left" in reason:
            return (
                f"The job database {self.shown_url} can't be written to: the disk is full. Free some space, for "
                "example by deleting runs and the store's cache folder."
            )
        return (
            f"The job database {self.shown_url} can't be used: {reason}. Check that it exists and is "
            "writable, or set FERSCOPE_DATABASE_URL (empty is SQLite in the store)."
        )


def upgrade_schema(engine: Engine) -> None:
    """Create the table, or add the columns that a table of an older version lacks."""
    inspector = inspect(engine)
    if not inspector.has_table(JOBS.name):
        with engine.begin() as connection:
            connection.execute(CreateTable(JOBS, if_not_exists=True))
        return
    existing = {column["name"] for column in inspector.get_columns(JOBS.name)}
    missing = [column for column in JOBS.columns if column.name not in existing]
    if missing:
        with engine.begin() as connection:
            for column in missing:
                definition = CreateColumn(column).compile(dialect=engine.dialect)
                connection.execute(text(f"ALTER TABLE {JOBS.name} ADD COLUMN {definition}"))


def _database_url(settings: Settings) -> URL:
    """Parse the database's URL; a relative SQLite path is relative to the store."""
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
            f"FERSCOPE_DATABASE_URL={settings.jobs_url!r} is an in-memory database, which other processes can't "
            "open. Give a file, or leave it empty for SQLite in the store."
        )
    if str(url.database).startswith("file:"):
        return url
    return url.set(database=str(settings.store / str(url.database)))


def _tune_sqlite(connection: Any, _record: PoolProxiedConnection) -> None:
    """Use WAL, which allows reading during a write; synchronous=NORMAL is safe with it and saves an fsync per write."""
    try:
        with closing(connection.cursor()) as cursor:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=NORMAL")
    except Exception:  # whatever it is, nobody else closes this connection; raised again
        connection.close()
        raise


def _first_line(exc: BaseException) -> str:
    """The first line of an error message, without the full stop."""
    lines = str(exc).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(exc).__name__
