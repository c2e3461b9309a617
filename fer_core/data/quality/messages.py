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
"""What to do about a finding; "look" leaves the decision to the user."""


class FindingKind(StrEnum):
    """What can be wrong with a dataset, the most severe first."""

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
    """The texts of a finding; the remedy is what a page offers first."""

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
        "The file is missing, empty or no image that can be decoded. The column problem says which.",
        "Bring the files back and import again, or exclude them. Training leaves them out in any case.",
        "exclude",
    ),
    _K.DUPLICATE_ACROSS_SPLITS: Message(
        "The same image in two splits",
        f"The same pixels, or {_NEARLY}, or flipped, rotated or cropped ones, in more than one of training, validation "
        "and test. A model has then seen images that it is evaluated on, and its scores come out too high.",
        "Exclude the copies, but keep those in test, then those in validation. Training on the published split "
        "already excludes copies of validation and test images.",
        "exclude",
    ),
    _K.IDENTITY_ACROSS_SPLITS: Message(
        "The same person in two splits",
        "An identity that the dataset gives is in more than one of training, validation and test. A model may then "
        "know the face instead of the expression.",
        "Exclude these people from training and keep them in validation and test, or choose a seeded split, which "
        "keeps people together.",
        "exclude",
    ),
    _K.CONFLICT: Message(
        "The same face under different labels",
        f"Images joined by the same pixels, or by {_NEARLY}, whose labels differ. At least one of them is wrong, or "
        "the expression is open to doubt, or they are frames of one shot in which it changes. Images that are marked "
        "as ambiguous are passed over.",
        "Look at the pairs: relabel what is clearly wrong, and mark as ambiguous what is not clear.",
        "mark_ambiguous",
    ),
    _K.EXACT_DUPLICATE: Message(
        "Exact duplicates",
        "The same pixels more than once (equal SHA-256 of the decoded image). Each copy counts again in training and "
        "in every score.",
        "Exclude all but one of each. The one that is kept is in test or validation where there is one.",
        "exclude",
    ),
    _K.NEAR_DUPLICATE: Message(
        "Near duplicates",
        f"Other pixels, but {_NEARLY}: the same picture scaled, compressed, brightened, with a watermark or (most of "
        "them) cropped by a pixel or two, or frames of one shot. Flipped, rotated and cropped ones are a finding "
        "of their own.",
        "Look at the pairs, those of the lowest correlation with most care, and exclude all but one of each.",
        "exclude",
    ),
    _K.AUGMENTED_COPY: Message(
        "Augmented copies",
        "The same picture flipped, rotated, cropped or shifted a little: when aligned, the centers of the two "
        f"correlate by {SHARP_SIMILARITY_MIN:g} or more, fine structure counting as much as coarse. Which copies are "
        "searched, and which can be missed, stands above.",
        "Look at the pairs, and exclude all but one of each, or the training image where the other is in validation or "
        "test.",
        "exclude",
    ),
    _K.BLANK: Message(
        "Blank",
        f"The gray levels vary by less than {BLANK_CONTRAST:g} of 255 (standard deviation): the image shows nothing.",
        "Exclude them.",
        "exclude",
    ),
    _K.NO_FACE: Message(
        "No face found",
        "The face detector found no face. It misses faces that fill the whole image, are small, turned away or "
        "covered, so that this is a hint and no proof.",
        "Look through them and exclude images without a face.",
        "look",
    ),
    _K.TINY: Message(
        "Tiny",
        f"The shorter side is below {TINY_PX} pixels: most of what a model gets is made up by enlarging.",
        "Look whether the expression can be read, and exclude images where it can't.",
        "look",
    ),
    _K.DARK: Message(
        "Under-exposed",
        f"Even the lights are dark (mean and two standard deviations of the gray levels below {DARK_BELOW:g} of 255), "
        f"or {CLIPPED_01:.0%} of the pixels are black and the mean is below {DARK_MEAN_BELOW:g}. Dark skin is no "
        "fault: what counts is whether the face can be read.",
        "Look before you exclude any: leaving out whole groups of people would cost more than dark pictures do.",
        "look",
    ),
    _K.BRIGHT: Message(
        "Over-exposed",
        f"Even the shadows are pale (mean less two standard deviations of the gray levels above {BRIGHT_ABOVE:g} of "
        f"255), or {CLIPPED_01:.0%} of the pixels are white and the mean is above {BRIGHT_MEAN_ABOVE:g}. Drawings on "
        "white paper are found too.",
        "Look whether the face can be read, and exclude where it can't.",
        "look",
    ),
    _K.BLURRED: Message(
        "Blurred against their class",
        "The sharpness (variance of the Laplacian) is far below that of other images of the same class and size: its "
        f"logarithm lies {BLURRED_Z:g} robust standard deviations below their median, with and without the contrast "
        f"divided out. Classes with fewer than {CLASS_MIN} images of a size are compared with all images of that size.",
        "Look whether the expression can be read. Some blur does a model good, if the photos to come are blurred too.",
        "look",
    ),
    _K.NAME_ACROSS_SPLITS: Message(
        "The same file name in two splits",
        "Files of one name are in more than one of training, validation and test. That may be one image stored twice, "
        "or no more than a numbering that starts anew in each folder.",
        "Look at some pairs. Pictures that are the same are found as duplicates too.",
        "look",
    ),
}
