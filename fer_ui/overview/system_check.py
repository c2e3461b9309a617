"""The system check, folded away unless something is bad."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from fer_core.doctor import CheckResult
from fer_ui.escaping import escape_markdown
from fer_ui.resources import doctor_findings

_MARKS = {"good": ":material/check_circle:", "warning": ":material/warning:", "bad": ":material/error:"}


def show_system_check() -> None:
    """Show the checks of the installation in an expander, open if one is bad."""
    findings = sorted(doctor_findings(), key=lambda finding: ("bad", "warning", "good").index(finding.status))
    with st.expander(describe_findings(findings), expanded=any(finding.status == "bad" for finding in findings)):
        for finding in findings:
            name, details = escape_markdown(finding.name), escape_markdown(finding.details)
            st.markdown(f"{_MARKS[finding.status]} **{name}**: {details}")
            if finding.remedy and finding.status != "good":
                st.caption(escape_markdown(finding.remedy))


def describe_findings(findings: Sequence[CheckResult]) -> str:
    """Summarize the checks as a title: "System check: 1 problem, 2 warnings"."""
    numbers = [
        f"{number} {noun if number == 1 else f'{noun}s'}"
        for status, noun in (("bad", "problem"), ("warning", "warning"))
        if (number := sum(finding.status == status for finding in findings))
    ]
    return f"System check: {', '.join(numbers) or 'all good'}"
