"""A sample dataset of synthetic faces with one click, for whoever has no data at hand."""

from __future__ import annotations

from itertools import count

import streamlit as st

from fer_core.data.catalog import list_datasets
from fer_core.data.ingest.import_folder import list_imports
from fer_core.data.synthetic.dataset import SYNTHETIC_FACES
from fer_core.jobs.job import ACTIVE_STATES, JobKind
from fer_core.jobs.submit import submit_synthetic
from fer_core.settings import settings
from fer_ui.errors import show_errors
from fer_ui.navigation import Page, go_to
from fer_ui.resources import job_store

SAMPLE_IMAGES = 4_000
SAMPLE_NOTE = f"{SAMPLE_IMAGES:,} synthetic faces in about a minute; they show no real person."


def show_sample_button(key: str = "generate-sample", *, primary: bool = False) -> None:
    """Show a button that generates the sample dataset and goes to its progress; every page may show one.

    Args:
        key: of the button, unique on the page.
        primary: whether it is the main action of its view.
    """
    if st.button(
        "Generate sample dataset",
        key=key,
        icon=":material/auto_awesome:",
        type="primary" if primary else "secondary",
        help=SAMPLE_NOTE,
    ):
        with show_errors():
            generate_sample(SAMPLE_IMAGES, free_sample_id())


def generate_sample(total: int, dataset_id: str) -> None:
    """Start to generate `total` faces and go to the job's progress; if a sample is being generated, go to that.

    Raises:
        InputError: the id is not valid.
    """
    running = next((job for job in job_store().list(states=ACTIVE_STATES) if job.kind is JobKind.GENERATE), None)
    job = running or submit_synthetic(dataset_id, total, settings())
    go_to(Page.DATASETS, job=job.id)


def free_sample_id() -> str:
    """Find an id for the sample that no dataset and no import has: "synthetic-faces-2"."""
    taken = {dataset.id for dataset in list_datasets(settings())} | {work.id for work in list_imports(settings())}
    candidates = (SYNTHETIC_FACES if number == 1 else f"{SYNTHETIC_FACES}-{number}" for number in count(1))
    return next(candidate for candidate in candidates if candidate not in taken)
