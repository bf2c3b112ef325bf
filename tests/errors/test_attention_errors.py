"""The whole text of each message about attention, masks, embeddings and what stands around them."""

import re

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn

MISTAKES = [
    (
        cr.DataError,
        lambda: cr.embedding(np.array([[1, 2], [0, 70]]), np.ones((65, 4))),
        "Id 70 is not in a vocabulary of 65.\n"
        "  place   ids[1, 1]\n"
        "  ids     shape (2, 2), from 0 to 70; known are 0 to 64\n"
        "  try     71 entries, or the id of an unknown one in its place",
    ),
    (
        cr.DataError,
        lambda: cr.embedding(np.array([1, -1]), np.ones((65, 4))),
        "Id -1 is not in a vocabulary of 65.\n"
        "  place   ids[1]\n"
        "  ids     shape (2,), from -1 to 1; known are 0 to 64\n"
        "  try     an id of its own for what is missing, in place of negative ones",
    ),
    (
        cr.DtypeError,
        lambda: cr.embedding(np.array([1.0, 2.0]), np.ones((65, 4))),
        'Ids are integers, these are float64.\n  ids     shape (2,)\n  try     ids.astype("int64")',
    ),
    (
        cr.ShapeError,
        lambda: cr.embedding(np.array([1]), np.ones(4)),
        "An embedding has a weight (vocabulary, width), got (4,).",
    ),
    (
        cr.DataError,
        lambda: cr.take_along_axis(np.ones((2, 3)), np.array([[5], [0]]), axis=1),
        "Id 5 is not in axis 1, which has 3 entries.\n"
        "  place   ids[0, 0]\n"
        "  ids     shape (2, 1), from 0 to 5; known are 0 to 2\n"
        "  try     6 entries, or the id of an unknown one in its place",
    ),
    (
        cr.ShapeError,
        lambda: cr.take_along_axis(np.ones((2, 3)), np.array([5, 0]), axis=1),
        "Ids of shape (2,) do not name entries along axis 1 of shape (2, 3).",
    ),
    (
        cr.ShapeError,
        lambda: cr.scaled_dot_product_attention(np.ones((5, 4)), np.ones((6, 3)), np.ones((6, 2))),
        "Queries and keys are compared entry by entry, queries have width 4 and keys 3.\n"
        "  q       (5, 4)\n"
        "  k       (6, 3)\n"
        "  v       (6, 2)\n"
        "  try     project both to one width, as Linear(3, 4) on the keys",
    ),
    (
        cr.ShapeError,
        lambda: cr.scaled_dot_product_attention(np.ones((5, 4)), np.ones((6, 4)), np.ones((7, 2))),
        "Each key has a value: got 6 keys and 7 values.\n  q       (5, 4)\n  k       (6, 4)\n  v       (7, 2)",
    ),
    (
        cr.ShapeError,
        lambda: cr.scaled_dot_product_attention(np.ones(4), np.ones((6, 4)), np.ones((6, 2))),
        "Attention is between rows: q (…, T, d), k (…, S, d), v (…, S, v).\n"
        "  q       (4,)\n"
        "  k       (6, 4)\n"
        "  v       (6, 2)",
    ),
    (
        cr.ShapeError,
        lambda: cr.scaled_dot_product_attention(np.ones((2, 4, 5, 3)), np.ones((2, 3, 5, 3)), np.ones((2, 3, 5, 3))),
        "4 heads of queries cannot share 3 heads of keys and 3 of values.\n"
        "  q       (2, 4, 5, 3)\n"
        "  k       (2, 3, 5, 3)\n"
        "  v       (2, 3, 5, 3)\n"
        "  try     as many heads of keys and of values, a number that divides 4",
    ),
    (
        cr.ShapeError,
        lambda: cr.scaled_dot_product_attention(
            np.ones((2, 4, 5, 3)), np.ones((2, 4, 6, 3)), np.ones((2, 4, 6, 3)), np.ones((2, 6), bool)
        ),
        "A mask of shape (2, 6) does not fit scores of shape (2, 4, 5, 6).\n"
        "  scores  the last axes are queries and keys\n"
        "  try     mask[:, None, None, :], if its rows are sequences and True is no padding",
    ),
    (
        cr.ShapeError,
        lambda: cr.scaled_dot_product_attention(
            np.ones((5, 3)), np.ones((6, 3)), np.ones((6, 3)), np.ones((6, 5), bool)
        ),
        "A mask of shape (6, 5) does not fit scores of shape (5, 6).\n"
        "  scores  the last axes are queries and keys\n"
        "  try     mask.T (rows are queries, columns are keys)",
    ),
    (
        cr.ShapeError,
        lambda: cr.scaled_dot_product_attention(
            np.ones((5, 3)), np.ones((6, 3)), np.ones((6, 3)), np.ones((5, 5), bool)
        ),
        "A mask of shape (5, 5) does not fit scores of shape (5, 6).\n"
        "  scores  the last axes are queries and keys\n"
        "  try     a mask (5, 6), with leading axes as in the scores, or 1",
    ),
    (
        cr.DtypeError,
        lambda: cr.scaled_dot_product_attention(
            np.ones((5, 3)), np.ones((6, 3)), np.ones((6, 3)), np.ones((5, 6), int)
        ),
        "A mask is boolean (True attends) or floating-point (added to the scores), this one is int64.\n"
        "  try     mask != 0, if 1 means attend",
    ),
    (
        cr.DtypeError,
        lambda: cr.blockwise_attention(np.ones((5, 3)), np.ones((6, 3)), np.ones((6, 3)), np.ones((5, 6))),
        "Blockwise attention takes a boolean mask (True attends), this one is float64.\n"
        "  try     scaled_dot_product_attention, which adds masks of floats to the scores",
    ),
    (
        cr.OptionError,
        lambda: cr.blockwise_attention(np.ones((5, 3)), np.ones((6, 3)), np.ones((6, 3)), block=0),
        "A block has 1 row or more, a window reaches 0 or more; got 0 and None.",
    ),
    (
        cr.OptionError,
        lambda: cr.linear_attention(np.ones((5, 3)), np.ones((6, 3)), np.ones((6, 3)), features="softmax"),
        "There is no feature map 'softmax'.\n  known   elu, relu",
    ),
    (
        cr.ShapeError,
        lambda: cr.linear_attention(np.ones((5, 3)), np.ones((6, 3)), np.ones((6, 3)), causal=True),
        "Causal attention pairs queries with keys, got 5 and 6.",
    ),
    (
        cr.OptionError,
        lambda: cr.sliding_window_mask(5, -1),
        "A window reaches 0 or more positions to each side, got -1.",
    ),
    (
        cr.DataError,
        lambda: cr.global_mask(5, [0, 5]),
        "Global tokens are at [0, 5], the sequence has places 0 to 4.",
    ),
    (
        cr.DataError,
        lambda: cr.padding_mask([3, 9], length=5),
        "A sequence of 9 does not fit into a length of 5.",
    ),
    (
        cr.DtypeError,
        lambda: cr.additive_mask(np.ones((2, 2))),
        "A mask is turned into a sum from booleans, this one is float64.",
    ),
    (
        cr.OptionError,
        lambda: cr.sinusoidal_positions(5, 3),
        "Positions turn pairs of entries, so the width is even; got 3.\n  try     a width of 4",
    ),
    (
        cr.ShapeError,
        lambda: cr.rotary(np.ones(4)),
        "Rotary positions are of rows (…, T, d), got shape (4,).",
    ),
    (
        cr.OptionError,
        lambda: cr.alibi_slopes(0),
        "ALiBi needs one head or more, got 0.",
    ),
    (
        cr.OptionError,
        lambda: nn.Embedding(0, 4),
        "Embedding needs sizes of 1 or more, got Embedding(0, 4).",
    ),
    (
        cr.OptionError,
        lambda: nn.Embedding(5, 4, padding_idx=5),
        "padding_idx is one of 5 ids, got 5.",
    ),
    (
        cr.DtypeError,
        lambda: nn.Embedding(5, 4)(np.array([0.5])),
        "Ids are integers, these are float32.\n"
        "  layer   Embedding(5, 4)\n"
        "  ids     shape (1,)\n"
        '  try     ids.astype("int64")',
    ),
    (
        cr.DataError,
        lambda: nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 2))(np.array([[0, 5]])),
        "Id 5 is not in a vocabulary of 5.\n"
        "  layer   0 = Embedding(5, 4)\n"
        "  place   ids[0, 1]\n"
        "  ids     shape (1, 2), from 0 to 5; known are 0 to 4\n"
        "  try     6 entries, or the id of an unknown one in its place",
    ),
    (
        cr.ShapeError,
        lambda: nn.LearnedPositions(4, 3)(np.ones((2, 5, 3))),
        "LearnedPositions knows 4 places, the sequence reaches 5.\n"
        "  layer   LearnedPositions(4, 3)\n"
        "  input   (2, 5, 3)\n"
        "  try     LearnedPositions(5, 3), or a shorter sequence",
    ),
    (
        cr.ShapeError,
        lambda: nn.LearnedPositions(4, 3)(np.ones((2, 4, 2))),
        "LearnedPositions expects (…, T, 3), got (2, 4, 2).\n"
        "  layer   LearnedPositions(4, 3)\n"
        "  input   (2, 4, 2)\n"
        "  try     LearnedPositions for 2 features",
    ),
    (
        cr.DtypeError,
        lambda: nn.PositionalEncoding(4)(np.array([[1, 2]])),
        "PositionalEncoding expects (…, T, 4), got (1, 2).\n"
        "  layer   PositionalEncoding(…)\n"
        "  input   (1, 2)\n"
        "  try     an Embedding before it (these are ids)",
    ),
    (
        cr.OptionError,
        lambda: nn.LearnedPositions(0, 3),
        "LearnedPositions needs sizes of 1 or more, got 0 and 3.",
    ),
    (
        cr.OptionError,
        lambda: nn.MultiheadAttention(10, 3),
        "MultiheadAttention shares 10 features among 3 heads, which does not come out even.\n"
        "  try     num_heads=1 or num_heads=2",
    ),
    (
        cr.OptionError,
        lambda: nn.MultiheadAttention(12, 4, num_kv_heads=3),
        "4 heads of queries cannot share 3 heads of keys and values evenly.\n  try     num_kv_heads=2",
    ),
    (
        cr.ShapeError,
        lambda: nn.MultiheadAttention(8, 2)(np.ones((2, 5, 6))),
        "MultiheadAttention expects the query as (n, T, 8) or (T, 8), got (2, 5, 6).\n"
        "  layer   MultiheadAttention(8, 2 heads)\n"
        "  query   (2, 5, 6)\n"
        "  key     (2, 5, 6)\n"
        "  value   (2, 5, 6)\n"
        "  try     Linear(6, 8) before it",
    ),
    (
        cr.ShapeError,
        lambda: nn.MultiheadAttention(8, 2)(np.ones((2, 5, 8)), np.ones((2, 6, 7)), np.ones((2, 6, 8))),
        "MultiheadAttention expects the key as (n, T, 8) or (T, 8), got (2, 6, 7).\n"
        "  layer   MultiheadAttention(8, 2 heads)\n"
        "  query   (2, 5, 8)\n"
        "  key     (2, 6, 7)\n"
        "  value   (2, 6, 8)\n"
        "  try     kdim=7",
    ),
    (
        cr.ShapeError,
        lambda: nn.MultiheadAttention(8, 2)(np.ones(8)),
        "MultiheadAttention expects the query as (n, T, 8) or (T, 8), got (8,).\n"
        "  layer   MultiheadAttention(8, 2 heads)\n"
        "  query   (8,)\n"
        "  key     (8,)\n"
        "  value   (8,)\n"
        "  try     an axis of time: (n, T, features)",
    ),
    (
        cr.ShapeError,
        lambda: nn.MultiheadAttention(8, 2)(np.ones((5, 2, 8)), np.ones((6, 2, 8))),
        "Query, key and value have different numbers of sequences: [5, 6, 6].\n"
        "  layer   MultiheadAttention(8, 2 heads)\n"
        "  query   (5, 2, 8)\n"
        "  key     (6, 2, 8)\n"
        "  value   (6, 2, 8)\n"
        "  try     batch_first=False, if the first axis is time",
    ),
    (
        cr.ShapeError,
        lambda: nn.MultiheadAttention(8, 2)(np.ones((2, 5, 8)), np.ones((2, 6, 8)), np.ones((2, 7, 8))),
        "Each key has a value: got 6 keys and 7 values.\n"
        "  layer   MultiheadAttention(8, 2 heads)\n"
        "  query   (2, 5, 8)\n"
        "  key     (2, 6, 8)\n"
        "  value   (2, 7, 8)",
    ),
    (
        cr.OptionError,
        lambda: nn.MultiheadAttention(8, 2)(np.ones((2, 5, 8)), attn_mask=cr.causal_mask(5)[:, ::-1]),
        "attn_mask tells query 4 to ignore every key: True means ignore here, as in PyTorch.\n"
        "  layer   MultiheadAttention(8, 2 heads)\n"
        "  try     ~mask (masks of cr.scaled_dot_product_attention say True for attend)",
    ),
    (
        cr.ShapeError,
        lambda: nn.MultiheadAttention(8, 2)(np.ones((2, 5, 8)), attn_mask=np.zeros((2, 5), bool)),
        "attn_mask is (5, 5), a row for each query, or (4, 5, 5); got (2, 5).\n"
        "  layer   MultiheadAttention(8, 2 heads)\n"
        "  try     key_padding_mask, for which keys of each sequence are padding",
    ),
    (
        cr.ShapeError,
        lambda: nn.MultiheadAttention(8, 2)(np.ones((2, 5, 8)), attn_mask=np.zeros((5, 6), bool)),
        "attn_mask is (5, 5), a row for each query, or (4, 5, 5); got (5, 6).\n"
        "  layer   MultiheadAttention(8, 2 heads)\n"
        "  try     a mask of these sizes",
    ),
    (
        cr.ShapeError,
        lambda: nn.MultiheadAttention(8, 2)(np.ones((2, 5, 8)), key_padding_mask=np.zeros((5, 5), bool)),
        "key_padding_mask has an entry for each key, (2, 5); got (5, 5).\n"
        "  layer   MultiheadAttention(8, 2 heads)\n"
        "  try     attn_mask, for which queries see which keys",
    ),
    (
        cr.DtypeError,
        lambda: nn.MultiheadAttention(8, 2)(np.ones((2, 5, 8)), key_padding_mask=np.ones((2, 5), int)),
        "key_padding_mask is boolean (True ignores) or floating-point (added to the scores), got int64.\n"
        "  layer   MultiheadAttention(8, 2 heads)\n"
        "  mask    shape (2, 5)\n"
        "  try     mask == 0, if 1 means attend, as in tokenizers' attention_mask",
    ),
    (
        cr.OptionError,
        lambda: nn.FeedForward(4, activation="swish"),
        "There is no activation 'swish' here.\n  known   relu, gelu, gelu_tanh, silu, swiglu, geglu",
    ),
    (
        cr.OptionError,
        lambda: nn.TransformerEncoderLayer(4, 2, activation="swiglu"),
        "There is no activation 'swiglu' here.\n  known   relu, gelu, gelu_tanh, silu",
    ),
    (
        cr.OptionError,
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2), 0),
        "A stack has one layer or more, got 0.",
    ),
    (
        cr.OptionError,
        lambda: nn.StochasticDepth(1.0),
        "StochasticDepth takes a probability of dropping from 0 to below 1, got 1.0.",
    ),
    (
        cr.OptionError,
        lambda: nn.StochasticDepth(0.5, "rows"),
        "There is no mode 'rows'.\n  known   row, batch",
    ),
    (
        cr.OptionError,
        lambda: nn.Parallel(),
        "Parallel is made of one module or more.\n  try     Parallel(Linear(2, 3), Linear(2, 4))",
    ),
    (
        cr.OptionError,
        lambda: nn.Parallel(nn.ReLU(), join="product"),
        "There is no way to join called 'product'.\n  known   concatenate, sum",
    ),
    (
        cr.OptionError,
        lambda: nn.Lambda(3),
        "Lambda takes a function, got int.",
    ),
    (
        cr.OptionError,
        lambda: nn.ModuleList([nn.ReLU(), cr.relu]),
        "ModuleList holds objects of Module, entry 1 is of Elementwise.",
    ),
    (
        cr.OptionError,
        lambda: nn.ParameterList([np.ones(3)]),
        "ParameterList holds objects of Parameter, entry 0 is of ndarray.",
    ),
    (
        cr.OptionError,
        lambda: nn.ModuleDict({"a": 3}),
        "ModuleDict holds modules, 'a' is of int.",
    ),
    (
        cr.OptionError,
        lambda: nn.ModuleDict({"keys": nn.ReLU()}),
        "'keys' is a method of ModuleDict and cannot be the name of a part.",
    ),
]


@pytest.mark.parametrize(("kind", "call", "text"), MISTAKES)
def test_a_mistake_is_named(kind, call, text):
    with pytest.raises(kind, match=f"^{re.escape(text)}$"):
        call()
