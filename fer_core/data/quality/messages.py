"""The title, explanation and suggestion of each quality finding."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from fer_core.data.duplicates.augmented_copies import SHARP_SIMILARITY_MIN
from fer_core.data.duplicates.duplicates import BLANK_CONTRAST, HASH_DISTANCE_MAX, SIMILARITY_MIN
from fer_core.data.quality.image_checks import (
    BLURRED_Z,
    BRIGHT_ABOVE,
    BRIGHT_MEAN_ABOVE,
    CLASS_MIN,
    CLIPPED_01,
    DARK_BELOW,
    DARK_MEAN_BELOW,
    TINY_PX,
)

SuggestedAction = Literal["exclude", "relabel", "mark_ambiguous", "look"]
"""What a page offers first; "look" leaves the decision to the user."""


class FindingKind(StrEnum):
    """Problems of a dataset, the most severe first."""

    UNREADABLE = "unreadable"
    DUPLICATE_ACROSS_SPLITS = "duplicate_across_splits"
    IDENTITY_ACROSS_SPLITS = "identity_across_splits"
    CONFLICT = "conflict"
    EXACT_DUPLICATE = "exact_duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    AUGMENTED_COPY = "augmented_copy"
    BLANK = "blank"
    NO_FACE = "no_face"
    TINY = "tiny"
    DARK = "dark"
    BRIGHT = "bright"
    BLURRED = "blurred"
    NAME_ACROSS_SPLITS = "name_across_splits"


@dataclass(frozen=True, slots=True)
class Message:
    """The texts of a finding, and the action that a page offers first."""

    title: str
    explanation: str
    suggestion: str
    suggested_action: SuggestedAction


_K = FindingKind
_NEARLY = (
    f"nearly the same ones (perceptual hashes within {HASH_DISTANCE_MAX} of 64 bits, and a correlation of "
    f"{SIMILARITY_MIN:g} or more between the blurred pictures)"
)

MESSAGES: dict[FindingKind, Message] = {
    _K.UNREADABLE: Message(
        "Unreadable",
        "The file is missing, empty or not an image that can be decoded. The column problem says which.",
        "Restore the files and import again, or exclude them. Training skips them in any case.",
        "exclude",
    ),
    _K.DUPLICATE_ACROSS_SPLITS: Message(
        "The same image in two splits",
        f"The same pixels, or {_NEARLY}, or flipped, rotated or cropped ones, in more than one of training, validation "
        "and test. The model is then evaluated on images it was trained on, and its metrics are too high.",
        "Exclude the copies, but keep those in test, then those in validation. Training on the published split "
        "already excludes copies of validation and test images.",
        "exclude",
    ),
    _K.IDENTITY_ACROSS_SPLITS: Message(
        "The same person in two splits",
        "The dataset lists this person in more than one of training, validation and test. A model may then recognize "
        "the person instead of the expression.",
        "Exclude these people from training and keep them in validation and test, or choose a seeded split, which "
        "keeps people together.",
        "exclude",
    ),
    _K.CONFLICT: Message(
        "The same face under different labels",
        f"Images with the same pixels, or {_NEARLY}, whose labels differ. A label is wrong, the expression is "
        "ambiguous, or it changes between frames of one shot. Images that are marked as ambiguous are skipped.",
        "Review the pairs: relabel what is clearly wrong, and mark as ambiguous what is unclear.",
        "mark_ambiguous",
    ),
    _K.EXACT_DUPLICATE: Message(
        "Exact duplicates",
        "The same pixels more than once (equal SHA-256 of the decoded image). Each copy counts again in training and "
        "in every metric.",
        "Exclude all but one of each. An image in test or validation is kept if there is one.",
        "exclude",
    ),
    _K.NEAR_DUPLICATE: Message(
        "Near duplicates",
        f"Other pixels, but {_NEARLY}: the same picture scaled, compressed, brightened, with a watermark or (mostly) "
        "cropped by a pixel or two, or frames of one shot. Flipped, rotated and cropped copies are a separate finding.",
        "Review the pairs, above all those with the lowest correlation, and exclude all but one of each.",
        "exclude",
    ),
    _K.AUGMENTED_COPY: Message(
        "Augmented copies",
        "The same picture flipped, rotated, cropped or shifted a little: once aligned, their centers correlate by "
        f"{SHARP_SIMILARITY_MIN:g} or more, with fine structure counting as much as coarse. The limits beside the "
        "findings say which copies are searched.",
        "Review the pairs, and keep one image of each; prefer the validation or test image.",
        "exclude",
    ),
    _K.BLANK: Message(
        "Blank",
        f"The gray levels vary by less than {BLANK_CONTRAST:g} of 255 (standard deviation).",
        "Exclude them.",
        "exclude",
    ),
    _K.NO_FACE: Message(
        "No face found",
        "The face detector found no face. It misses faces that fill the whole image, are small, turned away or "
        "covered, so this is only a hint.",
        "Review them and exclude images without a face.",
        "look",
    ),
    _K.TINY: Message(
        "Tiny",
        f"The shorter side is below {TINY_PX} pixels: most of the model's input is then interpolated.",
        "Review them and exclude images whose expression can't be read.",
        "look",
    ),
    _K.DARK: Message(
        "Under-exposed",
        f"Even the lights are dark (mean and two standard deviations of the gray levels below {DARK_BELOW:g} of 255), "
        f"or {CLIPPED_01:.0%} of the pixels are black and the mean is below {DARK_MEAN_BELOW:g}. Dark skin is no "
        "fault: what counts is whether the face can be read.",
        "Review them before you exclude any: losing whole groups of people would do more harm than dark images.",
        "look",
    ),
    _K.BRIGHT: Message(
        "Over-exposed",
        f"Even the shadows are pale (mean less two standard deviations of the gray levels above {BRIGHT_ABOVE:g} of "
        f"255), or {CLIPPED_01:.0%} of the pixels are white and the mean is above {BRIGHT_MEAN_ABOVE:g}. Drawings on "
        "white paper are found too.",
        "Review them and exclude images whose face can't be read.",
        "look",
    ),
    _K.BLURRED: Message(
        "Blurrier than their class",
        "The sharpness (variance of the Laplacian) is far below that of other images of the same class and size: its "
        f"logarithm is {BLURRED_Z:g} robust standard deviations below their median, with and without division by the "
        f"contrast. Classes with fewer than {CLASS_MIN} images of a size are compared with all images of that size.",
        "Review whether the expression can be read. Some blur helps a model that will see blurred photos.",
        "look",
    ),
    _K.NAME_ACROSS_SPLITS: Message(
        "The same file name in two splits",
        "Files of one name are in more than one of training, validation and test. They may be the same image, or "
        "each folder is numbered from the start.",
        "Review some pairs. The same images are also found as duplicates.",
        "look",
    ),
}
