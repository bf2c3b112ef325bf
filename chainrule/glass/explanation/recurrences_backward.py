"""A recurrent layer backwards through time: what reaches each state, the deltas of the gates, shares of the weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from chainrule.core import Tensor
from chainrule.glass.explanation.inside import Inside
from chainrule.glass.explanation.moments import Moment, added, one_minus, squared, times
from chainrule.glass.explanation.recurrence import Recurrence, recurrences
from chainrule.glass.explanation.recurrences_forward import MOST, shown
from chainrule.glass.explanation.rules import Term
from chainrule.glass.explanation.run import mark
from chainrule.glass.explanation.signs import Signs, named
from chainrule.glass.record import Call

Factor = tuple[str, np.ndarray]


def backwards(call: Call, signs: Signs) -> Iterator[Inside]:
    """Every step of every layer and direction, the last one first."""
    found = recurrences(signs.run, call)
    for r in reversed(found):
        for i, t in enumerate(reversed(shown(r))):
            moment = Moment(r, signs, t + 1, len(found) > 1)
            yield from _step(moment, first=i == 0)


def _step(moment: Moment, first: bool) -> Iterator[Inside]:
    """dL/dh, of an LSTM dL/dc, the deltas, and the shares of this step in the derivatives of W and U."""
    r, t = moment.of, moment.t - 1
    passes = r.mask is not None and not r.mask[:, t].all()
    notes = _arriving_notes(moment) if first else ()
    told = [replace(_of_state(moment), notes=notes), *DELTAS[r.kind](moment)]
    for part in told:
        slope = part.name
        name = {"dh": "h", "dc": "c"}.get(slope, slope.replace("delta", "z", 1))
        yield replace(
            part,
            name=moment.name(part.name),
            check=r.check(name, slope, t) if slope in r.values else None,
            substituted=None if passes else part.substituted,
        )
    yield from _shares(moment)


def _arriving_notes(moment: Moment) -> tuple[str, ...]:
    sign = moment.letter(r"\bar h", "", moment.t)
    added_to = "; what comes back through time, from the step behind, is added to it" if moment.steps > 1 else ""
    return (f"${sign}$ is what arrives at ${moment.sign('h')}$ from above{added_to}",)


def _of_state(moment: Moment) -> Inside:
    """dL/dh: from above, and from the step behind it."""
    above = moment.of.arriving[0][:, moment.t - 1]
    terms: list[Term] = []
    if above.any() or moment.is_last:
        terms.append((moment.letter(r"\bar h", "", moment.t), (moment.signs.lay(above),)))
    if not moment.is_last:
        later = Moment(moment.of, moment.signs, moment.later, moment.several)
        terms += SENT_BACK[moment.of.kind](later)
    rule, numbers = added(*terms)
    return Inside("dh", moment.sign("dh"), rule, moment.number("dh"), numbers)


# Deltas of each kind.


def _rnn(moment: Moment) -> Iterator[Inside]:
    """δ = dL/dh ⊙ φ'(z)."""
    h, z = moment.number("h"), moment.sign("z")
    f, slope = (r"\tanh'", 1 - h * h) if moment.of.nonlinearity == "tanh" else (r"\operatorname{ReLU}'", np.sign(h))
    note = rf"$\tanh'({z}) = 1 - {squared(moment.sign('h'))}$" if f == r"\tanh'" else ""
    yield _delta(moment, "", _known(moment, "dh"), (f"{f}({z})", slope), note=note)


def _lstm(moment: Moment) -> Iterator[Inside]:
    """dL/dc, then δ of the four gates. 000 (21.18)."""
    (c, cell), dh, o = _known(moment, "c"), _known(moment, "dh"), _known(moment, "o")
    squashed = rf"\tanh({c})", np.tanh(cell)
    terms = [times(dh, o, (rf"(1 - \tanh^2({c}))", 1 - np.tanh(cell) ** 2))]
    above = moment.of.arriving[1][:, moment.t - 1]
    if above.any():
        terms.insert(0, (moment.letter(r"\bar c", "", moment.t), (moment.signs.lay(above),)))
    if not moment.is_last:
        terms.append(times(_known(moment, "dc", moment.later), _known(moment, "f", moment.later)))
    rule, numbers = added(*terms)
    yield Inside("dc", moment.sign("dc"), rule, moment.number("dc"), numbers)
    dc, before = _known(moment, "dc"), _known(moment, "c", moment.earlier)
    yield _delta(moment, "i", dc, _known(moment, "g"), _slope(moment, "i"))
    yield _delta(moment, "f", dc, before, _slope(moment, "f"))
    yield _delta(moment, "g", dc, _known(moment, "i"), _slope(moment, "g"))
    yield _delta(moment, "o", dh, squashed, _slope(moment, "o"))
    yield _side_by_side(moment, "delta", r"\delta", "ifgo")


def _gru(moment: Moment) -> Iterator[Inside]:
    """PyTorch's: n counts with 1 − z, and its recurrent part m = h₋ Uᵀ + b' with r."""
    z, n, dh, before = (*(_known(moment, g) for g in ("z", "n", "dh")), _known(moment, "h", moment.earlier))
    yield _delta(moment, "n", dh, one_minus(*z), _slope(moment, "n"))
    yield _delta(moment, "z", dh, (f"({before[0]} - {n[0]})", before[1] - n[1]), _slope(moment, "z"))
    m = _recurrent_part(moment)
    yield _delta(moment, "r", _known(moment, "delta_n"), m, _slope(moment, "r"))
    yield _side_by_side(moment, "delta", r"\delta", "rzn")
    sign, delta = _delta_for(moment, moment.of, "U")
    rule = (
        rf"({moment.sign('delta_r')},\; {moment.sign('delta_z')},\; {moment.sign('delta_n')} \odot {moment.sign('r')})"
    )
    yield Inside("delta_h", sign, rule, delta)


def _chung_gru(moment: Moment) -> Iterator[Inside]:
    """The documents': n counts with z, and the reset gate acts on the state itself."""
    z, n, dh, before = (*(_known(moment, g) for g in ("z", "n", "dh")), _known(moment, "h", moment.earlier))
    yield _delta(moment, "n", dh, z, _slope(moment, "n"))
    yield _delta(moment, "z", dh, (f"({n[0]} - {before[0]})", n[1] - before[1]), _slope(moment, "z"))
    rule, numbers = _through(moment, "delta_n", "n")
    assert numbers is not None
    (r, slope), value = _slope(moment, "r"), moment.number("delta_r")
    whole = rf"({rule}) \odot {before[0]} \odot {r}"
    put_in = ("(", *numbers, r") \odot", before[1], r"\odot", slope)
    yield Inside("delta_r", moment.sign("delta_r"), whole, value, put_in)
    yield _side_by_side(moment, "delta", r"\delta", "rzn")


def _delta(moment: Moment, gate: str, *factors: Factor, note: str = "") -> Inside:
    name = f"delta_{gate}".rstrip("_")
    rule, numbers = times(*factors)
    return Inside(name, moment.sign(name), rule, moment.number(name), numbers, notes=(note,) if note else ())


def _slope(moment: Moment, gate: str) -> Factor:
    """σ' of a gate by its value, or tanh' of a candidate."""
    sign, value = _known(moment, gate)
    if gate in ("g", "n"):
        return f"(1 - {squared(sign)})", 1 - value * value
    return rf"{sign} \odot (1 - {sign})", value * (1 - value)


def _side_by_side(moment: Moment, name: str, letter: str, gates: str) -> Inside:
    """The deltas of all gates, as W holds the gates."""
    rule = r",\; ".join(moment.sign(f"delta_{g}") for g in gates)
    return Inside(name, moment.letter(letter, "", moment.t), f"({rule})", moment.signs.lay(all_deltas(moment)))


def all_deltas(moment: Moment) -> np.ndarray:
    """δ of all gates side by side, (n, gates · hidden_size)."""
    return np.concatenate([moment.of.at(f"delta_{g}".rstrip("_"), moment.t - 1) for g in moment.of.gates], -1)


def _known(moment: Moment, name: str, t: int | None = None) -> Factor:
    return moment.sign(name, t), moment.number(name, t)


def _recurrent_part(moment: Moment) -> Factor:
    """m = h₋ Uⁿᵀ + b'ⁿ of PyTorch's GRU."""
    r = moment.of
    m = r.before("h", moment.t - 1) @ moment.part(r.u, "n").T + moment.part(r.biases[-1], "n")
    before = moment.sign("h", moment.earlier)
    rule, _ = moment.mapped(before, m, moment.weight("U", "n"), r.u)
    return f"({rule} + {moment.weight(chr(98) + chr(39), 'n')})" if r.has_bias else f"({rule})", moment.signs.lay(m)


# What a step sends back to the state before it.


def _through(moment: Moment, name: str, gate: str) -> Term:
    """δ U of one gate."""
    return moment.pulled(*_known(moment, name), moment.weight("U", gate), moment.part(moment.of.u, gate))


def _back_by_all(moment: Moment) -> list[Term]:
    delta = moment.signs.lay(all_deltas(moment))
    return [moment.pulled(moment.letter(r"\delta", "", moment.t), delta, moment.weight("U"), moment.of.u)]


def _back_of_gru(moment: Moment) -> list[Term]:
    """h̄ ⊙ z, and by way of the gates; the candidate's delta counts with r."""
    kept = times(_known(moment, "dh"), _known(moment, "z"))
    (n, delta), (r, reset) = _known(moment, "delta_n"), _known(moment, "r")
    weight = moment.weight("U", "n"), moment.part(moment.of.u, "n")
    candidate = moment.pulled(rf"({n} \odot {r})", delta * reset, *weight)
    return [kept, _through(moment, "delta_r", "r"), _through(moment, "delta_z", "z"), candidate]


def _back_of_chung(moment: Moment) -> list[Term]:
    """h̄ ⊙ (1 − z), and by way of the gates; what comes through the candidate counts with r."""
    kept = times(_known(moment, "dh"), one_minus(*_known(moment, "z")))
    rule, numbers = _through(moment, "delta_n", "n")
    r, reset = _known(moment, "r")
    candidate: Term = (rf"({rule}) \odot {r}", ("(", *(numbers or ()), r") \odot", reset))
    return [kept, _through(moment, "delta_r", "r"), _through(moment, "delta_z", "z"), candidate]


# Parameters: sums over time.


def _shares(moment: Moment) -> Iterator[Inside]:
    """What this step adds to dL/dW and dL/dU."""
    for head, parameter in (("W", "weight_ih"), ("U", "weight_hh")):
        if head == "U" and moment.of.kind == "chung_gru":
            continue  # of two kinds of rows: told with the sum
        rule, numbers = _share(moment, head)
        assert numbers is not None
        symbol = rf"(\partial L/\partial {moment.weight(head)})_{{{moment.t}}}"
        value = numbers[0] @ numbers[2]
        yield Inside(moment.name(f"d{parameter}"), symbol, rule, value, numbers)


def _share(moment: Moment, head: str) -> Term:
    """δₜᵀ xₜ, or δₜᵀ hₜ₋₁."""
    r = moment.of
    v = (moment.input(), moment.x) if head == "W" else _known(moment, "h", moment.earlier)
    return moment.outer(*_delta_for(moment, r, head), *v)


def _delta_for(moment: Moment, r: Recurrence, head: str) -> Factor:
    """δ of all gates; for U of PyTorch's GRU that of the candidate counts with r."""
    delta, sign = all_deltas(moment), moment.letter(r"\delta", "", moment.t)
    if head == "U" and r.kind == "gru":
        sign = moment.letter(r"\delta", "h", moment.t)
        delta = np.concatenate([delta[:, : 2 * r.size], delta[:, 2 * r.size :] * r.at("r", moment.t - 1)], -1)
    return sign, moment.signs.lay(delta)


def parameter(call: Call, name: str, signs: Signs) -> tuple[str, Term]:
    """The letter of a parameter and its derivative: the shares of all steps, added."""
    found, name = recurrences(signs.run, call), name.rpartition(".")[2]
    r = next((r for r in found if r.end and name.endswith(r.end)), found[0])
    kind = name.removesuffix(r.end)
    moments = [Moment(r, signs, t + 1, len(found) > 1) for t in shown(r)]
    if kind in ("h0", "c0"):
        return named(name), (r"\text{what the first steps send back to them}", None)
    head = {"weight_ih": "W", "weight_hh": "U", "bias_ih": "b", "bias_hh": "b'"}[kind]
    sign = _letter(moments[0], head)
    if r.kind == "chung_gru" and head == "U":
        return sign, (_chung_sum(moments[0]), None)
    shares = [_of_bias(m, head) if "b" in head else _whole(_share(m, head), m) for m in moments]
    return sign, (r"\textstyle\sum_t " + _share_at_t(moments[0], head), _summed(shares, r))


def _letter(moment: Moment, head: str) -> str:
    """The letter of a parameter; two biases of which only the sum b counts are told apart."""
    if "b" in head and moment.of.kind in ("rnn", "lstm"):
        return moment.letter("b", "", "hh" if head == "b'" else "ih")
    return moment.weight(head)


def _share_at_t(moment: Moment, head: str) -> str:
    """The share of any step t."""
    of_state = moment.of.kind == "gru" and head in ("U", "b'")
    delta = moment.letter(r"\delta", "h" if of_state else "", "t")
    if "b" in head:
        return _over_samples(delta, moment)
    v = moment.input("t") if head == "W" else moment.letter("h", "", "t+1" if moment.of.reverse else "t-1")
    return moment.outer(delta, moment.x, v, moment.x)[0]


def _of_bias(moment: Moment, head: str) -> Term:
    """δₜ, summed over the samples."""
    sign, delta = _delta_for(moment, moment.of, "U" if head == "b'" else "W")
    summed = moment.bias(delta.sum(1 if moment.signs.columns else 0))
    return _over_samples(sign, moment), (summed,)


def _over_samples(delta: str, moment: Moment) -> str:
    if len(moment.of.x) == 1:
        return delta
    return rf"{delta} \mathbf{{1}}" if moment.signs.columns else rf"\mathbf{{1}}^\top {delta}"


def _whole(share: Term, moment: Moment) -> Term:
    rule, numbers = share
    assert numbers is not None
    return rule, (numbers[0] @ numbers[2],)


def _summed(shares: list[Term], r: Recurrence) -> tuple | None:
    """The shares with a plus between them; of a long sequence the first two and the last."""
    _, numbers = added(*shares)
    if numbers is None or len(r.order) <= MOST:
        return numbers
    return (*numbers[:-1], r"\dots", "+", numbers[-1])


def _chung_sum(moment: Moment) -> str:
    r, n = r"(\delta_{t}^{r}, \delta_{t}^{z})", r"\delta_{t}^{n}"
    if moment.signs.columns:
        return rf"\textstyle\sum_t {r} h_{{t-1}}^\top,\; {n} (r_{{t}} \odot h_{{t-1}})^\top"
    return rf"\textstyle\sum_t {r}^\top h_{{t-1}},\; {n}^{{\top}} (r_{{t}} \odot h_{{t-1}})"


# The input.


def pulled(call: Call, x: Tensor, signs: Signs) -> Term:
    """What goes back to the input, δₜ W at every step, or to a first state."""
    found = recurrences(signs.run, call)
    if mark(x) != mark(call.inputs[0]):
        first = [Moment(r, signs, r.order[0] + 1, len(found) > 1) for r in found]
        return r",\; ".join(" + ".join(rule for rule, _ in SENT_BACK[m.of.kind](m)) for m in first), None
    terms = []
    for r in found:
        moment = Moment(r, signs, 1, len(found) > 1)
        if moment.layer == 0:
            delta = np.concatenate([r.values[f"delta_{g}".rstrip("_")] for g in r.gates], -1)
            first, last = (moment.letter(r"\delta", "", t) for t in (1, len(r.order)))
            between = r"\dots; " if len(r.order) > 2 else ""
            deltas = rf"({first}; {between}{last})" if first != last else first
            terms.append(moment.pulled(deltas, signs.lay(delta), moment.weight("W"), r.w))
    rule, numbers = added(*terms)
    return rule, numbers if x.shape == found[0].x.shape else None  # time first: the rows lie in another order


DELTAS: dict[str, Callable[[Moment], Iterator[Inside]]] = {
    "rnn": _rnn,
    "lstm": _lstm,
    "gru": _gru,
    "chung_gru": _chung_gru,
}
"""By the kernel of the recurrence."""

SENT_BACK: dict[str, Callable[[Moment], list[Term]]] = {
    "rnn": _back_by_all,
    "lstm": _back_by_all,
    "gru": _back_of_gru,
    "chung_gru": _back_of_chung,
}
"""What a step sends back to the state before it, by the kernel of the recurrence."""
