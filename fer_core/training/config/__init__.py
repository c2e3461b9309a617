"""The configuration of a training run: validated, frozen, and read from YAML."""
