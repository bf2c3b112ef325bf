"""A recurrent layer forwards, step by step: pre-activations, gates, candidate, cell and state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from chainrule.glass.explanation.inside import Inside
from chainrule.glass.explanation.moments import Moment, added, one_minus, times
from chainrule.glass.explanation.recurrence import Recurrence, recurrences
from chainrule.glass.explanation.rules import Rule, Term
from chainrule.glass.explanation.signs import Signs
from chainrule.glass.record import Call

MOST = 4
"""Sequences up to this length are shown step by step; of a longer one the first two steps and the last."""

FUNCTIONS = {"tanh": r"\tanh", "relu": r"\operatorname{ReLU}"}

ROLES = {
    "i": "input gate", "f": "forget gate", "g": "candidate", "o": "output gate", "c": "cell", "h": "state",
    "r": "reset gate", "z": "update gate", "n": "candidate",
}  # fmt: skip
"""What the letters stand for; in the plain network z is the pre-activation."""


def forwards(call: Call, signs: Signs) -> Iterator[Inside]:
    """Every step of every layer and direction."""
    found = recurrences(signs.run, call)
    for r in found:
        for i, t in enumerate(shown(r)):
            moment = Moment(r, signs, t + 1, len(found) > 1)
            told = list(STEPS[r.kind](moment))
            yield from (_told(part, moment, i == 0) for part in told)


def result(call: Call, signs: Signs) -> Rule:
    """The states of all steps, one below the other."""
    found = recurrences(signs.run, call)
    last = [r for r in found if Moment(r, signs, 1, True).layer == len(found) // _directions(call) - 1]
    rows = []
    for t in (1, found[0].x.shape[1]):
        states = ",\\; ".join(Moment(r, signs, t, len(found) > 1).sign("h") for r in last)
        rows.append(f"({states})" if len(last) > 1 else states)
    between = r";\; \dots;\; " if found[0].x.shape[1] > 2 else r";\; "
    return f"({between.join(dict.fromkeys(rows))})", None, _result_notes(call, signs, found)


def _result_notes(call: Call, signs: Signs, found: list[Recurrence]) -> tuple[str, ...]:
    one, length = found[0], found[0].x.shape[1]
    side = "columns" if signs.columns else "rows"
    notes = [f"the states of all steps as {side}" + ("" if len(one.x) == 1 else ", sequence after sequence")]
    if length > MOST:
        notes.append(f"steps 3 to {length - 1} go as those shown; their numbers are here by name")
    if one.mask is not None:
        notes.append("at a step that does not belong to a sequence its state passes unchanged")
    return tuple(notes)


def _directions(call: Call) -> int:
    return getattr(call.module, "directions", 1)


def shown(r: Recurrence) -> list[int]:
    """The steps that are shown (from 0), in the order in which they are computed."""
    order = list(r.order)
    return order if len(order) <= MOST else [*order[:2], order[-1]]


def _told(part: Inside, moment: Moment, first: bool) -> Inside:
    """A step with its caption; at the first one it is said where xₜ and the first state come from."""
    role = "pre-activation" if part.name == "z" and moment.of.kind == "rnn" else ROLES[part.name]
    notes = _start(moment) if first and part.name == (moment.of.gates[0] or "z") else ()
    passes = moment.of.mask is not None and not moment.of.mask[:, moment.t - 1].all()
    return replace(
        part,
        name=moment.name(part.name),
        caption=f"{role}, step {moment.t} of {moment.steps}",
        notes=notes,
        substituted=None if passes else part.substituted,
    )


def _start(moment: Moment) -> tuple[str, ...]:
    where = "a column" if moment.signs.columns else "a row"
    at_rest = not moment.of.arguments[1].any()
    given = f"what layer {moment.layer} gives at step {moment.t}" if moment.layer else f"step {moment.t} of the input"
    notes = [f"${moment.input()}$ is {given}, {where} for each sequence"]
    if moment.of.has_bias and moment.of.kind in ("rnn", "lstm"):
        both = (moment.letter("b", "", of) for of in ("ih", "hh"))
        notes.append(f"${moment.weight('b')} = {' + '.join(both)}$, the sum of the two biases")
    if at_rest:
        notes.append(f"the first state ${moment.sign('h', moment.earlier)}$ is 0")
    if moment.of.reverse:
        notes.append("this direction begins at the end of the sequence")
    return tuple(notes)


# One step of each kind.


def _rnn(moment: Moment) -> Iterator[Inside]:
    """z = x Wᵀ + h₋ Uᵀ + b, h = φ(z)."""
    rule, numbers = added(*_affine(moment, ""))
    f, z = FUNCTIONS[moment.of.nonlinearity], moment.number("z")
    yield Inside("z", moment.sign("z"), rule, z, numbers)
    yield Inside("h", moment.sign("h"), f"{f}({moment.sign('z')})", moment.number("h"), (f"{f}(", z, ")"))


def _lstm(moment: Moment) -> Iterator[Inside]:
    """The gates, c = f ⊙ c₋ + i ⊙ g, h = o ⊙ tanh c."""
    for gate in "ifgo":
        yield _gate(moment, gate, r"\tanh" if gate == "g" else r"\sigma", added(*_affine(moment, gate)))
    kept = times(_known(moment, "f"), _known(moment, "c", moment.earlier))
    yield _sum(moment, "c", kept, times(_known(moment, "i"), _known(moment, "g")))
    (o, opened), (c, cell) = _known(moment, "o"), _known(moment, "c")
    numbers = (opened, r"\odot", r"\tanh(", cell, ")")
    yield Inside("h", moment.sign("h"), rf"{o} \odot \tanh({c})", moment.number("h"), numbers)


def _gru(moment: Moment) -> Iterator[Inside]:
    """PyTorch's: n = tanh(x Wᵀ + b + r ⊙ (h₋ Uᵀ + b')), h = (1 − z) ⊙ n + z ⊙ h₋."""
    for gate in "rz":
        yield _gate(moment, gate, r"\sigma", added(*_affine(moment, gate)))
    of_x, of_h, *biases = _affine(moment, "n")
    r, (rule, numbers) = _known(moment, "r"), added(of_h, *biases[1:])
    reset = rf"{r[0]} \odot ({rule})", (r[1], r"\odot (", *(numbers or ()), ")")
    yield _gate(moment, "n", r"\tanh", added(of_x, *biases[:1], reset))
    z, n = _known(moment, "z"), _known(moment, "n")
    yield _sum(moment, "h", times(one_minus(*z), n), times(z, _known(moment, "h", moment.earlier)))


def _chung_gru(moment: Moment) -> Iterator[Inside]:
    """The documents': n = tanh(x Wᵀ + (r ⊙ h₋) Uᵀ + b), h = (1 − z) ⊙ h₋ + z ⊙ n."""
    for gate in "rz":
        yield _gate(moment, gate, r"\sigma", added(*_affine(moment, gate)))
    of_x, _, *biases = _affine(moment, "n")
    r, before = _known(moment, "r"), _known(moment, "h", moment.earlier)
    weight = moment.weight("U", "n"), moment.part(moment.of.u, "n")
    part = moment.mapped(rf"({r[0]} \odot {before[0]})", r[1] * before[1], *weight)
    yield _gate(moment, "n", r"\tanh", added(of_x, part, *biases))
    z, n = _known(moment, "z"), _known(moment, "n")
    yield _sum(moment, "h", times(one_minus(*z), before), times(z, n))


def _affine(moment: Moment, gate: str) -> list[Term]:
    """The terms of a gate's pre-activation: of the input, of the state, and the biases."""
    r, (before, state) = moment.of, _known(moment, "h", moment.earlier)
    x = moment.mapped(moment.input(), moment.x, moment.weight("W", gate), moment.part(r.w, gate))
    h = moment.mapped(before, state, moment.weight("U", gate), moment.part(r.u, gate))
    letters = ("b", "b'") if r.has_bias else ()
    biases = zip(letters, r.biases, strict=False)
    return [x, h, *((moment.weight(b, gate), (moment.bias(moment.part(v, gate)),)) for b, v in biases)]


def _gate(moment: Moment, gate: str, f: str, inner: Term) -> Inside:
    """A gate: its function of the pre-activation, written out and with the number of the pre-activation."""
    rule, numbers = inner
    z = (f"{f}(", moment.number(f"z_{gate}"), ")")
    shown_numbers = None if numbers is None else (f"{f}(", *numbers, ")", "=", *z)
    return Inside(gate, moment.sign(gate), f"{f}({rule})", moment.number(gate), shown_numbers)


def _sum(moment: Moment, name: str, *terms: Term) -> Inside:
    """A state as a sum: of what is kept and what is new."""
    rule, numbers = added(*terms)
    return Inside(name, moment.sign(name), rule, moment.number(name), numbers)


def _known(moment: Moment, name: str, t: int | None = None) -> tuple[str, np.ndarray]:
    return moment.sign(name, t), moment.number(name, t)


STEPS: dict[str, Callable[[Moment], Iterator[Inside]]] = {
    "rnn": _rnn,
    "lstm": _lstm,
    "gru": _gru,
    "chung_gru": _chung_gru,
}
"""By the kernel of the recurrence."""


def quantities(call: Call, signs: Signs) -> Iterator[tuple[str, np.ndarray]]:
    """All that the ledger finds inside, of every step, also of those that are not shown: "t7.h", "t7.delta_i"."""
    found = recurrences(signs.run, call)
    for r in found:
        for t in r.order:
            moment = Moment(r, signs, t + 1, len(found) > 1)
            yield from ((moment.name(name), moment.number(name)) for name in r.values)
    for y, name in zip(call.further, ("h_n", "c_n"), strict=False):
        yield name, signs.value(y)
        yield f"d{name}", signs.slope(y)
