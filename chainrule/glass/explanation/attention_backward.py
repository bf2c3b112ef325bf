"""Attention backwards: from the result to the heads, through the softmax, and to the projections' weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from chainrule.core import Tensor
from chainrule.glass.explanation.attention import ROLES, Head, given, held, projection, shown, source
from chainrule.glass.explanation.differences import Check, Part, check
from chainrule.glass.explanation.heads import Attention, attention
from chainrule.glass.explanation.inside import Inside
from chainrule.glass.explanation.moments import added
from chainrule.glass.explanation.rules import Term, joined
from chainrule.glass.explanation.run import mark
from chainrule.glass.explanation.signs import Signs, named
from chainrule.glass.record import Call


def backwards(call: Call, signs: Signs) -> Iterator[Inside]:
    """From the result back to the heads, through each of them, and to the projections' weights."""
    of = attention(signs.run, call)
    if call.module is not None:
        weight = signs.run.own_parameters(call)["out_proj.weight"].data
        rule, numbers = _pulled(signs, signs.delta(call.output), signs.slope(call.output), "W^O", weight)
        value = signs.lay(of.side_by_side("dheads"))
        heads_check = check_whole(of, "heads")
        yield Inside("dconcat", r"\partial L/\partial C", rule, value, numbers, check=heads_check)
    for i in shown(of):
        head = Head(of, signs, i, call)
        yield from (replace(part, name=head.name(part.name)) for part in _head_back(head))
    if call.module is not None:
        yield from _projections_back(call, signs, of)


def check_whole(of: Attention, name: str) -> Check:
    """dL/d(quantity) of all heads against differences."""
    part = Part(of.run.replay, of.tensors[name], ())
    return check(part, np.ones(part.result.shape), part.start, of.run.tape.gradient(of.tensors[name]))


def _head_back(head: Head) -> Iterator[Inside]:
    """dO, then dV = Aᵀ dO, dA = dO Vᵀ, dS = A ⊙ (dA − rowsum(dA ⊙ A)), dQ = dS K/√d, dK = dSᵀ Q/√d."""
    of, columns, i = head.of, head.signs.columns, head.i
    d_o, v, q, k = (head.tokens(name) for name in ("dheads", "V", "Q", "K"))
    a, da, ds = (head.pairs(name) for name in ("weights", "dweights", "dscores"))
    dropped = "dropped" in of.values
    used, letter = (head.pairs("dropped"), rf"\tilde {head.letter('A')}") if dropped else (a, head.letter("A"))
    if head.call.module is not None:
        wide, side = of.values["V"].shape[-1], "rows" if columns else "columns"
        to = rf" \text{{ to }} {(i + 1) * wide}" if wide > 1 else ""
        side = side if wide > 1 else side.removesuffix("s")
        rule = rf"\partial L/\partial C \text{{, {side} }} {i * wide + 1}{to}"
        yield Inside("doutput", head.slope("O"), rule, d_o, check=of.check("heads", i))
    o, root = head.slope("O"), rf"/\sqrt{{{of.width}}}"
    rule = rf"({o}) {letter}" if columns else rf"{letter}^\top {o}"
    numbers = (d_o, r"\cdot", used) if columns else (_flip(used), r"\cdot", d_o)
    yield Inside("dV", head.slope("V"), rule, head.tokens("dV"), head.put_in(*numbers), check=of.check("V", i))
    rule = rf"({o})^\top {head.letter('V')}" if columns else rf"({o}) {head.letter('V')}^\top"
    numbers = (d_o.T, r"\cdot", v) if columns else (d_o, r"\cdot", v.T)
    if dropped:
        rule, numbers = rf"{rule} \odot M/(1 - p)", ()
    yield Inside(
        "dweights", head.slope("A"), rule, da, head.put_in(*numbers) if numbers else None, check=of.check("weights", i)
    )
    yield _through_softmax(head, a, da, ds)
    s = head.slope("S")
    rule = rf"{head.letter('K')} ({s})^\top{root}" if columns else rf"({s}) {head.letter('K')}{root}"
    numbers = (k, r"\cdot", _flip(ds), root) if columns else (ds, r"\cdot", k, root)
    yield Inside("dQ", head.slope("Q"), rule, head.tokens("dQ"), head.put_in(*numbers), check=of.check("Q", i))
    rule = rf"{head.letter('Q')} {s}{root}" if columns else rf"({s})^\top {head.letter('Q')}{root}"
    numbers = (q, r"\cdot", ds, root) if columns else (_flip(ds), r"\cdot", q, root)
    yield Inside("dK", head.slope("K"), rule, head.tokens("dK"), head.put_in(*numbers), check=of.check("K", i))


def _flip(pairs: np.ndarray) -> np.ndarray:
    return np.swapaxes(pairs, -1, -2)


def _through_softmax(head: Head, a: np.ndarray, da: np.ndarray, ds: np.ndarray) -> Inside:
    """dS = A ⊙ (dA − rowsum(dA ⊙ A)): every row times the softmax's Jacobian."""
    letter, slope = head.letter("A"), head.slope("A")
    rule = rf"{letter} \odot ({slope} - \operatorname{{rowsum}}({slope} \odot {letter}))"
    rows, of_scores = (da * a).sum(-1, keepdims=True), head.of.check("scores", head.i)
    numbers = (a, r"\odot", "(", da, "-", rows * np.ones(a.shape), ")")
    notes = () if head.i else (
        r"the Jacobian of a row is $\operatorname{diag} a - a^\top a$; $\operatorname{rowsum}$ stands in every column",
    )  # fmt: skip
    return Inside("dscores", head.slope("S"), rule, ds, head.put_in(*numbers), notes=notes, check=of_scores)


def _projections_back(call: Call, signs: Signs, of: Attention) -> Iterator[Inside]:
    """The weights of queries, keys and values, all heads together."""
    for role in ROLES:
        delta = signs.lay(of.side_by_side(f"d{role}"))
        sign, x = source(call, signs, role)
        numbers = (delta, r"\cdot", x.T) if signs.columns else (delta.T, r"\cdot", x)
        d = rf"\partial L/\partial {role}"
        rule = rf"{d} {sign}^\top" if signs.columns else rf"({d})^\top {sign}"
        tensor, rows = held(call, signs, role, "weight")
        value = signs.run.gradient(tensor)[rows]
        yield Inside(
            f"dW_{role}", rf"\partial L/\partial W^{role}", rule, value, numbers, check=_part(signs, tensor, rows)
        )
        if signs.run.own_parameters(call).get("in_proj_bias") is None:
            continue
        tensor, rows = held(call, signs, role, "bias")
        rule = rf"({d}) \mathbf{{1}}" if signs.columns else rf"\mathbf{{1}}^\top {d}"
        value = signs.vector(signs.run.gradient(tensor)[rows])
        unseen = "what the keys' bias adds is the same in a whole row of scores, and softmax does not see it: 0"
        yield Inside(
            f"db_{role}", rf"\partial L/\partial b^{role}", rule, value, check=_part(signs, tensor, rows),
            notes=(unseen,) if role == "K" else (),
        )  # fmt: skip


def _part(signs: Signs, tensor: Tensor, rows: slice) -> Check:
    part = Part(signs.run.replay, tensor, (rows,))
    return check(part, np.ones(part.result.shape), part.start, signs.run.gradient(tensor)[rows])


def parameter(call: Call, name: str, signs: Signs) -> tuple[str, Term]:
    """The sign of a parameter and its derivative: the projections' one under the other, or the output's."""
    y, bar = signs.delta(call.output), signs.slope(call.output)
    of = attention(signs.run, call)
    match name:
        case "in_proj_weight" | "in_proj_bias":
            head = "W" if name.endswith("weight") else "b"
            parts = r";\; ".join(rf"\partial L/\partial {head}^{role}" for role in ROLES)
            return f"{head}^{{QKV}}", (f"({parts})", None)
        case "q_proj_weight" | "k_proj_weight" | "v_proj_weight":
            sign = f"W^{name[0].upper()}"
            return sign, (r"\text{as above}", None)
        case "out_proj.weight":
            c = signs.lay(of.side_by_side("heads"))
            if signs.columns:
                return "W^O", (rf"{y} C^\top", (bar, r"\cdot", c.T))
            return "W^O", (rf"({y})^\top C", (bar.T, r"\cdot", c))
        case "out_proj.bias":
            return "b^O", (rf"({y}) \mathbf{{1}}" if signs.columns else rf"\mathbf{{1}}^\top {y}", None)
    return named(name), (rf"J^\top {y}", None)


def pulled(call: Call, x: Tensor, signs: Signs) -> Term:
    """What goes back to an input: by way of the queries, the keys and the values that are made of it."""
    of = attention(signs.run, call)
    if call.module is None:
        roles = [role for role in ROLES if mark(of.tensors[role]) == mark(x)]
        numbers = [signs.lay(of.values[f"d{role}"][:, 0]) for role in roles]
        rule = " + ".join(rf"\partial L/\partial {role}" for role in roles)
        return rule, joined("+", numbers) if of.number == 1 else None
    terms = []
    for role, one in zip(ROLES, given(call), strict=True):
        if mark(one) == mark(x):
            delta = signs.lay(of.side_by_side(f"d{role}"))
            weight, _ = projection(call, signs, role)
            terms.append(_pulled(signs, rf"\partial L/\partial {role}", delta, f"W^{role}", weight))
    return added(*terms)


def _pulled(signs: Signs, delta: str, numbers: np.ndarray, w: str, weight: np.ndarray) -> Term:
    """Δ W for tokens in rows, Wᵀ Δ for columns."""
    if signs.columns:
        return rf"({w})^\top {delta}", (weight.T, r"\cdot", numbers)
    return f"({delta}) {w}" if "partial" in delta else f"{delta} {w}", (numbers, r"\cdot", weight)
