"""Mistakes about settings: sizes that do not go together, names that are not there."""

import chainrule as cr
from chainrule import nn, optim
from tests.errors.mistakes import mistake, zeros


@mistake(
    """
    OptionError: MultiheadAttention shares 100 features among 8 heads, which does not come out even.
      try     num_heads=5 or num_heads=10
    """
)
def head_count_not_dividing_the_width():
    nn.TransformerEncoderLayer(d_model=100, nhead=8)


@mistake(
    """
    OptionError: 4 heads of queries cannot share 3 heads of keys and values evenly.
      try     num_kv_heads=2
    """
)
def heads_of_keys_not_dividing_heads_of_queries():
    nn.MultiheadAttention(16, 4, num_kv_heads=3)


@mistake(
    """
    OptionError: 2 groups do not divide the channels of Conv2d(3, 8, ...).
      try     groups=1
    """
)
def groups_not_dividing_the_channels():
    nn.Conv2d(3, 8, 3, groups=2)


@mistake(
    """
    OptionError: GroupNorm: 3 groups do not divide 8 channels.
      try     num_groups=2
    """
)
def groups_of_a_norm_not_dividing_the_channels():
    nn.GroupNorm(3, 8)


@mistake(
    """
    OptionError: Linear takes in_features as a whole number, got 392.0.
      try     in_features=392 (// divides whole numbers)
    """
)
def a_width_that_is_a_fraction():
    nn.Linear(784 / 2, 10)


@mistake(
    """
    OptionError: Positions turn pairs of entries, so the width is even; got 7.
      try     a width of 8
    """
)
def an_odd_width_for_waves():
    nn.PositionalEncoding(7)


@mistake(
    """
    OptionError: kernel_size is a whole number of 1 or more or 2 of them, got (3, 3, 3).
    """
)
def a_kernel_with_an_axis_too_many():
    nn.Conv2d(3, 8, (3, 3, 3))


@mistake(
    """
    OptionError: padding="same" has no meaning with a stride of (2, 2).
      try     padding=kernel // 2
    """
)
def same_padding_with_a_stride():
    nn.Conv2d(3, 8, 3, stride=2, padding="same")


@mistake(
    """
    OptionError: There is no padding 'SAME'.
      known   "valid", "same", or numbers
    """
)
def a_padding_of_keras():
    nn.Conv2d(3, 8, 3, padding="SAME")


@mistake(
    """
    OptionError: output_padding is less than the stride, got 2 with stride 2.
      try     output_padding=stride - 1 at most: it tells apart the sizes that a stride rounds together
    """
)
def output_padding_as_large_as_the_stride():
    nn.ConvTranspose2d(3, 8, 3, stride=2, output_padding=2)


@mistake(
    """
    OptionError: Dropout takes a probability of dropping between 0 and 1, got 50.
      try     Dropout(0.5)
    """
)
def a_probability_in_percent():
    nn.Dropout(50)


@mistake(
    """
    OptionError: There is no activation 'geglu' here.
      known   relu, gelu, gelu_tanh, silu
    """
)
def an_unknown_activation():
    nn.TransformerEncoderLayer(8, 2, activation="geglu")


@mistake(
    """
    OptionError: There is no nonlinearity 'sigmoid' for RNN.
      known   tanh, relu
    """
)
def an_unknown_nonlinearity():
    nn.RNN(3, 4, nonlinearity="sigmoid")


@mistake(
    """
    OptionError: There is no mode 'bicubic'.
      layer   Upsample(x 2, bicubic)
      known   nearest, linear, bilinear, trilinear
    """
)
def an_interpolation_that_is_not_there():
    nn.Upsample(scale_factor=2, mode="bicubic")(zeros(1, 1, 4, 4))


@mistake(
    """
    OptionError: Sequential is made of modules, entry 0 is a list.
      try     cr.nn.Sequential(*layers)
    """
)
def layers_in_a_list():
    nn.Sequential([nn.Linear(2, 3), nn.ReLU()])


@mistake(
    """
    OptionError: Sequential is made of modules, entry 1 is the function relu.
      try     the module of that name, as cr.nn.ReLU() for cr.relu
    """
)
def a_function_as_a_layer():
    nn.Sequential(nn.Linear(2, 3), cr.relu)


@mistake(
    """
    OptionError: Sequential is made of modules, entry 1 is the class ReLU.
      try     ReLU(...), an object of the class
    """
)
def a_class_as_a_layer():
    nn.Sequential(nn.Linear(2, 3), nn.ReLU)


@mistake(
    """
    OptionError: 'weight' is a parameter; an array in its place would not be learned.
      module  Linear
      try     layer.weight.assign(array), or layer.weight = cr.nn.Parameter(array)
    """
)
def an_array_in_the_place_of_a_parameter():
    layer = nn.Linear(3, 2)
    layer.weight = zeros(2, 3)


@mistake(
    """
    DtypeError: A layer takes an array, got None.
      layer   1 = Linear(2 → 1)
      try     return, at the end of the forward before it
    """
)
def a_forgotten_return():
    class Block(nn.Module):
        def __init__(self):
            self.dense = nn.Linear(2, 2)

        def forward(self, x):
            self.dense(x)

    nn.Sequential(Block(), nn.Linear(2, 1))(zeros(4, 2))


@mistake(
    """
    OptionError: Adam expects lr to be a positive number, got -0.1.
    """
)
def a_negative_learning_rate():
    optim.Adam(nn.Linear(2, 1), lr=-0.1)


@mistake(
    """
    OptionError: Adam expects betas[1] to be at least 0 and below 1, got 1.0.
    """
)
def a_beta_of_one():
    optim.Adam(nn.Linear(2, 1), lr=0.1, betas=(0.9, 1.0))


@mistake(
    """
    OptionError: There is nothing to optimise: no parameter was given.
      try     a model whose attributes hold layers that learn (parameters() can be read through only once)
    """
)
def an_optimiser_without_parameters():
    optim.SGD(nn.ReLU().parameters(), lr=0.1)


@mistake(
    """
    OptionError: clip_grad_norm expects max_norm to be a positive number, got -1.
    """
)
def a_limit_of_gradients_below_zero():
    optim.clip_grad_norm(nn.Linear(2, 1).parameters(), -1)
