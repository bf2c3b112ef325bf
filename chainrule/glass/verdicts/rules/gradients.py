"""Gradients that vanish or explode on their way through the layers, or through time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.base.errors import ChainruleError
from chainrule.glass.spectra.lags import LagCurve, lag_curve
from chainrule.glass.verdicts import pictures
from chainrule.glass.verdicts.case import Case
from chainrule.glass.verdicts.rules.easing import eased, told_easing
from chainrule.glass.verdicts.trials import begun
from chainrule.glass.verdicts.verdict import Verdict

VANISHED = 1e-3
"""A share of the greatest gradient, relative to the weights, below which the first layer does not learn."""

LOST = 1e-2
"""The layer where it begins has less than this share of the ‖δ‖ at the output."""

EXPLODED = 1e2
"""How many times ‖δ‖, or what goes forward, may grow through the layers."""

OVER_TIME = 1e-4
"""A share of the gradient at the last step of a sequence below which the first steps are not heard."""

LONG = 15
"""Steps of a sequence from which lags are looked at."""

EXAMPLES = 32
RECURRENT = ("RNN", "LSTM", "GRU", "ChungGRU")


@dataclass(frozen=True, eq=False)
class Depth:
    """By layer with weights, from the input to the output: ‖δ‖, ‖∂L/∂W‖ / ‖W‖, and the size of what it gives."""

    paths: list[str]
    deltas: np.ndarray
    slopes: np.ndarray
    sizes: np.ndarray
    entered: float


def vanishing(case: Case) -> Verdict | None:
    """The gradient dies on its way to the first layers, or the first steps of a sequence: they do not learn."""
    if not case.bad:
        return None
    return _vanishing_in_depth(case) or _vanishing_in_time(case)


def exploding(case: Case) -> Verdict | None:
    """The gradient, or what goes forward, grows from layer to layer, or from step to step, out of all proportion."""
    found = _exploding_in_depth(case) or _exploding_in_time(case)
    harmed = found is not None and (case.bad or case.failed or eased(case, case.trials.from_level_start()))
    return found if harmed else None


def depth(case: Case) -> Depth | None:
    """The layers with weights before the first step; None where there are less than three."""
    probe = case.begin
    if probe is None:
        return None
    paths, deltas, slopes, sizes = [], [], [], []
    entered = 0.0
    for layer in probe.layers.values():
        own = {n: v for n, v in probe.values.items() if n.rpartition(".")[0] == layer.path and v.ndim > 1}
        if not own or layer.delta is None:
            continue
        norm = np.sqrt(sum((v.astype(np.float64) ** 2).sum() for v in own.values()))
        gradient = np.sqrt(sum(probe.gradients.get(n, 0.0) ** 2 for n in own))
        if layer.kind == "Embedding":
            continue
        entered = entered or _size(layer.inputs)
        paths.append(layer.path)
        deltas.append(float(np.linalg.norm(layer.delta.astype(np.float64))))
        slopes.append(float(gradient / norm) if norm else 0.0)
        sizes.append(_size(layer.output))
    if len(paths) < 3:
        return None
    return Depth(paths, np.array(deltas), np.array(slopes), np.array(sizes), entered)


def _size(x: np.ndarray) -> float:
    return float(np.sqrt((x.astype(np.float64) ** 2).mean()))


def _vanishing_in_depth(case: Case) -> Verdict | None:
    d = depth(case)
    if d is None or not d.slopes.max() > 0 or not d.deltas[-1] > 0:
        return None
    if d.slopes[0] > VANISHED * d.slopes.max() and d.deltas[0] > VANISHED * d.deltas[-1]:
        return None
    low = np.flatnonzero(d.deltas < LOST * d.deltas[-1])
    where = int(low.max()) if len(low) else 0
    factor = (d.deltas[0] / d.deltas[-1]) ** (1 / (len(d.paths) - 1)) if d.deltas[-1] else 0.0
    return Verdict(
        "vanishing gradients",
        f"The gradient falls to {d.deltas[0] / d.deltas[-1]:.1e} of its size on its way back to {d.paths[0]}.",
        (
            f"‖δ‖ is {d.deltas[-1]:.2g} at {d.paths[-1]} and {d.deltas[0]:.2g} at {d.paths[0]}: a factor of "
            f"{factor:.2g} a layer; healthy: near 1",
            f"‖∂L/∂W‖ / ‖W‖ is {d.slopes[-1]:.2g} at {d.paths[-1]} and {d.slopes[0]:.2g} at {d.paths[0]}",
            _told(case),
        ),
        "ReLU or tanh with He's or Xavier's initialisation, batch or layer norms, residual connections; fewer layers",
        layer=d.paths[where],
        step=0,
        picture=lambda: by_depth("Gradients before the first step", d, where),
    )


def _exploding_in_depth(case: Case) -> Verdict | None:
    d = depth(case)
    if d is None or not d.deltas[-1] > 0:
        return None
    back, forth = d.deltas.max() / d.deltas[-1], d.sizes.max() / max(d.entered, 1e-12)
    if back < EXPLODED and not (forth > EXPLODED and back > EXPLODED**0.5):
        return None
    where = (
        int(np.flatnonzero(d.deltas > EXPLODED**0.5 * d.deltas[-1]).max()) if back > EXPLODED else int(d.sizes.argmax())
    )
    return Verdict(
        "exploding gradients",
        f"The gradient grows to {d.deltas[0] / d.deltas[-1]:.3g} times its size on its way back to {d.paths[0]}.",
        (
            f"‖δ‖ is {d.deltas[-1]:.2g} at {d.paths[-1]} and {d.deltas[0]:.2g} at {d.paths[0]}; healthy: of one size",
            f"numbers of size {d.entered:.2g} go in, and up to {d.sizes.max():.3g} come out; healthy: of one size",
            _told(case),
            *told_easing(case),
        ),
        "smaller initial weights (He's, Xavier's), batch or layer norms; clip_norm=1.0 against the worst",
        layer=d.paths[where],
        step=0,
        picture=lambda: by_depth("Gradients before the first step", d, where),
    )


def by_depth(title: str, d: Depth, mark: int) -> str:
    """‖δ‖ and the relative gradient of each layer."""
    rows = {"‖δ‖": d.deltas, "‖∂L/∂W‖ / ‖W‖": d.slopes}
    return pictures.by_layer(title, d.paths, rows, "norm", log=True, mark=mark)


def _told(case: Case) -> str:
    return f"on the training data: {case.train.told}" if case.train is not None else "numbers became infinite"


# Through time.


def lags(case: Case) -> list[tuple[str, LagCurve]]:
    """The gradient over the lag of every recurrent layer of the model before its first step."""
    data, found = case.evidence.train, []
    paths = [p for p, m in case.evidence.model.named_modules() if type(m).__name__ in RECURRENT]
    if data is None or not paths or case.trials.own_loss is None:
        return found
    model = begun(case.evidence)
    few = case.rows.x[:EXAMPLES], case.rows.y[:EXAMPLES]  # type: ignore[index]
    for path in paths:
        try:
            found.append((path, lag_curve(model, few, case.trials.loss, path)))
        except (ChainruleError, ValueError, TypeError):
            continue
    return [(path, curve) for path, curve in found if len(curve.norms) > LONG and curve.norms[0] > 0]


def _vanishing_in_time(case: Case) -> Verdict | None:
    for path, curve in lags(case):
        share = curve.norms[-1] / curve.norms.max()
        if share < OVER_TIME and not_by_rate(case):
            return _in_time(
                case, "vanishing gradients", path, curve,
                f"The gradient falls to {share:.1e} of its size over {len(curve.norms) - 1} steps of {path}.",
                "an LSTM with forget_bias=1, or a GRU; orthogonal recurrent weights; shorter sequences, or attention",
            )  # fmt: skip
    return None


def not_by_rate(case: Case) -> bool:
    """Whether the rate is not the cause: recurrent weights that keep what they are given help, or no rate does."""
    if case.cured(case.trials.from_level_start()):
        return True
    return not any(case.cured(case.trials.with_lr(factor)) for factor in (10.0, 0.1))


def _exploding_in_time(case: Case) -> Verdict | None:
    for path, curve in lags(case):
        growth = curve.norms.max() / curve.norms[0]
        if growth > EXPLODED:
            return _in_time(
                case, "exploding gradients", path, curve,
                f"The gradient grows to {growth:.3g} times its size over {len(curve.norms) - 1} steps of {path}.",
                "clip_norm=1.0; smaller or orthogonal recurrent weights; an LSTM or a GRU",
            )  # fmt: skip
    return None


def _in_time(case: Case, name: str, path: str, curve: LagCurve, headline: str, fix: str) -> Verdict:
    radius = max((r for values in curve.radii.values() for r in values), default=float("nan"))
    return Verdict(
        name,
        headline,
        (
            f"a factor of {curve.rate:.2g} a step backwards; healthy: near 1",
            f"the largest spectral radius of its recurrent weights is {radius:.2g}",
            _told(case),
        ),
        fix,
        layer=path,
        step=0,
        picture=lambda: pictures.curves(
            f"The gradient through the time of {path}",
            {path: (np.arange(len(curve.norms)), curve.norms)},
            "lag",
            "‖∂L/∂s‖",
        ),
    )
