"""What charts say of classes that have too few images to be ranked."""

from __future__ import annotations

from collections.abc import Mapping

from fer_core.labels import Expression
from fer_core.metrics import RANKED_IMAGES_MIN
from fer_core.text import join_words
from fer_ui.formatting import format_count


def describe_unranked(supports: Mapping[Expression, int]) -> str:
    """Name the classes that have images, but fewer than `RANKED_IMAGES_MIN`; "" if there are none.

    Args:
        supports: images of each class.
    """
    few = [f"{label.value} ({format_count(n)})" for label, n in supports.items() if 0 < n < RANKED_IMAGES_MIN]
    return f"Not ranked, with fewer than {RANKED_IMAGES_MIN} images: {join_words(few)}." if few else ""
