"""The numbers of a rule, put in, computed: what `explain` prints behind the signs of equality has one value."""

import re

import numpy as np

WORDS = {
    r"\cdot": "@",
    r"\odot": "*",
    r"\sigma(": "sigmoid(",
    r"\tanh(": "tanh(",
    r"\operatorname{ReLU}(": "relu(",
    r"\operatorname{softmax}(": "softmax(",
}


class Matrix(np.ndarray):
    """An array whose product with a number is that of NumPy's `*`."""

    def __matmul__(self, other):
        if np.size(self) == 1 or np.size(other) == 1:
            return (np.asarray(self) * np.asarray(other)).view(Matrix)
        return np.matmul(np.asarray(self), np.asarray(other)).view(Matrix)


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


FUNCTIONS = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "softmax": softmax,
    "rowsum": lambda a: a.sum(-1, keepdims=True),
    "sqrt": np.sqrt,
}


def values(formula):
    """The value of every line of a formula: it may go on behind signs of equality."""
    return [_value(line) for line in _lines(formula)]


def _lines(formula):
    lines = [[]]
    for part in formula:
        if isinstance(part, str) and part == "=":
            lines.append([])
        else:
            lines[-1].append(part)
    return lines


def _value(line):
    arrays, words = {}, []
    for i, part in enumerate(line):
        if isinstance(part, str):
            written = part
            for latex, word in WORDS.items():
                written = written.replace(latex, word)
            words.append(re.sub(r"\\sqrt\{(\d+)\}", r"sqrt(\1)", written))
        else:
            arrays[f"m{i}"] = np.atleast_2d(np.asarray(part, float)).view(Matrix)
            words.append(f"m{i}")
    return np.asarray(eval(" ".join(words), {"__builtins__": {}}, arrays | FUNCTIONS))


def check(step, rtol=1e-9):
    """Every line of a step's numbers has the step's value."""
    for value in values(step.substituted):
        expected = np.asarray(step.value)
        np.testing.assert_allclose(
            value.reshape(expected.shape), expected, rtol=rtol, atol=1e-12, err_msg=f"{step.name}: {step.rule}"
        )
