"""Transformations nest to any order, in any mixture, and do not confuse one another's perturbations."""

import numpy as np
import pytest

import chainrule as cr

EXACT = 1e-12  # both sides are the same arithmetic in float64, in another order
X = np.array([0.3, -0.7, 1.1])
V = np.array([1.0, 0.5, -2.0])


def mlp(x):
    w = np.arange(9.0).reshape(3, 3) / 10 - 0.4
    return cr.sum(cr.tanh(cr.matmul(w, cr.sigmoid(cr.matmul(w, x)))) ** 2)


FUNCTIONS = {
    "product": lambda x: x[0] * x[1] * x[2] + x[0] ** 3,
    "exponentials": lambda x: cr.sum(cr.exp(cr.sin(x) * x)),
    "mlp": mlp,
    "logsumexp": lambda x: cr.logsumexp(x * x),
    "ratio": lambda x: (x / (1 + x * x)).sum() * x.mean(),
    "softmax": lambda x: (cr.softmax(x) * cr.tanh(x)).sum(),
    "norm": lambda x: cr.norm(x) ** 3,
}


def close(a, b):
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=EXACT, atol=EXACT)


@pytest.fixture(params=sorted(FUNCTIONS))
def f(request):
    return FUNCTIONS[request.param]


def test_hessian_vector_products_agree_in_all_four_orders(f):
    grad = cr.grad(f)
    forward_over_reverse = cr.jvp(grad, (X,), (V,))[1]
    reverse_over_reverse = cr.grad(lambda x: (grad(x) * V).sum())(X)
    reverse_over_forward = cr.grad(lambda x: cr.jvp(f, (x,), (V,))[1])(X)
    along = lambda x: cr.jvp(f, (x,), (V,))[1]  # noqa: E731
    forward_over_forward = [cr.jvp(along, (X,), (e,))[1] for e in np.eye(3)]
    for other in (reverse_over_reverse, reverse_over_forward, forward_over_forward):
        close(forward_over_reverse, other)


def test_the_hessian_is_symmetric(f):
    rows = np.array([cr.jvp(cr.grad(f), (X,), (e,))[1] for e in np.eye(3)])
    close(rows, rows.T)


def test_third_derivatives_agree_forward_and_reverse(f):
    second = lambda x: (cr.grad(lambda x: (cr.grad(f)(x) * V).sum())(x) * V).sum()  # noqa: E731
    reverse = cr.grad(second)(X)
    forward = cr.jvp(lambda x: cr.jvp(cr.grad(f), (x,), (V,))[1], (X,), (V,))[1]
    close((reverse * V).sum(), (forward * V).sum())


def test_grad_of_grad_of_grad():
    third = cr.grad(cr.grad(cr.grad(lambda x: x**5)))
    assert third(np.array(2.0)) == pytest.approx(60 * 4)
    assert cr.grad(cr.grad(cr.grad(cr.sin)))(np.array(0.4)) == pytest.approx(-np.cos(0.4))
    fourth = cr.grad(cr.grad(cr.grad(cr.grad(lambda x: x**3))))
    assert fourth(np.array(2.0)) == 0


def test_perturbations_are_not_confused():
    """d/dx [x · d/dy (x + y)] = 1; with confused perturbations it is 2 (Siskind & Pearlmutter 2005)."""
    assert cr.grad(lambda x: x * cr.grad(lambda y: x + y)(1.0))(1.0).item() == 1.0
    inner = lambda x: cr.jvp(lambda y: x + y, (np.array(1.0),), (np.array(1.0),))[1]  # noqa: E731
    assert cr.jvp(lambda x: x * inner(x), (np.array(1.0),), (np.array(1.0),))[1] == 1.0
    assert cr.grad(lambda x: x * inner(x))(np.array(1.0)) == 1.0
    assert cr.jvp(lambda x: x * cr.grad(lambda y: x * y)(1.0), (np.array(3.0),), (np.array(1.0),))[1] == 6.0


def test_a_function_may_close_over_a_variable_of_the_outer_one():
    outer = cr.grad(lambda x: cr.grad(lambda y: x * x * y * y)(x))  # d/dx [2 x² · y at y = x] = d/dx 2x³
    assert outer(np.array(2.0)) == pytest.approx(24.0)


def test_check_gradients_climbs_to_order_3(f):
    report = cr.check_gradients(f, X, order=3)
    assert report
    assert len(report.errors) == 9


# --- the eager tape against the functions ---------------------------------------------------------


def test_backward_equals_grad(f):
    x = cr.tensor(X, requires_grad=True)
    f(x).backward()
    close(x.grad, cr.grad(f)(X))


def test_create_graph_equals_grad_of_grad(f):
    x = cr.tensor(X, requires_grad=True)
    f(x).backward(create_graph=True)
    first, x.grad = x.grad, None
    (first * V).sum().backward()
    close(x.grad, cr.grad(lambda x: (cr.grad(f)(x) * V).sum())(X))


def test_gradients_with_create_graph_differentiate_again(f):
    x = cr.tensor(X, requires_grad=True)
    slope = cr.gradients(f(x), x, create_graph=True)
    curvature = cr.gradients((slope * V).sum(), x, create_graph=True)
    again = cr.gradients((curvature * V).sum(), x)
    close(curvature, cr.jvp(cr.grad(f), (X,), (V,))[1])
    close(again, cr.grad(lambda x: (cr.jvp(cr.grad(f), (x,), (V,))[1] * V).sum())(X))


def test_grad_inside_the_eager_tape():
    """A functional gradient of eager tensors is itself recorded."""
    x = cr.tensor(X, requires_grad=True)
    cr.grad(mlp)(x).sum().backward()
    close(x.grad, cr.grad(lambda x: cr.grad(mlp)(x).sum())(X))


def test_gradients_of_intermediates():
    x = cr.tensor([1.0, 2.0], requires_grad=True)
    z = 3 * x
    a = cr.exp(-z)
    loss = (a * a).sum()
    found = cr.gradients(loss, {"z": z, "a": [a, x], "loss": (loss,)})
    np.testing.assert_allclose(found["a"][0].numpy(), 2 * a.numpy(), rtol=1e-6)
    np.testing.assert_allclose(found["z"].numpy(), -2 * a.numpy() ** 2, rtol=1e-6)
    np.testing.assert_allclose(found["a"][1].numpy(), -6 * a.numpy() ** 2, rtol=1e-6)
    assert found["loss"][0].item() == 1
    assert x.grad is None


def test_gradients_are_zero_where_there_is_no_path():
    x, other = cr.tensor([1.0], requires_grad=True), cr.tensor([[5.0, 6.0]], requires_grad=True)
    assert cr.gradients(x.sum(), other).tolist() == [[0.0, 0.0]]


def test_gradients_take_a_cotangent():
    x = cr.tensor([1.0, 2.0], requires_grad=True)
    assert cr.gradients(x * x, x, [1, 10]).tolist() == [2.0, 40.0]


def test_backward_accumulates():
    x = cr.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    kept = x.grad
    (3 * x).sum().backward()
    assert x.grad.tolist() == [5.0, 7.0]
    assert kept.tolist() == [2.0, 4.0]


def test_backward_twice_with_the_history_retained():
    x = cr.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4.0, 8.0]


def test_backward_takes_a_cotangent_of_any_dtype():
    x = cr.tensor([1.0, 2.0], requires_grad=True)
    (x * x).backward(cr.tensor([1, 10]))
    assert x.grad.tolist() == [2.0, 40.0]
    assert x.grad.dtype == np.float32


def test_a_leaf_is_its_own_gradient():
    x = cr.tensor(3.0, requires_grad=True)
    x.backward()
    assert x.grad.item() == 1


def test_many_uses_of_a_tensor_add_up():
    x = cr.tensor(2.0, requires_grad=True)
    h = x * x
    (h + h * x + cr.multiply(h, h) + x).backward()  # x² + x³ + x⁴ + x
    assert x.grad.item() == 2 * 2 + 3 * 4 + 4 * 8 + 1


def test_changing_a_gradient_changes_no_other():
    a, b = cr.tensor([1.0, 2.0], requires_grad=True), cr.tensor([3.0, 4.0], requires_grad=True)
    (a + b).sum().backward()
    a.grad.data[...] = 7
    assert b.grad.tolist() == [1.0, 1.0]


def test_detached_tensors_are_constants():
    x = cr.tensor([1.0, 2.0], requires_grad=True)
    (x * x.detach() + cr.stop_gradient(x) * 5).sum().backward()
    assert x.grad.tolist() == [1.0, 2.0]


def test_the_derivative_does_not_pass_through_integers():
    x = cr.tensor([1.5, 2.5], requires_grad=True)
    whole = x.astype(np.int64)
    assert not whole.requires_grad
    (whole.astype(np.float32) * x).sum().backward()
    assert x.grad.tolist() == [1.0, 2.0]


# --- no_grad --------------------------------------------------------------------------------------


def test_no_grad_records_nothing():
    x = cr.tensor([1.0, 2.0], requires_grad=True)
    with cr.no_grad():
        y = x * x
    assert not y.requires_grad
    assert len(cr.graph(y)) == 0
    assert (x * x).requires_grad


def test_no_grad_ends_with_an_error_too():
    x = cr.tensor([1.0], requires_grad=True)
    with pytest.raises(KeyError), cr.no_grad():
        raise KeyError
    assert (x * x).requires_grad


def test_grad_works_inside_no_grad():
    x = cr.tensor([1.0, 2.0], requires_grad=True)
    with cr.no_grad():
        inside = cr.grad(lambda x: (x * x).sum())(x)
        tangent = cr.jvp(lambda x: x * x, (X,), (V,))[1]
    assert inside.tolist() == [2.0, 4.0]
    assert not inside.requires_grad
    close(tangent, 2 * X * V)


def test_no_grad_inside_grad_makes_constants():
    def f(x):
        with cr.no_grad():
            scale = x * x
        return (scale * x).sum()

    close(cr.grad(f)(X), X * X)
    close(cr.jvp(f, (X,), (V,))[1], (X * X * V).sum())


# --- trees, arguments, auxiliary results ----------------------------------------------------------


def test_arguments_may_be_trees():
    parameters = {"w": np.array([2.0, 3.0]), "rest": [np.array(1.0), (np.array([4.0]),)]}

    def f(p):
        return (p["w"] ** 2).sum() * p["rest"][0] + p["rest"][1][0].sum()

    bars = cr.grad(f)(parameters)
    assert bars["w"].tolist() == [4.0, 6.0]
    assert bars["rest"][0] == 13.0
    assert isinstance(bars["rest"][1], tuple)
    assert bars["rest"][1][0].tolist() == [1.0]


def test_dicts_are_matched_by_key_not_by_order():
    p, p_dot = {"a": np.array(2.0), "b": np.array(5.0)}, {"b": np.array(0.0), "a": np.array(1.0)}
    assert cr.jvp(lambda p: p["a"] ** 2 * p["b"], (p,), (p_dot,))[1] == 20.0
    y, pull = cr.vjp(lambda x: {"one": x, "ten": 10 * x}, np.array(1.0))
    assert list(y) == ["one", "ten"]
    assert pull({"ten": np.array(0.0), "one": np.array(1.0)})[0] == 1.0


def test_several_arguments():
    f = lambda a, b, c: a * b * c  # noqa: E731
    args = np.array(2.0), np.array(3.0), np.array(5.0)
    assert cr.grad(f, argnums=1)(*args) == 10.0
    assert cr.grad(f, argnums=(0, 2))(*args) == (15.0, 6.0)
    assert cr.grad(f, argnums=-1)(*args) == 6.0


def test_has_aux():
    def f(x):
        return (x * x).sum(), {"double": 2 * x, "name": "f"}

    (value, aux), bar = cr.value_and_grad(f, has_aux=True)(X)
    close(value, (X * X).sum())
    close(aux["double"], 2 * X)
    assert aux["name"] == "f"
    close(bar, 2 * X)
    bar, aux = cr.grad(f, has_aux=True)(X)
    close(bar, 2 * X)


def test_aux_stays_differentiable_for_the_outer_transformation():
    def through_aux(x):
        _, aux = cr.grad(lambda y: ((y * y).sum(), y * y * y), has_aux=True)(x)
        return aux.sum()

    close(cr.grad(through_aux)(X), 3 * X * X)


def test_keyword_arguments_pass_through():
    assert cr.grad(lambda x, *, n: x**n)(np.array(2.0), n=3) == 12.0


def test_arrays_in_arrays_out_tensors_in_tensors_out():
    square = lambda x: (x * x).sum()  # noqa: E731
    assert isinstance(cr.grad(square)(X), np.ndarray)
    assert isinstance(cr.grad(square)(cr.tensor(X)), cr.Tensor)
    assert isinstance(cr.grad(lambda x: x * x)(3.0), cr.Tensor)
    value, dot = cr.jvp(cr.sin, (np.array(0.0),), (np.array(2.0),))
    assert isinstance(value, np.ndarray)
    assert isinstance(dot, np.ndarray)


def test_a_python_integer_is_taken_as_a_float():
    assert cr.grad(cr.sin)(1).item() == pytest.approx(np.cos(1), rel=1e-6)
    assert cr.jvp(cr.sin, (1,), (1,))[1].item() == pytest.approx(np.cos(1), rel=1e-6)


def test_a_function_that_does_not_depend_on_its_argument():
    assert cr.grad(lambda x: cr.tensor(3.0))(X).tolist() == [0.0, 0.0, 0.0]
    y, pull = cr.vjp(lambda x: 3.0, X)
    assert (y, pull(1.0)[0].tolist()) == (3.0, [0.0, 0.0, 0.0])
    assert cr.jvp(lambda x: 3.0, (X,), (V,))[1] == 0.0


def test_a_pull_back_may_be_called_many_times():
    _, pull = cr.vjp(cr.exp, X)
    close(pull(V)[0], pull(V)[0])
    close(pull(2 * V)[0], 2 * pull(V)[0])


def test_linear_maps_have_vanishing_second_derivatives():
    assert not cr.jvp(cr.grad(lambda x: (2 * x).sum()), (X,), (V,))[1].any()
