"""The command line. Results go to standard output, messages and progress to standard error."""
