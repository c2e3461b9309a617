"""Which of a source's tables holds the labels: the one, or the several alike, that label the most images."""

from __future__ import annotations

from fer_core.data.manifest import Manifest, TableColumns
from fer_core.data.readers import table as table_reader
from fer_core.data.sources.source import Source
from fer_core.errors import DatasetError

_TABLES_MAX = 24
"""Tables that are looked into; the images of more lie in files of their own."""

ENDINGS = (".csv", ".tsv", ".parquet")


def choose_columns(source: Source) -> TableColumns:
    """The columns of the table that labels the most images, as guessed; to be looked over by a person.

    Tables with the same columns, such as train.csv and test.csv, are read together where that labels more images.

    Raises:
        LabelFileError: there is no table, or none can be read as one.
    """
    found = [name for name in table_reader.find_tables(source.names()) if name.lower().endswith(ENDINGS)][:_TABLES_MAX]
    guesses = [guess for name in found if (guess := _guess(source, name))]
    if len(guesses) < 2:
        return guesses[0] if guesses else table_reader.guess_columns(source)
    labeled = {guess.table: labeled_images(source, guess) for guess in guesses}
    best = max(guesses, key=lambda guess: len(labeled[guess.table]))
    alike = [guess for guess in guesses if _shape(guess) == _shape(best)]
    together = best.model_copy(update={"table": "", "tables": tuple(guess.table for guess in alike)})
    if len(alike) > 1 and len(labeled_images(source, together)) > len(labeled[best.table]):
        return together
    return best


def labeled_images(source: Source, columns: TableColumns) -> set[str]:
    """The images that are there and to which a table gives a label; none where it can't be read."""
    manifest = Manifest(id="any", title="", summary="", license="", layout="table", columns=columns)
    try:
        records = table_reader.read(source, manifest)
        return {record.path for record in records if record.raw_label and not record.problem}
    except DatasetError:
        return set()


def _guess(source: Source, table: str) -> TableColumns | None:
    try:
        return table_reader.guess_columns(source, table)
    except DatasetError:
        return None


def _shape(columns: TableColumns) -> TableColumns:
    return columns.model_copy(update={"table": ""})
