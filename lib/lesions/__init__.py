"""The thin library that the course's notebooks share. Each module does one thing."""

import os

# TensorFlow's start-up messages would stand in every notebook's output.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
