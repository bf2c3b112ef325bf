"""The whole text of the errors about backends, devices and dtypes."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.backends import interface
from chainrule.base.errors import DtypeError, OptionError


def text(error, call, *args, **settings):
    with pytest.raises(error) as raised:
        call(*args, **settings)
    return str(raised.value)


def test_an_unknown_backend():
    assert text(OptionError, cr.use, "tensorflow") == ("There is no backend 'tensorflow'.\n  known   numpy, torch, jax")


def test_a_device_in_the_place_of_a_backend():
    assert text(OptionError, cr.use, "cuda") == (
        'There is no backend \'cuda\'.\n  known   numpy, torch, jax\n  try     cr.use("torch", device="cuda")'
    )


@pytest.mark.parametrize("name", ["torch", "jax"])
def test_a_backend_that_is_not_installed(name, monkeypatch):
    monkeypatch.setattr(interface, "find_spec", lambda name: None)
    monkeypatch.setattr(interface, "_backends", {"numpy": cr.backends.NUMPY})
    assert text(OptionError, cr.use, name) == (
        f"The backend '{name}' needs the library {name}, which is not installed.\n"
        f'  try     pip install "chainrule[{name}]"'
    )


def test_numpy_has_no_gpu():
    assert text(OptionError, cr.use, "numpy", device="cuda") == (
        'NumPy computes on the CPU, it has no device \'cuda\'.\n  try     cr.use("torch", device="cuda")'
    )


def test_no_gpu_for_torch(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch, "__version__", "2.13.0")
    monkeypatch.setattr(torch.version, "cuda", None)
    assert text(OptionError, cr.use, "torch", device="cuda") == (
        "There is no device 'cuda': this machine has no GPU that PyTorch can use.\n"
        "  torch   2.13.0, built without CUDA\n"
        '  try     device="cpu", or a build of PyTorch for your GPU: https://pytorch.org/get-started'
    )


def test_too_few_gpus_for_torch(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch, "__version__", "2.13.0")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    assert text(OptionError, cr.use, "torch", device="cuda:2") == (
        "There is no device 'cuda:2': this machine has 2 GPUs.\n"
        "  torch   2.13.0\n"
        '  try     device="cpu", or a build of PyTorch for your GPU: https://pytorch.org/get-started'
    )


def test_a_device_that_torch_does_not_know():
    pytest.importorskip("torch")
    assert text(OptionError, cr.use, "torch", device="gpu") == (
        "PyTorch has no device 'gpu'.\n  known   cpu, cuda, cuda:1, mps"
    )


def test_a_device_that_jax_does_not_find():
    jax = pytest.importorskip("jax")
    here = ", ".join(f"{d.platform}:{d.id}" for d in jax.devices())
    assert text(OptionError, cr.use, "jax", device="npu") == (
        f"JAX finds no device 'npu' on this machine.\n  known   {here}"
    )


def test_mixed_backends():
    torch, jax = pytest.importorskip("torch"), pytest.importorskip("jax")
    assert text(DtypeError, cr.add, torch.ones(2), jax.numpy.ones(2)) == (
        "An operation got arrays of two backends, torch and jax.\n"
        '  try     both in one: model.to("torch"); with cr.use("torch"): x = cr.tensor(x)'
    )


def test_mixed_devices():
    torch = pytest.importorskip("torch")
    assert text(DtypeError, cr.concatenate, [torch.ones(2, 2), torch.ones(2, 2, device="meta")]) == (
        "An operation got arrays on two devices, cpu and meta.\n"
        '  try     both on one: model.to("torch", device="cpu"); with cr.use("torch", device="cpu"): x = cr.tensor(x)'
    )


def test_a_model_of_numpy_meets_data_of_torch():
    torch = pytest.importorskip("torch")
    w = cr.nn.Parameter([1.0, 2.0])
    assert text(DtypeError, (w * cr.tensor(torch.ones(2))).sum().backward) == (
        "A parameter of numpy met data of torch: its gradient came back from there.\n"
        '  try     model.to("torch") before the optimiser is made'
    )


def test_float64_where_jax_has_it_switched_off():
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", False)
    try:
        with cr.use("jax"):
            message = text(DtypeError, cr.tensor, np.ones(2))
            assert cr.tensor([1, 2]).dtype == np.int32
    finally:
        jax.config.update("jax_enable_x64", before)
    assert message == (
        "JAX has float64 switched off.\n"
        '  try     jax.config.update("jax_enable_x64", True) at the start, or dtype="float32"'
    )


def test_a_dtype_that_does_not_exist():
    assert text(DtypeError, cr.zeros, 2, dtype="float31") == (
        "There is no dtype 'float31'.\n  known   float16, bfloat16, float32, float64, int64, bool and the like"
    )


def test_what_is_no_array():
    assert text(DtypeError, cr.backends.backend_of, [1.0]) == (
        "list is not an array that a backend knows.\n"
        "  known   numpy, torch, jax\n"
        "  try     cr.tensor(value), or numpy.asarray(value)"
    )


def test_low_precision_of_integers():
    assert text(DtypeError, cr.nn.LowPrecision, cr.nn.Linear(1, 1), "int8") == (
        "A model computes in floating-point numbers, not in int8."
    )


def test_a_mask_inside_jit():
    jax = pytest.importorskip("jax")
    assert text(DtypeError, jax.jit(lambda x: cr.tensor(x)[x > 0].data), jax.numpy.ones(2)) == (
        "How many places a mask names is not known inside jax.jit.\n  try     cr.where(mask, x, 0)"
    )
