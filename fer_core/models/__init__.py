"""Networks: a short registry and a file for each architecture family. Needs torch."""
