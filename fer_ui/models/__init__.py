"""The parts of the Models page: one model's figures and files, and how a model comes in."""
