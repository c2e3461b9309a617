"""Where things are and how large they may be: every setting, read once from `FERSCOPE_…` variables."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from fer_core.errors import SettingsError

MIB = 2**20


class Settings(BaseSettings):
    """All settings. Each is an environment variable: `home` is `FERSCOPE_HOME`, and so on; an empty one is not set."""

    model_config = SettingsConfigDict(env_prefix="FERSCOPE_", env_ignore_empty=True, frozen=True, extra="ignore")

    home: Path = Field(Path("~/.ferscope"), description="The store: datasets, runs, models, jobs.")
    database_url: str = Field("", description="SQLAlchemy URL of the job database; empty is SQLite in the store.")
    yunet: Path | None = Field(None, description="A YuNet ONNX file to detect faces with.")
    detector: Literal["auto", "yunet", "haar"] = Field("auto", description="Which face detector to use.")
    offline: bool = Field(False, description="Never try to fetch anything, not even the face detector.")
    threads: int = Field(0, ge=0, le=256, description="Threads a training process may use; 0 is all cores.")
    jobs_at_once: int = Field(1, ge=1, le=64, description="Jobs that run on the processor at the same time.")
    gpu_jobs_at_once: int = Field(1, ge=1, le=64, description="Jobs that run on each GPU at the same time.")
    heartbeat_s: float = Field(2.0, gt=0, le=60, description="Seconds between two signs of life of a job.")
    cancel_grace_s: float = Field(20.0, ge=0, le=600, description="Seconds a job has to stop by itself.")
    stalled_after_s: float = Field(
        120.0, gt=0, le=86_400, description="Seconds without a batch after which a training may count as stalled."
    )
    resume_stalled: bool = Field(True, description="End a stalled training and resume it, once.")
    image_bytes_max: int = Field(64 * MIB, gt=0, description="Largest image file that is opened.")
    image_pixels_max: int = Field(100_000_000, gt=0, description="Largest image, width times height.")
    archive_bytes_max: int = Field(64 * 2**30, gt=0, description="Largest sum of unpacked archive members.")
    archive_members_max: int = Field(5_000_000, gt=0, description="Most members in an archive.")
    archive_ratio_max: float = Field(200.0, gt=1, description="Largest ratio of unpacked to packed size.")
    pack_bytes_max: int = Field(32 * 2**30, ge=0, description="Largest packed dataset; a larger one is streamed.")
    ice_servers: str = Field("", description="STUN and TURN servers of the live view, as a JSON list.")
    token: str = Field(
        "",
        repr=False,
        description="What visitors must give once, 16 or more characters. Empty: only where other machines can reach "
        "the app is one asked for, made at each start.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="What logs say.")

    @property
    def store(self) -> Path:
        """The store's folder, absolute."""
        return self.home.expanduser().absolute()

    @property
    def datasets_dir(self) -> Path:
        """Imported datasets, a folder each."""
        return self.store / "datasets"

    @property
    def imports_dir(self) -> Path:
        """Imports that are not finished, a folder each."""
        return self.store / "imports"

    @property
    def runs_dir(self) -> Path:
        """Training runs, a folder each."""
        return self.store / "runs"

    @property
    def models_dir(self) -> Path:
        """Imported model bundles, a folder each."""
        return self.store / "models"

    @property
    def pretrained_dir(self) -> Path:
        """Published weights that trainings begin with; files may be put there by hand."""
        return self.store / "pretrained"

    @property
    def uploads_dir(self) -> Path:
        """Files a browser sent that no import has taken yet."""
        return self.store / "uploads"

    @property
    def cache_dir(self) -> Path:
        """What can be made again: packed datasets."""
        return self.store / "cache"

    @property
    def detectors_dir(self) -> Path:
        """Fetched face detectors."""
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
        SettingsError: a variable has a value that can't be used.
    """
    try:
        return Settings()
    except ValidationError as exc:
        first = exc.errors()[0]
        name = "FERSCOPE_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name}={first.get('input')!r} can't be used: {first['msg']}.") from exc
