"""The list of all runs, and several of them compared."""
