"""Decoded images for training: a packed array on disk, or a stream where that would not fit."""
