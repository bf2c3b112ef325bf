"""What Jacobians, spectra and noise scales say to what they cannot do; every message whole."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import glass, nn

X, Y = np.ones((4, 3)), np.arange(4) % 2
SEQUENCES = np.ones((4, 5, 3))


def model():
    return nn.Sequential(fc1=nn.Linear(3, 5), act=nn.Tanh(), fc2=nn.Linear(5, 2))


def frozen():
    return model().requires_grad_(False)


class Unused(nn.Module):
    def __init__(self):
        self.fc, self.spare = nn.Linear(3, 2), nn.Linear(3, 2)

    def forward(self, x):
        return self.fc(x)


class Padded(nn.Module):
    def __init__(self):
        self.rnn = nn.RNN(3, 2)

    def forward(self, x):
        return self.rnn(x, lengths=np.array([5, 4, 3, 2]))[1][0]


CASES = {
    "no layer": (
        lambda: glass.layer_jacobian(model(), X, "fc3"),
        cr.OptionError,
        "There is no layer 'fc3'.\n  known   fc1, act, fc2",
    ),
    "no module": (
        lambda: glass.network_jacobian(np.tanh, X),
        cr.OptionError,
        "A model is made of modules, got ufunc.\n  try     a cr.nn.Module",
    ),
    "a layer that is not called": (
        lambda: glass.layer_jacobian(Unused(), X, "spare"),
        cr.OptionError,
        "The model does not call the layer 'spare' on this input.",
    ),
    "named arguments": (
        lambda: glass.layer_jacobian(Padded(), SEQUENCES, "rnn"),
        cr.OptionError,
        "The layer is called with lengths: its Jacobian for one example is not known.\n"
        "  layer   rnn = RNN(3 → 2)\n"
        "  try     cr.jacobian of a function of your own",
    ),
    "time first": (
        lambda: glass.network_jacobian(nn.RNN(3, 2, batch_first=False), SEQUENCES),
        cr.OptionError,
        "The layer is called with time first: its Jacobian for one example is not known.\n"
        "  layer   RNN(3 → 2)\n"
        "  try     cr.jacobian of a function of your own",
    ),
    "no batch axis": (
        lambda: glass.network_jacobian(model(), X[0]),
        cr.ShapeError,
        "A Jacobian for each example needs a batch axis, got (3,).\n  try     x[None]",
    ),
    "no sequential": (
        lambda: glass.depth_jacobians(Unused(), X),
        cr.OptionError,
        "Along depth, layers follow one another: that is known of a Sequential, not of Unused.\n"
        "  try     layer_jacobian(model, x, path) for one layer",
    ),
    "method": (
        lambda: glass.singular_values(cr.tanh, np.ones(3), method="power"),
        cr.OptionError,
        "There is no method 'power'.\n  known   exact, lanczos",
    ),
    "too many values": (
        lambda: glass.singular_values(cr.tanh, np.ones(3), 4),
        cr.OptionError,
        "A Jacobian of 3 × 3 has 3 singular values, got k=4.",
    ),
    "half a value": (
        lambda: glass.singular_values(cr.tanh, np.ones(3), 0.5),
        cr.OptionError,
        "A Jacobian of 3 × 3 has 3 singular values, got k=0.5.",
    ),
    "all of a large matrix": (
        lambda: glass.singular_values(cr.tanh, np.ones(10_000)),
        cr.OptionError,
        "All 10000 singular values need the whole Jacobian of 10000 × 10000, 0.8 GB.\n"
        '  try     k=10 for the largest ones, or method="exact"',
    ),
    "nothing learns": (
        lambda: glass.hessian_trace(frozen(), (X, Y)),
        cr.OptionError,
        "No parameter of the model learns, so its loss is a constant.\n  try     model.requires_grad_()",
    ),
    "a loss of many numbers": (
        lambda: glass.hessian_trace(model(), (X, np.ones((4, 2))), lambda z, y: z - y),
        cr.DataError,
        "The loss must be one number, this one gave (4, 2).\n  try     a loss with reduction='mean'",
    ),
    "a loss that is no number": (
        lambda: glass.hessian_trace(model(), (X, np.ones((4, 2))), lambda z, y: cr.sum(z - y) + float("inf")),
        cr.NumericalError,
        "The loss is inf, so its derivatives are no numbers.\n  try     finite weights and data",
    ),
    "values that are no numbers": (
        lambda: glass.singular_values(lambda x: x / np.array([1.0, np.nan]), np.ones(2)),
        cr.NumericalError,
        "f(x) has entries that are NaN or infinite, so its Jacobian has no singular values.",
    ),
    "a loss that is no tensor": (
        lambda: glass.hessian_trace(model(), (X, Y), lambda z, y: 1.0),
        cr.DataError,
        "The loss must be a tensor, this one gave float.\n"
        "  try     operations of cr on the prediction: NumPy's are not recorded",
    ),
    "the radius of an oblong matrix": (
        lambda: glass.spectral_radius(np.ones((2, 3))),
        cr.ShapeError,
        "A spectral radius is that of a square matrix, got shape (2, 3).",
    ),
    "too many eigenvalues": (
        lambda: glass.hessian_eigenvalues(model(), (X, Y), k=33),
        cr.OptionError,
        "The Hessian of 32 parameters has 32 eigenvalues, got k=33.",
    ),
    "no eigenvalues": (
        lambda: glass.hessian_eigenvalues(model(), (X, Y), k=0),
        cr.OptionError,
        "hessian_eigenvalues expects k to be a whole number of at least 1, got 0.",
    ),
    "end": (
        lambda: glass.hessian_eigenvalues(model(), (X, Y), end="middle"),
        cr.OptionError,
        "There is no end 'middle' of a spectrum.\n  known   largest, smallest",
    ),
    "probes": (
        lambda: glass.hessian_trace(model(), (X, Y), probes=0),
        cr.OptionError,
        "hessian_trace expects probes to be a whole number of at least 1, got 0.",
    ),
    "steps": (
        lambda: glass.hessian_density(model(), (X, Y), steps=1.5),
        cr.OptionError,
        "hessian_density expects steps to be a whole number of at least 1, got 1.5.",
    ),
    "steps of no recurrent layer": (
        lambda: glass.step_jacobians(nn.Linear(3, 2), SEQUENCES),
        cr.OptionError,
        "Steps in time are those of a recurrent layer, not of Linear.\n"
        "  try     the path of an RNN, LSTM or GRU, a cell, or cr.nn.Recurrent(cell)",
    ),
    "both directions": (
        lambda: glass.recurrent_radii(nn.GRU(3, 2, bidirectional=True)),
        cr.OptionError,
        "A layer that runs backward in time has no one state at each step.\n"
        "  layer   GRU(3 → 2, bidirectional)\n"
        "  try     a layer that runs forward only",
    ),
    "no sequences": (
        lambda: glass.step_jacobians(nn.RNN(3, 2), X),
        cr.ShapeError,
        "Steps in time need sequences (n, T, features), got (4, 3).",
    ),
    "padded steps": (
        lambda: glass.lag_curve(Padded(), (SEQUENCES, Y), path="rnn"),
        cr.OptionError,
        "Steps that are skipped have no derivative of their own: lengths.\n  layer   rnn",
    ),
    "two examples": (
        lambda: glass.gradient_noise_scale(model(), (X[:2], Y[:2])),
        cr.DataError,
        "The noise of a gradient needs 3 examples or more, got 2.",
    ),
    "confidence": (
        lambda: glass.gradient_noise_scale(model(), (X, Y), confidence=95),
        cr.OptionError,
        "confidence must lie between 0 and 1, got 95.\n  try     0.95",
    ),
    "one pair": (
        lambda: glass.noise_scale_of_batches([1.0], [1.0], 4, 64),
        cr.DataError,
        "The noise scale needs 2 pairs or more, got 1 small and 1 large ones.",
    ),
    "small is large": (
        lambda: glass.noise_scale_of_batches([1.0, 2.0], [1.0, 2.0], 64, 4),
        cr.DataError,
        "The large batches must be larger than the small ones, got 64 and 4.",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_message(case):
    act, kind, text = CASES[case]
    with pytest.raises(kind) as caught:
        act()
    assert str(caught.value) == text
