"""Inference without torch: read an image, find the faces, read each face with a bundle."""
