"""The parts of the Predict page, a file each."""
