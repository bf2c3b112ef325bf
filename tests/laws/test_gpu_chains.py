"""Chains on a GPU: the text of their kernels, read with PyTorch in the place of Triton, computes what primitives do."""

import sys
import types

import numpy as np
import pytest

import chainrule as cr
from chainrule.backends import chain_rules
from tests.laws.domains import CASES

torch = pytest.importorskip("torch")

from chainrule.backends import triton_chains  # noqa: E402
from chainrule.backends.triton_chains import TritonWriter  # noqa: E402

EQUAL = {torch.float32: 3e-6, torch.bfloat16: 1e-2, torch.float16: 2e-3}


class Memory:
    """The memory behind a tensor, from its first entry on, as a pointer."""

    def __init__(self, x, place=0):
        self.x, self.place = x, place

    def __add__(self, place):
        return Memory(self.x, self.place + place)

    @property
    def flat(self):
        rest = self.x.untyped_storage().nbytes() // self.x.element_size() - self.x.storage_offset()
        return torch.as_strided(self.x, (rest,), (1,), self.x.storage_offset())


def stand_in():
    """Triton's modules with blocks that are tensors; a kernel's programs run one after the other."""
    language, device, triton = types.ModuleType("triton.language"), types.ModuleType("libdevice"), types.ModuleType("t")
    now = []

    def jit(function):
        class Kernel:
            def __getitem__(self, grid):
                def launch(*arguments, BLOCK, num_warps, **settings):
                    given = [Memory(a) if isinstance(a, torch.Tensor) else a for a in arguments]
                    for k in range(grid[0]):
                        now[:] = [k]
                        function(*given, BLOCK=BLOCK)

                return launch

        return Kernel()

    def load(pointer, mask):
        place = torch.where(mask, pointer.place, 0)
        return pointer.flat[place]

    def store(pointer, value, mask):
        pointer.flat[pointer.place[mask]] = value.expand(mask.shape)[mask].to(pointer.x.dtype)

    language.constexpr, language.float32, language.int64 = int, torch.float32, torch.int64
    language.program_id = lambda axis: torch.tensor(now[0])
    language.arange, language.load, language.store = torch.arange, load, store
    language.full = lambda shape, value, dtype: torch.full(shape, value, dtype=dtype)
    language.where, language.abs = torch.where, torch.abs
    language.div_rn, language.sqrt_rn = torch.div, torch.sqrt
    language.PropagateNan = types.SimpleNamespace(ALL=True)
    language.maximum = lambda a, b, propagate_nan: torch.maximum(a, b)
    language.minimum = lambda a, b, propagate_nan: torch.minimum(a, b)
    for name in ("exp", "log", "log1p", "expm1", "tanh", "erf", "erfc"):
        setattr(device, name, getattr(torch.special if name.startswith("erf") else torch, name))
    triton.jit, triton.language = jit, language
    extra = types.ModuleType("triton.language.extra")
    extra.libdevice = device
    return {"triton": triton, "triton.language": language, "triton.language.extra": extra}


@pytest.fixture(params=["read", "on the GPU"])
def device(request, monkeypatch):
    """The CPU with the stand-in, and a GPU where there is one."""
    if request.param == "on the GPU":
        if not triton_chains.available():
            pytest.skip("no GPU that Triton can use")
        yield "cuda"
        return
    for name, module in stand_in().items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(triton_chains, "exact", dict)
    triton_chains.compiled.cache_clear()
    yield "cpu"
    triton_chains.compiled.cache_clear()


def put(x, device, dtype=torch.float32):
    x = torch.from_numpy(np.array(x))
    return x.to(device, dtype if x.is_floating_point() else x.dtype)


def run(rule, arrays, wanted, dtype=torch.float32, **settings):
    """What a chain of one operation writes."""
    writer = TritonWriter()
    register = rule(writer, *map(writer.input, arrays), **settings)
    y = torch.full(wanted.shape, 7, dtype=torch.bool if wanted.dtype == bool else dtype, device=arrays[0].device)
    writer.call([(register, y)])()
    return y


ENTRYWISE = [
    c for c in CASES
    if c.name in chain_rules.RULES and c.name not in ("reshape", "astype") and chain_rules.covers(c.name, c.settings)
    and all(len(s) <= chain_rules.AXES and 0 not in s for s in c.shapes)
]  # fmt: skip


@pytest.mark.parametrize("case", ENTRYWISE, ids=[c.label for c in ENTRYWISE])
@pytest.mark.parametrize("dtype", EQUAL, ids=str)
def test_every_rule_is_its_primitive(case, dtype, device):
    args = case.draw()
    if any(a.dtype.kind in "iu" for a in args):
        pytest.skip("whole numbers are no members of chains")
    arrays = [put(a, device, dtype) for a in args]
    exact = [a.float().cpu().numpy() if a.is_floating_point() else a.cpu().numpy() for a in arrays]
    wanted = np.asarray(case.primitive(*(a.astype(np.float64) if a.dtype.kind == "f" else a for a in exact),
                                       **case.settings))  # fmt: skip
    shape = np.broadcast_shapes(*(a.shape for a in args))
    got = run(chain_rules.RULES[case.name], [a.expand(shape) for a in arrays], wanted, dtype, **case.settings)
    if wanted.dtype == bool:
        np.testing.assert_array_equal(got.cpu().numpy(), wanted)
    else:
        scale = max(1.0, np.abs(wanted[np.isfinite(wanted)]).max(initial=0))
        np.testing.assert_allclose(got.float().cpu().numpy(), wanted, rtol=EQUAL[dtype], atol=EQUAL[dtype] * scale)


SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-30, -1e30, 88.0, -88.0, 120.0, 1.0, -1.0, 3e-4], np.float32)
UNARY = ("negative", "abs", "square", "exp", "expm1", "tanh", "sigmoid", "erf", "relu", "sign", "gelu", "gelu_slope")
BINARY = ("add", "subtract", "multiply", "divide", "maximum", "minimum", "greater", "less_equal", "equal", "not_equal")


@pytest.mark.parametrize("name", UNARY + BINARY)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_not_finite_comes_out_as_from_numpy(name, device):
    args = [SPECIAL] if name in UNARY else [a.ravel() for a in np.meshgrid(SPECIAL, SPECIAL)]
    wanted = getattr(cr.ops, name)(*args) if hasattr(cr.ops, name) else cr.PRIMITIVES[name](*args)
    wanted = np.asarray(wanted)
    got = run(chain_rules.RULES[name], [put(a, device) for a in args], wanted).cpu().numpy()
    np.testing.assert_allclose(got, wanted, rtol=3e-6, atol=1e-30)
    if name in ("negative", "abs", "multiply", "add", "sign") and wanted.dtype != bool:
        number = ~np.isnan(wanted)
        np.testing.assert_array_equal(np.signbit(got[number]), np.signbit(wanted[number]))


@pytest.mark.parametrize("n", [1, 255, 256, 1025])
def test_operands_lie_as_they_like_and_two_results_are_written(n, device):
    draw = np.random.default_rng(n)
    a, b = (draw.standard_normal(s).astype(np.float32) for s in ((3, n), (n, 3)))
    row, one, truth = draw.standard_normal(n).astype(np.float32), np.float32(0.3), draw.random((3, n)) > 0.5
    wide = put(draw.standard_normal((3, 2 * n)), device)
    x = [put(a, device), put(b, device).T, put(row, device).expand(3, n), put([one], device).expand(3, n),
         put(truth, device), wide[:, ::2]]  # fmt: skip
    writer = TritonWriter()
    r = [writer.input(v) for v in x]
    s = r[0] * r[1] + r[2] / 3.0 - r[3]
    t = writer.choose(s, writer.exp(-writer.abs(s)), writer.logical_or(r[4], s > 0.0)) * r[5]
    y, z = torch.zeros(3, n, device=device), torch.zeros(n, 3, device=device).T
    writer.call([(s, y), (t, z)])()
    ws = a * b.T + row / np.float32(3) - one
    wt = np.where(truth | (ws > 0), ws, np.exp(-np.abs(ws))) * wide.cpu().numpy()[:, ::2]
    np.testing.assert_allclose(y.cpu().numpy(), ws, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(z.cpu().numpy(), wt, rtol=1e-5, atol=1e-6)


def test_it_may_write_over_what_it_reads(device):
    x = put(np.arange(700.0), device)
    writer = TritonWriter()
    writer.call([(writer.input(x) * 2.0 + 1.0, x)])()
    np.testing.assert_array_equal(x.cpu().numpy(), np.arange(700.0) * 2 + 1)


@pytest.mark.parametrize("value", [0.1, -1e-38, 1e-40, np.inf, -np.inf, 16777217.0, 0.0, -0.0])
def test_numbers_are_written_exactly(value, device):
    x = put(np.ones(3), device)
    writer = TritonWriter()
    writer.call([(writer.input(x) * value, x)])()
    np.testing.assert_array_equal(x.cpu().numpy(), np.full(3, value, np.float32))
    np.testing.assert_array_equal(np.signbit(x.cpu().numpy()), np.signbit(value))


def test_places_beyond_32_bits_are_counted_in_64():
    writer = TritonWriter()
    large = torch.empty(1 << 16, 1 << 16, device="meta")
    assert "program_id(0).to(tl.int64)" in writer.text([(-writer.input(large), large)])


def test_equal_chains_are_one_kernel(device):
    def text(x):
        writer = TritonWriter()
        return writer.text([(writer.exp(writer.input(x)), x)])

    assert text(put(np.zeros(5), device)) == text(put(np.ones(50), device))
