"""Each pass alone: what it leaves out, what it joins, and that memory is never in use twice."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.backends.native.library import loaded
from chainrule.plan.buffers import allotted
from chainrule.plan.lowering import joins
from chainrule.plan.passes import prepared, writes_strided
from chainrule.plan.passes.affine import cut_affine
from chainrule.plan.passes.chains import with_chains
from chainrule.plan.passes.copies import with_direct_copies
from chainrule.plan.passes.dead_code import without_dead_code
from chainrule.plan.passes.gradients import with_direct_stores
from chainrule.plan.passes.turned import with_turned_products
from chainrule.plan.passes.views import with_places
from chainrule.plan.places import reshaped
from chainrule.plan.program import Chain, Store
from chainrule.plan.record import Recording
from tests.laws.zoo import ZOO

X = np.ones((4, 3), np.float32)


def recorded(function, *args):
    return Recording(function, args, {}, checks=True).program


def program_of(name):
    model, optimizer, batch = ZOO[name].draw()
    return recorded(ZOO[name].step(model, optimizer), *batch())


def names(program):
    return [line.name for line in program]


def test_dead_code_is_left_out():
    def f(x):
        cr.exp(x)
        y = cr.sin(x)
        cr.cos(y)
        return cr.sum(y)

    assert names(recorded(f, X)) == ["exp", "sin", "cos", "sum"]
    assert names(without_dead_code(recorded(f, X))) == ["sin", "sum"]


def test_a_product_that_is_turned_is_made_turned():
    w = np.ones((3, 2), np.float32)
    program = recorded(lambda x: cr.transpose(x @ w), X)
    assert names(program) == ["matmul", "permute"]
    turned = with_turned_products(program)
    assert names(turned) == ["permute", "permute", "matmul"]
    assert turned.instructions[-1].writes == program.instructions[-1].writes
    both = recorded(lambda x: cr.transpose(x @ w) + cr.sum(x @ w), X)
    assert names(with_turned_products(both)).count("matmul") == 2
    used_twice = recorded(lambda x: (lambda y: (y, cr.transpose(y)))(x @ w), X)
    assert names(with_turned_products(used_twice)) == ["matmul", "permute"]


def test_an_affine_map_is_cut():
    layer = cr.nn.Linear(3, 2)
    assert names(cut_affine(recorded(lambda x: layer(x), X))) == ["permute", "matmul", "broadcast_to", "add"]


def test_views_are_no_work():
    f = lambda x: cr.unstack(cr.transpose(cr.reshape(x, 2, 2, 3), 0, 1)[:, ::-1], 0)[1]  # noqa: E731
    program = with_places(recorded(f, X))
    assert len(program) == 0
    place = program.places[program.outputs[0]]
    assert (place.offset, place.strides) == (9, (-6, 1))
    assert names(with_places(recorded(lambda x: cr.transpose(x).reshape(12), X))) == ["reshape"]


def test_elementwise_operations_become_chains():
    def f(x):
        y = cr.tanh(x * 2 + 1)
        z = cr.exp(y) - y
        return cr.sum(z), y

    program = with_chains(with_places(recorded(f, X)), joins)
    assert [type(line) is Chain for line in program] == [True, False]
    assert program.instructions[0].name == "multiply + add + tanh + exp + subtract"
    assert len(program.instructions[0].writes) == 2  # y is returned, z is summed; the others stay inside


def test_a_chain_ends_where_its_result_is_read_by_something_else():
    program = with_chains(with_places(recorded(lambda x: cr.sum(x * 2) * cr.exp(x * 2), X)), joins)
    assert names(program) == ["multiply", "sum", "multiply + exp + multiply"]


def test_a_chain_does_not_outrun_a_change_of_what_it_reads():
    model, optimizer, batch = ZOO["linear"].draw()

    def step(x, y):
        optimizer.zero_grad()
        twice = model.bias * 2
        cr.losses.mse(model(x), y).backward()
        optimizer.step()
        return twice + 1

    x, y = batch()
    plan = cr.compile(step)
    before = model.bias.numpy().copy()
    np.testing.assert_allclose(plan(x, y), before * 2 + 1, rtol=1e-6)


def test_a_hidden_layer_with_relu_is_kept_once():
    model = cr.nn.Sequential(fc1=cr.nn.Linear(3, 5), act=cr.nn.ReLU(), fc2=cr.nn.Linear(5, 2))
    step = lambda x: cr.sum(model(x) ** 2).backward()  # noqa: E731
    program = prepared(recorded(step, X), joins if loaded() else None)
    hidden = [v for line in program if line.phase == "backward" for v in line.reads if v.shape == (4, 5)]
    assert "fc1.z" not in [name for v in hidden for name in v.names]


@pytest.mark.skipif(loaded() is None, reason="no compiled kernels")
def test_a_single_operation_works_in_place():
    program = prepared(recorded(lambda x: cr.sum(cr.exp(cr.sum(x, 0)), 0), X), joins)
    buffers = allotted(program)
    summed, exponential = (v for line in program.instructions[:2] for v in line.writes)
    assert program.instructions[1].name == "exp" and buffers.offsets[summed] == buffers.offsets[exponential]


def test_gradients_are_made_where_they_belong():
    program = with_direct_stores(with_places(with_turned_products(program_of("mlp-tanh"))))
    assert not any(isinstance(line, Store) for line in program)


def test_a_gradient_that_is_added_to_another_is_made_apart():
    model = cr.nn.Linear(3, 2)
    back = lambda x: cr.sum(model(x)).backward()  # noqa: E731
    back(X)
    adding = with_direct_stores(with_places(with_turned_products(recorded(back, X))))
    assert [line.add for line in adding if isinstance(line, Store)] == [True, True]


def test_heads_of_attention_are_made_side_by_side():
    program = without_dead_code(program_of("attention"))
    plain, direct = with_places(program), with_direct_copies(program, writes_strided)
    assert {"concatenate", "reshape"} <= set(names(plain))
    assert not {"concatenate", "reshape"} & set(names(direct)) - {"place_at"}


@pytest.mark.parametrize("name", ZOO)
def test_no_memory_is_in_use_twice(name):
    program = prepared(program_of(name), joins if loaded() else None)
    buffers = allotted(program)
    alone = allotted(program, reuse=False)
    assert buffers.size <= alone.size
    for a, b in combinations(buffers.lifetimes, 2):
        apart = a.end < b.start or b.end < a.start
        handed_on = (a.end == b.start or b.end == a.start) and a.start != b.start
        (i, j), (m, n) = (((o := buffers.offsets[v.value]), o + v.size) for v in (a, b))
        assert apart or handed_on or j <= m or n <= i, (a, b)


@st.composite
def permuted_views(draw):
    shape = draw(st.lists(st.sampled_from([1, 2, 3, 4]), min_size=1, max_size=4))
    order = draw(st.permutations(range(len(shape))))
    size = int(np.prod(shape))
    new = []
    while size > 1 and len(new) < 3:
        divisor = draw(st.sampled_from([d for d in range(1, size + 1) if size % d == 0]))
        new.append(divisor)
        size //= divisor
    return shape, order, (*new, size)


@given(permuted_views())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_reshaping_by_strides_is_what_numpy_does(drawn):
    shape, order, new = drawn
    x = np.arange(np.prod(shape), dtype=np.int8).reshape(shape).transpose(order)
    strides = reshaped(x.shape, x.strides, new)
    try:
        wanted = np.reshape(x, new, copy=False)
    except ValueError:
        assert strides is None
        return
    assert strides is not None
    np.testing.assert_array_equal(np.lib.stride_tricks.as_strided(x, new, strides), wanted)


@pytest.mark.parametrize("kind", ["gelu_tanh", "softplus", "silu", "tanh"])
@pytest.mark.parametrize("times", [1, 5, 24, 60])
def test_chains_end_before_their_registers_do(kind, times):
    """Operations that consist of many, one after the other, and a value of the beginning that is read at the end."""

    def long(x, y):
        z = x
        for _ in range(times):
            z = getattr(cr, kind)(z) + y
        return z - x

    draw = np.random.default_rng(0)
    x, y = (draw.standard_normal((64, 300)).astype(np.float32) for _ in range(2))
    np.testing.assert_allclose(np.asarray(cr.compile(long)(x, y)), long(x, y), rtol=1e-4, atol=1e-5)
