"""The section Calibration: whether the confidence can be taken at its word, and what abstaining brings."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_core.evaluation.analysis.curves import confidence_table, coverage_curve
from fer_ui.chart_view import show_chart
from fer_ui.charts.calibration import calibration_table, describe_bias, reliability_diagram
from fer_ui.charts.evaluation.confidence import confidence_bars
from fer_ui.charts.evaluation.threshold_curves import coverage_chart, describe_coverage
from fer_ui.evaluation.evaluation import Evaluation
from fer_ui.frame.header import Headline, headline, notice
from fer_ui.frame.view_layout import chart_and_numbers, verdict
from fer_ui.model_choices import NOT_CALIBRATED


def show_calibration(evaluation: Evaluation) -> None:
    """Show the reliability diagram and, where every prediction is known, confidence and coverage."""
    report, images, predictions = evaluation.report, evaluation.images, evaluation.predictions
    table = calibration_table([report])
    view = chart_and_numbers("calibration")
    with view.numbers:
        if predictions is not None and not predictions.calibration.is_fitted:
            notice("warning", NOT_CALIBRATED)
        if not table.empty:
            verdict(describe_bias(report))
        unscaled = "" if report.ece_unscaled is None else f"before temperature scaling {report.ece_unscaled:.3f}"
        numbers = [Headline("Calibration error (ECE)", f"{report.ece:.3f}", unscaled)]
        if images is not None and predictions is not None:
            threshold = predictions.calibration.points[report.point].confidence_threshold
            curve = coverage_curve(images.labeled_predictions, threshold)
            numbers.append(Headline("Error-coverage area (AURC)", f"{curve.area:.3f}", "0 is perfect"))
            headline(numbers)
            st.markdown(describe_coverage(curve, threshold))
        else:
            st.markdown(f"Calibration error (ECE): **{report.ece:.3f}**")
        st.caption("ECE is the mean gap between confidence and accuracy. AURC is the mean error over all coverages.")
    with view.chart:
        show_chart(reliability_diagram([report]), f"calibration-{evaluation.key}", table=table)
    if images is None or predictions is None:
        return
    left, right = st.columns(2, gap="large")
    with left:
        counts = confidence_table(images.labeled_predictions)
        show_chart(confidence_bars(counts), f"confidence-{evaluation.key}", table=counts)
    with right:
        points = pd.DataFrame(curve._asdict())[["coverage", "accuracy", "threshold"]]
        show_chart(coverage_chart(curve, threshold), f"coverage-{evaluation.key}", table=points)
