"""The database table of jobs, and its upgrade from older versions."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
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
    false,
    inspect,
    text,
)
from sqlalchemy.schema import CreateColumn, CreateTable


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
    Column("state", String(16), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("heartbeat_at", UtcDateTime),
    Column("pid", Integer),
    Column("pid_started_at", Double),
    Column("exit_code", Integer),
    Column("progress_01", Double, nullable=False),
    Column("message", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("cancel_requested", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
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
