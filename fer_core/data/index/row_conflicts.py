"""Find rows of label files that give one face different expressions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fer_core.data.index.images import BOX_COLUMNS
from fer_core.text import join_words


def find_conflicts(index: pd.DataFrame) -> pd.Series:
    """Describe the problem of each row whose face has another expression in another row; "" for other rows.

    Args:
        index: with `path`, `label` and, if faces are crops of images, their boxes. Rows without a label are ignored.
    Returns:
        text, with the index of `index`.
    """
    problems = pd.Series("", index=index.index, dtype=object)
    labeled = index[index["label"].notna()]
    face = ["path", *(name for name in BOX_COLUMNS if name in index)]
    repeated = labeled[labeled.duplicated(face, keep=False)]
    if repeated.empty:
        return problems
    by_face = repeated.groupby(face, dropna=False)["label"]
    differing = repeated[by_face.transform("nunique") > 1]
    if differing.empty:
        return problems
    labels = differing.groupby(face, dropna=False)["label"].transform(lambda labels: join_words(sorted(set(labels))))
    problems[differing.index] = "the label file has it twice, as " + labels
    return problems


def find_conflicts_in_chunks(chunks: Sequence[Path]) -> pd.Series:
    """Apply `find_conflicts` to an index in chunks, whose rows are numbered through."""
    columns = {"path", "label", *BOX_COLUMNS}
    tables = [pd.read_parquet(chunk, columns=[*columns.intersection(pq.read_schema(chunk).names)]) for chunk in chunks]
    return find_conflicts(pd.concat(tables, ignore_index=True))


def add_problems(rows: pa.Table, conflicts: NDArray[np.object_]) -> pa.Table:
    """Set the problem of rows that have a conflict and no other problem."""
    if not conflicts.any():
        return rows
    problems = rows["problem"].to_pandas().to_numpy(object)
    column = pa.array(np.where(problems == "", conflicts, problems), rows.schema.field("problem").type)
    return rows.set_column(rows.schema.get_field_index("problem"), rows.schema.field("problem"), column)
