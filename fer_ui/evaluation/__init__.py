"""The parts of the Evaluation page, a file each."""
