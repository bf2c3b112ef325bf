"""What the benchmark is to show: each target with its measured figure, and whether it is met."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import nan
from statistics import geometric_mean
from typing import Any

from benchmarks import overhead, training, watching
from benchmarks.contenders import COMPILED, EAGER, JIT, NUMPY, PYTORCH, TORCH
from benchmarks.steps import best, ratio
from benchmarks.workloads import WORKLOADS

Results = Mapping[str, Any]
PLANS = (NUMPY, TORCH)


@dataclass(frozen=True)
class Target:
    """A promise, what was measured, and whether that keeps it; None where some of it was not measured."""

    promise: str
    measured: str
    met: bool | None


def targets(results: Results) -> list[Target]:
    """All targets, in the order of the report; on a GPU its own."""
    if results.get("about", {}).get("gpu"):
        return [_on_gpu(results)]
    steps = (_against_pytorch, _against_compiled, _against_jax, _eager, _memory)
    return [target for part in (*steps, _training, _overhead, _watching, _start) for target in part(results)]


# Steps.

Figures = dict[str, float]


def _ratios(results: Results, peer: str, own: Callable[[Any], str | None]) -> Figures:
    """Median peer/ours by workload, NaN where a row is void; those that were not measured are missing."""
    found = {}
    for name, result in results.get("steps", {}).items():
        mine, entries = own(result), result["contenders"]
        spread = ratio(entries.get(peer, {}), entries.get(mine, {})) if mine else None
        if spread:
            found[name] = spread[1]
        elif "void" in entries.get(peer, {}) or "void" in entries.get(mine or NUMPY, {}):
            found[name] = nan
    return found


def _better(result: Any) -> str | None:
    return best(result, PLANS)


def _numpy(result: Any) -> str | None:
    return NUMPY


def _least(
    promise: str, figures: Figures, least: float | Mapping[str, float], of: Iterable[str] = (), unit: str = "x"
) -> Target:
    """A promise that each figure is at least so much, for all names `of`."""
    if not figures:
        return Target(promise, "not measured", None)
    short = {n for n, v in figures.items() if not v >= (least[n] if isinstance(least, Mapping) else least)}
    return Target(promise, _listed(figures, short, unit), _kept(figures, short, of))


def _most(promise: str, figures: Figures, most: float, of: Iterable[str] = (), unit: str = "x") -> Target:
    """A promise that each figure is at most so much, for all names `of`."""
    if not figures:
        return Target(promise, "not measured", None)
    over = {n for n, v in figures.items() if not v <= most}
    return Target(promise, _listed(figures, over, unit), _kept(figures, over, of))


def _kept(figures: Figures, missed: set[str], of: Iterable[str]) -> bool | None:
    """One figure that misses breaks the promise; only all of them together keep it."""
    return False if missed else True if figures.keys() >= set(of) else None


def _mean(promise: str, figures: Figures, least: float) -> Target:
    if not figures:
        return Target(promise, "not measured", None)
    mean, all_rows = geometric_mean(figures.values()), len(figures) == len(WORKLOADS)
    return Target(
        promise, f"{mean:.2f}x over {len(figures)} of {len(WORKLOADS)} rows", mean >= least if all_rows else None
    )


def _listed(figures: Figures, missed: set[str], unit: str) -> str:
    return ", ".join(f"{name} {value:.3g}{unit}{' (!)' if name in missed else ''}" for name, value in figures.items())


SMALL = {"tiny": 4.0, "mlp-small": 4.0, "mlp": 1.2}
"""Rows on which the NumPy plan alone has a target of its own."""


def _against_pytorch(results: Results) -> Iterator[Target]:
    plain, better = _ratios(results, PYTORCH, _numpy), _ratios(results, PYTORCH, _better)
    small = {n: v for n, v in plain.items() if n in SMALL}
    yield _least("PyTorch eager / NumPy plan: tiny and mlp-small at least 4x, mlp 1.2x", small, SMALL, SMALL)
    others = {n: v for n, v in better.items() if n not in SMALL}
    yield _least("PyTorch eager / better plan: every other row at least 1.0x", others, 1.0, WORKLOADS.keys() - SMALL)
    yield _mean("PyTorch eager / better plan: geometric mean at least 1.7x", better, 1.7)
    yield _least("PyTorch eager / NumPy plan: every row at least 0.6x", plain, 0.6, WORKLOADS)


def _on_gpu(results: Results) -> Target:
    """Rows whose step is shorter than it takes to start its kernels one by one."""
    small = {n: v for n, v in _ratios(results, PYTORCH, lambda _: TORCH).items() if n in SMALL}
    return _least("PyTorch eager / torch plan on a GPU: tiny, mlp-small and mlp at least 3x", small, 3.0, SMALL)


def _against_compiled(results: Results) -> Iterator[Target]:
    yield _least(
        "torch.compile / better plan: every row at least 1.0x", _ratios(results, COMPILED, _better), 1.0, WORKLOADS
    )
    firsts = {}
    for name, result in results.get("steps", {}).items():
        known = {n: c["from_start"] for n, c in result["contenders"].items() if "from_start" in c}
        own = [known[plan] for plan in PLANS if plan in known]
        if COMPILED in known and own:
            firsts[name] = known[COMPILED] / min(own)
    yield _least("torch.compile / quicker plan, time to first step: at least 10x", firsts, 10.0, WORKLOADS)


def _against_jax(results: Results) -> Iterator[Target]:
    figures = _ratios(results, JIT, _better)
    yield _least("JAX jit / better plan: every row at least 1.0x", figures, 1.0, WORKLOADS)
    yield _mean("JAX jit / better plan: geometric mean at least 1.8x", figures, 1.8)


def _eager(results: Results) -> Iterator[Target]:
    rows = {**results.get("steps", {}), **results.get("eager", {})}
    figures = {}
    for name in ("mlp", "gpt-small"):
        entries = rows.get(name, {}).get("contenders", {})
        spread = ratio(entries.get(EAGER, {}), entries.get(PYTORCH, {}))
        if spread:
            figures[name] = spread[1]
    yield _most("define-by-run / PyTorch eager: at most 1.3x", figures, 1.3, ("mlp", "gpt-small"))


def _memory(results: Results) -> Iterator[Target]:
    for plan in PLANS:
        figures = _sizes(results, plan)
        promise = f"peak memory, {plan} plan / PyTorch eager: at most 1.0x (both under 1 MB: equal)"
        yield _most(promise, figures, 1.0, WORKLOADS)


def _sizes(results: Results, plan: str) -> Figures:
    """Peak memory of a plan over that of PyTorch eager, by workload."""
    figures = {}
    for name, result in results.get("steps", {}).items():
        own, peer = (result["contenders"].get(n, {}).get("memory", {}).get("first") for n in (plan, PYTORCH))
        if own is not None and peer is not None:
            figures[name] = own / max(peer, 1)
            if max(own, peer) < SMALLEST:
                figures[name] = min(figures[name], 1.0)
    return figures


SMALLEST = 1_000_000
"""Bytes; below it the peak is that of the allocator's pages, not of the step."""


# Other parts.

TIMES = {training.SKLEARN: 1.8, training.LOOP: 1.5, training.SKORCH: 2.5, training.KERAS_JAX: 2.5,
         training.KERAS_TORCH: 2.5}  # fmt: skip


def _training(results: Results) -> Iterator[Target]:
    entries = results.get("training", {}).get("libraries", {})
    own = training.seconds(entries.get(training.FIT, {}))
    measured = {n: s for n in TIMES if (s := training.seconds(entries.get(n, {}))) is not None}
    figures = {n: s / own for n, s in measured.items()} if own else {}
    promise = "MNIST, seconds per epoch, peer / fit: " + ", ".join(f"{n} {t}x" for n, t in TIMES.items())
    yield _least(promise, figures, TIMES, TIMES)
    if own and measured:
        error = training.error(entries[training.FIT])
        margins = {n: training.noise([entries[n], entries[training.FIT]]) for n in measured}
        worse = {n for n in measured if error > training.error(entries[n]) + margins[n]}
        errors = {n: 100 * training.error(entries[n]) for n in (training.FIT, *measured)}
        promise = "MNIST, test error: equal (within two standard errors) or better"
        yield Target(promise, _listed(errors, worse, " %"), not worse)


def _overhead(results: Results) -> Iterator[Target]:
    rows = {n: r for n, r in results.get("overhead", {}).items() if "fit" in r}
    if "mlp" in rows:
        share, added = (overhead.extra(rows["mlp"], beside)[0] for beside in ("replay", "call"))
        text = f"{100 * share:.1f} % over bare replay, {100 * added:.1f} % over calls of the plan"
        yield Target("fit on mlp: at most 5 % over bare replay", text, share <= 0.05)
    if "mlp-small" in rows:
        replay, call = (1e6 * overhead.extra(rows["mlp-small"], beside)[1] for beside in ("replay", "call"))
        text = f"{replay:.1f} µs a step over bare replay, {call:.1f} µs over calls of the plan"
        yield Target("fit on mlp-small: at most 20 µs a step over bare replay", text, replay <= 20)


def _watching(results: Results) -> Iterator[Target]:
    entries = results.get("watching", {}).get("contenders", {})

    def times(of: str, over: str) -> Figures:
        spread = ratio(entries.get(of, {}), entries.get(over, {}))
        return {of: spread[1]} if spread else {}

    for name, most in ((watching.VALUES, 1.3), (watching.TENTH, 1.2), (watching.EACH, 3.0)):
        yield _most(f"watching mlp-small, {name}: at most {most}x of the plain plan", times(name, NUMPY), most)
    promise = "a fully watched step: at least 2x faster than PyTorch eager unwatched"
    both = [times(PYTORCH, name) for name in (watching.VALUES, watching.EACH)]
    figures = {name: v for name, f in zip((watching.VALUES, watching.EACH), both, strict=True) for v in f.values()}
    yield _least(promise, figures, 2.0, (watching.VALUES, watching.EACH))
    book = results.get("watching", {}).get("ledger", {})
    figures = {"ledger": watching.times_a_step(book)} if "step" in book else {}
    yield _most("a full ledger of mlp-small: at most 5.0x of the step by define-by-run", figures, 5.0)


def _start(results: Results) -> Iterator[Target]:
    found = results.get("start", {})
    imported, first = found.get("import"), found.get(NUMPY)
    yield _most("import chainrule: under 0.2 s", {"import": imported} if imported else {}, 0.2, unit=" s")
    first = {NUMPY: first} if isinstance(first, float) else {}
    yield _most("first trained step of mlp from process start: under 1 s", first, 1.0, unit=" s")
