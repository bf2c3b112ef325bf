"""Learning-rate blow-up: the step at which the updates left their range, where the loss or the weights exploded."""

from __future__ import annotations

from math import floor, isfinite, log10

import numpy as np

from chainrule.glass.verdicts.evidence import Evidence, ParameterProbe
from chainrule.glass.verdicts.probing import ratio, together
from chainrule.glass.verdicts.verdict import Verdict

EXPLODED = 100
"""So many times the loss of the start, or the usual one so far; so many times the weights of the start."""
LARGE = 0.1
"""Updates that move the weights by more than this share of their norm: healthy ones move them by about 0.001."""
VIOLENT = 0.5
"""A share that a blow-up reaches at least once on its way."""
TIMES = 3
"""So many times the usual share is out of its range."""
HEALTHY = 0.01
"""The share that a learning rate is proposed for."""
SHOWN = 4
"""Steps whose numbers are given as evidence."""


def blow_up(evidence: Evidence) -> Verdict | None:
    """Updates that were too large, where the loss or the weights became infinite or grew by orders of magnitude.

    With rₖ = ‖Δθₖ‖ / ‖θₖ‖, an update is out of its range where rₖ > 0.1 and more than 3 times the median of those
    before; it stays out until rₖ ≤ 0.1. The step named is the one at which it left for the last time before the
    explosion, the layer the one that moved most in it.
    """
    end = exploded(evidence)
    if end is None:
        return None
    onset = left(evidence.ratios, end)
    if onset is None:
        return None
    layer, moved = farthest(evidence, onset)
    before = [r for r in evidence.ratios[:onset] if isfinite(r)]
    usual = float(np.median(before)) if before else None
    return Verdict(
        "learning rate blow-up",
        _headline(evidence, onset, layer, moved, usual),
        tuple(_lines(evidence, onset, end)),
        _fix(evidence, onset),
        layer,
        onset,
    )


def exploded(evidence: Evidence) -> int | None:
    """The first update whose loss or weights are not finite, or larger by orders of magnitude; None if none is."""
    losses = np.abs(evidence.losses)
    suspects = np.flatnonzero(~(losses <= EXPLODED * losses[:1])) if len(losses) else []
    for k in map(int, suspects):
        if not isfinite(losses[k]) or losses[k] > EXPLODED * max(losses[0], np.median(losses[:k])) > 0:
            return k
    if getattr(evidence.failure, "phase", "") == "update" and evidence.failure.rule.startswith("overflow"):
        return len(losses)
    sizes = {probe.step: together(p.norm for p in probe.parameters.values()) for probe in evidence.probes}
    first = next(iter(sizes.values()), 0.0)
    return next((step for step, size in sizes.items() if size > EXPLODED * first > 0), None)


def left(ratios: np.ndarray, end: int) -> int | None:
    """The step at which the ratios left their range, and were out of it until the end; None if they were not."""
    onset, latest, seen = None, -TIMES, []
    for k, r in enumerate(ratios[:end]):
        if np.isnan(r):
            continue
        usual = float(np.median(seen)) if seen else 0.0
        out = r > LARGE and (onset is not None or r > TIMES * usual)
        onset = (k if onset is None else onset) if out else None
        latest = k if out else latest
        seen.append(r)
    if onset is None or end - latest > TIMES or not np.nanmax(ratios[onset:end]) >= VIOLENT:
        return None
    return onset


def farthest(evidence: Evidence, step: int) -> tuple[str, float]:
    """The layer that an update moved most, of those that are not 0, and by which share of itself."""
    layers: dict[str, list[ParameterProbe]] = {}
    for path, p in updates_of(evidence, step).items():
        layers.setdefault(path.rpartition(".")[0], []).append(p)
    shares = {path: ratio(parts) for path, parts in layers.items()}
    path = max(shares, key=lambda path: np.nan_to_num(shares[path], nan=np.inf), default="")
    return path, shares.get(path, float(evidence.ratios[step]))


def updates_of(evidence: Evidence, step: int) -> dict[str, ParameterProbe]:
    """The parameters at a step, if they were measured there."""
    probes = {probe.step: probe.parameters for probe in evidence.probes}
    return dict(evidence.updates.get(step) or probes.get(step) or {})


def _headline(evidence: Evidence, onset: int, layer: str, moved: float, usual: float | None) -> str:
    where = f"layer {layer}" if layer else "the model"
    before = "" if usual is None else f", after {usual:.2g} in a usual step before"
    lr = evidence.lrs[onset] if onset < len(evidence.lrs) else float("nan")
    moved_by = f"in step {onset} {where} moved by {moved:.3g} times its norm{before}."
    return f"The learning rate {lr:g} blew the training up: {moved_by}"


def _lines(evidence: Evidence, onset: int, end: int) -> list[str]:
    steps = list(range(max(0, onset - 1), min(onset + SHOWN, end + 1, len(evidence.losses))))
    lines = [
        f"step {k}: loss {evidence.losses[k]:.4g}"
        + ("" if np.isnan(evidence.ratios[k]) else f", ‖Δθ‖ / ‖θ‖ = {evidence.ratios[k]:.2g}, lr {evidence.lrs[k]:g}")
        for k in steps
    ]
    if end < len(evidence.losses) and end not in steps:
        lines.append(f"step {end}: loss {evidence.losses[end]:.4g}")
    return lines


def _fix(evidence: Evidence, onset: int) -> str:
    lr, r = float(evidence.lrs[onset]), float(np.nanmax(evidence.ratios[onset:][:1]))
    if not (isfinite(lr) and isfinite(r) and lr > 0 and r > 0):
        return "a smaller learning rate, or clip_norm=1.0"
    wanted = lr * min(HEALTHY / r, 0.1)
    return f"a learning rate of {10 ** floor(log10(wanted)):g} to {_up(wanted):g}, or clip_norm=1.0"


def _up(x: float) -> float:
    return 10.0 ** (floor(log10(x)) + 1)
