"""The model card of a bundle, written as Markdown."""
