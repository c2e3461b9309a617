"""Run folders, with notes and tags."""
