"""Charts of a training, epoch by epoch."""
