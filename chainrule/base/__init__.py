"""Ground: errors, random keys, files, settings. Knows nothing of networks."""
