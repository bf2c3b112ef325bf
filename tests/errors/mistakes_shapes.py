"""Mistakes about shapes: what comes to a layer, and what a layer was made for."""

import chainrule as cr
from chainrule import nn
from tests.errors.mistakes import mistake, zeros


@mistake(
    """
    ShapeError: Conv2d expects 3 channels, got 32.
      layer   Conv2d(3 → 8, kernel 3)
      input   (16, 32, 32, 3)   axis 1 = 32
      try     x.transpose(0, 3, 1, 2) (channels are axis 1, not the last)
    """
)
def channels_last_given_to_channels_first():
    images = zeros(16, 32, 32, 3)
    nn.Conv2d(3, 8, 3)(images)


@mistake(
    """
    ShapeError: Conv2d expects (n, 1, height, width), got (16, 28, 28).
      layer   Conv2d(1 → 8, kernel 3)
      input   (16, 28, 28)   3 axes
      try     x[:, None] adds the axis of the one channel
    """
)
def images_without_an_axis_for_their_one_channel():
    images = zeros(16, 28, 28)
    nn.Conv2d(1, 8, 3)(images)


@mistake(
    """
    ShapeError: Conv2d expects (n, 3, height, width), got (3, 32, 32).
      layer   Conv2d(3 → 8, kernel 3)
      input   (3, 32, 32)   3 axes
      try     x[None] adds the axis of the batch (one example)
    """
)
def one_image_without_a_batch_axis():
    image = zeros(3, 32, 32)
    nn.Conv2d(3, 8, 3)(image)


@mistake(
    """
    ShapeError: BatchNorm2d expects (n, 8, height, width), got (4, 8).
      layer   BatchNorm2d(8)
      input   (4, 8)   2 axes
      try     x.reshape(len(x), 8, height, width): rows of pixels are no images
    """
)
def flat_pixels_given_to_a_norm_of_images():
    rows = zeros(4, 8)
    nn.BatchNorm2d(8)(rows)


@mistake(
    """
    ShapeError: Linear expects 1568 input features, got 14.
      layer   3 = Linear(1568 → 10)
      input   (4, 8, 14, 14)   axis −1 = 14
      try     put Flatten() before it, or x.reshape(len(x), -1)
    """
)
def forgotten_flatten():
    model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Linear(8 * 14 * 14, 10))
    model(zeros(4, 1, 28, 28))


@mistake(
    """
    ShapeError: Linear expects 1568 input features, got 1352.
      layer   4 = Linear(1568 → 10)
      input   (4, 1352)   axis −1 = 1352
      try     Linear(1352, 10)
    """
)
def miscounted_features_after_flatten():
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 14 * 14, 10))
    model(zeros(4, 1, 28, 28))


@mistake(
    """
    ShapeError: Linear expects 128 input features, got 256.
      layer   2 = Linear(128 → 10)
      input   (32, 256)   axis −1 = 256
      try     Linear(256, 10)
    """
)
def layers_whose_widths_do_not_meet():
    model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(128, 10))
    model(zeros(32, 784))


@mistake(
    """
    ShapeError: Linear expects 4 input features, got 5.
      layer   Linear(4 → 3)
      input   (150, 5)   axis −1 = 5
      try     Linear(5, 3), or drop one column (is an index column left in the data?)
    """
)
def an_index_column_left_in_the_data():
    model = nn.Linear(4, 3)
    model(zeros(150, 5))


@mistake(
    """
    ShapeError: Linear expects 4 input features, got 150.
      layer   Linear(4 → 3)
      input   (4, 150)   axis −1 = 150
      try     x.T (samples are rows, features are columns)
    """
)
def samples_as_columns():
    model = nn.Linear(4, 3)
    model(zeros(4, 150))


@mistake(
    """
    ShapeError: Linear expects 4 input features, got 150.
      layer   Linear(4 → 2)
      input   (150,)   axis −1 = 150
      try     x of shape (n, 4): a row for each sample, a column for each feature
    """
)
def one_column_as_a_vector():
    x = zeros(150)
    nn.Linear(4, 2)(x)


@mistake(
    """
    ShapeError: Linear expects 1 input features, got 30.
      layer   Linear(1 → 1)
      input   (30,)   axis −1 = 30
      try     x.reshape(-1, 1) (one feature, a sample a row)
    """
)
def features_as_a_vector_for_one_feature():
    heights = zeros(30)
    nn.Linear(1, 1)(heights)


@mistake(
    """
    ShapeError: A kernel of 7 x 7 does not fit into an input of 5 x 5.
      layer   Conv2d(1 → 4, kernel 7)
      input   (2, 1, 5, 5)
      try     padding, so that 5 x 5 becomes 7 x 7 or more; or a smaller kernel
    """
)
def kernel_larger_than_input():
    nn.Conv2d(1, 4, 7)(zeros(2, 1, 5, 5))


@mistake(
    """
    ShapeError: max_pool: a window of 8 does not fit into an axis of 5 with padding 0.
      layer   MaxPool2d(kernel 8, stride 8)
      input   (1, 1, 5, 5)
      try     a smaller kernel, padding, or fewer pooling layers before
    """
)
def pooling_window_larger_than_input():
    nn.MaxPool2d(8)(zeros(1, 1, 5, 5))


@mistake(
    """
    ShapeError: Reflect padding of 5 needs an axis longer than 4.
      layer   ReflectionPad2d(5, 5, 5, 5)
      input   (1, 1, 4, 4)
      axis    2
    """
)
def mirrored_padding_wider_than_input():
    nn.ReflectionPad2d(5)(zeros(1, 1, 4, 4))


@mistake(
    """
    ShapeError: Upsampling by "linear" takes (n, c, *size) with 1 sizes, got (1, 1, 4, 4).
      layer   Upsample(x 2, linear)
      try     mode="bilinear"
    """
)
def upsampling_mode_of_another_number_of_axes():
    nn.Upsample(scale_factor=2, mode="linear")(zeros(1, 1, 4, 4))


@mistake(
    """
    ShapeError: LayerNorm expects 8 in the last axis, got 7.
      layer   LayerNorm(8)
      input   (4, 8, 7)
      try     LayerNorm(7)
    """
)
def a_norm_of_other_features():
    nn.LayerNorm(8)(zeros(4, 8, 7))


@mistake(
    """
    ShapeError: BatchNorm1d needs two values a feature or more to train on, got 1.
      layer   1 = BatchNorm1d(4)
      input   (1, 4)
      try     a batch of two or more (drop_last=True), or model.eval()
    """
)
def batch_norm_with_one_example_in_training():
    nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))(zeros(1, 3))


@mistake(
    """
    ShapeError: Residual adds f(x) to x, so f must keep the shape.
      layer   Residual(…)
      input   (2, 8)
      result  (2, 4)
      try     end f with Linear(4, 8), or make its last layer give 8 features
    """
)
def a_shortcut_around_a_layer_that_changes_the_width():
    nn.Residual(nn.Linear(8, 4))(zeros(2, 8))


@mistake(
    """
    ShapeError: Matrix product of (3, 4) and (3, 4): the inner sizes 4 and 3 differ.
      try     transpose one of them (x.T)
    """
)
def a_product_of_matrices_that_do_not_meet():
    cr.matmul(zeros(3, 4), zeros(3, 4))


@mistake(
    """
    ShapeError: Shapes (3, 4) and (3,) do not fit together.
      axis    -1 has sizes 4 and 3
      try     sizes must be equal or 1, counted from the right; x.reshape(...) adds axes of size 1
    """
)
def a_sum_of_shapes_that_do_not_repeat():
    cr.tensor(zeros(3, 4)) + cr.tensor(zeros(3))


@mistake(
    """
    ShapeError: 12 entries of shape (3, 4) do not fill shape (5, 2).
      try     x.reshape(-1, 2), which makes axis 0 6
    """
)
def a_shape_with_other_entries():
    cr.tensor(zeros(3, 4)).reshape(5, 2)


@mistake(
    """
    ShapeError: Shapes (2, 3) and (2, 4) differ outside axis 0, along which they are joined.
    """
)
def rows_of_different_lengths_joined():
    cr.concatenate([zeros(2, 3), zeros(2, 4)])


@mistake(
    """
    ShapeError: weight has shape (2, 3) here and (2, 4) in the state.
      try     a model of the sizes that the state was saved from
    """
)
def the_state_of_a_wider_model():
    nn.Linear(3, 2).load_state_dict(nn.Linear(4, 2).state_dict())


@mistake(
    """
    OptionError: The state does not belong to this model.
      missing 0.weight, 0.bias
      unknown module.0.weight, module.0.bias
      try     {name.removeprefix('module.'): value for name, value in state.items()}
    """
)
def the_state_of_a_model_saved_inside_another():
    model = nn.Sequential(nn.Linear(3, 2))
    model.load_state_dict({"module.0.weight": zeros(2, 3), "module.0.bias": zeros(2)})


@mistake(
    """
    OptionError: The state does not belong to this model.
      missing nothing
      unknown 1.weight
      try     {name: state[name] for name in model.state_dict()}, if the rest is not needed
    """
)
def an_unknown_layer_in_a_state():
    model, larger = nn.Sequential(nn.Linear(3, 2)), nn.Sequential(nn.Linear(3, 2), nn.PReLU())
    model.load_state_dict(larger.state_dict())
