"""The benchmark: the same training steps in Chainrule and in what people use today, side by side on this machine.

`python -m benchmarks` runs it; README.md says how to read it.
"""
