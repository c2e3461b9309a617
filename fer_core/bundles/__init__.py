"""Bundles, models as folders of plain files: open, list, export, import, verify and quantize them."""
