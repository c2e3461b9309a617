"""Config of the network, validated against the catalog."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationInfo, field_validator

from fer_core.errors import ConfigError
from fer_core.files.strict_model import StrictModel
from fer_core.models.catalog import MODELS


class ModelConfig(StrictModel):
    """A network and its options; those that are omitted or null have the network's defaults.

    `size_px` is the side of the input.
    """

    name: str = "small-se-resnet"
    width: int | None = None
    dropout_01: float | None = None
    drop_block_01: float | None = None
    pretrained: bool | None = None
    frozen: bool | None = None
    size_px: int | None = None

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if name not in MODELS:
            raise ValueError(f"unknown model; choose one of: {', '.join(MODELS)}")
        return name

    @field_validator("width", "dropout_01", "drop_block_01", "pretrained", "frozen", "size_px")
    @classmethod
    def _check_option(cls, value: object, others: ValidationInfo) -> object:
        info = MODELS.get(others.data.get("name", ""))
        if info and value is not None:
            try:
                info.resolve_options({str(others.field_name): value})
            except ConfigError as exc:
                raise ValueError(str(exc).rstrip(".")) from exc
        return value

    def options(self) -> dict[str, Any]:
        """The options that are set."""
        return self.model_dump(exclude={"name"}, exclude_none=True)
