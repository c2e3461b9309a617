"""Jobs on pages: rows, one job with its actions, the list, logs."""
