"""Decoded images for training: a packed array on disk, or a stream if that would be too large."""
