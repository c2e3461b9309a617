"""Parts of the Models page: metrics, files, import."""
