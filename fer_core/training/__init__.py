"""Training: config, recipes, sampling, augmentation, losses, the trainer. Config and recipes work without torch."""
