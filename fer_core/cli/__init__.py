"""The command line: everything a page can do, a command can do. Results on standard output, the rest on error."""
