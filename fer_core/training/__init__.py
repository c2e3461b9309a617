"""Training: config, data loader, augmentation, losses, trainer. `config` needs no torch."""
