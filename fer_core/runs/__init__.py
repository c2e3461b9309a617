"""Run folders: their files, and what people write about them."""
