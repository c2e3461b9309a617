"""Settings from `FERSCOPE_…` environment variables."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from fer_core.errors import SettingsError

MIB = 2**20


class Settings(BaseSettings):
    """All settings. `home` is the environment variable `FERSCOPE_HOME` and so on; an empty one counts as unset."""

    model_config = SettingsConfigDict(env_prefix="FERSCOPE_", env_ignore_empty=True, frozen=True, extra="ignore")

    home: Path = Field(Path("~/.ferscope"), description="The store: the folder with datasets, runs, models and jobs.")
    database_url: str = Field("", description="SQLAlchemy URL of the job database; if empty, SQLite.")
    yunet: Path | None = Field(None, description="YuNet ONNX file for face detection.")
    detector: Literal["auto", "yunet", "haar"] = Field("auto", description="Face detector: auto, yunet or haar.")
    offline: bool = Field(False, description="Never download anything, not even the face detector.")
    threads: int = Field(0, ge=0, le=256, description="CPU threads of a training; 0 for all cores.")
    jobs_at_once: int = Field(1, ge=1, le=64, description="Concurrent jobs on the CPU.")
    gpu_jobs_at_once: int = Field(1, ge=1, le=64, description="Concurrent jobs on each GPU.")
    heartbeat_s: float = Field(2.0, gt=0, le=60, description="Seconds between two progress reports of a job.")
    cancel_grace_s: float = Field(20.0, ge=0, le=600, description="Seconds until a cancelled job is killed.")
    stalled_after_s: float = Field(
        120.0, gt=0, le=86_400, description="Seconds without a finished batch before a training can count as stalled."
    )
    resume_stalled: bool = Field(True, description="Stop and resume a stalled training, once.")
    image_bytes_max: int = Field(64 * MIB, gt=0, description="Maximum size of an image file.")
    image_pixels_max: int = Field(100_000_000, gt=0, description="Maximum pixels of an image, width times height.")
    archive_bytes_max: int = Field(64 * 2**30, gt=0, description="Maximum unpacked size of an archive.")
    archive_members_max: int = Field(5_000_000, gt=0, description="Maximum number of files in an archive.")
    archive_ratio_max: float = Field(200.0, gt=1, description="Maximum ratio of unpacked to packed size.")
    pack_bytes_max: int = Field(32 * 2**30, ge=0, description="Maximum packed dataset; larger ones are streamed.")
    live_viewers: int = Field(0, ge=0, le=1000, description="Viewers of Live on the server at once; 0 for 2 a core.")
    ice_servers: str = Field("", description="STUN and TURN servers for Live, as a JSON list.")
    token: str = Field(
        "",
        repr=False,
        description="Access token of the app, at least 16 characters. If empty, the app makes one at each start when "
        "other machines can reach it.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Log level.")

    @property
    def store(self) -> Path:
        """The store's folder, absolute."""
        return self.home.expanduser().absolute()

    @property
    def datasets_dir(self) -> Path:
        """Imported datasets, one folder each."""
        return self.store / "datasets"

    @property
    def imports_dir(self) -> Path:
        """Unfinished imports, one folder each."""
        return self.store / "imports"

    @property
    def runs_dir(self) -> Path:
        """Training runs, one folder each."""
        return self.store / "runs"

    @property
    def models_dir(self) -> Path:
        """Imported model bundles, one folder each."""
        return self.store / "models"

    @property
    def pretrained_dir(self) -> Path:
        """Pretrained weights for initialization; files can be added by hand."""
        return self.store / "pretrained"

    @property
    def uploads_dir(self) -> Path:
        """Uploaded files that are not imported yet."""
        return self.store / "uploads"

    @property
    def cache_dir(self) -> Path:
        """Packed datasets and stored predictions; can be deleted at any time."""
        return self.store / "cache"

    @property
    def detectors_dir(self) -> Path:
        """Downloaded face detectors."""
        return self.store / "detectors"

    @property
    def logs_dir(self) -> Path:
        """Logs of the supervisor and of jobs that have no run folder."""
        return self.store / "logs"

    @property
    def jobs_url(self) -> str:
        """SQLAlchemy URL of the job database."""
        return self.database_url or f"sqlite:///{self.store / 'ferscope.db'}"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read on first use.

    Raises:
        SettingsError: a variable has an invalid value.
    """
    try:
        return Settings()
    except ValidationError as exc:
        first = exc.errors()[0]
        name = "FERSCOPE_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name}={first.get('input')!r} is invalid: {first['msg']}.") from exc
