"""Reading and writing files: atomic writes, validated JSON, CSV for spreadsheets."""
