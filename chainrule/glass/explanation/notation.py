r"""Formulas are written once, in LaTeX; a terminal shows them in Unicode, a page in MathML (`mathml`).

The part of LaTeX understood here is the part the library's formulas use: letters, sub- and superscripts,
accents, fractions, roots, and the commands of `SIGNS`.

>>> print(unicode_text(r"\Delta^{(1)} = (\Delta^{(2)} W^{(2)}) \odot \sigma'(Z^{(1)})"))
Δ⁽¹⁾ = (Δ⁽²⁾ W⁽²⁾) ⊙ σ'(Z⁽¹⁾)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

SIGNS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "Delta": "Δ", "eta": "η", "theta": "θ",
    "lambda": "λ",
    "mu": "μ", "varphi": "φ", "Phi": "Φ", "pi": "π", "sigma": "σ", "epsilon": "ε",
    "varepsilon": "ε", "ell": "ℓ",
    "odot": " ⊙ ", "oslash": " ⊘ ", "surd": "√", "cdot": " · ", "times": " × ", "partial": "∂", "sum": "Σ", "top": "ᵀ",
    "dots": "…", "infty": "∞",
    "le": " ≤ ", "ge": " ≥ ", "ne": " ≠ ", "to": " → ", "leftarrow": " ← ", "approx": " ≈ ", "sim": " ∼ ", "nabla": "∇",
    "langle": "⟨", "rangle": "⟩", "lVert": "‖", "rVert": "‖", "mathbf": "", "textstyle": "",
    "left": "", "right": "",
    ",": " ", ";": "  ", "quad": "  ", "qquad": "    ", "{": "{", "}": "}", "#": "#", "%": "%", "_": "_", "-": "",
}  # fmt: skip
"""What a command without arguments becomes; a command that is not here is a function's name: \\max is max."""

ACCENTS = {"bar": "\u0304", "hat": "\u0302", "tilde": "\u0303", "dot": "\u0307"}
SUPERSCRIPT = dict(zip("0123456789+−=()nitTxzᵀ", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱᵗᵀˣᶻᵀ", strict=True))
SUBSCRIPT = dict(zip("0123456789+−=()aeijkmnoprstx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑᵢⱼₖₘₙₒₚᵣₛₜₓ", strict=True))
TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|[^\\]")


def unicode_text(latex: str) -> str:
    """A formula as one line of Unicode."""
    return _tidy(_Reader(latex).read())


class _Reader:
    """Reads the tokens of a formula."""

    def __init__(self, latex: str) -> None:
        self.tokens: Iterator[str] = iter(TOKEN.findall(latex))

    def read(self, end: str = "") -> str:
        """Everything up to `end`."""
        written = []
        for token in self.tokens:
            if token == end:
                break
            written.append(self._written(token))
        return "".join(written)

    def _written(self, token: str) -> str:
        match token.strip() or " ":
            case "{":
                return self.read("}")
            case "^":
                return _raised(self._argument())
            case "_":
                return _lowered(self._argument())
            case r"\frac" | r"\tfrac" | r"\dfrac":
                return f"{_bracketed(self._argument())}/{_bracketed(self._argument())}"
            case r"\sqrt":
                return f"√{_bracketed(self._argument())}"
            case r"\operatorname":
                return self._argument() + " "
            case r"\mathrm" | r"\text":
                return self._argument()
            case command if command[0] == "\\":
                return self._command(command[1:])
            case "-":
                return "−"
            case plain:
                return plain

    def _command(self, name: str) -> str:
        if name in ACCENTS:
            base = self._argument()
            return base[:1] + ACCENTS[name] + base[1:]
        return SIGNS.get(name, f" {name} ")

    def _argument(self) -> str:
        token = next((t for t in self.tokens if t.strip()), "")
        return self._written(token)


def _raised(inner: str) -> str:
    inner = inner.strip()
    if all(c in SUPERSCRIPT for c in inner):
        return "".join(SUPERSCRIPT[c] for c in inner)
    return f"^{_bracketed(inner)}"


def _lowered(inner: str) -> str:
    inner = inner.strip()
    if all(c in SUBSCRIPT for c in inner):
        return "".join(SUBSCRIPT[c] for c in inner)
    return f"_{inner}" if len(inner) == 1 or inner.isalpha() else f"_{{{inner}}}"


def _bracketed(inner: str) -> str:
    inner = inner.strip()
    return inner if re.fullmatch(r"√?[\w.̂̄̃]+|\(.*\)", inner) else f"({inner})"


def _tidy(line: str) -> str:
    line = re.sub(r" +", " ", line).strip()
    line = re.sub(r" (?=[)\]},;.⟩])|(?<=[(\[⟨∂]) ", "", line)
    line = re.sub(r"(^|[(\[]|= )− ", r"\1−", line)  # a minus of its own stands close: −ln p
    line = re.sub(r"‖ ([^‖]*?) ‖", r"‖\1‖", line)
    line = re.sub(r"(?<=[=+−( ]Δ) (?=\w)|(?<=^Δ) (?=\w)", "", line)
    line = re.sub(r"(?<=[A-Za-z]{2}) (?=[('])", "", line)  # max (0, x) is max(0, x)
    return unicodedata.normalize("NFC", line)


def width(line: str) -> int:
    """The columns a line takes: accents take none."""
    return sum(not unicodedata.combining(c) for c in line)


def prose(text: str, math: Callable[[str], str], words: Callable[[str], str] = str) -> str:
    """Words with formulas between dollar signs, each part written in its own way."""
    parts = text.split("$")
    return "".join(math(part) if i % 2 else words(part) for i, part in enumerate(parts))
