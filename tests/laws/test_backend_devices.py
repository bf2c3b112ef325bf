"""Kernels stay where their arrays are: in PyTorch without a look at the host, in JAX without a callback to it."""

import pytest

import chainrule as cr
from chainrule.backends import place_named
from tests.laws.domains import CASES
from tests.laws.entries import by_label, results

ON_HOST = {"draw"}  # random streams are NumPy's on every backend, so that equal seeds give equal numbers
FIRST = by_label([case for case in CASES if case.number < 3 and case.name not in ON_HOST])


def pretended(torch):
    """Modes in which tensors have a shape, a dtype and a device, and no numbers.

    To read one, to mix it with one of the host, and to move it there are errors; tables made from settings may be
    sent. The device "meta" stands for any other than the host; "cuda" would ask for a driver.
    """
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.utils._python_dispatch import TorchDispatchMode

    class Away(TorchDispatchMode):
        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
            y = operation(*args, **(kwargs or {}))
            assert "meta" not in devices(args) or devices([y]) <= {"meta"}, f"{operation} moves a tensor to the host"
            return y

    def devices(values):
        return {v.device.type for v in cr.core.tree.flatten(list(values))[0] if isinstance(v, torch.Tensor)}

    return FakeTensorMode(), Away()


@pytest.mark.parametrize(**FIRST)
def test_pytorch_computes_where_the_tensors_are(case):
    torch = pytest.importorskip("torch")
    place = place_named("torch")
    arrays = [place.array(a) for a in case.draw()]
    numbers, away = pretended(torch)
    with numbers, away:
        args = [torch.empty(a.shape, dtype=a.dtype, device="meta") for a in arrays]
        got = case.primitive(*args, **case.settings)
    wanted = case.primitive(*arrays, **case.settings)
    for g, w in zip(results(got), results(wanted), strict=True):
        assert (g.device.type, g.dtype, g.shape) == ("meta", w.dtype, w.shape)


def test_the_pretended_device_is_noticed():
    torch = pytest.importorskip("torch")
    numbers, away = pretended(torch)
    with numbers, away:
        x = torch.empty(3, device="meta")
        for leave in (lambda: x.numpy(), lambda: x[0].item(), lambda: x + torch.ones(3), lambda: x.cpu()):
            with pytest.raises((AssertionError, RuntimeError)):
                leave()


def operations(jaxpr):
    """The operations of a traced function, those of its loops and branches too."""
    for equation in jaxpr.eqns:
        yield equation
        for inner in cr.core.tree.flatten(list(equation.params.values()))[0]:
            inner = getattr(inner, "jaxpr", inner)
            yield from operations(inner) if hasattr(inner, "eqns") else ()


def called_back(jaxpr):
    return [e.primitive.name for e in operations(jaxpr) if "callback" in e.primitive.name]


@pytest.mark.parametrize(**FIRST)
def test_jax_computes_without_the_host(case):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    args = [place_named("jax").array(a) for a in case.draw()]
    traced = jax.make_jaxpr(lambda *xs: case.primitive(*xs, **case.settings))(*args)
    assert not called_back(traced.jaxpr)


def test_a_callback_is_noticed():
    jax = pytest.importorskip("jax")

    def inner(x):
        return jax.lax.cond(x > 0, lambda v: jax.pure_callback(abs, v, v), lambda v: v, x)

    assert called_back(jax.make_jaxpr(jax.jit(inner))(jax.numpy.ones(())).jaxpr) == ["pure_callback"]
