"""The command: `python -m benchmarks [--quick] [--only mlp] [--contenders "cr numpy,PyTorch"] [--part steps]`."""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks import chart, overhead, report, starting, training, watching
from benchmarks.contenders import CONTENDERS, EAGER, JIT, NUMPY, ON_GPU, PYTORCH, TORCH, Contender
from benchmarks.steps import QUICK, Lane, Pace, measured
from benchmarks.targets import targets
from benchmarks.workloads import WORKLOADS

PARTS = ("steps", "eager", "training", "overhead", "watching", "start")
IN_A_HURRY = (NUMPY, TORCH, EAGER, PYTORCH, JIT)
LIBRARIES = ("chainrule", "numpy", "torch", "jax", "optax", "scikit-learn", "skorch", "keras", "tinygrad")


def main() -> None:
    """Measure, print as it goes, write results.json and steps.png."""
    options = _options()
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {"about": _about(options)}
    with _lane(options, out) as lane:
        for part in options.part:
            began = time.monotonic()
            MEASUREMENTS[part](results, options, lane)
            results["about"].setdefault("minutes", {})[part] = round((time.monotonic() - began) / 60, 2)
            (out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    print(report.judged(targets(results)))
    if results.get("steps"):
        chart.draw(results, out / "steps.png")
    print(f"\n{sum(results['about']['minutes'].values()):.1f} minutes; written to {out}/")


def _steps(results: dict[str, Any], options: Any, lane: Lane) -> None:
    for workload in options.only:
        results.setdefault("steps", {})[workload] = found = measured(workload, _chosen(options), lane)
        _say(report.steps(found))


def _eager(results: dict[str, Any], options: Any, lane: Lane) -> None:
    """Taken from the steps where they hold it; measured alone otherwise."""
    for workload in ("mlp", "gpt-small"):
        known = results.get("steps", {}).get(workload, {}).get("contenders", {})
        if not all(known.get(name, {}).get("rounds") for name in (EAGER, PYTORCH)):
            both = [CONTENDERS[EAGER], CONTENDERS[PYTORCH]]
            results.setdefault("eager", {})[workload] = found = measured(workload, both, lane)
            _say(report.steps(found))


def _training(results: dict[str, Any], options: Any, lane: Lane) -> None:
    results["training"] = training.run(lane, options.data)
    _say(report.trainings(results["training"]))


def _overhead(results: dict[str, Any], options: Any, lane: Lane) -> None:
    results["overhead"] = overhead.run(lane)
    _say(report.overheads(results["overhead"]))


def _watching(results: dict[str, Any], options: Any, lane: Lane) -> None:
    results["watching"] = watching.run(lane)
    _say(report.watched(results["watching"]))


def _start(results: dict[str, Any], options: Any, lane: Lane) -> None:
    results["start"] = starting.run(lane)
    _say(report.started(results["start"]))


MEASUREMENTS: dict[str, Callable[[dict[str, Any], Any, Lane], None]] = {
    "steps": _steps,
    "eager": _eager,
    "training": _training,
    "overhead": _overhead,
    "watching": _watching,
    "start": _start,
}


def _say(text: str) -> None:
    print(text, end="\n\n", flush=True)


def _options() -> Any:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Chainrule beside its peers: see README.md."
    )
    parser.add_argument("--quick", action="store_true", help="under 4 minutes: fewer contenders, rounds and steps")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="cuda: the steps alone, on a GPU")
    parser.add_argument("--part", type=_names(PARTS), default=list(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--only", type=_names(WORKLOADS), default=list(WORKLOADS), help=f"of {', '.join(WORKLOADS)}")
    known = CONTENDERS | ON_GPU
    parser.add_argument("--contenders", type=_names(known), help=f"of {', '.join(known)}")
    parser.add_argument("--threads", type=int, default=2, help="threads of every process (2)")
    parser.add_argument("--rounds", type=int, help="rounds over all contenders")
    parser.add_argument("--data", help="a folder with the four MNIST files, for the part training")
    parser.add_argument("--out", default="benchmarks/results", help="where results.json and steps.png go")
    options = parser.parse_args()
    if options.device == "cuda":
        options.part = ["steps"]
        options.contenders = options.contenders or list(ON_GPU)
    options.contenders = options.contenders or list(IN_A_HURRY if options.quick else CONTENDERS)
    return options


def _chosen(options: Any) -> list[Contender]:
    known = ON_GPU if options.device == "cuda" else CONTENDERS
    return [known[name] for name in options.contenders if name in known]


def _names(known: Any) -> Callable[[str], list[str]]:
    """A list with commas, of known names."""

    def parsed(text: str) -> list[str]:
        names = [name.strip() for name in text.split(",")]
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not among {', '.join(known)}")
        return names

    return parsed


@contextmanager
def _lane(options: Any, out: Path) -> Iterator[Lane]:
    """The pace, a file for what libraries print, and folders of their own for what they would keep compiled."""
    pace = QUICK if options.quick else Pace()
    if options.rounds:
        pace = Pace(**{**vars(pace), "rounds": options.rounds})
    with tempfile.TemporaryDirectory() as scratch, (out / "workers.log").open("w") as log:
        fresh = {"TORCHINDUCTOR_CACHE_DIR": f"{scratch}/inductor", "CACHEDB": f"{scratch}/tinygrad.db"}
        yield Lane(options.threads, log, pace, fresh, options.device)


def _about(options: Any) -> dict[str, Any]:
    """When, where and with what."""
    return {
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "machine": platform.platform(),
        "processor": _processor(),
        **({"gpu": _gpu()} if options.device == "cuda" else {}),
        "python": platform.python_version(),
        "versions": {name: found for name in LIBRARIES if (found := _version(name))},
        "threads": options.threads,
        "quick": options.quick,
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def _gpu() -> str:
    """The name of the GPU; asked of PyTorch in a process of its own, for it keeps memory there."""
    ask = "import torch; print(torch.cuda.get_device_name() if torch.cuda.is_available() else 'none')"
    return subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True).stdout.strip()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


if __name__ == "__main__":
    main()
