"""Convolution layers: one output and its window, the whole as a product, and the same on the way back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.core import Tensor
from chainrule.glass.explanation.entries import at, largest, of_batch, written_out
from chainrule.glass.explanation.figures import SHOWN
from chainrule.glass.explanation.inside import Inside
from chainrule.glass.explanation.rules import Rule, Term
from chainrule.glass.explanation.signs import Signs
from chainrule.glass.explanation.sliding import Sliding, of_layer
from chainrule.glass.record import Call

STAR = r"$\star$ lays the kernel on every window as it is, without turning it around"
VEC = r"$\operatorname{vec}$ writes all entries of an array below each other"


def sliding(call: Call) -> Sliding:
    """How the kernel of a layer slides."""
    return of_layer(call.module, call.inputs[0].shape[2:], call.output.shape[2:], transposed=False)


def weight(call: Call, signs: Signs) -> tuple[np.ndarray, np.ndarray | None]:
    """The numbers of the kernels and of the bias."""
    own = signs.run.own_parameters(call)
    return own["weight"].data, own["bias"].data if "bias" in own else None


def of_group(call: Call, channel: int) -> slice:
    """The input channels that an output channel looks at."""
    layer = call.module
    each = layer.in_channels // layer.groups
    first = channel // (layer.out_channels // layer.groups) * each
    return slice(first, first + each)


def outputs_of_group(call: Call, channel: int) -> slice:
    """The output channels that look at an input channel."""
    layer = call.module
    each = layer.out_channels // layer.groups
    first = channel // (layer.in_channels // layer.groups) * each
    return slice(first, first + each)


def sample(sign: str, i: int, signs: Signs) -> str:
    """The sign of one sample's part of a batch."""
    return sign if signs.single else at(sign, (i,))


def small(matrix_shape: tuple[int, int]) -> bool:
    """Whether a matrix is shown whole."""
    return max(matrix_shape) <= SHOWN


# Forwards.


def forward(call: Call, signs: Signs) -> Rule:
    """z = w ⋆ x + b."""
    layer, slides = call.module, sliding(call)
    rule = rf"{signs.weight(call.path)} \star {signs.sign(call.inputs[0])}"
    notes = [STAR, *slides.how_many]
    if layer.groups > 1:
        each = layer.in_channels // layer.groups
        seen = "one channel" if each == 1 else f"{each} channels"
        notes.append(f"{layer.groups} groups: every output channel sees {seen} of {layer.in_channels}")
    if layer.bias is None:
        return rule, None, tuple(notes)
    return f"{rule} + b^{{({signs.layer[call.path]})}}", None, (*notes, "each output channel has one bias")


def inside(call: Call, signs: Signs) -> Iterator[Inside]:
    """The output of largest size with its window, and one sample's result as a product of matrices."""
    slides, place = sliding(call), largest(call.output.data)
    w, b = weight(call, signs)
    n, o, p = place[0], place[1], slides.flat_place(place[2:])
    image = call.inputs[0].data[n]
    window, kernel = slides.window(image[of_group(call, o)], p), w[o]
    shift = None if b is None else b[o]
    z, x, name = of_batch(signs.sign(call.output), place, signs), signs.sign(call.inputs[0]), signs.weight(call.path)
    yield Inside(
        "window", "u", rf"\text{{what }} {z} \text{{ sees of }} {sample(x, n, signs)}", window,
        notes=_edges(slides, p), caption=f"the window of ${z}$, the output of largest size",
    )  # fmt: skip
    bias = "" if b is None else f" + b_{{{o + 1}}}"
    yield Inside(
        "entry", z, rf"\langle {at(name, (o,))}, u \rangle{bias}", call.output.data[place],
        substituted=(r"\textstyle\sum ", kernel, r"\odot", window, *(() if shift is None else ("+", shift))),
        expanded=written_out(z, kernel.ravel(), window.ravel(), shift, call.output.data[place]),
        caption="kernel times window, entry by entry, added up",
    )  # fmt: skip
    yield from _whole(call, signs, slides, n, o)


def _edges(slides: Sliding, place: int) -> tuple[str, ...]:
    if (slides.seen[place] >= 0).all():
        return ()
    return ("the window reaches beyond the edge: the zeros there are the padding",)


def _whole(call: Call, signs: Signs, slides: Sliding, n: int, o: int) -> Iterator[Inside]:
    """The result of a sample as a product: with the matrix of the convolution where it is small, or of windows."""
    w, b = weight(call, signs)
    if len(slides.size) == 1 and small(slides.matrix_shape(w)):
        yield from _by_matrix(call, signs, slides, n)
        return
    group, outputs = of_group(call, o), outputs_of_group(call, of_group(call, o).start)
    columns = slides.columns(call.inputs[0].data[n, group])
    x, z = (sample(signs.sign(t), n, signs) for t in (call.inputs[0], call.output))
    part = f" of group {group.start // (group.stop - group.start) + 1}" if slides.groups > 1 else ""
    yield Inside(
        "columns", "U", rf"\operatorname{{im2col}} {x}", columns,
        caption=f"the windows{part}, each as a column: a row for every weight of a kernel",
    )  # fmt: skip
    rows = w[outputs].reshape(outputs.stop - outputs.start, -1)
    shift = () if b is None else ("+", b[outputs, None], r"\cdot", r"\mathbf{1}^\top")
    yield Inside(
        "product", z, rf"{signs.weight(call.path)} U" + ("" if b is None else r" + b \mathbf{1}^\top"),
        call.output.data[n, outputs].reshape(len(rows), -1), substituted=(rows, r"\cdot", columns, *shift),
        caption=f"the result{part} as a product: a row for every output channel, a column for every place",
    )  # fmt: skip


def _by_matrix(call: Call, signs: Signs, slides: Sliding, n: int) -> Iterator[Inside]:
    w, b = weight(call, signs)
    matrix = slides.matrix(w)
    x, z = (sample(signs.sign(t), n, signs) for t in (call.inputs[0], call.output))
    name = signs.weight(call.path)
    yield Inside(
        "matrix", "T", rf"\operatorname{{matrix}} {name}", matrix, caption=_kind_of_matrix(slides, w),
    )  # fmt: skip
    spread = None if b is None else np.repeat(b, len(slides.seen))[:, None]
    yield Inside(
        "product", rf"\operatorname{{vec}} {z}",
        rf"T \operatorname{{vec}} {x}" + ("" if b is None else r" + b \otimes \mathbf{1}"),
        call.output.data[n].reshape(-1, 1),
        substituted=(matrix, r"\cdot", call.inputs[0].data[n].reshape(-1, 1), *(() if b is None else ("+", spread))),
        caption="the result as a product", notes=(VEC,) if signs.layer[call.path] == 1 else (),
    )  # fmt: skip


def _kind_of_matrix(slides: Sliding, w: np.ndarray) -> str:
    """What the matrix of a convolution along one axis is called. 002 A.9."""
    blocks = w.shape[0] * w.shape[1] * slides.groups > 1
    if set(slides.stride) != {1}:
        return "the convolution as a matrix: each row is the one above moved on by the stride"
    if slides.mode == "circular" and slides.places == slides.size:
        kind = "circulant: each row is the one above, turned by one"
    elif slides.mode == "zeros":
        kind = "Toeplitz: constant along its diagonals"
    else:
        return "the convolution as a matrix, what is repeated at the edges added to what stands there"
    return f"the convolution as a matrix, {'a block for each pair of channels, ' if blocks else ''}{kind}"


# Backwards.


def parameter(call: Call, name: str, signs: Signs) -> tuple[str, Term]:
    """∂L/∂W as deltas times windows, ∂L/∂b as their sum over places and samples."""
    delta, layer = signs.delta(call.output), signs.layer[call.path]
    bar, which = signs.slope(call.output), _over(signs)
    if name == "bias":
        return f"b^{{({layer})}}", (rf"\textstyle\sum_{{{which}}} {delta}_{{{which}}}", (r"\textstyle\sum ", bar))
    slides, x = sliding(call), call.inputs[0].data
    if slides.groups > 1:
        return signs.weight(call.path), (rf"\textstyle\sum_{{{which}}} {delta} \cdot u_p", None)
    rows = [part.reshape(len(part), -1) for part in bar]
    numbers = _products([(row, slides.columns(image).T) for row, image in zip(rows, x, strict=True)])
    product = rf"{delta} U^\top" if signs.single else rf"\textstyle\sum_i {delta}_i U_i^\top"
    return signs.weight(call.path), (product, numbers)


def _products(pairs: list[tuple[np.ndarray, np.ndarray]]) -> tuple[Any, ...]:
    parts = [part for a, b in pairs for part in ("+", a, r"\cdot", b)]
    return tuple(parts[1:])


def parameter_notes(call: Call, name: str, signs: Signs) -> tuple[str, ...]:
    """What stands in the rows and columns of the product, said once."""
    if name != "weight" or call.module.groups > 1:
        return ()
    where = "samples $i$ and " if not signs.single else ""
    return (
        "deltas with a row for each output channel, times windows with a row for each place; "
        "the rows of the product have the shape of the kernel",
        f"a weight is used at all places, so its derivative is a sum over {where}places",
    )


def inside_back(call: Call, signs: Signs) -> Iterator[Inside]:
    """The derivative of one weight, and of one input, as sums of products."""
    yield _of_one_weight(call, signs)
    x = call.inputs[0]
    if signs.run.sends_alone(x):
        yield from _of_inputs(call, signs, x)


def _of_one_weight(call: Call, signs: Signs) -> Inside:
    own = signs.run.own_parameters(call)["weight"]
    gradient = signs.run.gradient(own)
    place = largest(gradient)
    o, c, tap = place[0], place[1], place[2:]
    slides, delta = sliding(call), signs.slope(call.output)[:, o]
    row = int(np.ravel_multi_index(tap, slides.kernel))
    images = call.inputs[0].data[:, [of_group(call, o).start + c]]
    seen = np.stack([slides.columns(image)[row].reshape(slides.places) for image in images])
    one = at(signs.weight(call.path), place)
    bar = signs.delta(call.output) + (f"_{{{o + 1},p}}" if signs.single else f"_{{i,{o + 1},p}}")
    return Inside(
        "dW_entry", rf"\partial L/\partial {one}", rf"\textstyle\sum_{{{_over(signs)}}} {bar}\, u_p", gradient[place],
        substituted=(r"\textstyle\sum ", _few(delta, signs), r"\odot", _few(seen, signs)),
        expanded=written_out(rf"\partial L/\partial {one}", delta.ravel(), seen.ravel(), None, gradient[place]),
        caption="the derivative of largest size: the deltas of its channel, times what the weight meets there, $u_p$",
        check=signs.run.check_entry(own, place),
    )  # fmt: skip


def _over(signs: Signs) -> str:
    """What a sum runs over: places, and samples where there are several."""
    return "p" if signs.single else "i,p"


def _few(array: np.ndarray, signs: Signs) -> np.ndarray:
    return array[0] if signs.single else array


def _of_inputs(call: Call, signs: Signs, x: Tensor) -> Iterator[Inside]:
    """What goes back: through the transposed matrix of the convolution, and what one input gets."""
    slides, (w, _), gradient = sliding(call), weight(call, signs), signs.run.gradient(x)
    place = largest(gradient)
    n, c, i = place[0], place[1], slides.flat_entry(place[2:])
    bar, delta = signs.slope(call.output), sample(signs.delta(call.output), place[0], signs)
    one = of_batch(signs.delta(x), place, signs)
    outputs = outputs_of_group(call, c)
    places, taps = slides.reaching(i)
    own = w[outputs, c - of_group(call, outputs.start).start].reshape(outputs.stop - outputs.start, -1)
    deltas = bar[n, outputs].reshape(len(own), -1)
    yield Inside(
        "da_entry", one, r"\textstyle\sum_{o,p}\, w_{o,k(p)}\, \delta_{o,p}", gradient[place],
        expanded=written_out(one, own[:, taps].ravel(), deltas[:, places].ravel(), None, gradient[place]),
        caption="the input with the largest derivative: each place that sees it sends its delta times the weight",
        notes=(f"{len(places)} of {len(slides.seen)} places see it",), check=signs.run.check_entry(x, place),
    )  # fmt: skip
    if len(slides.size) == 1 and small(slides.matrix_shape(w)):
        matrix = slides.matrix(w)
        yield Inside(
            "da_product", rf"\operatorname{{vec}} {sample(signs.delta(x), n, signs)}",
            rf"T^\top \operatorname{{vec}} {delta}", gradient[n].reshape(-1, 1),
            substituted=(matrix.T, r"\cdot", bar[n].reshape(-1, 1)),
            caption="back through the transposed matrix",
        )  # fmt: skip
        return
    rows = w[outputs].reshape(len(own), -1)
    yield Inside(
        "da_columns", r"\partial L/\partial U", rf"{signs.weight(call.path, True)} {delta}", rows.T @ deltas,
        substituted=(rows.T, r"\cdot", deltas),
        caption="what the windows get; entries of several windows add up (col2im)",
    )  # fmt: skip


def pulled(call: Call, x: Tensor, signs: Signs) -> Term:
    """Wᵀ ⋆ Δ: the transposed convolution of the deltas."""
    return rf"{signs.weight(call.path, True)} \star {signs.delta(call.output)}", None
