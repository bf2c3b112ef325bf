"""Recurrent layers and cells: configurations of ours and PyTorch's, or of loops in PyTorch's functions."""

from functools import partial

import numpy as np

from chainrule import nn
from tests.oracles.pairing import Formula, Pair, of_both, paired, torch


def layer_options(name, draw):
    options = {
        "input_size": draw.size(),
        "hidden_size": draw.size(),
        "num_layers": draw.size(1, 3),
        "bias": draw.chance(0.7),
        "batch_first": draw.chance(0.7),
        "bidirectional": draw.chance(),
    }
    if name in ("RNN", "ResidualRNN", "HighwayRNN"):
        options["nonlinearity"] = draw.one_of("tanh", "relu")
    return options


def sequences(options, draw):
    """Inputs (n, T, in), and what shape a state has for them."""
    n, t = draw.size(1, 4), draw.size(1, 6)
    runs = options["num_layers"] * (1 + options["bidirectional"])
    front = (n, t) if options["batch_first"] else (t, n)
    return draw.normal(*front, options["input_size"]), (runs, n, options["hidden_size"])


def states(name, draw, *shape):
    """Nothing, a state, or a pair of them for an LSTM, as arguments after the input."""
    if draw.chance(0.4):
        return ()
    return ((draw.normal(*shape), draw.normal(*shape)),) if "LSTM" in name else (draw.normal(*shape),)


@paired("RNN", "LSTM", "GRU")
def recurrent_layer(name, draw):
    options = layer_options(name, draw)
    phases = ("train",)
    if options["num_layers"] > 1 and draw.chance(0.2):  # dropping is random; in evaluation it is not
        options["dropout"], phases = draw.real(0.1, 1), ("eval",)
    x, shape = sequences(options, draw)
    if draw.chance(0.15):  # one sequence alone
        x, shape = x[0], (shape[0], shape[2])
    return Pair(*of_both(name, **options), (x, *states(name, draw, *shape)), phases=phases)


def packed(theirs, x, *state, lengths):
    """PyTorch's way of giving lengths."""
    rows = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), theirs.batch_first, False)
    y, last = theirs(rows, *state)
    axis = 1 if theirs.batch_first else 0
    return torch.nn.utils.rnn.pad_packed_sequence(y, theirs.batch_first, total_length=x.shape[axis])[0], last


@paired("RNN: lengths", "LSTM: lengths", "GRU: lengths")
def recurrent_layer_with_lengths(name, draw):
    kind = name.split(":")[0]
    options = layer_options(kind, draw)
    x, shape = sequences(options, draw)
    steps = x.shape[1 if options["batch_first"] else 0]
    lengths = [draw.size(1, steps) for _ in range(shape[1])]
    state = states(kind, draw, *shape)
    return Pair(*of_both(kind, **options), (x, *state), {"lengths": np.array(lengths)}, call=packed)


def from_learned(theirs, x):
    n = x.shape[0 if theirs.batch_first else 1]
    start = tuple(theirs.get_parameter(f"{s}0")[:, None].expand(-1, n, -1).contiguous() for s in theirs.kinds)
    return theirs(x, start if len(start) > 1 else start[0])


@paired("RNN: learned states", "LSTM: learned states", "GRU: learned states")
def recurrent_layer_with_learned_states(name, draw):
    kind = name.split(":")[0]
    options = layer_options(kind, draw)
    x, (runs, _, size) = sequences(options, draw)
    ours, theirs = getattr(nn, kind)(learned_state=True, **options), getattr(torch.nn, kind)(**options)
    theirs.kinds = ours.states
    for state in ours.states:
        theirs.register_parameter(f"{state}0", torch.nn.Parameter(torch.empty(runs, size)))
    return Pair(ours, theirs, (x,), call=from_learned)


# --- layers that PyTorch has not: a step, and loops over it ---------------------------------------------


def affine(w, x, h):
    return x @ w["weight_ih"].T + h @ w["weight_hh"].T + w.get("bias_ih", 0.0)


def chung_step(w, x, h, options):
    n = h.shape[-1]
    r, z = torch.sigmoid(affine(w, x, h)[:, : 2 * n]).chunk(2, -1)
    new = torch.tanh(affine(w, x, r * h)[:, 2 * n :])
    return (1 - z) * h + z * new


def residual_step(w, x, h, options):
    return h @ w["weight_skip"].T + getattr(torch, options["nonlinearity"])(affine(w, x, h))


def highway_step(w, x, h, options):
    gate, new = affine(w, x, h).chunk(2, -1)
    gate, new = torch.sigmoid(gate), getattr(torch, options["nonlinearity"])(new)
    return gate * new + (1 - gate) * (x if options.get("carry") == "input" else h)


STEPS = {"ChungGRU": chung_step, "ResidualRNN": residual_step, "HighwayRNN": highway_step}
CELLS = {"ChungGRUCell": chung_step, "ResidualRNNCell": residual_step, "HighwayCell": highway_step}


def looped(step, x, h, mask, reverse):
    rows = [None] * x.shape[1]
    for t in range(x.shape[1])[:: -1 if reverse else 1]:
        new = step(x[:, t], h)
        rows[t] = torch.where(mask[:, t, None], new, 0.0)
        h = torch.where(mask[:, t, None], new, h)
    return torch.stack(rows, 1), h


def over_layers(step, options, p, x, state=None, mask=None):
    """The recurrence of a step in every layer and direction."""
    x = x if options["batch_first"] else x.transpose(0, 1)
    mask = torch.ones(x.shape[:2], dtype=torch.bool) if mask is None else mask
    last = []
    for layer in range(options["num_layers"]):
        results = []
        for end in ("", "_reverse")[: 1 + options["bidirectional"]]:
            suffix = f"_l{layer}{end}"
            w = {name.removesuffix(suffix): v for name, v in p.items() if name.endswith(suffix)}
            start = x.new_zeros(len(x), options["hidden_size"]) if state is None else state[len(last)]
            y, h = looped(lambda a, b, w=w: step(w, a, b, options), x, start, mask, bool(end))
            results.append(y)
            last.append(h)
        x = torch.cat(results, -1)
    return x if options["batch_first"] else x.transpose(0, 1), torch.stack(last)


@paired(*STEPS)
def own_layer(name, draw):
    options = layer_options(name, draw)
    if name == "HighwayRNN" and draw.chance(0.3):
        options |= {"carry": "input", "input_size": options["hidden_size"], "bidirectional": False}
    ours = getattr(nn, name)(**options)
    x, shape = sequences(options, draw)
    n, t = x.shape[:2] if options["batch_first"] else x.shape[1::-1]
    given = {"mask": draw.rng.random((n, t)) < 0.6} if draw.chance() else {}
    theirs = Formula(ours, partial(over_layers, STEPS[name], options))
    return Pair(ours, theirs, (x, *states(name, draw, *shape)), given)


def cell_options(name, draw):
    options = {"input_size": draw.size(), "hidden_size": draw.size(), "bias": draw.chance(0.7)}
    if name in ("RNNCell", "ResidualRNNCell", "HighwayCell"):
        options["nonlinearity"] = draw.one_of("tanh", "relu")
    if name == "HighwayCell" and draw.chance():
        options |= {"carry": "input", "input_size": options["hidden_size"]}
    return options


def one_step(step, options, p, x, h=None):
    return step(p, x, x.new_zeros(len(x), options["hidden_size"]) if h is None else h, options)


@paired("RNNCell", "LSTMCell", "GRUCell", *CELLS)
def cell(name, draw):
    options = cell_options(name, draw)
    ours, n = getattr(nn, name)(**options), draw.size(1, 4)
    own = partial(one_step, CELLS.get(name), options)
    theirs = Formula(ours, own) if name in CELLS else getattr(torch.nn, name)(**options)
    inputs = draw.normal(n, options["input_size"]), *states(name, draw, n, options["hidden_size"])
    return Pair(ours, theirs, inputs)


class Loop(torch.nn.Module):
    """A cell of PyTorch, called once for each step."""

    def __init__(self, cell, reverse):
        super().__init__()
        self.cell, self.reverse = cell, reverse

    def forward(self, x, state=None):
        rows = [None] * x.shape[1]
        for t in range(x.shape[1])[:: -1 if self.reverse else 1]:
            state = self.cell(x[:, t], state)
            rows[t] = state[0] if isinstance(state, tuple) else state
        return torch.stack(rows, 1), state


@paired("Recurrent")
def recurrent(name, draw):
    kind = draw.one_of("RNNCell", "LSTMCell", "GRUCell")
    options = cell_options(kind, draw)
    mine, other = of_both(kind, **options)
    reverse, kept = draw.chance(), draw.one_of(False, True)
    x = draw.normal(n := draw.size(1, 4), draw.size(1, 6), options["input_size"])
    ours = nn.Recurrent(mine, reverse=reverse, checkpoint=kept)
    return Pair(ours, Loop(other, reverse), (x, *states(kind, draw, n, options["hidden_size"])))
