"""Quality checks of a dataset: unreadable, blank, blurred, mislabeled and faceless images."""
