"""Rows of label files that give one face two expressions: nobody can tell which is meant."""

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
    """What to say of each row whose face another row gives another expression; "" of all others.

    Args:
        index: with `path`, `label` and, where faces are cut out of images, their boxes. Rows without a label don't
            contradict any.
    Returns:
        text, with the index of `index`.
    """
    said = pd.Series("", index=index.index, dtype=object)
    labeled = index[index["label"].notna()]
    face = ["path", *(name for name in BOX_COLUMNS if name in index)]
    repeated = labeled[labeled.duplicated(face, keep=False)]
    if repeated.empty:
        return said
    by_face = repeated.groupby(face, dropna=False)["label"]
    differing = repeated[by_face.transform("nunique") > 1]
    if differing.empty:
        return said
    words = differing.groupby(face, dropna=False)["label"].transform(lambda labels: join_words(sorted(set(labels))))
    said[differing.index] = "the label file has it twice, as " + words
    return said


def find_conflicts_in_parts(parts: Sequence[Path]) -> pd.Series:
    """`find_conflicts` of an index in parts, its rows numbered from 0 through all of them."""
    wanted = ("path", "label", *BOX_COLUMNS)
    there = ([name for name in pq.read_schema(part).names if name in wanted] for part in parts)
    tables = [pq.read_table(part, columns=names).to_pandas() for part, names in zip(parts, there, strict=True)]
    return find_conflicts(pd.concat(tables, ignore_index=True))


def add_problems(rows: pa.Table, said: NDArray[np.object_]) -> pa.Table:
    """Rows of an index with what is said of them as their problem, where they have no other."""
    if not said.any():
        return rows
    problems = rows["problem"].to_pandas().to_numpy(object)
    column = pa.array(np.where(problems == "", said, problems), rows.schema.field("problem").type)
    return rows.set_column(rows.schema.get_field_index("problem"), rows.schema.field("problem"), column)
