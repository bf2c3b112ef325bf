"""What the steps of a recurrence add to the derivatives of its weights: outer products, summed over time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chainrule.glass.explanation.inside import Inside
from chainrule.glass.explanation.moments import Moment, added
from chainrule.glass.explanation.recurrence import Recurrence, recurrences
from chainrule.glass.explanation.recurrences_forward import MOST, shown
from chainrule.glass.explanation.rules import Term
from chainrule.glass.explanation.signs import Signs, named
from chainrule.glass.record import Call

Factor = tuple[str, np.ndarray]


def all_deltas(moment: Moment) -> np.ndarray:
    """δ of all gates side by side, (n, gates · hidden_size)."""
    return np.concatenate([moment.of.at(f"delta_{g}".rstrip("_"), moment.t - 1) for g in moment.of.gates], -1)


def shares(moment: Moment) -> Iterator[Inside]:
    """What this step adds to dL/dW and dL/dU."""
    for head, parameter in (("W", "weight_ih"), ("U", "weight_hh")):
        if head == "U" and moment.of.kind == "chung_gru":
            continue  # of two kinds of rows: told with the sum
        rule, numbers = share(moment, head)
        assert numbers is not None
        symbol = rf"(\partial L/\partial {moment.weight(head)})_{{{moment.t}}}"
        value = numbers[0] @ numbers[2]
        yield Inside(moment.name(f"d{parameter}"), symbol, rule, value, numbers)


def share(moment: Moment, head: str) -> Term:
    """δₜᵀ xₜ, or δₜᵀ hₜ₋₁."""
    r = moment.of
    v = (
        (moment.input(), moment.x)
        if head == "W"
        else (moment.sign("h", moment.earlier), moment.number("h", moment.earlier))
    )
    return moment.outer(*delta_for(moment, r, head), *v)


def delta_for(moment: Moment, r: Recurrence, head: str) -> Factor:
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
    shares = [_of_bias(m, head) if "b" in head else _whole(share(m, head), m) for m in moments]
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
    sign, delta = delta_for(moment, moment.of, "U" if head == "b'" else "W")
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
