"""The section on resources: time, memory, machine, versions."""

from __future__ import annotations

import os
import platform

import numpy as np

from chainrule.glass.reporting.markup import Html, facts
from chainrule.glass.reporting.subject import Subject
from chainrule.nn import summary
from chainrule.plan.memory import sized

TITLE = "Resources"


def section(subject: Subject) -> Html:
    """What the run took, and on what."""
    versions = ", ".join(f"{name} {version}" for name, version in subject.versions.items())
    return facts(
        [
            *times(subject),
            *memory(subject),
            ("written by", versions),
            ("this page by", f"Python {platform.python_version()}, NumPy {np.__version__}"),
            ("on", f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPU cores"),
        ]
    )


def times(subject: Subject) -> list[tuple[str, str]]:
    """Seconds in all, by epoch and by update."""
    if subject.seconds is None:
        return []
    epochs = max(len(subject.rows), 1)
    steps = int(subject.rows[-1].get("step", 0)) if subject.rows else 0
    each = f"; {subject.seconds / steps * 1e3:.3g} ms an update with all around it" if steps else ""
    return [("time", f"{subject.seconds:.3g} s in all, {subject.seconds / epochs:.3g} s an epoch{each}")]


def memory(subject: Subject) -> list[tuple[str, str]]:
    """What training holds, by kind: stated by the model's shapes, not measured."""
    values = sum(p.numpy().nbytes for p in subject.model.parameters())
    kept = [("parameters", values), ("gradients", values)]
    if subject.moments:
        kept.append(("optimiser", subject.moments))
    if subject.batch_size:
        first = next(iter(subject.parts.values()))
        shape = subject.inputs(first.x[:1]).shape[1:]
        batch = summary(subject.model, (subject.batch_size, *shape)).activations
        kept.append((f"activations of a batch of {subject.batch_size}", batch))
    total = sized(sum(size for _, size in kept))
    return [
        ("memory for training", f"{total}: {', '.join(f'{sized(size)} {name}' for name, size in kept)}"),
    ]
