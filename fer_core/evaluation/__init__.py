"""Evaluation: from a table of predictions to calibration and a report."""
