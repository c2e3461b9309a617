"""The parts of the Live page, a file each."""
