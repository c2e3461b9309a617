"""Overview: contents of the store, next steps and system check."""

from __future__ import annotations

import streamlit as st

from fer_core.bundles.catalog import list_models
from fer_core.data.catalog import list_datasets
from fer_core.doctor import CheckResult
from fer_core.runs.folder import list_runs
from fer_core.settings import settings
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count
from fer_ui.frame.header import Headline, headline, page_header
from fer_ui.jobs.job_view import show_job_rows
from fer_ui.navigation import Page, link_to
from fer_ui.resources import doctor_findings, job_store

_CARDS_A_ROW = 3
_MARKS = {"good": ":material/check_circle:", "warning": ":material/warning:", "bad": ":material/error:"}


def main() -> None:
    page_header(
        "FERscope", "Facial expression recognition from dataset to live video, with the rare expressions in view."
    )
    datasets = list_datasets(settings())
    jobs = job_store().list(limit=200)
    active = sum(job.state.active for job in jobs)
    headline(
        [
            Headline("Datasets", format_count(len(datasets)), f"{format_count(sum(d.n for d in datasets))} images"),
            Headline("Runs", format_count(len(list_runs(settings())))),
            Headline("Jobs", format_count(len(jobs)), f"{format_count(active)} active"),
            Headline("Models", format_count(len(list_models(settings())))),
        ]
    )
    _show_steps(has_data=bool(datasets))
    if jobs:
        st.subheader("Recent jobs", anchor=False)
        show_job_rows(jobs[:5])
    st.subheader("System check", anchor=False)
    with show_errors():
        findings = doctor_findings()
        _show_findings(findings)


def _show_steps(*, has_data: bool) -> None:
    st.subheader("Next steps" if has_data else "First steps", anchor=False)
    steps = [
        (Page.PREDICT, "Upload a photo", "Each face is detected and classified by the model in use."),
        (Page.LIVE, "Open the webcam", "Live predictions on video. No frame is stored."),
        (
            Page.DATASETS,
            "Explore a dataset",
            "See its class imbalance and label quality. Import FER+ or generate synthetic faces.",
        ),
        (Page.TRAINING, "Train a model", "It runs in the background while you do something else."),
    ]
    if has_data:
        steps.append((Page.EVALUATION, "See the confusion matrix", "Which expressions a finished run confuses."))
    for first in range(0, len(steps), _CARDS_A_ROW):
        row = steps[first : first + _CARDS_A_ROW]
        for column, (page, label, text) in zip(st.columns(_CARDS_A_ROW), row, strict=False):
            with column, st.container(border=True, height="stretch", gap="xsmall"):
                link_to(page, label)
                st.caption(escape_markdown(text))


def _show_findings(findings: list[CheckResult]) -> None:
    for finding in sorted(findings, key=lambda finding: finding.status == "good"):
        st.markdown(f"{_MARKS[finding.status]} **{escape_markdown(finding.name)}**: {escape_markdown(finding.details)}")
        if finding.remedy and finding.status != "good":
            st.caption(escape_markdown(finding.remedy))


main()
