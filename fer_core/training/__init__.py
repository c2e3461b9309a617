"""Training: config, augmentation, losses and the trainer. Only `config` works without torch."""
