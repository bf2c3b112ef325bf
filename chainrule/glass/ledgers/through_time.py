"""What a recurrence keeps to itself: the pre-activations of its gates, and dL/dh, dL/dc with all later steps in them.

Arguments and results are as the primitives have them, (n, T, features); inside, a step is in front.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.ops.sequences import before, by_example, by_time, parts, steps_of_mask


def pre_activations(name: str, reverse: bool, h: Any, gates: Any, x: Any, h0: Any, w: Any, u: Any, *b: Any) -> Any:
    """z = W x + b + U h₋ of all gates side by side; z_n = W x + b + r ⊙ (U h₋ + b') of a GRU's candidate.

    In the documents' GRU it is W x + b + U (r ⊙ h₋).
    """
    xs, earlier = by_time(x, reverse), before(h0, by_time(h, reverse))
    z, of_state = xs @ w.T + b[0], earlier @ u.T
    if name not in ("gru", "chung_gru"):
        return by_example(z + of_state, reverse)
    size = h0.shape[-1]
    r = by_time(gates, reverse)[..., :size]
    if name == "gru":
        of_state = of_state + b[1]
        of_state[..., 2 * size :] *= r
    else:
        of_state[..., 2 * size :] = (r * earlier) @ u[2 * size :].T
    return by_example(z + of_state, reverse)


class Arrived:
    """dL/dh of every step, and dL/dc of an LSTM: what comes from outside and what later steps send back.

        h̄ₜ₋₁ = (from outside) + δₜ U + kept ⊙ h̄ₜ,   c̄ₜ = (from outside) + h̄ₜ ⊙ o ⊙ (1 − tanh² cₜ) + c̄ₜ₊₁ ⊙ f

    with z (GRU), 1 − z (the documents' GRU), 1 − t (highway) kept of the state, and Qᵀ h̄ of a residual network's.
    A step that a mask leaves out passes all of it on.
    """

    def __init__(self, name: str, delta: Any, gates: Any, u: Any, mask: Any, reverse: bool) -> None:
        self.name, self.u, self.reverse = name, u, reverse
        self.delta, self.size = by_time(delta, reverse), u.shape[-1]
        self.gates = None if gates is None else parts(by_time(gates, reverse), gates.shape[-1] // self.size)
        self.taken = None if mask is None else steps_of_mask(mask, reverse)

    def at_states(self, h_bar: Any, keep: Any = None) -> np.ndarray:
        """dL/dh (n, T, h) from the cotangents h̄ that arrive from outside; `keep` is a residual network's Q."""
        past, kept = self._sent(), self._kept()
        total = np.array(by_time(h_bar, self.reverse))
        for t in reversed(range(1, len(total))):
            own = total[t] if self.taken is None else total[t] * self.taken[t]
            total[t - 1] += past[t] + (own @ keep if keep is not None else 0 if kept is None else own * kept[t])
            if self.taken is not None:
                total[t - 1] += total[t] - own
        return by_example(total, self.reverse)

    def at_cells(self, c_bar: Any, h_total: Any, c: Any) -> np.ndarray:
        """dL/dc (n, T, h) of an LSTM, from c̄ that arrives from outside and dL/dh."""
        assert self.gates is not None
        _, f, _, o = self.gates
        own = by_time(h_total, self.reverse) * o * (1 - np.tanh(by_time(c, self.reverse)) ** 2)
        share = f
        if self.taken is not None:
            own, share = own * self.taken, np.where(self.taken, f, f.dtype.type(1))
        total = by_time(c_bar, self.reverse) + own
        for t in reversed(range(1, len(total))):
            total[t - 1] += total[t] * share[t]
        return by_example(total, self.reverse)

    def _sent(self) -> np.ndarray:
        """What reaches the earlier state by way of the pre-activations, at every step."""
        if self.name == "gru":
            r, n = (self.gates or [])[0], 2 * self.size
            return self.delta[..., :n] @ self.u[:n] + (self.delta[..., n:] * r) @ self.u[n:]
        if self.name == "chung_gru":
            r, n = (self.gates or [])[0], 2 * self.size
            return self.delta[..., :n] @ self.u[:n] + (self.delta[..., n:] @ self.u[n:]) * r
        return self.delta @ self.u

    def _kept(self) -> Any:
        """The factor by which the earlier state passes around the nonlinearity, at every step."""
        gates = self.gates or []
        kinds = {"gru": lambda: gates[1], "chung_gru": lambda: 1 - gates[1], "highway_rnn": lambda: 1 - gates[0]}
        return kinds[self.name]() if self.name in kinds else None
