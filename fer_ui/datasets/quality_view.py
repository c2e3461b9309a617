"""The quality of a dataset on a page: what was found, what was not looked at, and each finding with its images."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from fer_core.data.catalog import StoredDataset
from fer_core.data.corrections.corrections import Action
from fer_core.data.duplicates.signature import SIGNATURE
from fer_core.data.index.image_stats import MODE
from fer_core.data.quality.checks import Finding, FindingKind
from fer_core.data.quality.messages import MESSAGES
from fer_core.data.quality.report import QualityReport, finding_table, pair_table, rows_to_exclude
from fer_core.jobs.job import ACTIVE_STATES, JobKind
from fer_core.jobs.submit import submit_face_search
from fer_core.settings import settings
from fer_ui.chart_view import show_csv_download
from fer_ui.datasets.faces.corrections_view import Correction, show_correction_button, show_last_change
from fer_ui.datasets.faces.face_grid import show_faces, show_pairs
from fer_ui.datasets.reports import load_quality
from fer_ui.errors import show_errors
from fer_ui.escaping import escape_markdown
from fer_ui.formatting import count, images, percent
from fer_ui.header import Headline, headline, notice
from fer_ui.navigation import Page, go_to, link_to
from fer_ui.query_params import QueryParam, get_param
from fer_ui.resources import job_store, load_index

_HASH_BITS = 64
_DETECTORS = {"yunet": "YuNet", "haar": "the Haar cascade"}
_OF_COPIES = (FindingKind.EXACT_DUPLICATE, FindingKind.NEAR_DUPLICATE, FindingKind.AUGMENTED_COPY)
_CHOSEN, _SEEN = "finding", "finding-address"


def show_quality(dataset: StoredDataset) -> None:
    """What is wrong with a dataset, check by check, and the images of the finding that the address names."""
    report, detector = load_quality(dataset)
    said = st.container()
    _show_summary(dataset, report)
    if report.lacking:
        notice("info", describe_outdated_index(dataset.id, report.lacking))
    st.caption(escape_markdown(report.not_seen))
    finding = _checks(dataset, report)
    _show_downloads(dataset, report)
    with said:
        show_last_change(dataset, unless=[] if finding is None else [_key(dataset, finding)])
    if finding is not None:
        _show_finding(dataset, finding, report, detector)


def describe_outdated_index(dataset_id: str, lacking: Sequence[str]) -> str:
    """What an index lacks that an older version made, and how to make it again."""
    measured = [name for name in lacking if name != MODE]
    said = ["An older version of FERscope indexed this dataset."]
    if measured:
        near = ", above all near-duplicates" if SIGNATURE in measured else ""
        said.append(f"It did not measure {', '.join(measured)}, so that some images are missed{near}.")
    if MODE in lacking:
        said.append("It read transparent images, and those of more than 8 bits, otherwise than Predict reads them.")
    return f"{' '.join(said)} Measure it again with: python -m fer_core datasets index {dataset_id}"


def _show_summary(dataset: StoredDataset, report: QualityReport) -> None:
    """The sentence that the view opens with, and its numbers."""
    st.markdown(escape_markdown(summarize_quality(report)))
    undone = f"{len(report.unchecked)} could not be made, or not in full" if report.unchecked else "all were made"
    share = report.concerned / report.used if report.used else 0.0
    headline(
        [
            Headline(
                "Images with a finding", count(report.concerned), f"{percent(share)} of {count(report.used)} in use"
            ),
            Headline("Checks that found something", f"{len(report.findings)} of {len(FindingKind)}", undone),
            Headline("Excluded so far", count(dataset.n - report.used), f"of {images(dataset.n)}"),
        ]
    )


def summarize_quality(report: QualityReport) -> str:
    """How many images have a finding, and what matters most, in words."""
    if not report.used:
        return "Every image is excluded, so that there is nothing to check."
    if not report.findings:
        made = len(FindingKind) - len(report.unchecked)
        return f"Nothing was found: {made} of {len(FindingKind)} checks were made in full."
    gravest = report.findings[0]
    title = gravest.title[0].lower() + gravest.title[1:]
    if not report.concerned:
        return f"Nothing is wrong with any image. There is one hint: {title} ({images(len(gravest.rows))})."
    have = "has" if report.concerned == 1 else "have"
    return (
        f"{count(report.concerned)} of {images(report.used)} {have} at least one finding. What matters most: "
        f"{title} ({images(len(gravest.rows))})."
    )


def _checks(dataset: StoredDataset, report: QualityReport) -> Finding | None:
    """Every check and its result; one of those that found something is chosen, in the address."""
    with st.container(border=True, gap="small"):
        chosen = _choose(report)
        st.markdown("  \n".join(_without_finding(report)))
        if FindingKind.NO_FACE in report.unchecked:
            _show_face_search(dataset)
    return chosen


def _choose(report: QualityReport) -> Finding | None:
    """The finding that is pressed; the gravest to begin with."""
    found = {str(finding.kind): finding for finding in report.findings}
    if not found:
        return None
    asked = get_param(QueryParam.FINDING)
    if asked != st.session_state.get(_SEEN) or st.session_state.get(_CHOSEN) not in found:
        st.session_state[_CHOSEN] = asked if asked in found else next(iter(found))
    labels = {
        kind: f"{escape_markdown(each.title)}: **{_format_result(each, report)}**" for kind, each in found.items()
    }
    kind = st.radio("What was found", list(found), key=_CHOSEN, format_func=labels.__getitem__)
    if kind != (asked or next(iter(found))):
        st.query_params[QueryParam.FINDING] = kind
    st.session_state[_SEEN] = get_param(QueryParam.FINDING)
    return found[kind]


def _without_finding(report: QualityReport) -> list[str]:
    """The checks that found nothing, and those that had nothing to look at, as lines of Markdown."""
    rest = [kind for kind in FindingKind if report.find(kind) is None]
    nothing = "; ".join(MESSAGES[kind].title for kind in rest if kind not in report.unchecked)
    lines = [f":material/check: Nothing found: {escape_markdown(nothing)}."] if nothing else []
    return lines + [
        ":material/remove: " + escape_markdown(f"Not checked: {MESSAGES[kind].title} ({report.unchecked[kind]}).")
        for kind in rest
        if kind in report.unchecked
    ]


def _show_downloads(dataset: StoredDataset, report: QualityReport) -> None:
    if not report.findings:
        return
    index = load_index(dataset)
    with st.container(horizontal=True, gap="small"):
        show_csv_download(
            lambda: finding_table(report.findings, index), f"findings-{dataset.id}", "Findings as CSV", type="tertiary"
        )
        if any(finding.pairs is not None for finding in report.findings):
            show_csv_download(
                lambda: pair_table(report.findings, index), f"pairs-{dataset.id}", "Pairs as CSV", type="tertiary"
            )


def _format_result(finding: Finding, report: QualityReport) -> str:
    """What a check came to: "2,850 images in 2,282 pairs"."""
    words = images(len(finding.rows))
    if finding.pairs is not None:
        words += f" in {count(len(finding.pairs))} {'pair' if len(finding.pairs) == 1 else 'pairs'}"
    return f"{words}; {escape_markdown(report.unchecked[finding.kind])}" if finding.kind in report.unchecked else words


def _show_face_search(dataset: StoredDataset) -> None:
    """A button that starts the background job, or a link to the one that is under way."""
    waiting = job_store().list(kind=JobKind.QUALITY, target=dataset.id, states=ACTIVE_STATES, limit=1)
    if waiting:
        link_to(Page.DATASETS, "Faces are being searched for", dataset=dataset.id, section="quality", job=waiting[0].id)
    elif st.button("Look for faces", key="search-faces", icon=":material/frame_person:"):
        with show_errors():
            job = submit_face_search(dataset.id, settings())
            go_to(Page.DATASETS, dataset=dataset.id, section="quality", job=job.id)


def _show_finding(dataset: StoredDataset, finding: Finding, report: QualityReport, detector: str) -> None:
    st.subheader(f"{escape_markdown(finding.title)}: {_format_result(finding, report)}", anchor=False)
    searched = f" They were searched for with {_DETECTORS.get(detector, detector)}."
    by = searched if finding.kind is FindingKind.NO_FACE else ""
    st.markdown(escape_markdown(f"{finding.explanation}{by}"))
    st.markdown(escape_markdown(f"What to do: {finding.suggestion[0].lower()}{finding.suggestion[1:]}"))
    _show_fix(dataset, finding)
    index = load_index(dataset)
    key, reason = _key(dataset, finding), str(finding.kind)
    if finding.pairs is None:
        show_faces(dataset, index, key, reason=reason, places=finding.rows)
        return
    kinds = {"pairs": "Side by side", "images": "One by one"}
    how = st.segmented_control(
        "Show them", list(kinds), default="pairs", required=True, format_func=kinds.__getitem__, key=f"{key}-how"
    )
    if how == "images":
        show_faces(dataset, index, f"{key}-images", reason=reason, places=finding.rows)
    else:
        left, right = (index.iloc[finding.pairs[end]] for end in ("a", "b"))
        show_pairs(dataset, left, right, pair_notes(finding, left), f"{key}-pairs", reason=reason)


def _show_fix(dataset: StoredDataset, finding: Finding) -> None:
    """One button for all images of a finding, where the remedy needs no eye."""
    if finding.remedy == "look":
        return
    rows = rows_to_exclude(finding) if finding.remedy == "exclude" else finding.rows
    action = Action.EXCLUDE if finding.remedy == "exclude" else Action.AMBIGUOUS
    ids = load_index(dataset)["id"].iloc[rows].tolist()
    correction = Correction(action, ids, reason=str(finding.kind))
    words, key = _fix_label(finding, len(ids)), f"remedy-{finding.kind}"
    show_correction_button(dataset, words, correction, key=key, place="remedy", primary=True)


def _fix_label(finding: Finding, number: int) -> str:
    if finding.remedy == "mark_ambiguous":
        return f"Mark all {count(number)} as ambiguous"
    if finding.kind in _OF_COPIES:
        return f"Exclude all but one of each group ({images(number)})"
    if finding.kind is FindingKind.DUPLICATE_ACROSS_SPLITS:
        return f"Exclude the copies, keep those that judge ({images(number)})"
    if finding.kind is FindingKind.IDENTITY_ACROSS_SPLITS:
        return f"Exclude these people where they do not judge ({images(number)})"
    return f"Exclude all {count(number)}"


def pair_notes(finding: Finding, left: pd.DataFrame) -> list[str]:
    """What is said of each pair of a finding; plain text.

    Args:
        left: the first image of each pair, rows of the index.
    """
    assert finding.pairs is not None
    pairs = finding.pairs
    said = [
        _describe_similarity(bits, similarity)
        for bits, similarity in zip(pairs["bits"], pairs["similarity"], strict=True)
    ]
    if finding.kind is FindingKind.EXACT_DUPLICATE:
        return ["the same pixels"] * len(said)
    if finding.kind is FindingKind.IDENTITY_ACROSS_SPLITS:
        return [f"both are of {person}; {words}" for person, words in zip(left["identity"], said, strict=True)]
    return said


def _describe_similarity(bits: int, similarity: float) -> str:
    """How alike the images of a pair are: "alike: correlation 0.972; 6 of 64 bits differ"."""
    differ = f"{bits} of {_HASH_BITS} bits differ"
    return differ if pd.isna(similarity) else f"alike: correlation {similarity:.3f}; {differ}"


def _key(dataset: StoredDataset, finding: Finding) -> str:
    return f"{dataset.id}-{finding.kind}"
