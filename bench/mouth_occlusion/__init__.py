"""Fitting and testing the mouth-occlusion network, with real and synthetic occlusions."""
