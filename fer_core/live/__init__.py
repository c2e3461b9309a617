"""Live video: analyze the newest frame beside the display, never in front of it."""
