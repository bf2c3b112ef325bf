"""The stepper over every layer kind: what it shows is the step, its sums are the gradients, and back undoes next."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.core.stack import stack
from chainrule.glass.ledgers.one_step import run
from chainrule.glass.stepping.shown import WIDTH
from tests.laws.ledger_models import MODELS
from tests.laws.zoo import ZOO


def place(walk):
    here = walk.here
    return None if here is None else (here.first, here.last, here.depth, here.layer)


@pytest.mark.parametrize("name", MODELS)
def test_it_changes_nothing_and_ends_with_the_gradients(name):
    """The last share of every operand completes ∂L/∂operand, and a cotangent is complete before it is handed on."""
    model, x, y, loss = MODELS[name]()
    before = {k: v.tobytes() for k, v in model.state_dict().items()}, stack.key, stack.draws, stack.looks
    walk = cr.stepper(model, x, y, loss)
    assert ({k: v.tobytes() for k, v in model.state_dict().items()}, stack.key, stack.draws, stack.looks) == before
    tape = run(model, x, y, loss)
    made = [node for node in tape.nodes if node.primitive is not None]
    forward, backward = ([s for s in walk if s.phase == phase] for phase in ("forward", "backward"))
    assert [s.name for s in forward] == [node.name for node in made]
    sums, shares = {}, {}
    for stop in backward:
        for key, bar in ((value.key, value.array) for value in stop.bars):
            if key in sums:
                np.testing.assert_array_equal(bar, sums[key])
                assert shares[key].complete
        for share in stop.events[stop.first].shares:
            summed = sums[share.key] + share.array if share.key in sums else share.array
            np.testing.assert_array_equal(share.total, summed)
            assert share.arrived == (shares[share.key].arrived + 1 if share.key in shares else 1)
            sums[share.key], shares[share.key] = share.total, share
        assert str(stop)
    assert all(share.complete for share in shares.values())
    gradients = {name: tape.gradient(p) for name, p in model.named_parameters()}
    found = {share.name: share.total for share in shares.values() if share.is_parameter}
    for parameter, gradient in gradients.items():
        np.testing.assert_array_equal(found.get(parameter, np.zeros_like(gradient)), gradient)


@pytest.mark.parametrize("name", MODELS)
def test_every_move_leads_on_and_back(name):
    walk = cr.stepper(*MODELS[name]())
    for move in (walk.next, walk.into):
        walk.restart()
        behind = []
        while not walk.done:
            at, position = place(walk), walk.position
            move()
            behind.append(at)
            assert place(walk) is not None
            assert walk.position > position or (move == walk.into and at[3])
        assert walk.position == len(walk)
        if move == walk.next:
            for at in reversed(behind):
                walk.back()
                assert place(walk) == at
    walk.restart()
    walk.into()
    depth = walk.here.depth
    while walk.here.depth > 0:
        first = walk.here.first
        walk.out()
        depth -= 1
        assert walk.here.depth == depth
        assert walk.here.first <= first <= walk.here.last


@pytest.mark.parametrize("name", ["conv", "lstm", "functional"])
def test_updates_are_those_of_the_step(name):
    model, optimizer, draw = ZOO[name].draw()
    x, y = draw()
    walk = cr.stepper(model, x, y, ZOO[name].loss, optimizer)
    shown = {stop.given[0].name: stop for stop in walk if stop.phase == "update"}
    assert sorted(shown) == sorted(dict(model.named_parameters()))
    optimizer.zero_grad()
    ZOO[name].loss(model(x), y).backward()
    before = model.state_dict()
    optimizer.step()
    for parameter, p in model.named_parameters():
        stop, change = shown[parameter], p.numpy() - before[parameter]
        np.testing.assert_allclose(stop.update, change, atol=1e-7, rtol=1e-4)
        assert stop.result.shape == p.shape
    model.load_state_dict({k: np.zeros_like(v) for k, v in before.items()})  # what was recorded stays
    again = {stop.given[0].name: stop for stop in walk if stop.phase == "update"}
    for parameter in again:
        np.testing.assert_array_equal(again[parameter].given[0].array, before[parameter])


def test_units_show_what_crosses_their_border():
    """A layer passed over has the inputs and results of the whole, and its shares are the sums of those inside."""
    model, x, y, loss = MODELS["zoo transformer"]()
    walk = cr.stepper(model, x, y, loss)
    while not walk.done:
        stop = walk.next()
        inside = {value.key for event in stop.own for value in event.results}
        assert not inside & {value.key for value in stop.given if stop.phase != "update"}
        if stop.phase == "backward":
            assert [b.key for b in stop.bars]
            for share in stop.passed:
                parts = [s.array for e in stop.own for s in e.shares if s.key == share.key]
                np.testing.assert_array_equal(share.array, sum(parts[1:], start=parts[0]))


@pytest.mark.parametrize("name", MODELS)
def test_every_stop_can_be_read(name):
    """Whole layers and single operations print, with arrays of any number of axes, in lines of a terminal."""
    walk = cr.stepper(*MODELS[name]())
    for move in (walk.next, walk.into):
        walk.restart()
        while not walk.done:
            assert max(map(len, str(move()).splitlines())) <= WIDTH


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_backends_walk_alike(library):
    """The same stops with NumPy's arrays, whatever library the step ran on."""
    pytest.importorskip(library)
    walks = []
    for name in ("numpy", library):
        with cr.use(name):
            cr.seed(0)
            model = cr.models.MLP(5, 7, 3)
            x, y = np.random.default_rng(0).standard_normal((6, 5)).astype(np.float32), np.arange(6) % 3
            walks.append(cr.stepper(model, x, y, "cross-entropy", cr.optim.Adam(model, lr=0.01)))
    assert len(walks[0]) == len(walks[1])
    for one, other in zip(*walks, strict=True):
        assert (one.phase, one.path, one.name) == (other.phase, other.path, other.name)
        assert type(other.result) is np.ndarray
        np.testing.assert_allclose(other.result, one.result, rtol=1e-4, atol=1e-6)
        for key, share in one.shares.items():
            np.testing.assert_allclose(other.shares[key].total, share.total, rtol=1e-4, atol=1e-6)
