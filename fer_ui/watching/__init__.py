"""The parts of the page of one training, a file each."""
