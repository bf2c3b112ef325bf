"""Seconds per step of every contender on a workload: started one by one, compared, then timed in turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from benchmarks.agreement import STEPS, deviations, void
from benchmarks.contenders import JIT, OURS, PYTORCH, Contender, products
from benchmarks.processes import Process, RefusedError

PRODUCTS = "matrix product"
SETTLING = 0.05
"""Seconds between two contenders: idle threads of a BLAS spin for some 25 ms, and would slow down the next."""

WEIGHED = (*OURS, PYTORCH, JIT)
"""Whose memory is measured: it takes processes of their own, and with torch.compile a second compilation."""


@dataclass(frozen=True)
class Pace:
    """How long is measured: rounds over all contenders, each so many seconds in some blocks, and steps compared."""

    rounds: int = 7
    seconds: float = 0.3
    blocks: int = 3
    steps: int = STEPS
    patience: float = 60.0
    memory: bool = True
    quick: bool = False
    """Whether parts that have a pace of their own are to be short too."""


QUICK = Pace(rounds=3, seconds=0.1, blocks=3, steps=5, patience=20.0, memory=False, quick=True)


@dataclass(frozen=True)
class Lane:
    """What all measurements share: threads of a process, where its messages go, and how long is measured.

    On a GPU contenders are started all at once: what they wait for is their own compilers.
    """

    threads: int
    log: Any
    pace: Pace
    environment: dict[str, str]
    device: str = "cpu"

    def process(self, contender: Contender) -> Process:
        return Process(self.threads, self.log, {**self.environment, **contender.environment})


def measured(workload: str, contenders: Sequence[Contender], lane: Lane) -> dict[str, Any]:
    """Everything about one workload: by contender, and the machine's rate meanwhile."""
    everyone = (Contender(PRODUCTS, "products", {"device": lane.device}), *contenders)
    alive: dict[str, Process] = {}

    def begun(contender: Contender) -> dict[str, Any]:
        process = alive[contender.name] = lane.process(contender)
        try:
            return _begun(process, contender, workload, lane.pace)
        except RefusedError as reason:
            alive.pop(contender.name).close()
            return {"refused": str(reason)}

    try:
        with ThreadPoolExecutor(1 if lane.device == "cpu" else len(everyone)) as pool:
            entries = dict(zip([c.name for c in everyone], pool.map(begun, everyone), strict=True))
        machine = entries.pop(PRODUCTS)
        flops = _flops(alive[PRODUCTS], workload)
        losses = {name: e["losses"] for name, e in entries.items() if "losses" in e}
        for name, worst in deviations(losses).items():
            entries[name]["deviation"] = worst
        for name, reason in void(losses, {c.name: c.tolerance for c in contenders}).items():
            entries[name]["void"] = reason
        _timed(alive, {**entries, PRODUCTS: machine}, lane.pace)
    finally:
        for process in alive.values():
            process.close()
    if lane.pace.memory and lane.device == "cpu":
        _weighed(contenders, entries, workload, lane)
    rate = products.work(lane.device) / statistics.median(machine["rounds"])
    return {"workload": workload, "flops": flops, "rate": rate, "contenders": entries}


def _begun(process: Process, contender: Contender, workload: str, pace: Pace) -> dict[str, Any]:
    """Built, its first step timed, the losses of the first steps."""
    settings = dict(contender.settings)
    first = process.ask("start", module=contender.module, workload=workload, settings=settings, began=process.began)
    if contender.name == PRODUCTS:
        return first
    rest = process.ask("losses", steps=pace.steps - 1, patience=pace.patience)["losses"]
    return {**first, "losses": [first["loss"], *rest]}


def _flops(process: Process, workload: str) -> float | None:
    try:
        return process.ask("flops", workload=workload)["flops"]
    except RefusedError:
        return None


def _timed(alive: dict[str, Process], entries: dict[str, dict[str, Any]], pace: Pace) -> None:
    """Rounds A B C, A B C, …: what the machine does besides falls on all alike."""
    for _ in range(pace.rounds):
        for name, process in alive.items():
            if "void" in entries[name] or "refused" in entries[name]:
                continue
            time.sleep(SETTLING)
            try:
                seconds = process.ask("round", seconds=pace.seconds, blocks=pace.blocks)["seconds"]
            except RefusedError as reason:
                entries[name]["refused"] = str(reason)
                continue
            entries[name].setdefault("rounds", []).append(seconds)


def _weighed(contenders: Sequence[Contender], entries: dict[str, Any], workload: str, lane: Lane) -> None:
    """Peak memory, in processes that do nothing else."""
    for contender in contenders:
        if "rounds" not in entries[contender.name] or contender.name not in WEIGHED:
            continue
        arguments = {"module": contender.module, "workload": workload, "settings": dict(contender.settings)}
        with lane.process(contender) as process:
            try:
                entries[contender.name]["memory"] = process.ask("memory", **arguments, warm=True)
            except RefusedError as reason:
                entries[contender.name]["memory"] = {"refused": str(reason)}


# Reading results.


def milliseconds(entry: Mapping[str, Any]) -> float | None:
    """The median over rounds; None where it was not timed."""
    return 1e3 * statistics.median(entry["rounds"]) if entry.get("rounds") else None


def ratio(peer: Mapping[str, Any], own: Mapping[str, Any]) -> tuple[float, float, float] | None:
    """How many times longer the peer takes, round by round: lower quartile, median, upper quartile."""
    if not peer.get("rounds") or not own.get("rounds"):
        return None
    rounds = [a / b for a, b in zip(peer["rounds"], own["rounds"], strict=False)]
    if len(rounds) < 2:
        return (rounds[0],) * 3
    low, middle, high = statistics.quantiles(rounds, n=4, method="inclusive")
    return low, middle, high


def best(result: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """The fastest of some contenders."""
    timed = {n: ms for n in names if (ms := milliseconds(result["contenders"].get(n, {}))) is not None}
    return min(timed, key=lambda n: timed[n]) if timed else None
