"""What is said of each quality finding: what it is, how it was decided, what to do."""

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

Remedy = Literal["exclude", "relabel", "mark_ambiguous", "look"]
"""What can be done about a finding; "look" leaves it to the eye."""


class FindingKind(StrEnum):
    """What can be wrong with a dataset, the gravest first."""

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
    """A finding in words; the remedy is what a page offers first."""

    title: str
    explanation: str
    suggestion: str
    remedy: Remedy


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
        "The same image in two parts",
        f"The same pixels, or {_NEARLY}, or mirrored, turned or cropped ones, in more than one of training, validation "
        "and test. A model has then seen what "
        "it is judged on, and its figures come out too high.",
        "Exclude the copies and keep those of the test, then of the validation. Training on the published split "
        "leaves out copies of judged images by itself.",
        "exclude",
    ),
    _K.IDENTITY_ACROSS_SPLITS: Message(
        "The same person in two parts",
        "An identity that the dataset gives is in more than one of training, validation and test. A model may then "
        "know the face instead of the expression.",
        "Exclude such people from training and keep them where they judge, or choose a seeded split, which keeps "
        "people together.",
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
        "in every figure.",
        "Exclude all but one of each. The one that is kept is in the test or validation part where there is one.",
        "exclude",
    ),
    _K.NEAR_DUPLICATE: Message(
        "Near duplicates",
        f"Other pixels, but {_NEARLY}: the same picture scaled, compressed, brightened, with a watermark or (most of "
        "them) cropped by a pixel or two, or frames of one shot. Mirrored, turned and cropped ones are a finding "
        "of their own.",
        "Look at the pairs, those of the lowest correlation with most care, and exclude all but one of each.",
        "exclude",
    ),
    _K.AUGMENTED_COPY: Message(
        "Augmented copies",
        "The same picture mirrored, turned, cropped or shifted a little: laid on each other, the middles of the two "
        f"correlate by {SHARP_SIMILARITY_MIN:g} or more, small shapes counting as much as large ones. Which copies are "
        "looked for and which can't be seen is said above.",
        "Look at the pairs, and exclude all but one of each, or those that train where another one judges.",
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
        "Look through them and exclude what shows no face.",
        "look",
    ),
    _K.TINY: Message(
        "Tiny",
        f"The shorter side is below {TINY_PX} pixels: most of what a model gets is made up by enlarging.",
        "Look whether the expression can be read at all, and exclude where it can't.",
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
        "The same file name in two parts",
        "Files of one name are in more than one of training, validation and test. That may be one image stored twice, "
        "or no more than a numbering that starts anew in each folder.",
        "Look at some pairs. Pictures that are the same are found as duplicates too.",
        "look",
    ),
}
