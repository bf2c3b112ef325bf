"""How a report looks: dark text on white, readable on paper and on a small screen."""

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
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; padding-left: .7em }
.facts th { color: #555; font-weight: 600; padding-right: 1.2em; white-space: nowrap }
.rows td { white-space: nowrap }
.rows thead th { white-space: normal; max-width: 9em; vertical-align: bottom }
.facts td, .facts th { border-top: 1px solid #eee }
.grid td, .grid th { padding: .22em .55em; border: 1px solid #fff; white-space: nowrap }
.grid td:first-child { color: #333 } .wrong { color: #b3400a }
.beside { display: flex; flex-wrap: wrap; gap: 0 3em; align-items: flex-start }
.total tr:last-child td { font-weight: 600; border-top: 2px solid #999 }
.files td:last-child { font: .88em ui-monospace, "DejaVu Sans Mono", monospace }
.figures { display: flex; flex-wrap: wrap; gap: 1.2em 1.6em; margin: .8em 0; align-items: flex-start }
figure { margin: 0; max-width: 100%; break-inside: avoid }
figure > svg { max-width: 100%; height: auto; display: block }
figcaption { max-width: 28em; margin-top: .3em } .pixels + figcaption { max-width: 7.2em; overflow-wrap: anywhere }
.pixels { width: 96px; image-rendering: pixelated; border: 1px solid #ccc; display: block }
.tiles { display: flex; flex-wrap: wrap; gap: 1em 2.4em; margin: 1em 0 }
.tile b { display: block; font-size: 1.5em; line-height: 1.2; font-variant-numeric: tabular-nums }
.tile span { color: #555; font-size: .88em }
.broken { color: #b00020; font-weight: 600 }
.verdict { border-left: 4px solid #d9480f; padding: .1em 0 .1em 1em; margin: 1em 0; break-inside: avoid }
.verdict h3 { margin: .3em 0 } .verdict ul { margin: .3em 0; padding-left: 1.3em }
.bar { display: inline-block; width: 9em; height: .7em; background: #f0f0f0; margin-right: .4em }
.bar span { display: block; height: 100%; background: #1f77b4 }
pre, code { font: .92em/1.45 ui-monospace, "DejaVu Sans Mono", monospace; background: #f5f5f5; border-radius: 3px }
pre { padding: .7em .9em; white-space: pre-wrap; overflow-wrap: anywhere } code { padding: .1em .3em }
@media print { body { max-width: none; padding: 0; font-size: 11px } h2, h3 { break-after: avoid }
  nav { display: none } .wide { overflow: visible } figure:has(> svg) { width: 46% } tr, .grid { break-inside: avoid }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact } }
"""
