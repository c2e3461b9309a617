"""The form that starts trainings: everything the engine can do, and before it the few choices that matter.

    source          what is begun with: a preset, or a run that is copied
    network         the network, its costs and its options
    groups          the other options, folded away
    estimate_view   time and memory, measured before the start
    command         the same as a command and a file

A link to the form can carry the dataset, a preset or a run, a remedy for imbalance, an augmentation recipe, a way of
dividing the images, and whether ambiguous ones are left out; what is chosen of these is in the address too.
"""

from fer_ui.training.form.form import TrainingRequest, training_form

__all__ = ["TrainingRequest", "training_form"]
