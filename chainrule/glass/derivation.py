"""From a run to its steps: forward layer by layer, the loss, and back again from the output delta."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from chainrule.core import Tensor
from chainrule.glass import loss_rules, rules
from chainrule.glass.figures import SHOWN
from chainrule.glass.record import Call
from chainrule.glass.run import Run, join, kind, mark
from chainrule.glass.signs import Signs
from chainrule.glass.steps import Formula, Step


class Derivation:
    """The steps of one run, in the order of the computation."""

    def __init__(self, run: Run, layout: str) -> None:
        self.run, self.signs = run, Signs(run, layout)
        self.shortcut = loss_rules.shortcut(run)
        self.samples = loss_rules.by_sample(run)
        self.told: set[Any] = set()

    # Forwards.

    def forward(self) -> Iterator[Step]:
        """Every layer's result, then the loss."""
        for call in self.run.calls:
            yield self._result(call)
        if self.shortcut and self.shortcut.function not in ("", "output"):
            yield self._probabilities()
        yield from self._losses()

    def _result(self, call: Call) -> Step:
        rule, numbers, notes = rules.forward(call, self.signs)
        linear = kind(call) == "linear"
        number = self.signs.layer[call.path]
        return Step(
            name=join(call.path, "z" if linear else "a"), kind=kind(call), phase="forward",
            caption=f"layer {number}: {call.label}" if linear else call.label,
            symbol=self.signs.sign(call.output), rule=rule, value=self.signs.value(call.output), substituted=numbers,
            expanded=rules.expanded(call, self.signs) if linear else (), notes=notes,
            check=None if call.passes else self.run.check_local(call.output, self._inputs(call)),
        )  # fmt: skip

    def _inputs(self, call: Call) -> list[Tensor]:
        return [*call.inputs, *self.run.own_parameters(call).values()]

    def _probabilities(self) -> Step:
        f, z = self.shortcut.function, self.run.prediction
        y_hat = rf"\hat {self.signs.letter('Y')}"
        return Step(
            name="y_hat", kind="prediction", phase="forward", caption="prediction, inside the loss", symbol=y_hat,
            rule=f"{y_hat} = {f}({self.signs.sign(z)})", value=self.signs.lay(self.shortcut.prediction),
            substituted=(f"{f}(", self.signs.value(z), ")"),
        )  # fmt: skip

    def _losses(self) -> Iterator[Step]:
        run, m = self.run, len(self.run.x.data)
        latex, called = loss_rules.formula(run.loss_function), loss_rules.name(run.loss_function)
        shown = rf"\operatorname{{{called}}}({self.signs.sign(run.prediction)}, {self.signs.letter('Y')})".replace(
            "_", r"\_"
        )
        notes = self._letters(latex)
        batch = self.samples is not None and m > 1
        if batch:
            yield Step(
                name="losses", kind="losses", phase="forward", caption=f"{called}, sample by sample", symbol=r"\ell",
                rule=latex or rf"\ell = {shown}", value=self.samples[0].reshape(1, -1), notes=notes,
            )  # fmt: skip
        y = getattr(run.y, "data", run.y)
        numbers = (
            self._averaged() if batch else loss_rules.with_numbers(run.loss_function, run.prediction.data, y)
        )
        mean = (
            r"L = \tfrac1m \textstyle\sum_i \ell_i"
            if batch and self.samples[1] == "mean"
            else r"L = \textstyle\sum_i \ell_i"
        )
        alone = latex.replace(r"\ell", "L", 1) if m == 1 and latex else f"L = {shown}"
        yield Step(
            name="loss", kind="loss", phase="forward", caption="loss of the batch" if m > 1 else f"loss: {called}",
            symbol="L", rule=mean if batch else alone, value=np.asarray(run.loss.data), substituted=numbers,
            notes=() if batch else notes, check=run.check(run.prediction),
        )  # fmt: skip

    def _letters(self, latex: str) -> tuple[str, ...]:
        if not latex:
            return ()
        letter, what = ("z", "logit") if "z" in latex else ("y", "prediction")
        return (f"${letter}$ is the {what} ${self.signs.sign(self.run.prediction)}$, $t$ the target",)

    def _averaged(self) -> Formula | None:
        own, how = self.samples
        if len(own) > SHOWN:
            return None
        parts = [p for value in own for p in ("+", value)][1:]
        return ("(", *parts, f")/{len(own)}" if how == "mean" else ")")

    # Backwards.

    def backward(self) -> Iterator[Step]:
        """The output delta, then layer by layer what comes back and the derivatives of the parameters."""
        yield from self._output()
        for call in reversed(self.run.calls):
            if not call.passes:
                yield from self._parameters(call)
                yield from self._sent_back(call)
        yield from self._loose_parameters()

    def _output(self) -> Iterator[Step]:
        run, last = self.run, self.run.producer.get(mark(self.run.prediction))
        through = (
            last is not None and kind(last) in ("activation", "softmax") and self._is_linear(last.inputs[0])
        )
        if self.shortcut:
            z = last.inputs[0] if through else run.prediction
            self.told |= {mark(run.prediction), mark(z)}
            yield self._cancelled(z, last if through else None)
            return
        self.told.add(mark(run.prediction))
        latex = loss_rules.formula(run.loss_function, 1)
        notes = (f"${latex}$ for one sample", *self._letters(latex)) if latex else ()
        called = rf"\mathrm{{{loss_rules.name(run.loss_function)}}}".replace("_", r"\_")
        right = rf"\partial {called}/\partial {self.signs.sign(run.prediction)}"
        yield self._derivative(run.prediction, (right, None), "output", notes)

    def _cancelled(self, z: Tensor, last: Call | None) -> Step:
        cut, signs = self.shortcut, self.signs
        y_hat = rf"\hat {signs.letter('Y')}" if last is not None or cut.function else signs.sign(z)
        notes = []
        if last is not None:
            f = rules.function(last) if kind(last) == "activation" else r"\operatorname{softmax}"
            notes.append(
                rf"the loss and ${f}$ cancel: $\partial L/\partial {y_hat}$ times ${f}'$ leaves the error alone"
            )
        elif cut.function:
            notes.append(f"${cut.function}$ and the logarithm of the loss cancel: the error is left alone")
        elif latex := loss_rules.formula(self.run.loss_function, 1):
            notes.append(f"${latex}$ for one sample")
        if cut.behind and not signs.single:
            notes.append("1/m stands here, so the derivatives of W and b take no further 1/m")
        bracket = (f"{cut.before}(", f"){cut.behind}") if cut.before or cut.behind else ("", "")
        numbers = (bracket[0], signs.lay(cut.prediction), "-", signs.lay(cut.target), bracket[1])
        right = f"{bracket[0]}{y_hat} - {signs.letter('Y')}{bracket[1]}"
        if cut.behind == f"/{len(self.run.x.data)}":
            right = right.removesuffix(cut.behind) + "/m"
        return self._derivative(
            z,
            (right, tuple(p for p in numbers if not (isinstance(p, str) and not p))),
            "output delta",
            tuple(notes),
        )

    def _sent_back(self, call: Call) -> Iterator[Step]:
        """What goes back to the inputs of a layer, once all that use an input have sent their part."""
        for x in dict.fromkeys(call.inputs):
            if x is self.run.x or x.node is None or mark(x) in self.told:
                continue
            users = self.run.uses[mark(x)]
            if call is not users[0]:
                continue
            terms = [rules.pulled(user, x, self.signs) for user in reversed(users)]
            term = terms[0] if len(terms) == 1 else _sum(terms)
            below = self.run.producer.get(mark(x))
            self.told.add(mark(x))
            fused = (
                below is not None
                and kind(below) == "activation"
                and kind(call) == "linear"
                and len(users) == 1
            )
            if fused and len(self.run.uses[mark(below.inputs[0])]) == 1 and below.inputs[0] is not self.run.x:
                self.told.add(mark(below.inputs[0]))
                yield self._through(term, below)
            else:
                notes = rules.slope_notes(call) if kind(call) in ("activation", "softmax", "general") else ()
                yield self._derivative(x, term, "delta", notes)

    def _through(self, term: rules.Term, below: Call) -> Step:
        """The delta of a hidden layer: back through the weights above and through the activation, in one."""
        z, f = below.inputs[0], rules.function(below)
        slope = self.signs.lay(self.run.slope(below))
        rule = rf"({term[0]}) \odot {f}'({self.signs.sign(z)})"
        numbers = None if term[1] is None else ("(", *term[1], r") \odot", slope)
        return self._derivative(z, (rule, numbers), "delta", rules.slope_notes(below))

    def _derivative(self, x: Tensor, term: rules.Term, kind_: str, notes: tuple[str, ...]) -> Step:
        sign = self.signs.delta(x)
        is_delta = mark(x) in self.signs.deltas
        caption = rf"$\partial L/\partial {self.signs.sign(x)}$" if is_delta else ""
        return Step(
            name=self.signs.delta_name(x), kind=kind_, phase="backward", caption=caption, symbol=sign,
            rule=f"{sign} = {term[0]}", value=self.signs.slope(x), substituted=term[1], notes=notes,
            check=self.run.check(x),
        )  # fmt: skip

    def _parameters(self, call: Call) -> Iterator[Step]:
        for name, tensor in self.run.own_parameters(call).items():
            sign, rule, numbers = rules.parameter(call, name, self.signs)
            self.told.add(mark(tensor))
            yield self._parameter(call.path, name, tensor, sign, (rule, numbers), kind(call))

    def _parameter(self, path: str, name: str, p: Tensor, sign: str, term: rules.Term, how: str) -> Step:
        short = {"weight": "dW", "bias": "db"}.get(name, f"d{name}") if how == "linear" else f"d{name}"
        gradient = self.run.gradient(p)
        return Step(
            name=join(path, short), kind=f"d{name}", phase="backward", caption="", symbol=rf"\partial L/\partial {sign}",
            rule=rf"\partial L/\partial {sign} = {term[0]}", substituted=term[1], check=self.run.check(p),
            value=self.signs.vector(gradient) if name == "bias" and how == "linear" else gradient,
        )  # fmt: skip

    def _loose_parameters(self) -> Iterator[Step]:
        """Parameters that no layer holds: those of a model that calls operations by itself."""
        for path, tensor in self.run.parameters.items():
            if mark(tensor) not in self.told:
                owner, _, name = path.rpartition(".")
                sign = rf"\mathrm{{{name}}}".replace("_", r"\_")
                yield self._parameter(
                    owner, name, tensor, sign, (r"\text{through the operations above}", None), "general"
                )

    def _is_linear(self, x: Tensor) -> bool:
        maker = self.run.producer.get(mark(x))
        return maker is not None and kind(maker) == "linear"


def _sum(terms: list[rules.Term]) -> rules.Term:
    numbers: list[Any] | None = []
    for _, part in terms:
        numbers = None if numbers is None or part is None else [*numbers, *(["+"] if numbers else []), *part]
    return " + ".join(rule for rule, _ in terms), None if numbers is None else tuple(numbers)
