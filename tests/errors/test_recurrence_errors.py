"""The whole text of each message of the recurrent layers and operations."""

import re

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.base.errors import DtypeError, OptionError, ShapeError


def zeros(*shape):
    return np.zeros(shape, np.float32)


LSTM = nn.LSTM(3, 4)
X = zeros(2, 5, 3)

MISTAKES = {
    "features in axis 1": (
        lambda: LSTM(zeros(2, 3, 5)),
        ShapeError,
        "LSTM expects 3 features in each step, got 5.\n"
        "  layer   LSTM(3 → 4)\n"
        "  input   (2, 3, 5)   axis −1 = 5\n"
        "  try     x.transpose(0, 2, 1) (features are the last axis)",
    ),
    "another number of features": (
        lambda: nn.GRU(3, 4)(zeros(2, 5, 7)),
        ShapeError,
        "GRU expects 3 features in each step, got 7.\n"
        "  layer   GRU(3 → 4)\n"
        "  input   (2, 5, 7)   axis −1 = 7\n"
        "  try     GRU(7, 4)",
    ),
    "one feature without its axis": (
        lambda: nn.RNN(1, 4)(zeros(8, 20)),
        ShapeError,
        "RNN expects 1 features in each step, got 20.\n"
        "  layer   RNN(1 → 4)\n"
        "  input   (8, 20)   axis −1 = 20\n"
        "  try     x.reshape(*x.shape, 1) (one feature, a sequence a row)",
    ),
    "one sequence turned": (
        lambda: LSTM(zeros(3, 5)),
        ShapeError,
        "LSTM expects 3 features in each step, got 5.\n"
        "  layer   LSTM(3 → 4)\n"
        "  input   (3, 5)   axis −1 = 5\n"
        "  try     x.T (steps are rows, features are columns)",
    ),
    "too many axes": (
        lambda: LSTM(zeros(2, 5, 3, 1)),
        ShapeError,
        "LSTM expects sequences (n, T, features), or one sequence (T, features), got (2, 5, 3, 1).\n"
        "  layer   LSTM(3 → 4)\n"
        "  try     x.reshape(n, T, -1)",
    ),
    "a series of numbers": (
        lambda: nn.RNN(1, 4, batch_first=False)(zeros(5)),
        ShapeError,
        "RNN expects sequences (T, n, features), or one sequence (T, features), got (5,).\n"
        "  layer   RNN(1 → 4)\n"
        "  try     x.reshape(1, -1, 1) (one sequence, one feature)",
    ),
    "sequence and batch swapped": (
        lambda: LSTM(zeros(5, 2, 3), (zeros(1, 2, 4), zeros(1, 2, 4))),
        ShapeError,
        "LSTM expects h0 of shape (1, 5, 4), got (1, 2, 4).\n"
        "  layer   LSTM(3 → 4)\n"
        "  input   (5, 2, 3)\n"
        "  state   (layers · directions, n, hidden_size)\n"
        "  try     x.transpose(1, 0, 2), or LSTM(..., batch_first=False): sequence and batch look swapped",
    ),
    "another hidden size": (
        lambda: nn.RNN(3, 4)(X, zeros(1, 2, 5)),
        ShapeError,
        "RNN expects h0 of shape (1, 2, 4), got (1, 2, 5).\n"
        "  layer   RNN(3 → 4)\n"
        "  input   (2, 5, 3)\n"
        "  state   (layers · directions, n, hidden_size)\n"
        "  try     a state of shape (1, 2, 4), or none (it starts at 0)",
    ),
    "the cell state forgotten": (
        lambda: LSTM(X, cr.tensor(zeros(1, 2, 4))),
        OptionError,
        "LSTM takes its state as a pair (h0, c0), got one Tensor.\n  layer   LSTM(3 → 4)\n  try     layer(x, (h0, c0))",
    ),
    "longer than the sequence": (
        lambda: LSTM(X, lengths=[5, 6]),
        ShapeError,
        "LSTM got lengths from 5 to 6, the sequences have 5 steps.\n"
        "  layer   LSTM(3 → 4)\n"
        "  try     lengths between 1 and 5",
    ),
    "an empty sequence": (
        lambda: LSTM(X, lengths=[0, 3]),
        ShapeError,
        "LSTM got lengths from 0 to 3, the sequences have 5 steps.\n"
        "  layer   LSTM(3 → 4)\n"
        "  try     lengths between 1 and 5",
    ),
    "too few lengths": (
        lambda: LSTM(X, lengths=[5]),
        ShapeError,
        "LSTM expects 2 lengths, one a sequence, got shape (1,).\n  layer   LSTM(3 → 4)",
    ),
    "lengths of a sequence that comes first": (
        lambda: LSTM(X, lengths=[1, 2, 1, 2, 1]),
        ShapeError,
        "LSTM expects 2 lengths, one a sequence, got shape (5,).\n"
        "  layer   LSTM(3 → 4)\n"
        "  try     x.transpose(1, 0, 2), or LSTM(..., batch_first=False): sequence and batch look swapped",
    ),
    "lengths in float": (
        lambda: LSTM(X, lengths=np.array([5.0, 2.0])),
        DtypeError,
        "Lengths are integers, these are float32.\n  layer   LSTM(3 → 4)",
    ),
    "a mask of another shape": (
        lambda: LSTM(X, mask=np.ones((5, 2), bool)),
        ShapeError,
        "LSTM expects a mask of shape (n, T) = (2, 5), got (5, 2).\n  layer   LSTM(3 → 4)",
    ),
    "a mask of numbers": (
        lambda: LSTM(X, mask=np.ones((2, 5), np.int64)),
        DtypeError,
        "A mask is made of booleans, this is int64.\n"
        "  layer   LSTM(3 → 4)\n"
        "  try     mask != 0, True where a step belongs to the sequence",
    ),
    "lengths and a mask": (
        lambda: LSTM(X, lengths=[1, 2], mask=np.ones((2, 5), bool)),
        OptionError,
        "LSTM takes lengths or a mask, not both.\n  layer   LSTM(3 → 4)",
    ),
    "no steps": (
        lambda: LSTM(zeros(2, 0, 3)),
        ShapeError,
        "The sequence has no steps.\n  layer   LSTM(3 → 4)\n  input   (2, 0, 3)",
    ),
    "an unknown nonlinearity": (
        lambda: nn.RNN(3, 4, nonlinearity="sigmoid"),
        OptionError,
        "There is no nonlinearity 'sigmoid' for RNN.\n  known   tanh, relu",
    ),
    "an unknown nonlinearity of a cell": (
        lambda: nn.RNNCell(3, 4, nonlinearity="sigmoid"),
        OptionError,
        "There is no nonlinearity 'sigmoid' for RNNCell.\n  known   tanh, relu",
    ),
    "no layers": (lambda: nn.GRU(3, 4, 0), OptionError, "GRU needs num_layers of 1 or more, got 0."),
    "no width": (lambda: nn.LSTMCell(3, 0), OptionError, "LSTMCell needs hidden_size of 1 or more, got 0."),
    "dropout in per cent": (
        lambda: nn.LSTM(3, 4, 2, dropout=30),
        OptionError,
        "LSTM takes a probability of dropping between 0 and 1, got 30.",
    ),
    "a sequence for a cell": (
        lambda: nn.LSTMCell(3, 4)(X),
        ShapeError,
        "LSTMCell expects one step (n, 3), got (2, 5, 3).\n"
        "  layer   LSTMCell(3 → 4)\n"
        "  try     a layer that takes sequences, as nn.LSTM, or one step x[:, t]",
    ),
    "a state of another batch": (
        lambda: nn.GRUCell(3, 4)(zeros(2, 3), zeros(5, 4)),
        ShapeError,
        "GRUCell expects a state of shape (2, 4), got (5, 4).\n  layer   GRUCell(3 → 4)\n  input   (2, 3)",
    ),
    "a step for a sequence": (
        lambda: nn.Recurrent(nn.RNNCell(3, 4))(zeros(2, 3)),
        ShapeError,
        "Recurrent expects sequences (n, T, features), got (2, 3).\n  layer   Recurrent(…)",
    ),
    "highway of another width": (
        lambda: nn.Highway(3)(zeros(2, 5)),
        ShapeError,
        "Highway carries its input through, so it takes and gives 3 features, got (2, 5).\n"
        "  layer   Highway(3, relu)\n"
        "  try     Highway(5)",
    ),
    "a highway cell that carries what does not fit": (
        lambda: nn.HighwayCell(3, 4, carry="input"),
        OptionError,
        'HighwayCell can carry its input only where it is as wide as the state, not 3 and 4.\n  try     carry="state"',
    ),
    "a highway cell that carries nothing known": (
        lambda: nn.HighwayCell(3, 4, carry="memory"),
        OptionError,
        "HighwayCell cannot carry 'memory'.\n  known   state, input",
    ),
    "a cell with a nonlinearity of its own": (
        lambda: nn.HighwayCell(3, 4, nonlinearity="sigmoid"),
        OptionError,
        "There is no nonlinearity 'sigmoid' for HighwayCell.\n  known   tanh, relu",
    ),
    "a residual network with a nonlinearity of its own": (
        lambda: nn.ResidualRNN(3, 4, nonlinearity="sigmoid"),
        OptionError,
        "There is no nonlinearity 'sigmoid' for ResidualRNN.\n  known   tanh, relu",
    ),
    "highways that carry what does not fit": (
        lambda: nn.HighwayRNN(3, 4, carry="input"),
        OptionError,
        'HighwayRNN can carry its input only where it is as wide as the state, not 3 and 4.\n  try     carry="state"',
    ),
    "highways above both directions": (
        lambda: nn.HighwayRNN(4, 4, 2, bidirectional=True, carry="input"),
        OptionError,
        'HighwayRNN can carry its input only where it is as wide as the state, not 8 and 4.\n  try     carry="state"',
    ),
    "highways that carry nothing known": (
        lambda: nn.HighwayRNN(3, 4, carry="memory"),
        OptionError,
        "HighwayRNN cannot carry 'memory'.\n  known   state, input",
    ),
    "a recurrence with an unknown nonlinearity": (
        lambda: cr.rnn(X, zeros(2, 4), zeros(4, 3), zeros(4, 4), nonlinearity="sigmoid"),
        OptionError,
        "There is no nonlinearity 'sigmoid' for rnn.\n  known   tanh, relu",
    ),
    "a highway with an unknown nonlinearity": (
        lambda: cr.highway(zeros(2, 3), zeros(3, 3), zeros(3), zeros(3, 3), zeros(3), "sigmoid"),
        OptionError,
        "There is no nonlinearity 'sigmoid' for highway.\n  known   tanh, relu",
    ),
    "a highway into another width": (
        lambda: cr.highway(zeros(2, 3), zeros(4, 3), zeros(4), zeros(4, 3), zeros(4)),
        ShapeError,
        "highway expects weight of shape (3, 3), got (4, 3).\n  x       (2, 3)",
    ),
    "a highway for one number": (
        lambda: cr.highway(1.0, zeros(1, 1), zeros(1), zeros(1, 1), zeros(1)),
        ShapeError,
        "highway carries its input through, got a single number.\n  try     x.reshape(1, 1)",
    ),
    "an input that is not as wide as the state": (
        lambda: cr.highway_rnn(X, zeros(2, 4), zeros(8, 3), zeros(8, 4), carry="input"),
        ShapeError,
        "highway_rnn expects x of shape (2, 5, 4), got (2, 5, 3).\n  h0      (2, 4)",
    ),
    "a highway that carries nothing known": (
        lambda: cr.highway_rnn(X, zeros(2, 4), zeros(8, 3), zeros(8, 4), carry="memory"),
        OptionError,
        "highway_rnn cannot carry 'memory'.\n  known   state, input",
    ),
    "weights of three gates": (
        lambda: cr.lstm(X, (zeros(2, 4), zeros(2, 4)), zeros(12, 3), zeros(16, 4)),
        ShapeError,
        "lstm expects weight_ih of shape (16, 3), got (12, 3).\n  x       (2, 5, 3)\n  h0      (2, 4)",
    ),
    "a bias of one gate": (
        lambda: cr.gru(X, zeros(2, 4), zeros(12, 3), zeros(12, 4), zeros(4)),
        ShapeError,
        "gru expects bias_ih of shape (12,), got (4,).\n  x       (2, 5, 3)\n  h0      (2, 4)",
    ),
    "a matrix for a recurrence": (
        lambda: cr.rnn(zeros(5, 3), zeros(2, 4), zeros(4, 3), zeros(4, 4)),
        ShapeError,
        "A recurrence takes sequences (n, T, features), got (5, 3).",
    ),
    "a recurrent weight that is not square": (
        lambda: cr.rnn(X, zeros(2, 4), zeros(4, 3), zeros(4, 3)),
        ShapeError,
        "rnn expects weight_hh of shape (4, 4), got (4, 3).\n  x       (2, 5, 3)\n  h0      (2, 4)",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_the_whole_message(name):
    call, kind, text = MISTAKES[name]
    with pytest.raises(kind, match=f"^{re.escape(text)}$"):
        call()
