"""Jobs on pages: a row, one with its ways on, the whole list."""
