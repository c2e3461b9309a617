"""A person's edits to a dataset's labels, kept beside the source and never in it."""
