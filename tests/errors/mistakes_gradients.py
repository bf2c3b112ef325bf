"""Mistakes about gradients and optimisers."""

import numpy as np

import chainrule as cr
from chainrule import losses, nn, optim
from tests.errors.mistakes import mistake, normal, zeros


@mistake(
    """
    GradientError: A tensor of int64 cannot require a gradient: only floating-point numbers can.
      try     x.astype("float32").requires_grad_()
    """
)
def an_integer_tensor_asked_for_a_gradient():
    cr.tensor([1, 2, 3], requires_grad=True)


@mistake(
    """
    GradientError: There is no derivative with respect to int64: only to floating-point numbers.
      try     x.astype("float32"), or leave it out of the arguments differentiated (argnums)
    """
)
def a_gradient_at_integers():
    cr.grad(lambda x: (x * x).sum())(np.array([1, 2, 3]))


@mistake(
    """
    GradientError: The gradient is of a scalar function, this one returned (2,).
      try     return y.sum() or y.mean(), or use cr.vjp
    """
)
def a_gradient_of_several_numbers():
    cr.grad(lambda x: x * x)(np.array([1.0, 2.0]))


@mistake(
    """
    GradientError: The history of this tensor was freed by an earlier backward().
      node    sum at FILE:LINE
      try     backward(retain_graph=True) the first time, or compute the loss again
    """
)
def backward_twice():
    w = cr.tensor([1.0, 2.0], requires_grad=True)
    loss = (w * w).sum()
    loss.backward()
    loss.backward()


@mistake(
    """
    GradientError: backward() starts from a scalar, this tensor has shape (4, 2).
      try     y.sum().backward(), or give the cotangent: y.backward(gradient)
    """
)
def backward_from_several_numbers():
    model = nn.Linear(3, 2)
    model(normal(4, 3)).backward()


@mistake(
    """
    GradientError: This tensor has no history: no leaf below it requires a gradient.
      tensor  shape ()
      try     cr.tensor(..., requires_grad=True), or leave the no_grad block
    """
)
def backward_after_no_grad():
    model = nn.Linear(3, 1)
    with cr.no_grad():
        loss = model(normal(4, 3)).sum()
    loss.backward()


@mistake(
    """
    GradientError: A parameter of shape (1, 3) was changed after affine had used it, so its gradient is lost.
      node    affine at FILE:LINE
      try     backward() before optimizer.step() or assign(), or compute the loss again after it
    """
)
def in_place_change_of_a_needed_value():
    model = nn.Linear(3, 1)
    optimiser = optim.SGD(model, lr=0.1)
    first, second = (losses.mse(model(normal(4, 3)), zeros(4, 1)) for _ in range(2))
    first.backward()
    optimiser.step()
    second.backward()


@mistake(
    """
    GradientError: A tensor is not changed in place: what was made from it would have another history.
      tensor  float32 (2,)
      try     y = cr.index_put(x, key, value), or cr.where(condition, value, x)
    """
)
def an_entry_assigned():
    w = cr.tensor([1.0, 2.0], requires_grad=True)
    y = w * w
    y[0] = 5.0


@mistake(
    """
    ShapeError: A tensor of shape (2,) is neither true nor false: if, while, and, or, not ask for one.
      try     x.numpy().all() or x.numpy().any(); cr.where(x, a, b) to choose entry by entry
    """
)
def an_array_of_several_numbers_in_if():
    if cr.tensor([1.0, -2.0]) > 0:
        pass


@mistake(
    """
    ShapeError: One number was asked of a tensor of shape (4, 1).
      try     x.mean() or x.sum() first, x[0] for one entry, or x.numpy() for all
    """
)
def one_number_of_several():
    losses_by_example = losses.mse(zeros(4, 1), zeros(4, 1), reduction="none")
    float(cr.tensor(losses_by_example))


@mistake(
    """
    DtypeError: There is no np.cbrt of a tensor.
      try     np.cbrt(x.numpy()) where no derivative is wanted
    """
)
def a_function_of_numpy_without_a_derivative():
    w = cr.tensor([1.0, 2.0], requires_grad=True)
    np.cbrt(w)


@mistake(
    """
    GradientError: No parameter has a gradient, so SGD cannot step.
      model   if it was made anew after the optimiser, make the optimiser anew too
      try     loss.backward() before step(); zero_grad() before backward() or after step()
    """
)
def a_step_without_backward():
    optim.SGD(nn.Linear(3, 1), lr=0.1).step()


@mistake(
    """
    OptionError: The optimiser holds no parameter of this model: it was made for another one.
      try     optimizer=cr.optim.SGD(model, lr=0.1)
    """
)
def an_optimiser_of_the_model_before():
    model = nn.Linear(3, 1)
    optimiser = optim.SGD(model, lr=0.1)
    model = nn.Linear(3, 1)
    cr.fit(model, (normal(8, 3), normal(8, 1)), loss="mse", optimizer=optimiser)


@mistake(
    """
    OptionError: The optimiser holds parameters that this model has no longer, and not those in their place.
      model   2.weight would not learn, nor 1 more
      try     optimizer=cr.optim.Adam(model, lr=0.1), after the layers were replaced
    """
)
def an_optimiser_of_the_head_before():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    optimiser = optim.Adam(model, lr=0.1)
    model[2] = nn.Linear(4, 5)
    cr.fit(model, (normal(8, 3), normal(8, 5)), loss="mse", optimizer=optimiser)


@mistake(
    """
    DtypeError: np.add with a tensor gives a new one, it writes into no array as `+=` and `out` would have it.
      try     y = cr.add(...)
    """
)
def a_tensor_added_to_an_array_in_place():
    w, total = cr.tensor([1.0, 2.0], requires_grad=True), np.zeros(2)
    total += w
