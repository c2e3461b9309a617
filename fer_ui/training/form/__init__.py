"""The form that starts trainings; links can preset its values."""
