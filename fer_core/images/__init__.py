"""Decoding image files: formats, orientation, transparency and bit depth."""
