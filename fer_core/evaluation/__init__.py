"""Evaluation: predictions, calibration, reports and robustness."""
