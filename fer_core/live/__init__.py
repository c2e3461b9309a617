"""Live video: analyse the newest frame beside the display, never in front of it."""
