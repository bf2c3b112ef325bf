"""Compiled kernels of float32 for NumPy arrays, with a pure twin for each."""
