"""The whole page: headline, table of contents, sections. No scripts, no fonts, no network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chainrule.glass.reporting import (
    curves,
    data,
    examples,
    health,
    mistakes,
    network,
    reproduction,
    resources,
    verdicts,
)
from chainrule.glass.reporting.markup import Html, number, percent, text
from chainrule.glass.reporting.subject import Subject

SECTIONS = (verdicts, curves, mistakes, examples, health, data, network, resources, reproduction)
"""What is asked first comes first."""

STYLE = """
:root { color-scheme: light }
body { font: 15px/1.5 system-ui, "Helvetica Neue", Arial, sans-serif; color: #1a1a1a; background: #fff;
  max-width: 62em; margin: 0 auto; padding: 1.5em 1.2em 4em }
h1 { font-size: 1.7em; margin: 0 0 .2em; overflow-wrap: anywhere }
h2 { font-size: 1.3em; margin: 2.2em 0 .6em; border-bottom: 2px solid #1a1a1a; padding-bottom: .15em }
h3 { font-size: 1.02em; margin: 1.6em 0 .5em }
p { margin: .5em 0; overflow-wrap: anywhere } .small, figcaption { color: #555; font-size: .88em }
nav { margin: 1.2em 0 } nav a { margin-right: 1.1em; white-space: nowrap; display: inline-block }
a { color: #0b4a8f }
.wide { overflow-x: auto; max-width: 100% }
table { border-collapse: collapse; margin: .5em 0; font-size: .92em }
th, td { text-align: left; padding: .22em .7em .22em 0; vertical-align: top }
td { border-top: 1px solid #eee }
thead th { color: #555; font-weight: 600; white-space: nowrap }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; padding-left: .7em }
.facts th { color: #555; font-weight: 600; padding-right: 1.2em; white-space: nowrap }
.facts td, .facts th { border-top: 1px solid #eee }
.grid td, .grid th { padding: .22em .55em; border: 1px solid #fff; white-space: nowrap }
.grid td:first-child { color: #333 } .grid thead th { text-align: right }
.grid thead th:first-child { text-align: left }
.total tr:last-child td { font-weight: 600; border-top: 2px solid #999 }
.files td:last-child { font: .88em ui-monospace, "DejaVu Sans Mono", monospace }
.figures { display: flex; flex-wrap: wrap; gap: 1.2em 1.6em; margin: .8em 0; align-items: flex-end }
figure { margin: 0; max-width: 100%; break-inside: avoid }
figure > svg { max-width: 100%; height: auto; display: block }
figcaption { max-width: 28em; margin-top: .3em } .pixels + figcaption { max-width: 7.2em; overflow-wrap: anywhere }
.pixels { width: 96px; image-rendering: pixelated; border: 1px solid #ccc; display: block }
.tiles { display: flex; flex-wrap: wrap; gap: 1em 2.4em; margin: 1em 0 }
.tile b { display: block; font-size: 1.5em; line-height: 1.2; font-variant-numeric: tabular-nums }
.tile span { color: #555; font-size: .88em }
.verdict { border-left: 4px solid #d9480f; padding: .1em 0 .1em 1em; margin: 1em 0; break-inside: avoid }
.verdict h3 { margin: .3em 0 } .verdict ul { margin: .3em 0; padding-left: 1.3em }
.bar { display: inline-block; width: 9em; height: .7em; background: #f0f0f0; margin-right: .4em }
.bar span { display: block; height: 100%; background: #1f77b4 }
pre, code { font: .92em/1.45 ui-monospace, "DejaVu Sans Mono", monospace; background: #f5f5f5; border-radius: 3px }
pre { padding: .7em .9em; white-space: pre-wrap; overflow-wrap: anywhere } code { padding: .1em .3em }
@media print { body { max-width: none; padding: 0; font-size: 11px } h2 { break-after: avoid } nav { display: none }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact } }
"""


def page(subject: Subject) -> str:
    """The page as a file."""
    title = text(subject.title)
    parts = [(module.TITLE, module.section(subject)) for module in SECTIONS]
    links = "".join(f'<a href="#{anchor(name)}">{text(name)}</a>' for name, _ in parts)
    body = "\n".join(f'<section id="{anchor(name)}">\n<h2>{text(name)}</h2>\n{part}\n</section>' for name, part in parts)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{tiles(subject)}\n<nav>{links}</nav>\n"
        f"{body}\n</body>\n</html>\n"
    )


def anchor(name: str) -> str:
    """A headline as the end of an address."""
    return name.lower().replace(" ", "-")


def tiles(subject: Subject) -> Html:
    """The figures that are asked for first."""
    shown = [*scores(subject.result)]
    shown.append((f"{sum(p.size for p in subject.model.parameters()):,}", "parameters"))
    if subject.rows:
        shown.append((str(len(subject.rows)), "epochs" if len(subject.rows) > 1 else "epoch"))
    if subject.seconds is not None:
        shown.append((f"{subject.seconds:.3g} s", "of training"))
    if subject.verdicts is not None:
        n = len(subject.verdicts)
        shown.append((str(n) if n else "none", "verdicts" if n != 1 else "verdict"))
    inside = "".join(f'<div class="tile"><b>{text(big)}</b><span>{text(small)}</span></div>' for big, small in shown)
    return Html(f'<div class="tiles">{inside}</div>')


def scores(result: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Scores of the test part as the run measured them."""
    for name, value in result.get("test", {}).items():
        if value is None:
            yield "not finite", f"test {name}"
            continue
        shown = percent(value) if name == "accuracy" else number(value)
        interval = result.get("intervals", {}).get(name)
        trust = f" ({percent(interval['low'])} to {percent(interval['high'])})" if interval else ""
        yield shown, f"test {name}{trust}"
