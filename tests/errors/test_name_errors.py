"""Mistakes with the operations and layers that go by PyTorch's names; the whole text."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn

X = np.arange(6.0).reshape(2, 3)
MISTAKES = [
    (lambda: cr.glu(X), "glu cuts axis 1 in halves, but it has 3 entries.\n  input   (2, 3)"),
    (lambda: cr.quantile(X, 1.5), "Quantiles are asked for at shares between 0 and 1, got 1.5."),
    (lambda: cr.median(X[:0]), "There is no quantile of no entries.\n  input   (0,)"),
    (lambda: cr.kthvalue(X, 4), "There are 3 entries along axis 1 of shape (2, 3), not 4."),
    (
        lambda: cr.searchsorted(X, np.zeros((3, 2))),
        "Values (3, 2) have other rows than the sorted ones, (2, 3).",
    ),
    (lambda: cr.cov(X[None]), "Covariances are of variables in rows, (variables, n), got (1, 2, 3)."),
    (lambda: cr.diff(X, -1), "Differences are taken n ≥ 0 times, not -1."),
    (
        lambda: cr.cross(X, X, 0),
        "A vector product is of vectors with 3 entries; axis 0 of (2, 3) differs.",
    ),
    (lambda: cr.matrix_power(X, 2), "Powers are of square matrices, the shape is (2, 3)."),
    (lambda: cr.block_diag(), "block_diag needs a matrix at least."),
    (lambda: cr.block_diag(X, X[0]), "Blocks are matrices, one has the shape (3,)."),
    (lambda: cr.vander(X), "A Vandermonde matrix is of a vector, the shape is (2, 3)."),
    (lambda: cr.randint(3, 3, (2,)), "There is no integer from 3 up to 3, which is left out."),
    (lambda: cr.meshgrid(X[0], indexing="yx"), "There is no indexing 'yx'.\n  known   ij, xy"),
    (lambda: cr.meshgrid(X), "A grid is made of vectors, one has the shape (2, 3)."),
    (lambda: cr.narrow(X, 1, 2, 2), "Axis 1 of (2, 3) has no 2 entries from 2 on."),
    (lambda: cr.tensor_split(X, 0), "There is no cutting into 0 parts."),
    (
        lambda: cr.pixel_shuffle(np.zeros((1, 6, 2, 2)), 2),
        "pixel_shuffle by 2 takes a multiple of 4 channels, got 6.\n  input   (1, 6, 2, 2)",
    ),
    (
        lambda: cr.pixel_unshuffle(np.zeros((1, 1, 2, 3)), 2),
        "pixel_unshuffle by 2 takes multiples of it as height and width, got 2 and 3.\n  input   (1, 1, 2, 3)",
    ),
    (
        lambda: cr.channel_shuffle(np.zeros((1, 5, 2)), 2),
        "5 channels do not divide into 2 groups.\n  input   (1, 5, 2)",
    ),
    (lambda: nn.Hardtanh(1, -1), "Hardtanh cuts off at a lower and a higher number, got 1 and -1."),
    (lambda: nn.Softshrink(-1), "Softshrink takes a limit of at least 0, got -1."),
    (lambda: nn.RReLU(0.5, 0.1), "RReLU draws slopes between a lower and a higher number, got 0.5 and 0.1."),
    (lambda: nn.CELU(0), "CELU divides by alpha, which is 0."),
    (
        lambda: nn.Softmax2d()(X),
        "Softmax2d expects images (n, c, height, width), got (2, 3).\n  layer   Softmax2d()",
    ),
    (lambda: nn.PixelShuffle(0), "PixelShuffle takes a whole number from 1 on, got 0."),
    (
        lambda: nn.Bilinear(0, 1, 2),
        "Bilinear needs two inputs and an output at least, got Bilinear(0, 1, 2).",
    ),
    (
        lambda: nn.Bilinear(3, 4, 2)(X, X),
        "Bilinear expects 3 and 4 input features.\n  layer   Bilinear(3 and 4 → 2)\n  input   (2, 3) and (2, 3)",
    ),
]


@pytest.mark.parametrize(("call", "text"), MISTAKES, ids=[text.split(".")[0][:40] for _, text in MISTAKES])
def test_mistakes_are_named(call, text):
    with pytest.raises(cr.ChainruleError) as caught:
        call()
    assert str(caught.value) == text
