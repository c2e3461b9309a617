"""The table that jobs are recorded in, and how one that an older version made is brought up to date."""

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
    """An aware time, kept as UTC: SQLite would otherwise lose the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC on the way in."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware, in UTC, on the way out."""
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
    # Columns from here on came later: each may be empty or has a default, as rows may be there without it.
    Column("device", String(16), nullable=False, server_default="cpu"),
    Column("from_start", Boolean, nullable=False, server_default=false()),
    Column("left_s", Double),
    Column("silent_s", Double, key="step_elapsed_s"),
    Column("stalled_after_s", Double),
    Column("pace_s", Double, key="usual_step_s"),
    Column("stalls", Integer, nullable=False, server_default="0"),
    Column("stall_noted", Boolean, key="stall_recorded", nullable=False, server_default=false()),
)


def bring_up_to_date(engine: Engine) -> None:
    """Make the table where there is none, and add the columns that an older version's table lacks."""
    look = inspect(engine)
    if not look.has_table(JOBS.name):
        with engine.begin() as connection:
            connection.execute(CreateTable(JOBS, if_not_exists=True))
        return
    there = {column["name"] for column in look.get_columns(JOBS.name)}
    missing = [column for column in JOBS.columns if column.name not in there]
    if missing:
        with engine.begin() as connection:
            for column in missing:
                definition = CreateColumn(column).compile(dialect=engine.dialect)
                connection.execute(text(f"ALTER TABLE {JOBS.name} ADD COLUMN {definition}"))
