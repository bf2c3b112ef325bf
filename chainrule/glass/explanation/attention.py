"""The rules of attention, head by head: softmax(Q Kᵀ/√d) V forwards, and the softmax's Jacobian on the way back.

For samples in columns tokens are columns: S = Qᵀ K/√d and V Aᵀ, as 003 §17.3 has them; a row of S is a query in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from chainrule.core import Tensor
from chainrule.glass.explanation.differences import Check, Part, check
from chainrule.glass.explanation.heads import Attention, attention
from chainrule.glass.explanation.inside import Inside
from chainrule.glass.explanation.moments import added
from chainrule.glass.explanation.rules import Rule, Term, joined
from chainrule.glass.explanation.run import mark
from chainrule.glass.explanation.signs import Signs, named
from chainrule.glass.record import Call

SHOWN_HEADS = 4
"""Heads that are shown; of more the first two and the last."""

ROLES = ("Q", "K", "V")


class Head:
    """The letters and numbers of one head, in rows or in columns."""

    def __init__(self, of: Attention, signs: Signs, i: int, call: Call) -> None:
        self.of, self.signs, self.i, self.call = of, signs, i, call
        self.alone = len(of.values["Q"]) == 1
        self.several = call.module is not None or of.number > 1

    def name(self, quantity: str) -> str:
        """What a quantity is called behind the path of the layer: "head1.Q"."""
        return f"head{self.i + 1}.{quantity}" if self.several else quantity

    def letter(self, head: str) -> str:
        """A letter with the number of the head."""
        return f"{head}_{{{self.i + 1}}}" if self.several else head

    def slope(self, head: str) -> str:
        """dL/d(letter)."""
        return rf"\partial L/\partial {self.letter(head)}"

    def tokens(self, name: str) -> np.ndarray:
        """Numbers of which each token has a row."""
        return self.signs.lay(self.of.at(name, self.i))

    def pairs(self, name: str) -> np.ndarray:
        """Numbers of pairs: queries are rows, keys columns, in both layouts; a matrix for each sequence."""
        return one_or_all(self.of.at(name, self.i))

    def put_in(self, *numbers: object) -> tuple | None:
        """The numbers of a product of pairs and tokens: it is one product for a single sequence only."""
        return numbers if self.alone else None


def one_or_all(array: np.ndarray) -> np.ndarray:
    """A single sequence without its axis."""
    return array[0] if len(array) == 1 else array


def shown(of: Attention) -> list[int]:
    """The heads that are shown."""
    return list(range(of.number)) if of.number <= SHOWN_HEADS else [0, 1, of.number - 1]


# Forwards.


def forwards(call: Call, signs: Signs) -> Iterator[Inside]:
    """Every head, and the heads side by side."""
    of = attention(signs.run, call)
    for i in shown(of):
        head = Head(of, signs, i, call)
        told = [*(_projections(head) if call.module is not None else _arguments(head)), *_mixing(head)]
        where = f"head {i + 1} of {of.number}"
        yield from (
            replace(
                part, name=head.name(part.name), caption=", ".join(filter(None, (part.caption, where * head.several)))
            )
            for part in told
        )
    if call.module is not None:
        letters = r",\; ".join(_letters("O", of.number))
        hidden = () if of.number <= SHOWN_HEADS else (f"heads 3 to {of.number - 1} go as those shown",)
        value = signs.lay(of.side_by_side("heads"))
        yield Inside("concat", "C", f"({letters})", value, caption="the heads side by side", notes=hidden)


def _letters(letter: str, n: int) -> list[str]:
    if n <= SHOWN_HEADS:
        return [f"{letter}_{{{i + 1}}}" for i in range(n)]
    return [f"{letter}_{{1}}", r"\dots", f"{letter}_{{{n}}}"]


def _projections(head: Head) -> Iterator[Inside]:
    """Q, K and V: the input times weights of this head's own."""
    for role, what in zip(ROLES, ("queries", "keys", "values"), strict=True):
        (sign, x), (weight, bias) = _source(head.call, head.signs, role), _of_head(head, role)
        w = f"{head.letter('W')}^{role}"
        terms = [_mapped(head.signs, sign, x, w, weight)]
        if bias is not None:
            terms.append((f"{head.letter('b')}^{role}", (head.signs.vector(bias),)))
        rule, numbers = added(*terms)
        yield Inside(role, head.letter(role), rule, head.tokens(role), numbers, caption=what)


def _arguments(head: Head) -> Iterator[Inside]:
    """Q, K and V of a function: what it was called with."""
    for role, what in zip(ROLES, ("queries", "keys", "values"), strict=True):
        sign = head.signs.sign(head.of.tensors[role])
        rule = rf"{sign} \text{{, head }} {head.i + 1}" if head.several else sign
        yield Inside(role, head.letter(role), rule, head.tokens(role), caption=what)


def _mixing(head: Head) -> Iterator[Inside]:
    """Scores, weights, and the mean of the values that they weigh."""
    q, k, v, s, a = (head.letter(letter) for letter in "QKVSA")
    of, columns = head.of, head.signs.columns
    numbers = head.tokens("Q"), head.tokens("K"), head.tokens("V")
    product = (numbers[0].T, r"\cdot", numbers[1]) if columns else (numbers[0], r"\cdot", numbers[1].T)
    rule = (rf"{q}^\top {k}" if columns else rf"{q} {k}^\top") + rf"/\sqrt{{{of.width}}}"
    note = (
        () if head.i else (rf"$d = {of.width}$, the width of a query; row $i$, column $j$: how query $i$ fits key $j$",)
    )
    terms: list[Term] = [(rule, (*product, rf"/\sqrt{{{of.width}}}"))]
    if of.added is not None:
        terms.append(("M", (one_or_all(of.added[:, head.i]),)))
    rule, put_in = added(*terms)
    yield from _mask(head)
    yield Inside("scores", s, rule, head.pairs("scores"), head.put_in(*(put_in or ())), caption="scores", notes=note)
    yield _softmax(head, a, s)
    weights, letter = head.pairs("weights"), a
    if "dropped" in of.values:
        weights, letter = head.pairs("dropped"), rf"\tilde {a}"
        yield Inside("dropped", letter, rf"{a} \odot M/(1 - p)", weights, caption="weights that dropout has left")
    mixed = (numbers[2], r"\cdot", weights.T) if columns and head.alone else (weights, r"\cdot", numbers[2])
    rule = rf"{v} {letter}^\top" if columns else f"{letter} {v}"
    yield Inside("output", head.letter("O"), rule, head.tokens("heads"), head.put_in(*mixed), caption="output")


def _softmax(head: Head, a: str, s: str) -> Inside:
    of = head.of
    numbers = None if of.visible is not None else (r"\operatorname{softmax}(", head.pairs("scores"), ")")
    over = r" \text{ over what is visible}" if of.visible is not None else ""
    rule = rf"\operatorname{{softmax}}({s}){over}"
    notes = () if head.i else (r"row by row: $A_{ij} = e^{S_{ij}} / \sum_k e^{S_{ik}}$",)
    return Inside("weights", a, rule, head.pairs("weights"), numbers, caption="weights", notes=notes)


def _mask(head: Head) -> Iterator[Inside]:
    """Which query sees which key, told once."""
    of = head.of
    if head.i or (of.visible is None and of.added is None):
        return
    if of.added is not None:
        yield Inside("mask", "M", r"\text{given}", one_or_all(of.added[:, 0]), caption="mask, added to the scores")
    if of.visible is None:
        return
    rule = r"[j \le i]" if of.causal else r"[\text{query } i \text{ sees key } j]"
    value = one_or_all(of.visible[:, 0].astype(int))
    yield Inside("mask", "M", rule, value, caption="mask: 1 is visible; what is not gets the weight 0")


def result(call: Call, signs: Signs) -> Rule:
    """The heads through the output projection; of a function the output itself."""
    of = attention(signs.run, call)
    if call.module is None:
        letters = r",\; ".join(_letters("O", of.number)) if of.number > 1 else "O"
        return letters, None, ("softmax of the scores, times the values",)
    own, c = signs.run.own_parameters(call), signs.lay(of.side_by_side("heads"))
    terms = [_mapped(signs, "C", c, "W^O", own["out_proj.weight"].data)]
    if "out_proj.bias" in own:
        terms.append(("b^O", (signs.vector(own["out_proj.bias"].data),)))
    return *added(*terms), ("the heads together, projected once more",)


# Backwards.


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
        sign, x = _source(call, signs, role)
        numbers = (delta, r"\cdot", x.T) if signs.columns else (delta.T, r"\cdot", x)
        d = rf"\partial L/\partial {role}"
        rule = rf"{d} {sign}^\top" if signs.columns else rf"({d})^\top {sign}"
        tensor, rows = _held(call, signs, role, "weight")
        value = signs.run.gradient(tensor)[rows]
        yield Inside(
            f"dW_{role}", rf"\partial L/\partial W^{role}", rule, value, numbers, check=_part(signs, tensor, rows)
        )
        if signs.run.own_parameters(call).get("in_proj_bias") is None:
            continue
        tensor, rows = _held(call, signs, role, "bias")
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
    for role, given in zip(ROLES, _given(call), strict=True):
        if mark(given) == mark(x):
            delta = signs.lay(of.side_by_side(f"d{role}"))
            weight, _ = _projection(call, signs, role)
            terms.append(_pulled(signs, rf"\partial L/\partial {role}", delta, f"W^{role}", weight))
    return added(*terms)


# Weights and inputs of the layer.


def _given(call: Call) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value as the layer was given them."""
    given = list(call.inputs)[:3]
    return (*given, *[given[-1]] * (3 - len(given)))  # type: ignore[return-value]


def _source(call: Call, signs: Signs, role: str) -> tuple[str, np.ndarray]:
    x = _given(call)[ROLES.index(role)]
    return signs.sign(x), signs.value(x)


def _held(call: Call, signs: Signs, role: str, what: str) -> tuple[Tensor, slice]:
    """The parameter that holds a projection's weight or bias, and its rows there."""
    own, e = signs.run.own_parameters(call), call.module.embed_dim
    rows = slice(ROLES.index(role) * e, (ROLES.index(role) + 1) * e)
    alone = f"{role.lower()}_proj_weight"
    return (own[alone], slice(None)) if what == "weight" and alone in own else (own[f"in_proj_{what}"], rows)


def _projection(call: Call, signs: Signs, role: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Weight and bias of the queries, keys or values of all heads."""
    weight, rows = _held(call, signs, role, "weight")
    if "in_proj_bias" not in signs.run.own_parameters(call):
        return weight.data[rows], None
    bias, own_rows = _held(call, signs, role, "bias")
    return weight.data[rows], bias.data[own_rows]


def _of_head(head: Head, role: str) -> tuple[np.ndarray, np.ndarray | None]:
    weight, bias = _projection(head.call, head.signs, role)
    d = head.of.width
    rows = slice(head.i * d, (head.i + 1) * d)
    return weight[rows], None if bias is None else bias[rows]


def _mapped(signs: Signs, x: str, numbers: np.ndarray, w: str, weight: np.ndarray) -> Term:
    """X Wᵀ for tokens in rows, W X for columns."""
    if signs.columns:
        return f"{w} {x}", (weight, r"\cdot", numbers)
    return rf"{x} ({w})^\top", (numbers, r"\cdot", weight.T)


def _pulled(signs: Signs, delta: str, numbers: np.ndarray, w: str, weight: np.ndarray) -> Term:
    """Δ W for tokens in rows, Wᵀ Δ for columns."""
    if signs.columns:
        return rf"({w})^\top {delta}", (weight.T, r"\cdot", numbers)
    return f"({delta}) {w}" if "partial" in delta else f"{delta} {w}", (numbers, r"\cdot", weight)
