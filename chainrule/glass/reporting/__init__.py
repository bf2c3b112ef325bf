"""A page about a run: what it was trained on, how it went, what it gets wrong, and how to do it again."""
