"""Models as folders of plain files (bundles): open, list, export, import, verify and quantize them."""
