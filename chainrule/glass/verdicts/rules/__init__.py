"""Rules: each looks at a case for one thing that may be wrong, and gives a verdict or None."""
