"""A process that is ready to run short commands."""
