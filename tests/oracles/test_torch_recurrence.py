"""Recurrent layers and cells against PyTorch: outputs, last states, all gradients, over drawn configurations."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.base.keys import Key

torch = pytest.importorskip("torch")

TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
"""Relative to the largest entry: both sides round at 1e-16 (6e-8) and sum a few hundred terms in other orders."""
CONFIGURATIONS = range(40)
KINDS = ["RNN", "LSTM", "GRU"]


def drawn(*path):
    return (Key(0) / "torch recurrence" / "/".join(map(str, path))).generator()


def agree(ours, theirs, dtype, what):
    ours, theirs = np.asarray(ours), theirs.detach().numpy()
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype), what
    scale = max(1.0, float(np.abs(theirs).max(initial=0)))
    assert np.abs(ours - theirs).max(initial=0) <= TOLERANCE[dtype] * scale, what


def pair(kind, options, dtype, rng):
    ours = getattr(nn, kind)(**options).astype(dtype)
    for p in ours.parameters():
        p.assign(rng.standard_normal(p.shape))
    theirs = getattr(torch.nn, kind)(**options).to(getattr(torch, dtype))
    theirs.load_state_dict({n: torch.tensor(a) for n, a in ours.state_dict().items()}, strict=True)
    return ours, theirs


def gradients_agree(ours, theirs, inputs, dtype):
    """After both went backward: gradients of all parameters and of pairs of inputs."""
    named = dict(theirs.named_parameters())
    assert {n for n, _ in ours.named_parameters()} == set(named)
    for n, p in ours.named_parameters():
        agree(p.grad.data, named[n].grad, dtype, f"gradient of {n}")
    for i, (mine, other) in enumerate(inputs):
        agree(mine.grad.data, other.grad, dtype, f"gradient of input {i}")


def both(array, dtype):
    array = array.astype(dtype)
    return cr.tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)


def as_tuple(x):
    return x if isinstance(x, tuple) else (x,)


def options_of(kind, rng):
    options = {
        "input_size": int(rng.integers(1, 6)),
        "hidden_size": int(rng.integers(1, 6)),
        "num_layers": int(rng.integers(1, 4)),
        "bias": bool(rng.integers(2)),
        "batch_first": bool(rng.integers(4)),
        "bidirectional": bool(rng.integers(2)),
    }
    return options | ({"nonlinearity": str(rng.choice(["tanh", "relu"]))} if kind == "RNN" else {})


def backward(results, dtype, rng):
    """A random cotangent for every result."""
    mine, other = 0.0, 0.0
    for a, b in results:
        bar = rng.standard_normal(a.shape).astype(dtype)
        mine = (a * bar).sum() + mine
        other = (b * torch.tensor(bar)).sum() + other
    mine.backward()
    other.backward()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", KINDS)
def test_layers(kind, dtype):
    for i in CONFIGURATIONS:
        rng = drawn(kind, i)
        options = options_of(kind, rng)
        ours, theirs = pair(kind, options, dtype, rng)
        n, t = int(rng.integers(1, 4)), int(rng.integers(1, 7))
        alone = i % 8 == 0
        shape = (t, options["input_size"]) if alone else (n, t, options["input_size"])
        x, z = both(rng.standard_normal(shape), dtype)
        runs = options["num_layers"] * (1 + options["bidirectional"])
        n = shape[0 if options["batch_first"] else 1]
        first = (runs, options["hidden_size"]) if alone else (runs, n, options["hidden_size"])
        states = [both(rng.standard_normal(first), dtype) for _ in range((1 + (kind == "LSTM")) * (i % 3 > 0))]
        given = [tuple(s[k] for s in states) if len(states) > 1 else next((s[k] for s in states), None) for k in (0, 1)]
        (y, last), (v, end) = ours(x, given[0]), theirs(z, given[1])
        results = [(y, v), *zip(as_tuple(last), as_tuple(end), strict=True)]
        for a, b in results:
            agree(a.data, b, dtype, f"{kind} {options}")
        backward(results, dtype, rng)
        gradients_agree(ours, theirs, [(x, z), *states], dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", KINDS)
def test_lengths_against_packed_sequences(kind, dtype):
    for i in CONFIGURATIONS:
        rng = drawn(kind, "packed", i)
        options = options_of(kind, rng) | {"batch_first": True}
        ours, theirs = pair(kind, options, dtype, rng)
        n, t = int(rng.integers(1, 5)), int(rng.integers(1, 6))
        lengths = rng.integers(1, t + 1, n)
        x, z = both(rng.standard_normal((n, t, options["input_size"])), dtype)
        packed = torch.nn.utils.rnn.pack_padded_sequence(z, torch.tensor(lengths), True, enforce_sorted=False)
        y, last = ours(x, lengths=lengths)
        v, end = theirs(packed)
        v, _ = torch.nn.utils.rnn.pad_packed_sequence(v, True, total_length=t)
        results = [(y, v), *zip(as_tuple(last), as_tuple(end), strict=True)]
        for a, b in results:
            agree(a.data, b, dtype, f"{kind} {options} {lengths}")
        backward(results, dtype, rng)
        gradients_agree(ours, theirs, [(x, z)], dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", ["RNNCell", "LSTMCell", "GRUCell"])
def test_cells(kind, dtype):
    for i in CONFIGURATIONS:
        rng = drawn(kind, i)
        options = {"input_size": int(rng.integers(1, 6)), "hidden_size": int(rng.integers(1, 6)), "bias": i % 4 > 0}
        if kind == "RNNCell":
            options["nonlinearity"] = str(rng.choice(["tanh", "relu"]))
        ours, theirs = pair(kind, options, dtype, rng)
        n = int(rng.integers(1, 5))
        x, z = both(rng.standard_normal((n, options["input_size"])), dtype)
        states = [
            both(rng.standard_normal((n, options["hidden_size"])), dtype) for _ in range(1 + (kind == "LSTMCell"))
        ]
        given = [tuple(s[k] for s in states) if len(states) > 1 else states[0][k] for k in (0, 1)]
        results = list(zip(as_tuple(ours(x, given[0])), as_tuple(theirs(z, given[1])), strict=True))
        for a, b in results:
            agree(a.data, b, dtype, f"{kind} {options}")
        backward(results, dtype, rng)
        gradients_agree(ours, theirs, [(x, z), *states], dtype)


def test_checkpoint_agrees_with_pytorchs():
    from torch.utils.checkpoint import checkpoint

    ours, theirs = pair("LSTM", {"input_size": 3, "hidden_size": 4, "batch_first": True}, "float64", drawn("kept"))
    x, z = both(drawn("kept x").standard_normal((2, 5, 3)), "float64")
    (cr.checkpoint(ours)(x)[0] ** 2).sum().backward()
    (checkpoint(theirs, z, use_reentrant=False)[0] ** 2).sum().backward()
    gradients_agree(ours, theirs, [(x, z)], "float64")
