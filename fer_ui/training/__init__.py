"""Parts of the Training page: the form, the run monitor, the list of runs."""
