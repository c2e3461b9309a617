"""The section Quality: the result of every check, and each finding with its images."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.correction_log import Action
from fer_core.data.duplicates.dct_descriptor import SIGNATURE
from fer_core.data.index.image_stats import MODE
from fer_core.data.quality.checks import Finding
from fer_core.data.quality.messages import MESSAGES, FindingKind
from fer_core.data.quality.report import QualityReport, finding_table, pair_table, rows_to_exclude
from fer_core.jobs.job import ACTIVE_STATES, JobKind
from fer_core.jobs.submit import submit_face_search
from fer_core.settings import settings
from fer_core.text import lowercase_first
from fer_ui.chart_view import show_csv_download
from fer_ui.datasets.faces.corrections_view import Correction, show_correction_button, show_last_change
from fer_ui.datasets.faces.face_grid import show_faces, show_pairs
from fer_ui.datasets.reports import load_quality
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import format_count, format_images, format_percent
from fer_ui.frame.header import Headline, headline, notice
from fer_ui.frame.view_layout import verdict
from fer_ui.navigation import Page, go_to, link_to
from fer_ui.query_params import QueryParam, param_radio
from fer_ui.resources import job_store, load_index

_SHARES = (5, 13)
_PAIRS = "pairs"
_HASH_BITS = 64
_DETECTORS = {"yunet": "YuNet", "haar": "the Haar cascade"}
_OF_COPIES = (FindingKind.EXACT_DUPLICATE, FindingKind.NEAR_DUPLICATE, FindingKind.AUGMENTED_COPY)


def show_quality(dataset: StoredDataset) -> None:
    """Show the result of every check, and the images of the finding in the query string."""
    report, detector = load_quality(dataset)
    _show_summary(dataset, report)
    if report.missing_columns:
        notice("info", describe_outdated_index(dataset.id, report.missing_columns))
    with st.container(key="findings-and-faces"):
        checks, faces = st.columns(_SHARES, gap="medium")
    with checks:
        finding = _show_checks(dataset, report)
        _show_downloads(dataset, report)
    with faces:
        if finding is None:
            show_last_change(dataset)
        else:
            _show_finding(dataset, finding, report, detector)


def describe_outdated_index(dataset_id: str, missing_columns: Sequence[str]) -> str:
    """Describe what an index of an older version lacks, and how to update it."""
    measured = [name for name in missing_columns if name != MODE]
    sentences = ["This dataset was indexed by an older version of FERscope."]
    if measured:
        near = ", above all near-duplicates" if SIGNATURE in measured else ""
        sentences.append(f"It did not measure {', '.join(measured)}, so some images are missed{near}.")
    if MODE in missing_columns:
        sentences.append("It decoded transparent images, and those with more than 8 bits, differently from Predict.")
    return f"{' '.join(sentences)} Update it with: python -m fer_core datasets index {dataset_id}"


def _show_summary(dataset: StoredDataset, report: QualityReport) -> None:
    verdict(summarize_quality(report))
    incomplete = f"{len(report.unchecked)} incomplete" if report.unchecked else "all complete"
    share = report.n_flagged / report.n_included if report.n_included else 0.0
    headline(
        [
            Headline(
                "Images with a finding",
                format_count(report.n_flagged),
                f"{format_percent(share)} of {format_count(report.n_included)} in use",
            ),
            Headline("Checks with findings", f"{len(report.findings)} of {len(FindingKind)}", incomplete),
            Headline("Excluded", format_count(dataset.n - report.n_included), f"of {format_images(dataset.n)}"),
        ]
    )


def summarize_quality(report: QualityReport) -> str:
    """Describe how many images have a finding, and the most important one."""
    if not report.n_included:
        return "Every image is excluded, so there is nothing to check."
    if not report.findings:
        made = len(FindingKind) - len(report.unchecked)
        return f"No findings: {made} of {len(FindingKind)} checks were run in full."
    worst = report.findings[0]
    title = lowercase_first(worst.message.title)
    if not report.n_flagged:
        return f"No image has a problem. One note: {title} ({format_images(len(worst.rows))})."
    have = "has" if report.n_flagged == 1 else "have"
    return (
        f"{format_count(report.n_flagged)} of {format_images(report.n_included)} {have} at least one finding. Most "
        f"important: {title} ({format_images(len(worst.rows))})."
    )


def _show_checks(dataset: StoredDataset, report: QualityReport) -> Finding | None:
    chosen = _choose_finding(report)
    if FindingKind.NO_FACE in report.unchecked:
        _show_face_search(dataset)
    with st.expander("Other checks and limits"):
        st.markdown("  \n".join(_list_other_checks(report)))
        st.caption(escape_markdown(report.search_limits))
    return chosen


def _choose_finding(report: QualityReport) -> Finding | None:
    found = {str(finding.kind): finding for finding in report.findings}
    if not found:
        return None
    titles = {
        kind: f"{escape_markdown(each.message.title)}: **{_format_result(each, report)}**"
        for kind, each in found.items()
    }
    return found[param_radio("Findings", titles, QueryParam.FINDING)]


def _list_other_checks(report: QualityReport) -> list[str]:
    """List the checks without findings, and those not run, as lines of Markdown."""
    rest = [kind for kind in FindingKind if report.get(kind) is None]
    nothing = "; ".join(MESSAGES[kind].title for kind in rest if kind not in report.unchecked)
    lines = [f":material/check: No findings: {escape_markdown(nothing)}."] if nothing else []
    return lines + [
        ":material/remove: " + escape_markdown(f"Not checked: {MESSAGES[kind].title} ({report.unchecked[kind]}).")
        for kind in rest
        if kind in report.unchecked
    ]


def _show_downloads(dataset: StoredDataset, report: QualityReport) -> None:
    if not report.findings:
        return
    with st.container(horizontal=True, gap="small"):
        table = partial(finding_table, report.findings, load_index(dataset))
        show_csv_download(table, f"findings-{dataset.id}", "Findings as CSV", type="tertiary")
        if any(finding.pairs is not None for finding in report.findings):
            table = partial(pair_table, report.findings, load_index(dataset))
            show_csv_download(table, f"pairs-{dataset.id}", "Pairs as CSV", type="tertiary")


def _format_result(finding: Finding, report: QualityReport) -> str:
    """Format a check's result: "2,850 images in 2,282 pairs"."""
    result = format_images(len(finding.rows))
    if finding.pairs is not None:
        result += f" in {format_count(len(finding.pairs))} {'pair' if len(finding.pairs) == 1 else 'pairs'}"
    if limit := report.unchecked.get(finding.kind):
        result += f"; {escape_markdown(limit)}"
    return result


def _show_face_search(dataset: StoredDataset) -> None:
    if jobs := job_store().list(kind=JobKind.QUALITY, target=dataset.id, states=ACTIVE_STATES, limit=1):
        link_to(Page.DATASETS, "Face detection is running", dataset=dataset.id, section="quality", job=jobs[0].id)
    elif st.button("Detect faces", key="search-faces", icon=":material/frame_person:"):
        with show_errors():
            job = submit_face_search(dataset.id, settings())
            go_to(Page.DATASETS, dataset=dataset.id, section="quality", job=job.id)


def _show_finding(dataset: StoredDataset, finding: Finding, report: QualityReport, detector: str) -> None:
    key, reason, fix = _key(dataset, finding), str(finding.kind), partial(_show_fix, dataset, finding)
    version = dataset.corrections().version
    # The last correction may have made the finding go away whose bar would offer to undo it.
    show_last_change(dataset, unless=(f"{key}-",), made_at=f"{dataset.id}-")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title = f"{escape_markdown(finding.message.title)}: {_format_result(finding, report)}"
        st.subheader(title, anchor=False, width="content", help=escape_markdown(_explain(finding, detector)))
        in_pairs = finding.pairs is not None and _choose_layout(f"{key}-how") == _PAIRS
    st.markdown(escape_markdown(finding.message.suggestion))
    index, slot = load_index(dataset), f"quality-{dataset.id}"
    if in_pairs:
        assert finding.pairs is not None
        left, right = (index.iloc[finding.pairs[end]] for end in ("a", "b"))
        notes = pair_notes(finding, left)
        show_pairs(
            *(dataset, left, right, notes, f"{key}-pairs"), reason=reason, slot=slot, fix=fix, drawn_version=version
        )
    else:
        show_faces(
            *(dataset, index, key),
            reason=reason,
            positions=finding.rows,
            slot=slot,
            fix=fix,
            drawn_version=version,
        )


def _choose_layout(key: str) -> str:
    layouts = {_PAIRS: "Pairs", "images": "Single images"}
    chosen = st.segmented_control(
        "Layout",
        list(layouts),
        default=_PAIRS,
        required=True,
        format_func=layouts.__getitem__,
        key=key,
        label_visibility="collapsed",
    )
    return str(chosen)


def _explain(finding: Finding, detector: str) -> str:
    text = finding.message.explanation
    return f"{text} Detector: {_DETECTORS.get(detector, detector)}." if finding.kind is FindingKind.NO_FACE else text


def _show_fix(dataset: StoredDataset, finding: Finding) -> None:
    """Show a button that fixes all images of a finding, where no manual review is needed."""
    if finding.message.suggested_action == "look":
        return
    rows = rows_to_exclude(finding) if finding.message.suggested_action == "exclude" else finding.rows
    action = Action.EXCLUDE if finding.message.suggested_action == "exclude" else Action.AMBIGUOUS
    ids = load_index(dataset)["id"].iloc[rows].tolist()
    correction = Correction(action, ids, reason=str(finding.kind))
    label, key = _fix_label(finding, len(ids)), f"fix-{finding.kind}"
    if show_correction_button(dataset, label, correction, key=key, origin="fix", primary=True):
        st.rerun()  # the finding is gone


def _fix_label(finding: Finding, number: int) -> str:
    if finding.message.suggested_action == "mark_ambiguous":
        return f"Mark all {format_count(number)} as ambiguous"
    if finding.kind in _OF_COPIES:
        return f"Exclude all but one of each group ({format_images(number)})"
    if finding.kind is FindingKind.DUPLICATE_ACROSS_SPLITS:
        return f"Exclude copies, keep validation and test images ({format_images(number)})"
    if finding.kind is FindingKind.IDENTITY_ACROSS_SPLITS:
        return f"Exclude these people from training ({format_images(number)})"
    return f"Exclude all {format_count(number)}"


def pair_notes(finding: Finding, left: pd.DataFrame) -> list[str]:
    """Describe each pair of a finding.

    Args:
        left: rows of the index, the first image of each pair.
    """
    assert finding.pairs is not None
    pairs = finding.pairs
    similarities = list(map(_describe_similarity, pairs["bits"], pairs["similarity"]))
    if finding.kind is FindingKind.EXACT_DUPLICATE:
        return ["identical pixels"] * len(similarities)
    if finding.kind is FindingKind.IDENTITY_ACROSS_SPLITS:
        return [f"both show {name}; {text}" for name, text in zip(left["identity"], similarities, strict=True)]
    return similarities


def _describe_similarity(bits: int, similarity: float) -> str:
    """Describe the similarity of a pair: "correlation 0.972; 6 of 64 bits differ"."""
    differ = f"{bits} of {_HASH_BITS} bits differ"
    return differ if pd.isna(similarity) else f"correlation {similarity:.3f}; {differ}"


def _key(dataset: StoredDataset, finding: Finding) -> str:
    return f"{dataset.id}-{finding.kind}"
