"""Where a dataset's files come from: folders, archives and URLs."""
