"""The form that starts trainings; links can preset the dataset, preset, run, rebalancing, policy and split."""
