"""The evaluation report: one HTML file with every figure and table, and a PDF of it."""
