"""Mistakes about sequences, their states and masks."""

import numpy as np

import chainrule as cr
from chainrule import nn
from tests.errors.mistakes import mistake, zeros


@mistake(
    """
    ShapeError: LSTM expects h0 of shape (1, 20, 16), got (1, 4, 16).
      layer   LSTM(8 → 16)
      input   (20, 4, 8)
      state   (layers · directions, n, hidden_size)
      try     x.transpose(1, 0, 2), or LSTM(..., batch_first=False): sequence and batch look swapped
    """
)
def sequence_and_batch_swapped_for_a_state():
    x = zeros(20, 4, 8)  # (time, batch, features), PyTorch's default
    state = zeros(1, 4, 16), zeros(1, 4, 16)
    nn.LSTM(8, 16)(x, state)


@mistake(
    """
    ShapeError: key_padding_mask has an entry for each key, (20, 4); got (4, 20).
      layer   MultiheadAttention(8, 2 heads)
      try     the other setting of batch_first: sequence and batch look swapped; or the mask's .T
    """
)
def sequence_and_batch_swapped_for_a_mask():
    tokens, padding = zeros(20, 4, 8), np.zeros((4, 20), bool)
    nn.MultiheadAttention(8, 2)(tokens, key_padding_mask=padding)


@mistake(
    """
    ShapeError: Query, key and value have different numbers of sequences: [20, 30, 30].
      layer   MultiheadAttention(8, 2 heads)
      query   (20, 4, 8)
      key     (30, 4, 8)
      value   (30, 4, 8)
      try     batch_first=False, if the first axis is time
    """
)
def sequence_and_batch_swapped_for_a_memory():
    decoded, encoded = zeros(20, 4, 8), zeros(30, 4, 8)
    nn.MultiheadAttention(8, 2)(decoded, encoded, encoded)


@mistake(
    """
    ShapeError: GRU expects 8 features in each step, got 20.
      layer   GRU(8 → 16)
      input   (4, 8, 20)   axis −1 = 20
      try     x.transpose(0, 2, 1) (features are the last axis)
    """
)
def features_and_time_swapped():
    signal = zeros(4, 8, 20)
    nn.GRU(8, 16)(signal)


@mistake(
    """
    ShapeError: LSTM expects h0 of shape (1, 2, 4), got (2, 1, 4).
      layer   LSTM(3 → 4)
      input   (2, 5, 3)
      state   (layers · directions, n, hidden_size)
      try     h0.transpose(1, 0, 2): the batch is axis 1 of a state, whatever batch_first says
    """
)
def a_state_with_the_batch_first():
    x, state = zeros(2, 5, 3), zeros(2, 1, 4)
    nn.LSTM(3, 4)(x, (state, state))


@mistake(
    """
    ShapeError: GRU expects h0 of shape (1, 6, 4), got (1, 8, 4).
      layer   GRU(3 → 4)
      input   (6, 5, 3)
      state   (layers · directions, n, hidden_size)
      try     a state of shape (1, 6, 4), or none (it starts at 0)
    """
)
def the_state_of_a_larger_batch():
    layer = nn.GRU(3, 4)
    _, state = layer(zeros(8, 5, 3))
    layer(zeros(6, 5, 3), state)


@mistake(
    """
    OptionError: LSTM takes its state as a pair (h0, c0), got one Tensor.
      layer   LSTM(3 → 4)
      try     layer(x, (h0, c0))
    """
)
def h_without_c():
    layer = nn.LSTM(3, 4)
    h = zeros(1, 2, 4)
    layer(zeros(2, 5, 3), h)


@mistake(
    """
    OptionError: LSTMCell takes its state as a pair (h, c), got one Tensor.
      layer   LSTMCell(3 → 4)
      try     cell(x, (h, c))
    """
)
def h_without_c_for_a_cell():
    cell = nn.LSTMCell(3, 4)
    h = cr.tensor(zeros(2, 4))
    cell(zeros(2, 3), h)


@mistake(
    """
    ShapeError: LSTMCell expects one step (n, 3), got (2, 5, 3).
      layer   LSTMCell(3 → 4)
      try     a layer that takes sequences, as nn.LSTM, or one step x[:, t]
    """
)
def a_sequence_given_to_a_cell():
    nn.LSTMCell(3, 4)(zeros(2, 5, 3))


@mistake(
    """
    DtypeError: A layer takes an array, got a tuple of 2.
      layer   1 = Linear(4 → 2)
      try     its first part, as y, state = lstm(x); in a Sequential cr.nn.Lambda(lambda pair: pair[0])
    """
)
def both_results_of_a_recurrent_layer_passed_on():
    model = nn.Sequential(nn.LSTM(3, 4), nn.Linear(4, 2))
    model(zeros(2, 5, 3))


@mistake(
    """
    ShapeError: LSTM got lengths from 5 to 7, the sequences have 5 steps.
      layer   LSTM(3 → 4)
      try     lengths between 1 and 5
    """
)
def lengths_beyond_the_sequence():
    nn.LSTM(3, 4)(zeros(2, 5, 3), lengths=[7, 5])


@mistake(
    """
    ShapeError: LearnedPositions knows 16 places, the sequence reaches 20.
      layer   LearnedPositions(16, 8)
      input   (2, 20, 8)
      try     LearnedPositions(20, 8), or a shorter sequence
    """
)
def sequence_longer_than_the_positions():
    nn.LearnedPositions(16, 8)(zeros(2, 20, 8))


@mistake(
    """
    ShapeError: Each key has a value: got 6 keys and 7 values.
      layer   MultiheadAttention(8, 2 heads)
      query   (2, 5, 8)
      key     (2, 6, 8)
      value   (2, 7, 8)
    """
)
def keys_and_values_of_different_lengths():
    nn.MultiheadAttention(8, 2)(zeros(2, 5, 8), zeros(2, 6, 8), zeros(2, 7, 8))


@mistake(
    """
    ShapeError: attn_mask is (20, 20), a row for each query, or (8, 20, 20); got (4, 20).
      layer   MultiheadAttention(8, 2 heads)
      try     key_padding_mask, for which keys of each sequence are padding
    """
)
def a_padding_mask_given_as_attention_mask():
    tokens, padding = zeros(4, 20, 8), np.zeros((4, 20), bool)
    nn.MultiheadAttention(8, 2)(tokens, attn_mask=padding)


@mistake(
    """
    ShapeError: A mask of shape (4, 4) does not fit scores of shape (1, 2, 5, 5).
      scores  the last axes are queries and keys
      try     a mask (5, 5), with leading axes as in the scores, or 1
    """
)
def a_mask_for_other_scores():
    q = zeros(1, 2, 5, 4)
    cr.scaled_dot_product_attention(q, q, q, mask=np.ones((4, 4), bool))
