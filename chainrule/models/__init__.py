"""Named architectures, one to a file, each readable alone."""
