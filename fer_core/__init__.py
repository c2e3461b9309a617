"""The engine of FERscope: facial expression recognition from dataset manifests to live video.

Data flows one way: manifest, index, split, packed dataset, trainer, run folder, evaluation, predictor.
Importing this package loads neither torch nor OpenCV.
"""

__version__ = "0.1.0"
