"""Layers on signals, images and volumes against PyTorch's: outputs and all gradients, over drawn settings."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from tests.oracles.test_torch_layers import TOLERANCE, compare, draws, numbers, randomise, same_state, shape_of

torch = pytest.importorskip("torch")

DTYPES = ["float64", "float32"]
HALVES = [range(20), range(20, 40)]  # 40 configurations, in two tests that may run side by side


def settled(names, **more):
    """A test for each layer and dtype, each over 40 configurations in two parts."""
    return pytest.mark.parametrize(
        ("name", "dtype", "part"), [(n, d, p) for n in names for d in DTYPES for p in HALVES], ids=str
    )


def compared(name, dtype, settings, x, rng):
    positional, named = settings
    ours, theirs = getattr(nn, name)(*positional, **named), getattr(torch.nn, name)(*positional, **named)
    randomise(ours, rng)
    same_state(ours, theirs, dtype)
    compare(ours, theirs, x, dtype, rng)
    return ours, theirs


def some(rng, axes, low, high):
    """One number for all axes, or one each."""
    values = tuple(int(v) for v in rng.integers(low, high + 1, axes))
    return values[0] if axes == 1 or rng.random() < 0.4 else values


def each(value, axes):
    return (value,) * axes if isinstance(value, int) else value


def grown(rng, axes, least, most=3):
    return tuple(n + int(rng.integers(0, most)) for n in each(least, axes))


CONVOLUTIONS = ["Conv1d", "Conv2d", "Conv3d"]


@settled(CONVOLUTIONS)
def test_convolutions(name, dtype, part):
    axes = int(name[-2])
    for i in part:
        rng = draws(name, i)
        groups = int(rng.choice([1, 1, 2, 3]))
        c_in, c_out = (groups * int(rng.integers(1, 3)) for _ in range(2))
        kernel, dilation = some(rng, axes, 1, 3), some(rng, axes, 1, 2)
        mode = str(rng.choice(["zeros", "zeros", "circular", "reflect", "replicate"]))
        same = rng.random() < 0.2
        stride = 1 if same else some(rng, axes, 1, 3)
        padding = "same" if same else "valid" if rng.random() < 0.1 else some(rng, axes, 0, 2)
        reach = [d * (k - 1) + 1 for d, k in zip(each(dilation, axes), each(kernel, axes), strict=True)]
        size = grown(rng, axes, tuple(max(r, 3) for r in reach))
        settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        settings |= {"bias": bool(i % 3), "padding_mode": mode}
        x = numbers(rng, (int(rng.integers(1, 4)), c_in, *size), dtype)
        compared(name, dtype, ((c_in, c_out, kernel), settings), x, rng)


@settled(["ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"])
def test_transposed_convolutions(name, dtype, part):
    axes = int(name[-2])
    for i in part:
        rng = draws(name, i)
        groups = int(rng.choice([1, 1, 2]))
        c_in, c_out = (groups * int(rng.integers(1, 3)) for _ in range(2))
        stride = some(rng, axes, 1, 3)
        extra = tuple(int(rng.integers(0, s)) for s in each(stride, axes))
        kernel, dilation = some(rng, axes, 2, 3), some(rng, axes, 1, 2)
        settings = {"stride": stride, "padding": some(rng, axes, 0, 1), "output_padding": extra}
        settings |= {"groups": groups, "bias": bool(i % 3), "dilation": dilation}
        x = numbers(rng, (int(rng.integers(1, 4)), c_in, *grown(rng, axes, 2)), dtype)
        compared(name, dtype, ((c_in, c_out, kernel), settings), x, rng)


def apart(rng, shape, dtype):
    """No two entries alike, so that the largest is one."""
    return (rng.permutation(int(np.prod(shape))).reshape(shape) * 0.1 - 3).astype(dtype)


POOLS = ["MaxPool1d", "MaxPool2d", "MaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d"]


@settled(POOLS)
def test_pooling(name, dtype, part):
    axes = int(name[-2])
    for i in part:
        rng = draws(name, i)
        kernel = some(rng, axes, 2, 3)
        settings = {"stride": some(rng, axes, 1, 3) if i % 3 else None, "padding": some(rng, axes, 0, 1)}
        settings["ceil_mode"] = bool(i % 2)
        least = each(kernel, axes)
        if name.startswith("Max"):
            settings["dilation"] = some(rng, axes, 1, 2)
            reach = zip(each(settings["dilation"], axes), each(kernel, axes), strict=True)
            least = tuple(d * (k - 1) + 1 for d, k in reach)
        else:
            settings["count_include_pad"] = bool(i // 2 % 2)
        shape = (int(rng.integers(1, 3)), int(rng.integers(1, 3)), *grown(rng, axes, least, 4))
        compared(name, dtype, ((kernel,), settings), apart(rng, shape, dtype), rng)


@settled([f"Adaptive{what}Pool{d}d" for what in ("Avg", "Max") for d in (1, 2, 3)])
def test_adaptive_pooling(name, dtype, part):
    axes = int(name[-2])
    for i in part:
        rng = draws(name, i)
        shape = (2, int(rng.integers(1, 3)), *shape_of(rng, axes, 1, 8))
        compared(name, dtype, ((some(rng, axes, 1, 5),), {}), apart(rng, shape, dtype), rng)


@pytest.mark.parametrize("dtype", DTYPES)
def test_upsampling(dtype):
    for i in range(60):
        rng = draws("upsample", i)
        axes = i % 3 + 1
        mode = ["nearest", ("linear", "bilinear", "trilinear")[axes - 1]][i // 3 % 2]
        target = {"size": some(rng, axes, 1, 7)} if i % 2 else {"scale_factor": float(rng.choice([2, 3, 1.5, 0.7]))}
        settings = {"mode": mode, **target} | ({} if mode == "nearest" else {"align_corners": bool(i // 6 % 2)})
        x = numbers(rng, (2, 2, *shape_of(rng, axes, 2, 6)), dtype)
        compared("Upsample", dtype, ((), settings), x, rng)


@pytest.mark.parametrize("dtype", DTYPES)
def test_unfold_and_fold(dtype):
    for i in range(40):
        rng = draws("unfold", i)
        kernel, dilation, padding, stride = (some(rng, 2, *b) for b in ((1, 3), (1, 2), (0, 1), (1, 2)))
        size = grown(rng, 2, tuple(d * (k - 1) + 1 for d, k in zip(each(dilation, 2), each(kernel, 2), strict=True)))
        settings = (kernel, dilation, padding, stride)
        columns = nn.Unfold(*settings)(numbers(rng, (2, 3, *size), dtype))
        compared("Unfold", dtype, (settings, {}), numbers(rng, (2, 3, *size), dtype), rng)
        compared("Fold", dtype, ((size, *settings), {}), numbers(rng, columns.shape, dtype), rng)
    for side in (1, 4):  # one number is a square image
        compared("Fold", dtype, ((side, 1), {}), numbers(rng, (2, 3, side * side), dtype), rng)


PADS = [f"{kind}Pad{d}d" for kind in ("Zero", "Reflection", "Replication", "Circular", "Constant") for d in (1, 2, 3)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PADS)
def test_padding(name, dtype):
    axes = int(name[-2])
    for i in range(40):
        rng = draws(name, i)
        padding = tuple(int(p) for p in rng.integers(0, 3, 2 * axes)) if i % 3 else int(rng.integers(0, 3))
        value = (float(rng.normal()),) if name.startswith("Constant") else ()
        shape = (2, int(rng.integers(1, 3)), *shape_of(rng, axes, 3, 6))
        compared(name, dtype, ((padding, *value), {}), numbers(rng, shape, dtype), rng)


@pytest.mark.parametrize("name", ["BatchNorm2d", "BatchNorm3d"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_batch_norm_over_several_steps_and_then_in_evaluation(name, dtype):
    axes = int(name[-2])
    for i in range(40):
        rng = draws(name, i)
        shape = (int(rng.integers(2, 5)), int(rng.integers(1, 4)), *shape_of(rng, axes, 2, 5))
        momentum = [0.1, 0.5, None, 1.0][i % 4]
        settings = {"eps": float(rng.choice([1e-5, 1e-3])), "momentum": momentum, "affine": bool(i % 3)}
        ours, theirs = compared(name, dtype, ((shape[1],), settings), numbers(rng, shape, dtype) + 3, rng)
        compare(ours, theirs, numbers(rng, shape, dtype) - 1, dtype, rng)
        ours.eval()
        theirs.eval()
        compare(ours, theirs, numbers(rng, shape, dtype), dtype, rng)


@pytest.mark.parametrize("name", ["GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_group_and_instance_norm(name, dtype):
    for i in range(40):
        rng = draws(name, i)
        groups, eps = int(rng.integers(1, 4)), float(rng.choice([1e-5, 1e-2]))
        channels = groups * int(rng.integers(1, 4))
        axes = i % 3 + 1 if name == "GroupNorm" else int(name[-2])
        counts = (groups, channels) if name == "GroupNorm" else (channels,)
        x = numbers(rng, (int(rng.integers(1, 4)), channels, *shape_of(rng, axes, 3, 5)), dtype)
        compared(name, dtype, (counts, {"eps": eps, "affine": bool(i % 2)}), x, rng)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rms_norm(dtype):
    for i in range(40):
        rng = draws("rms", i)
        shape = shape_of(rng, i % 3 + 2, 2, 6)
        k = int(rng.integers(1, len(shape)))
        eps = None if i % 4 == 0 else float(rng.choice([1e-6, 1e-2]))
        settings = {"eps": eps, "elementwise_affine": bool(i % 3)}
        compared("RMSNorm", dtype, ((shape[-k:],), settings), numbers(rng, shape, dtype), rng)


def test_global_pooling_is_adaptive_pooling_to_one():
    x = numbers(draws("global"), (3, 4, 5, 6), "float64")
    theirs = torch.nn.AdaptiveAvgPool2d(1)(torch.tensor(x)).flatten(1)
    np.testing.assert_allclose(nn.GlobalAvgPool()(x).data, theirs, rtol=TOLERANCE["float64"])


@pytest.mark.parametrize("kind", ["Conv", "ConvTranspose"])
def test_weights_start_as_pytorchs_do(kind):
    """Uniform on ±1/√(axis 1 · kernel) for weight and bias."""
    cr.seed(0)
    ours, theirs = getattr(nn, f"{kind}2d")(8, 64, 3), getattr(torch.nn, f"{kind}2d")(8, 64, 3)
    bound = 1 / np.sqrt(ours.weight.shape[1] * 9)
    for mine, other in ((ours.weight, theirs.weight), (ours.bias, theirs.bias)):
        for numbers_ in (np.abs(mine.data), other.detach().abs().numpy()):
            assert 0.9 * bound < numbers_.max() <= bound


def test_a_convolution_net_trains_as_pytorchs():
    rng = draws("net")

    def net(package):
        layers = [package.Conv2d(1, 4, 3, padding=1), package.BatchNorm2d(4), package.ReLU(), package.MaxPool2d(2)]
        layers += [package.Conv2d(4, 6, 3, groups=2), package.GroupNorm(3, 6), package.ReLU()]
        return package.Sequential(*layers, package.AdaptiveAvgPool2d(2), package.Flatten(), package.Linear(24, 3))

    ours, theirs = net(nn), net(torch.nn)
    randomise(ours, rng)
    same_state(ours, theirs, "float64")
    for _ in range(3):
        compare(ours, theirs, numbers(rng, (5, 1, 11, 12), "float64"), "float64", rng)
