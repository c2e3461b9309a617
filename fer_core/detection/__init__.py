"""Face detection with YuNet, or with OpenCV's Haar cascade where YuNet's file is missing."""
