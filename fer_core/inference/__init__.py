"""Inference without torch: decode an image, detect faces, classify each with a bundle."""
