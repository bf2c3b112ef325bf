"""Chains of elementwise operations on a GPU: each is a kernel, whose text is written here and compiled by Triton.

Arithmetic is in float32, correctly rounded where PyTorch's is; narrower numbers are widened when read and rounded when
written, not between.
"""

from __future__ import annotations

import linecache
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from chainrule.backends.chain_rules import Register, Writer, collapsed

LARGEST = 1 << 31
"""Places below are counted in 32 bits, others in 64."""

HEAD = """\
import triton
import triton.language as tl
from triton.language.extra import libdevice


@triton.jit
def chain({arguments}, n, BLOCK: tl.constexpr):
    i = tl.program_id(0){wide} * BLOCK + tl.arange(0, BLOCK)
    inside = i < n
"""

EVERY = "propagate_nan=tl.PropagateNan.ALL"
TEXTS = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "tl.div_rn({0}, {1})",
    "negative": "{0} * -1.0",  # -x would be 0 - x, which has another sign for 0
    "abs": "tl.abs({0})",
    "square": "{0} * {0}",
    "sqrt": "tl.sqrt_rn({0})",
    "exp": "libdevice.exp({0})",
    "log": "libdevice.log({0})",
    "log1p": "libdevice.log1p({0})",
    "expm1": "libdevice.expm1({0})",
    "tanh": "libdevice.tanh({0})",
    "sigmoid": "tl.div_rn(tl.full([BLOCK], 1.0, tl.float32), 1.0 + libdevice.exp(-{0}))",
    "erf": "libdevice.erf({0})",
    "relu": "tl.where({0} < 0.0, 0.0, {0})",
    "maximum": f"tl.maximum({{0}}, {{1}}, {EVERY})",
    "minimum": f"tl.minimum({{0}}, {{1}}, {EVERY})",
    "greater": "{0} > {1}",
    "greater_equal": "{0} >= {1}",
    "less": "{0} < {1}",
    "less_equal": "{0} <= {1}",
    "equal": "{0} == {1}",
    "not_equal": "{0} != {1}",
    "choose": "tl.where({2}, {0}, {1})",
    "logical_and": "{0} & {1}",
    "logical_or": "{0} | {1}",
    "logical_not": "{0} == 0",
    "copy": "{0}",
    "sign": "tl.where({0} > 0.0, 1.0, tl.where({0} < 0.0, -1.0, tl.where({0} == 0.0, 0.0, {0})))",
    "gelu": "{0} * (0.5 * libdevice.erfc({0} * -0.7071067811865476))",
    "gelu_slope": "0.5 * libdevice.erfc({0} * -0.7071067811865476)"
    " + {0} * (libdevice.exp({0} * {0} * -0.5) * 0.3989422804014327)",
}
"""Operations in Triton, of registers {0}, {1}, …"""

TRUTHS = ("greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "logical_and", "logical_or")
"""Operations that give truth values; `logical_not` does too."""


@cache
def available() -> bool:
    """Whether Triton is there and can compile a kernel, for which it asks for a C compiler; if not, that is said."""
    if find_spec("triton") is None or not torch.cuda.is_available():
        return False
    x = torch.ones(1, device="cuda")
    writer = TritonWriter()
    try:
        writer.call([(-writer.input(x), x)])()
    except Exception as error:  # whatever a missing compiler makes it raise
        reason = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        warnings.warn(f"Triton compiles no kernels here, so more and slower ones are used: {reason}", stacklevel=2)
        return False
    return True


class TritonWriter(Writer):
    """Writes the text of one chain. Registers are numbers of float32, or truth values."""

    def written(self, value: float) -> Register:
        self.code.append(("number", (float(np.float32(value)),)))
        return Register(self, len(self.code) - 1)

    def can_write(self, array: torch.Tensor) -> bool:
        """Whether results can be put there: what the kernel cannot write it copies."""
        return True

    def given(self, array: torch.Tensor, number: float | None) -> Register:
        """An operand: an array to read, or a number that is known."""
        return self.input(array) if number is None else self.number(number)

    def call(self, outputs: Sequence[tuple[Register, torch.Tensor]]) -> Callable[[], None]:
        """A launcher of the chain that writes these registers to these tensors."""
        n, written = outputs[0][1].numel(), [y if y.is_contiguous() else y.contiguous() for _, y in outputs]
        kernel, block = compiled(self.text(outputs)), 256 if n < 1 << 17 else 1024
        grid, tensors = (-(-n // block),), [*self.inputs, *written]
        copies = [(y, own) for (_, y), own in zip(outputs, written, strict=True) if own is not y]

        def launch() -> None:
            with torch.cuda.device_of(tensors[-1]):
                kernel[grid](*tensors, n, BLOCK=block, num_warps=4, **exact())
            for y, own in copies:
                y.copy_(own)

        return launch

    def text(self, outputs: Sequence[tuple[Register, torch.Tensor]]) -> str:
        """The kernel as Triton reads it."""
        truths = {~k for k, x in enumerate(self.inputs) if x.dtype == torch.bool}
        lines = [_reading(k, x) for k, x in enumerate(self.inputs)]
        for k, (name, operands) in enumerate(self.code):
            lines.append(f"r{k} = {_operation(name, operands, truths)}")
            if name in TRUTHS or name == "logical_not" or (name == "copy" and operands[0].number in truths):
                truths.add(k)
        for k, (register, y) in enumerate(outputs):
            value = _named(register, truths, truth=y.dtype == torch.bool)
            lines.append(f"tl.store(y{k} + i, {value}, mask=inside)")
        arguments = [*(f"x{k}" for k in range(len(self.inputs))), *(f"y{k}" for k in range(len(outputs)))]
        last = max(_last(x) for x in [*self.inputs, *(y for _, y in outputs)])
        wide = ".to(tl.int64)" if last >= LARGEST else ""
        return HEAD.format(arguments=", ".join(arguments), wide=wide) + "".join(f"    {line}\n" for line in lines)


def _last(x: torch.Tensor) -> int:
    """The place of the last entry, from the first, and the number of the last entry, whichever is more."""
    return max(x.numel(), sum((n - 1) * s for n, s in zip(x.shape, x.stride(), strict=True)))


def _reading(k: int, x: torch.Tensor) -> str:
    """The line that reads an input, which may be repeated or lie with any strides."""
    widened = "" if x.dtype in (torch.bool, torch.float32) else ".to(tl.float32)"
    axes = [(1, 0)] if x.numel() == 1 else collapsed(x.shape, x.stride())
    return f"a{k} = tl.load(x{k} + {_place(axes)}, mask=inside){widened}"


def _place(axes: list[tuple[int, int]]) -> str:
    """Where the i-th entry of an array with these axes lies."""
    terms: list[str] = []
    rest = "i"
    for k, (n, stride) in reversed(list(enumerate(axes))):
        along = rest if k == 0 else f"{rest} % {n}"
        rest = f"{rest} // {n}"
        terms += [] if stride == 0 else [f"({along})" if stride == 1 else f"({along}) * {stride}"]
    return f"({' + '.join(terms) or 'i * 0'})"


def _operation(name: str, operands: tuple[Any, ...], truths: set[int]) -> str:
    if name == "number":
        (value,) = operands
        text = f"tl.full([BLOCK], {_literal(abs(value))}, tl.float32)"
        return f"{text} * -1.0" if np.signbit(value) else text  # Triton's constants have no -0.0
    logical = name.startswith("logical")
    wanted = [logical or (name == "choose" and k == 2) for k in range(len(operands))]
    if name == "copy":
        wanted = [operands[0].number in truths]
    return TEXTS[name].format(*(_named(r, truths, truth) for r, truth in zip(operands, wanted, strict=True)))


def _literal(value: float) -> str:
    return repr(value) if np.isfinite(value) else f'float("{value}")'


def _named(register: Register, truths: set[int], truth: bool) -> str:
    """A register as the kind of value that is wanted: a truth or a number."""
    k = register.number
    name = f"a{~k}" if k < 0 else f"r{k}"
    if (k in truths) == truth:
        return name
    return f"({name} != 0)" if truth else f"{name}.to(tl.float32)"


@cache
def exact() -> dict[str, bool]:
    """Settings of Triton's, where it has them, that round every operation by itself, and keep the smallest numbers.

    So a value does not depend on which operations share its kernel.
    """
    from triton.backends.nvidia.compiler import CUDAOptions  # pyright: ignore[reportMissingImports]

    return {name: False for name in ("enable_fp_fusion", "enable_reflect_ftz") if hasattr(CUDAOptions, name)}


@cache
def compiled(text: str) -> Any:
    """The kernel of a text, once for all chains that read alike. Triton looks for the text in a file: here in none."""
    name = f"<chain {len(linecache.cache)} {abs(hash(text)):x}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    found: dict[str, Any] = {"__name__": "chainrule.backends.triton_chains"}
    exec(compile(text, name, "exec"), found)
    return found["chain"]
