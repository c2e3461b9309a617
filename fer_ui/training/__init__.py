"""The parts of the Training page: the form, the run monitor, and the list of runs."""
