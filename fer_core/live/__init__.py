"""Live video: a worker thread analyzes the newest frame while every frame is shown."""
