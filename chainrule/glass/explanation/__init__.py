"""The worked example of a model: every step of it as data, and how it is written."""
