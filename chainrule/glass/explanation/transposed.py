"""Transposed convolution layers: every input writes a kernel, and on the way back every input has a window."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chainrule.core import Tensor
from chainrule.glass.explanation.convolution import VEC, outputs_of_group, sample, small, weight
from chainrule.glass.explanation.entries import at, indexed, largest, of_batch, written_out
from chainrule.glass.explanation.inside import Inside
from chainrule.glass.explanation.rules import Rule, Term
from chainrule.glass.explanation.signs import Signs
from chainrule.glass.explanation.sliding import AXES, Sliding, of_layer
from chainrule.glass.record import Call

NOTE = "each input lays its multiple of the kernel down; where kernels overlap, they add up"


def sliding(call: Call) -> Sliding:
    """How the kernel of the convolution slides that this layer is the transpose of: from its result to its input."""
    return of_layer(call.module, call.output.shape[2:], call.inputs[0].shape[2:], transposed=True)


# Forwards.


def forward(call: Call, signs: Signs) -> Rule:
    """z = wᵀ ⋆ x + b."""
    rule = rf"{signs.weight(call.path, True)} \star {signs.sign(call.inputs[0])}"
    notes = (NOTE, *_sizes(call))
    if call.module.bias is None:
        return rule, None, notes
    return f"{rule} + b^{{({signs.layer[call.path]})}}", None, notes


def _sizes(call: Call) -> tuple[str, ...]:
    """How the size of the result comes about: (places − 1) s − 2 p + d (k − 1) + 1."""
    layer, notes = call.module, dict[str, list[str]]()
    names = AXES[len(layer.kernel_size)]
    settings = (layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.output_padding)
    for name, p, n, k, s, pad, d, more in zip(
        names, call.inputs[0].shape[2:], call.output.shape[2:], *settings, strict=True
    ):
        reach = rf"{d} \cdot ({k} - 1) + 1" if d > 1 else f"{k}"
        ends = rf" - 2 \cdot {pad}" if pad else ""
        extra = f" + {more}" if more else ""
        notes.setdefault(rf"$({p} - 1) \cdot {s}{ends} + {reach}{extra} = {n}$", []).append(name)
    return tuple(f"{' and '.join(axes)}: {count}" for count, axes in notes.items())


def inside(call: Call, signs: Signs) -> Iterator[Inside]:
    """The output of largest size as a sum over the inputs that reach it, and a sample's result as a product."""
    slides, place = sliding(call), largest(call.output.data)
    w, b = weight(call, signs)
    n, o, i = place[0], place[1], slides.flat_entry(place[2:])
    places, taps = slides.reaching(i)
    inputs, kernels = _of_channel(call, w, o)
    images = call.inputs[0].data[n, inputs].reshape(len(kernels), -1)
    z = of_batch(signs.sign(call.output), place, signs)
    shift = None if b is None else b[o]
    weights, entries = kernels[:, taps].ravel(), images[:, places].ravel()
    yield Inside(
        "entry", z, r"\textstyle\sum_{c,p}\, w_{c,k(p)}\, " + "x_{c,p}" + ("" if b is None else f" + b_{{{o + 1}}}"),
        call.output.data[place], expanded=written_out(z, weights, entries, shift, call.output.data[place]),
        caption="the output of largest size: each input that reaches it times the weight that does",
        notes=(f"{len(places)} of {len(slides.seen)} places reach it",),
    )  # fmt: skip
    yield from _whole(call, signs, slides, n)


def _of_channel(call: Call, w: np.ndarray, o: int) -> tuple[slice, np.ndarray]:
    """The input channels that reach an output channel, and their kernels, (channels, taps)."""
    layer = call.module
    out, each = layer.out_channels // layer.groups, layer.in_channels // layer.groups
    first = o // out * each
    return slice(first, first + each), w[first : first + each, o % out].reshape(each, -1)


def _whole(call: Call, signs: Signs, slides: Sliding, n: int) -> Iterator[Inside]:
    w, b = weight(call, signs)
    x, z = (sample(signs.sign(t), n, signs) for t in (call.inputs[0], call.output))
    image = call.inputs[0].data[n]
    if len(slides.size) == 1 and small(slides.matrix_shape(w)):
        matrix = slides.matrix(w).T
        yield Inside(
            "matrix", r"T^\top", rf"\operatorname{{matrix}} {signs.weight(call.path, True)}", matrix,
            caption="the transpose of the matrix of a convolution with the same kernel",
        )  # fmt: skip
        spread = () if b is None else ("+", np.repeat(b, slides.size[0])[:, None])
        yield Inside(
            "product", rf"\operatorname{{vec}} {z}",
            rf"T^\top \operatorname{{vec}} {x}" + ("" if b is None else r" + b \otimes \mathbf{1}"),
            call.output.data[n].reshape(-1, 1), substituted=(matrix, r"\cdot", image.reshape(-1, 1), *spread),
            caption="the result as a product", notes=(VEC,),
        )  # fmt: skip
    elif slides.groups == 1:
        rows, entries = w.reshape(len(w), -1).T, image.reshape(len(image), -1)
        yield Inside(
            "columns", "U", rf"{signs.weight(call.path, True)} {x}", rows @ entries,
            substituted=(rows, r"\cdot", entries),
            caption="what each input lays down, as a column; added up where they meet (col2im), they are the result",
        )  # fmt: skip


# Backwards.


def parameter(call: Call, name: str, signs: Signs) -> tuple[str, Term]:
    """∂L/∂W as inputs times the windows of the deltas, ∂L/∂b as the sum of the deltas."""
    delta, layer, bar = signs.delta(call.output), signs.layer[call.path], signs.slope(call.output)
    which = "p" if signs.single else "i,p"
    if name == "bias":
        return f"b^{{({layer})}}", (rf"\textstyle\sum_{{{which}}} {delta}_{{{which}}}", (r"\textstyle\sum ", bar))
    slides, x, sign = sliding(call), call.inputs[0].data, signs.sign(call.inputs[0])
    if slides.groups > 1:
        return signs.weight(call.path), (rf"\textstyle\sum_{{{which}}} {sign} \cdot u_p", None)
    pairs = [(image.reshape(len(image), -1), slides.columns(part).T) for image, part in zip(x, bar, strict=True)]
    numbers = tuple(part for a, b in pairs for part in ("+", a, r"\cdot", b))[1:]
    total = "" if signs.single else r"\textstyle\sum_i "
    return signs.weight(call.path), (rf"{total}{sign} \, \operatorname{{im2col}}({delta})^\top", numbers)


def inside_back(call: Call, signs: Signs) -> Iterator[Inside]:
    """The derivative of one weight and of one input as sums of products, with the window of the deltas."""
    yield _of_one_weight(call, signs)
    x = call.inputs[0]
    if not signs.run.sends_alone(x):
        return
    slides, gradient = sliding(call), signs.run.gradient(x)
    place = largest(gradient)
    n, c, p = place[0], place[1], slides.flat_place(place[2:])
    outputs = outputs_of_group(call, c)
    window = slides.window(signs.slope(call.output)[n, outputs], p)
    kernel = weight(call, signs)[0][c]
    one = of_batch(signs.delta(x), place, signs)
    yield Inside(
        "da_entry", one, rf"\langle {at(signs.weight(call.path), (c,))}, u \rangle", gradient[place],
        substituted=(r"\textstyle\sum ", kernel, r"\odot", window),
        expanded=written_out(one, kernel.ravel(), window.ravel(), None, gradient[place]),
        caption="the input with the largest derivative: its kernel times the deltas $u$ where it was laid down",
        check=signs.run.check_entry(x, place),
    )  # fmt: skip


def _of_one_weight(call: Call, signs: Signs) -> Inside:
    own = signs.run.own_parameters(call)["weight"]
    gradient, slides, layer = signs.run.gradient(own), sliding(call), call.module
    place = largest(gradient)
    c, o, tap = place[0], place[1], place[2:]
    o += c // (layer.in_channels // layer.groups) * (layer.out_channels // layer.groups)
    row = int(np.ravel_multi_index(tap, slides.kernel))
    entries = call.inputs[0].data[:, c]
    deltas = np.stack([slides.columns(bar[[o]])[row].reshape(slides.places) for bar in signs.slope(call.output)])
    one = rf"\partial L/\partial {at(signs.weight(call.path), place)}"
    x = indexed(signs.sign(call.inputs[0]), f"{c + 1},p")
    if signs.single:
        entries, deltas = entries[0], deltas[0]
    return Inside(
        "dW_entry", one, rf"\textstyle\sum_p {x}\, \delta_{{k(p)}}",
        gradient[place], substituted=(r"\textstyle\sum ", entries, r"\odot", deltas),
        expanded=written_out(one, entries.ravel(), deltas.ravel(), None, gradient[place]),
        caption="the derivative of largest size: the inputs of its channel times the deltas where the weight laid them",
        check=signs.run.check_entry(own, place),
    )  # fmt: skip


def pulled(call: Call, x: Tensor, signs: Signs) -> Term:
    """W ⋆ Δ: the convolution of the deltas."""
    return rf"{signs.weight(call.path)} \star {signs.delta(call.output)}", None
