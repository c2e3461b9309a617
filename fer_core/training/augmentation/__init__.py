"""Random augmentation of training images, whole batches at a time."""
