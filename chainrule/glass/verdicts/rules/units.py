"""Units that have stopped working: rectifiers that are 0 for all examples, sigmoids and tanhs without a slope."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chainrule.glass.verdicts import pictures
from chainrule.glass.verdicts.case import Case, channels_first, layers_of, units
from chainrule.glass.verdicts.evidence import LayerProbe, Probe
from chainrule.glass.verdicts.probing import Probing
from chainrule.glass.verdicts.rules.easing import eased, told_easing
from chainrule.glass.verdicts.verdict import Verdict

RECTIFIERS = ("ReLU", "ReLU6", "relu")
SQUASHERS = ("Sigmoid", "Tanh", "RNN")

MOST = 0.5
"""A share of a layer's units that may stop before it is said to be the cause of anything."""

FLAT = 0.05
"""Slopes below this share of the steepest are flat: a tanh beyond ±0.975, a sigmoid beyond 0.0127 and 0.9873."""

EXAMPLES = 0.9
"""A unit is saturated where it is flat for this share of the examples."""


Share = Callable[[LayerProbe, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Stopped:
    """A layer with the share of its units that have stopped, and that at the beginning."""

    layer: LayerProbe
    share: float
    before: float
    count: int


def dead_units(case: Case) -> Verdict | None:
    """Rectifiers that give 0 for every example, and so get no gradient."""
    worst = stopped(case, RECTIFIERS, dead)
    if worst is None or not (worst.share == 1 or (worst.share >= MOST and case.bad)):
        return None
    since = first_step(case, worst, dead)
    path = worst.layer.path
    return Verdict(
        "dead units",
        f"{worst.share * worst.count:.0f} of {worst.count} units of {path} give 0 for every example.",
        (
            f"looked at {len(worst.layer.output)} examples of the training data; healthy: a few such units at most",
            f"before the first step it was {100 * worst.before:.0f} % of the units",
            "a unit that gives 0 for all examples gets no gradient, and never comes back",
            *badly(case),
        ),
        "a smaller learning rate, biases that start at 0, He's initialisation; or LeakyReLU, which keeps a slope",
        layer=path,
        step=since,
        picture=lambda: shares(case, RECTIFIERS, dead, "Share of units that are 0 for all examples", path),
    )


def saturated_units(case: Case) -> Verdict | None:
    """Sigmoids and tanhs so far out that their slope, and the gradient through them, is next to 0."""
    worst = next((s for s in all_stopped(case, SQUASHERS, flat) if s.share >= MOST), None)
    if worst is None or not (case.bad or started_badly(case, worst)):
        return None
    path, kind = worst.layer.path, worst.layer.kind
    zones = [(0.0, 0.0127), (0.9873, 1.0)] if kind == "Sigmoid" else [(-1.0, -0.975), (0.975, 1.0)]
    return Verdict(
        "saturated units",
        f"{worst.share * worst.count:.0f} of {worst.count} units of {path} are saturated: their slope is next to 0.",
        (
            f"for 9 of 10 examples or more the slope is below {100 * FLAT:.0f} % of the steepest; healthy: for few",
            f"before the first step it was {100 * worst.before:.0f} % of the units",
            *badly(case),
            *told_easing(case),
        ),
        "smaller initial weights (Xavier's), normalised inputs, a smaller learning rate; a norm before the activation",
        layer=path,
        step=first_step(case, worst, flat),
        picture=lambda: pictures.distribution(f"Outputs of {path}", {path: worst.layer.output}, "output", zones),
    )


def started_badly(case: Case, worst: Stopped) -> bool:
    """Whether it was so before the first step, and the training does better from a start where it is not."""
    return worst.before >= MOST and eased(case, case.trials.from_level_start())


def stopped(case: Case, kinds: tuple[str, ...], share: Share) -> Stopped | None:
    """The layer of some kinds with the greatest share of stopped units."""
    return max(all_stopped(case, kinds, share), key=lambda s: s.share, default=None)


def all_stopped(case: Case, kinds: tuple[str, ...], share: Share) -> list[Stopped]:
    """The layers of some kinds from the input to the output, the one that gives the outputs aside."""
    if case.end is None or case.begin is None:
        return []
    found = []
    for layer in layers_of(case.end, *kinds):
        if layer.path == case.last_layer or (layer.kind == "RNN" and rectified(case, layer.path)):
            continue
        before = case.begin.layers.get(layer.path)
        now = unit_shares(case.end, layer, share)
        earlier = 0.0 if before is None else float(unit_shares(case.begin, before, share).mean())
        found.append(Stopped(layer, float(now.mean()), earlier, now.size))
    return found


def rectified(case: Case, path: str) -> bool:
    """Whether a recurrent layer has rectifiers, not tanhs."""
    module = dict(case.evidence.model.named_modules()).get(path)
    return getattr(module, "nonlinearity", "tanh") != "tanh"


def unit_shares(probe: Probe | Probing, layer: LayerProbe, share: Share) -> np.ndarray:
    """Whether each unit of a layer has stopped."""
    return share(layer, units(layer.output, channels_first(probe, layer.path)))


def dead(layer: LayerProbe, outputs: np.ndarray) -> np.ndarray:
    """Units that are 0 in all cases."""
    return (outputs == 0).all(axis=0)


def flat(layer: LayerProbe, outputs: np.ndarray) -> np.ndarray:
    """Units that are flat in most cases."""
    slope = 4 * outputs * (1 - outputs) if layer.kind == "Sigmoid" else 1 - outputs**2
    return (slope < FLAT).mean(axis=0) >= EXAMPLES


def first_step(case: Case, worst: Stopped, share: Share) -> int | None:
    """The first step looked into at which half as many units of the layer, or more, had stopped already."""
    for probe in case.evidence.probes:
        layer = probe.layers.get(worst.layer.path)
        if layer is not None and unit_shares(probe, layer, share).mean() >= worst.share / 2:
            return probe.step
    return None


def arose(case: Case, name: str) -> bool:
    """Whether the units that have stopped at the end had not done so at the start."""
    kinds, share = (RECTIFIERS, dead) if name == "dead units" else (SQUASHERS, flat)
    worst = stopped(case, kinds, share)
    return worst is not None and worst.before < MOST * worst.share


def badly(case: Case) -> tuple[str, ...]:
    """That learning went badly, in words."""
    return (f"on the training data: {case.train.told}",) if case.train is not None else ()


def shares(case: Case, kinds: tuple[str, ...], share: Share, title: str, marked: str) -> str:
    """The share of stopped units of each layer."""
    assert case.end is not None
    found = {layer.path: float(unit_shares(case.end, layer, share).mean()) for layer in layers_of(case.end, *kinds)}
    return pictures.bars(title, found, "share of the units", marked=(marked,))
