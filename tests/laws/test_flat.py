"""What flat buffers and parameters obey: views, runs, re-flattening, gradients that accumulate."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.base.errors import GradientError
from chainrule.base.keys import Key


def mlp():
    cr.seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2))


def rows(dtype=np.float32):
    return (Key(0) / "rows").generator().standard_normal((6, 4)).astype(dtype)


def are_views(flat):
    for p, place in zip(flat.parameters, flat.places, strict=True):
        np.testing.assert_array_equal(flat.values[place], p.data.ravel())
        assert np.shares_memory(flat.values, p.data)
        if p.grad is not None:
            np.testing.assert_array_equal(flat.grads[place], p.grad.data.ravel())
            assert np.shares_memory(flat.grads, p.grad.data)


def test_parameters_and_gradients_are_views():
    model = mlp()
    before = model.state_dict()
    flat = nn.Flat.of(model.parameters())
    assert all(np.array_equal(a, before[name]) for name, a in model.state_dict().items())
    assert flat.values.size == flat.grads.size == model.n_parameters
    are_views(flat)
    model(rows()).sum().backward()
    are_views(flat)
    flat.values -= 0.1 * flat.grads
    are_views(flat)
    for name, p in model.named_parameters():
        np.testing.assert_array_equal(p.data, before[name] - np.float32(0.1) * p.grad.data)


def test_buffers_begin_with_a_cache_line():
    model = nn.Linear(300, 7)
    flat, optimizer = nn.Flat.of(model.parameters()), cr.optim.Adam(model)
    arrays = [flat.values, flat.grads, *optimizer.groups[0].moments.values()]
    assert all(a.ctypes.data % 64 == 0 for a in arrays)
    assert not any(a.any() for a in arrays[1:])


def test_places_tile_the_buffer():
    flat = nn.Flat.of(mlp().parameters())
    assert flat.places[0].start == 0
    assert flat.places[-1].stop == flat.values.size
    assert all(a.stop == b.start for a, b in zip(flat.places[:-1], flat.places[1:], strict=True))


def test_assign_and_load_keep_the_views():
    model = mlp()
    flat = nn.Flat.of(model.parameters())
    model.load_state_dict({name: a + 1 for name, a in model.state_dict().items()})
    model[0].bias.assign(np.full(5, 9.0))
    are_views(flat)
    assert 9.0 in flat.values


def test_gradients_there_are_move_along():
    model = mlp()
    model(rows()).sum().backward()
    before = {name: np.array(p.grad.data) for name, p in model.named_parameters()}
    flat = nn.Flat(model.parameters())
    are_views(flat)
    assert all(np.array_equal(p.grad.data, before[name]) for name, p in model.named_parameters())


def test_the_same_parameters_keep_their_buffer():
    model = mlp()
    flat = nn.Flat.of(model.parameters())
    assert nn.Flat.of(model.parameters()) is flat
    assert nn.Flat.of(reversed(list(model.parameters()))) is not flat


def test_parts_of_a_buffer_make_a_new_one_and_the_old_one_is_stale():
    model = mlp()
    flat = nn.Flat.of(model.parameters())
    part = nn.Flat.of(model[0].parameters())
    assert part is not flat
    are_views(part)
    with pytest.raises(GradientError, match="moved out of this buffer"):
        flat.runs()
    whole = nn.Flat.of(model.parameters())
    are_views(whole)
    with pytest.raises(GradientError, match="moved out of this buffer"):
        part.runs()


def test_runs_are_the_stretches_with_a_gradient():
    model = nn.Sequential(*[nn.PReLU(n) for n in (2, 3, 4, 5)])
    flat = nn.Flat.of(model.parameters())
    first, second, third, fourth = model.parameters()
    assert flat.runs() == []
    (first.sum() + second.sum()).backward()
    assert flat.runs() == [slice(0, 5)]
    fourth.sum().backward()
    assert flat.runs() == [slice(0, 5), slice(9, 14)]
    third.sum().backward()
    assert flat.runs() == [slice(0, 14)]
    second.grad = None
    assert flat.runs() == [slice(0, 2), slice(5, 14)]
    flat.zero_grad()
    assert flat.runs() == []
    assert all(p.grad is None for p in flat.parameters)


@pytest.mark.parametrize("forget", [lambda m, f: m.zero_grad(), lambda m, f: f.zero_grad()])
def test_gradients_accumulate_until_they_are_forgotten(forget):
    model = mlp()
    flat = nn.Flat.of(model.parameters())
    model(rows()).sum().backward()
    once = flat.grads.copy()
    model(rows()).sum().backward()
    np.testing.assert_array_equal(flat.grads, 2 * once)
    forget(model, flat)
    assert all(p.grad is None for p in model.parameters())
    model(rows()).sum().backward()
    np.testing.assert_array_equal(flat.grads, once)


def test_a_tied_parameter_has_one_place():
    model = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
    model[1].weight = model[0].weight
    assert nn.Flat([model[0].weight, model[1].weight]).values.size == 16


def test_a_gradient_that_is_set_lands_in_the_buffer():
    model = mlp()
    flat = nn.Flat.of(model.parameters())
    model[0].bias.grad = np.arange(5.0)
    np.testing.assert_array_equal(flat.grads[flat.runs()[0]], np.arange(5.0))


def test_gradients_with_a_history():
    """d/dw of |∂L/∂w|² through `create_graph`, against grad of grad."""
    model = nn.Linear(3, 1).astype("float64")
    flat = nn.Flat.of(model.parameters())
    x = (Key(1) / "x").generator().standard_normal((5, 3))

    def loss(w):
        return cr.tanh(nn.functional_call(model, {"weight": w}, x)).sum()

    cr.tanh(model(x)).sum().backward(create_graph=True)
    first = model.weight.grad
    assert first.requires_grad
    np.testing.assert_array_equal(flat.grads[flat.places[0]], first.data.ravel())
    model.zero_grad()
    (first * first).sum().backward()
    wanted = cr.grad(lambda w: (cr.grad(loss)(w) ** 2).sum())(model.weight.data)
    np.testing.assert_allclose(model.weight.grad.data, wanted, rtol=1e-12)


@pytest.mark.parametrize("order", [(True, False), (False, True), (True, True)])
def test_gradients_with_and_without_history_add_up(order):
    model = mlp()
    flat = nn.Flat.of(model.parameters())
    model(rows()).sum().backward()
    once = flat.grads.copy()
    model.zero_grad()
    for create_graph in order:
        model(rows()).sum().backward(create_graph=create_graph)
    np.testing.assert_allclose(flat.grads, 2 * once, rtol=1e-6)
    for p, place in zip(flat.parameters, flat.places, strict=True):
        np.testing.assert_array_equal(p.grad.data.ravel(), flat.grads[place])


def test_training_goes_on_in_another_dtype():
    model = mlp()
    flat = nn.Flat.of(model.parameters())
    model(rows()).sum().backward()
    model.astype("float64")
    with pytest.raises(GradientError, match="by astype"):
        flat.runs()
    flat = nn.Flat.of(model.parameters())
    assert flat.values.dtype == flat.grads.dtype == np.float64
    assert flat.runs() == []
    losses = []
    for _ in range(20):
        model.zero_grad()
        loss = (model(rows(np.float64)) ** 2).mean()
        loss.backward()
        flat.values -= 0.1 * flat.grads
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    are_views(flat)


def test_parameters_without_entries():
    p, q = nn.Parameter(np.zeros((0, 3), np.float32)), nn.Parameter(np.ones(2, np.float32))
    flat = nn.Flat([p, q])
    (p.sum() + q.sum()).backward()
    assert flat.runs() == [slice(0, 2)]
