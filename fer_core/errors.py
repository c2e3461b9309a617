"""Every error FERscope raises on purpose.

FerscopeError
├── InputError                the caller can correct it; the command line exits with 2
│   ├── SettingsError         a FERSCOPE_ variable is wrong
│   ├── ConfigError           a training config is wrong (an unknown key, a value out of range)
│   ├── ManifestError         a dataset manifest is wrong
│   ├── DatasetError          a dataset's source can't be imported or is not in the store
│   │   ├── ArchiveError      not an archive, or an unsafe one
│   │   ├── LabelFileError    a label file lacks a column or has an unreadable value
│   │   └── LayoutUnknownError there are images, but no reader fits their files
│   ├── UnreadableImageError  a file is not an image, or not one within the limits
│   ├── EmptyCropError        a face box lies outside its image
│   ├── RunError              a run folder is missing, broken or not finished
│   ├── BundleError           a model can't be loaded or is inconsistent
│   └── JobError              a job's state does not allow an action
├── DetectorError             no face detector could be set up
└── CancelledError            the work was cancelled

Each message names the value, the limit and the remedy.
"""

from __future__ import annotations


class FerscopeError(Exception):
    """Base of all errors that FERscope raises on purpose; `str(error)` can be shown to the user."""

    exit_code = 1


class InputError(FerscopeError):
    """An input is wrong and the caller can correct it."""

    exit_code = 2


class SettingsError(InputError):
    """A setting from the environment is wrong."""


class ConfigError(InputError):
    """A training configuration is wrong."""


class ManifestError(InputError):
    """A dataset manifest is wrong."""


class DatasetError(InputError):
    """A dataset's source can't be imported, or the dataset is not in the store."""


class ArchiveError(DatasetError):
    """A file is not an archive, or it is unsafe."""


class LabelFileError(DatasetError):
    """A label file lacks a column or has an unreadable value."""


class LayoutUnknownError(DatasetError):
    """A dataset has images, but no reader fits its files; the user must choose a layout."""


class UnreadableImageError(InputError):
    """A file is not an image that can be read within the limits."""


class EmptyCropError(InputError):
    """A face box lies outside its image."""


class RunError(InputError):
    """A run folder is missing, broken, or not finished."""


class BundleError(InputError):
    """A model can't be loaded or is inconsistent."""


class JobError(InputError):
    """A job's state does not allow an action."""


class DetectorError(FerscopeError):
    """No face detector could be set up."""


class CancelledError(FerscopeError):
    """The work was cancelled."""

    exit_code = 75  # EX_TEMPFAIL: it can be resumed
