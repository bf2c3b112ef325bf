"""Mistakes about kinds of numbers, backends and devices."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from tests.errors.mistakes import mistake, zeros


@mistake(
    """
    DtypeError: key_padding_mask is boolean (True ignores) or floating-point (added to the scores), got int64.
      layer   MultiheadAttention(8, 2 heads)
      mask    shape (2, 4)
      try     mask == 0, if 1 means attend, as in tokenizers' attention_mask
    """
)
def a_mask_of_integers():
    tokens, attention_mask = zeros(2, 4, 8), np.array([[1, 1, 1, 0], [1, 1, 0, 0]])
    nn.MultiheadAttention(8, 2)(tokens, key_padding_mask=attention_mask)


@mistake(
    """
    DtypeError: A mask is boolean (True attends) or floating-point (added to the scores), this one is int64.
      try     mask != 0, if 1 means attend
    """
)
def a_mask_of_integers_for_scores():
    q = zeros(1, 2, 5, 4)
    cr.scaled_dot_product_attention(q, q, q, mask=np.tril(np.ones((5, 5), int)))


@mistake(
    """
    OptionError: attn_mask tells query 3 to ignore every key: True means ignore here, as in PyTorch.
      layer   MultiheadAttention(8, 2 heads)
      try     ~mask (masks of cr.scaled_dot_product_attention say True for attend)
    """
)
def a_mask_the_wrong_way_round():
    tokens, allowed = zeros(2, 4, 8), np.tril(np.ones((4, 4), bool))
    nn.MultiheadAttention(8, 2)(tokens, attn_mask=allowed)


@mistake(
    """
    DtypeError: Ids are integers, these are float32.
      layer   Embedding(10, 4)
      ids     shape (1, 2)
      try     ids.astype("int64")
    """
)
def ids_in_float():
    nn.Embedding(10, 4)(np.array([[1.0, 2.0]]))


@mistake(
    """
    DataError: Id 10 is not in a vocabulary of 10.
      layer   Embedding(10, 4)
      place   ids[0, 1]
      ids     shape (1, 2), from 1 to 10; known are 0 to 9
      try     11 entries, or the id of an unknown one in its place
    """
)
def an_id_outside_the_vocabulary():
    nn.Embedding(10, 4)(np.array([[1, 10]]))


@mistake(
    """
    DataError: Id -1 is not in a vocabulary of 10.
      layer   Embedding(10, 4)
      place   ids[0, 1]
      ids     shape (1, 2), from -1 to 3; known are 0 to 9
      try     an id of its own for what is missing, in place of negative ones
    """
)
def padding_with_minus_one():
    nn.Embedding(10, 4)(np.array([[3, -1]]))


@mistake(
    """
    DtypeError: PositionalEncoding expects (…, T, 8), got (2, 20).
      layer   PositionalEncoding(…)
      input   (2, 20)
      try     an Embedding before it (these are ids)
    """
)
def ids_given_to_positions():
    nn.PositionalEncoding(8)(np.zeros((2, 20), int))


@mistake(
    """
    DtypeError: A tensor is made of numbers, this is ndarray of dtype object.
      layer   Linear(2 → 1)
      entry   'Bonn' at row 0, column 1
      try     numbers in place of texts: one column for each category (pandas: get_dummies), or leave it out
    """
)
def a_frame_with_texts():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"age": [30, 40], "city": ["Bonn", "Rome"]})
    nn.Linear(2, 1)(frame)


@mistake(
    """
    DtypeError: Chainrule computes with real numbers, these are complex128.
      layer   Linear(2 → 1)
      try     np.stack([x.real, x.imag], -1), the pairs that cr.rfft gives too; or abs(x)
    """
)
def complex_numbers():
    spectrum = np.fft.fft(np.ones((3, 2)))
    nn.Linear(2, 1)(spectrum)


@mistake(
    """
    DtypeError: There is no dtype 'float23'.
      known   float16, bfloat16, float32, float64, int64, bool and the like
    """
)
def an_unknown_dtype():
    nn.Linear(2, 1).astype("float23")


@mistake(
    """
    DtypeError: There is no dtype 'string'.
      known   float16, bfloat16, float32, float64, int64, bool and the like
    """
)
def a_dtype_of_text():
    cr.tensor([1.0, 2.0], dtype="string")


@mistake(
    """
    DtypeError: A tensor is made of numbers, this is list of dtype <U32.
      entry   'n/a' at row 1, column 0
      try     numbers in place of texts: one column for each category (pandas: get_dummies), or leave it out
    """
)
def a_text_among_numbers():
    cr.tensor([[1.0, 2.0], ["n/a", 3.0]])


@mistake(
    """
    OptionError: There is no backend 'tensorflow'.
      known   numpy, torch, jax
    """
)
def an_unknown_backend():
    cr.use("tensorflow")


@mistake(
    """
    OptionError: NumPy computes on the CPU, it has no device 'cuda'.
      try     cr.use("torch", device="cuda")
    """
)
def a_gpu_for_numpy():
    cr.use("numpy", device="cuda")


@mistake(
    """
    OptionError: PyTorch has no device 'gpu'.
      known   cpu, cuda, cuda:1, mps
    """
)
def a_device_that_does_not_exist():
    pytest.importorskip("torch")
    nn.Linear(2, 1).to("torch", device="gpu")


@mistake(
    """
    DtypeError: An operation got arrays of two backends, torch and jax.
      try     both in one: model.to("torch"); with cr.use("torch"): x = cr.tensor(x)
    """
)
def mixed_backends():
    torch, jax = pytest.importorskip("torch"), pytest.importorskip("jax")
    cr.concatenate([torch.ones(2), jax.numpy.ones(2)])


@mistake(
    """
    DtypeError: A parameter of numpy met data of torch: its gradient came back from there.
      try     model.to("torch") before the optimiser is made
    """
)
def a_model_of_numpy_and_data_of_torch():
    torch = pytest.importorskip("torch")
    nn.Linear(3, 1)(torch.ones(4, 3)).sum().backward()


@mistake(
    """
    DtypeError: An operation got arrays on two devices, meta and cpu.
      layer   Linear(3 → 1)
      try     both on one: model.to("torch", device="meta"); with cr.use("torch", device="meta"): x = cr.tensor(x)
    """
)
def mixed_devices():
    torch = pytest.importorskip("torch")
    model = nn.Linear(3, 1).to("torch")
    model(torch.ones(4, 3, device="meta"))
