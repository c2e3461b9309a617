"""The `datasets` command and its actions."""
