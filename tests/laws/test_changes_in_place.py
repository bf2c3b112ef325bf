"""A parameter that changes between its use and backward() is noticed; frozen ones stay as they are."""

import numpy as np
import pytest

import chainrule as cr


def network():
    cr.seed(0)
    return cr.nn.Sequential(cr.nn.Linear(2, 3), cr.nn.Tanh(), cr.nn.Linear(3, 1))


X = np.ones((4, 2), np.float32)


def test_a_step_before_backward_is_refused():
    model = network()
    optimizer = cr.optim.SGD(model, lr=0.1)
    first, second = model(X).sum(), model(X).sum()
    first.backward()
    optimizer.step()
    with pytest.raises(cr.GradientError) as caught:
        second.backward()
    source = caught.value.places.pop("node")
    assert source.startswith("affine in 2 at test_changes_in_place.py:")
    assert str(caught.value) == (
        "A parameter of shape (1, 3) was changed after affine had used it, so its gradient is lost.\n"
        "  try     backward() before optimizer.step() or assign(), or compute the loss again after it"
    )


def test_assigning_is_noticed_too():
    model = network()
    loss = model(X).sum()
    getattr(model, "0").weight.assign(np.zeros((3, 2)))
    with pytest.raises(cr.GradientError, match="was changed after affine had used it"):
        loss.backward()


def test_the_usual_loop_is_not_disturbed():
    model = network()
    optimizer = cr.optim.Adam(model, lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        model(X).sum().backward()
        optimizer.step()


def test_frozen_parameters_get_no_gradient_and_do_not_move():
    model = network()
    first = model[0].requires_grad_(False)
    before = first.state_dict()
    optimizer = cr.optim.Adam(model, lr=0.1, weight_decay=0.1)
    loss = model(X).sum()
    loss.backward()
    optimizer.step()
    assert first.weight.grad is None
    for name, array in first.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    first.requires_grad_()
    model(X).sum().backward()
    assert first.weight.grad is not None


def test_a_computed_tensor_cannot_be_frozen():
    x = cr.tensor([1.0], requires_grad=True)
    with pytest.raises(cr.GradientError) as caught:
        (x * 2).requires_grad = False
    assert str(caught.value) == "Only a leaf can be frozen, this tensor was computed.\n  try     x.detach()"
