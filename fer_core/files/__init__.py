"""Read and write files: atomic writes, locks, downloads, validated JSON, CSV for spreadsheets, old names."""
