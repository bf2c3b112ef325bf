"""The steps backwards: from the output delta through the layers, and the derivatives of their parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chainrule.core import Tensor
from chainrule.glass.explanation import backward_rules, loss_formulas, rules
from chainrule.glass.explanation.loss_rules import Shortcut
from chainrule.glass.explanation.run import Run, join, kind, mark, slope_name, weighted
from chainrule.glass.explanation.signs import Signs
from chainrule.glass.explanation.steps import Step
from chainrule.glass.record import Call

SHORT = {"weight": "W", "bias": "b"}


class Backward:
    """The way back of one run; `told` are the quantities whose derivative has been shown.

    `how` says whether the loss is the "mean" or the "sum" of the samples' losses, empty where it is neither.
    """

    def __init__(self, run: Run, signs: Signs, shortcut: Shortcut | None, how: str) -> None:
        self.run, self.signs, self.how = run, signs, how
        self.told: set[Any] = set()
        self.learned = set(map(mark, run.parameters.values()))
        self.shortcut = shortcut

    def steps(self) -> Iterator[Step]:
        """The output delta, then layer by layer the derivatives of the parameters and what is sent back."""
        yield self._cancelled(self.shortcut) if self.shortcut else self._output()
        for call in reversed(self.run.calls):
            if not call.passes:
                yield from (part.step(call, "backward") for part in backward_rules.inside(call, self.signs))
                yield from self._parameters(call)
                yield from self._sent_back(call)
        yield from self._inputs()
        yield from self._loose_parameters()

    # The output.

    def _output(self) -> Step:
        """The derivative of the loss with respect to the prediction."""
        latex = loss_formulas.derivative(self.run, self.signs)
        if latex and self.signs.single:
            return self._derivative(self.run.prediction, (latex.partition(" = ")[2], None), "output", ())
        prediction, signs = self.run.prediction, self.signs
        if latex and self.how:
            right = (r"\tfrac1m " if self.how == "mean" else "") + rf"\partial\ell/\partial {signs.small(prediction)}"
        else:
            called = loss_formulas.upright(self.run.loss_function)
            right = rf"\partial\, \mathrm{{{called}}}/\partial {signs.sign(prediction)}"
        notes = (self._of_one(latex),) if latex else ()
        return self._derivative(prediction, (right, None), "output", notes)

    def _cancelled(self, cut: Shortcut) -> Step:
        """The output delta where loss and output function cancel: the error, up to a factor."""
        signs, last = self.signs, cut.last
        self.told.add(mark(self.run.prediction))
        sign = signs.sign(cut.pre_activation) if not cut.inside_loss and last is None else signs.y_hat
        behind = "/m" if cut.behind == f"/{len(cut.prediction)}" and not signs.single else cut.behind
        before, after = (f"{cut.before}(", ")") if cut.before or behind else ("", "")
        rule = f"{before}{sign} - {signs.letter('Y')}{after}{behind if after else ''}"
        numbers = (signs.lay(cut.prediction), "-", signs.lay(cut.target))
        wrapped = (before, *numbers, f"){cut.behind}") if after else numbers
        return self._derivative(cut.pre_activation, (rule, wrapped), "output delta", self._why(cut))

    def _why(self, cut: Shortcut) -> tuple[str, ...]:
        notes, last = [], cut.last
        if last is not None:
            f = rules.function(last) if kind(last) == "activation" else r"\operatorname{softmax}"
            slope = rf"$\partial L/\partial {self.signs.y_hat}$ times ${f}'$"
            notes.append(f"the loss and ${f}$ cancel: {slope} leaves the error alone")
        elif cut.inside_loss:
            notes.append(f"${cut.function}$ and the logarithm of the loss cancel: the error is left alone")
        elif not self.signs.single and (latex := loss_formulas.derivative(self.run, self.signs)):
            notes.append(self._of_one(latex))
        if cut.behind and not self.signs.single:
            notes.append("1/m stands here, so the derivatives of W and b take no further 1/m")
        return tuple(notes)

    def _of_one(self, latex: str) -> str:
        return f"${latex}$ for one {'output' if loss_formulas.of_one_output(self.run) else 'sample'}"

    # Layers.

    def _sent_back(self, call: Call) -> Iterator[Step]:
        """What goes back to the inputs of a layer, once all that use an input have sent their part."""
        for x in dict.fromkeys(call.inputs):
            users = self.run.uses[mark(x)]
            given = any(x is v for v in self.run.inputs) or mark(x) in self.learned or x.node is None
            if given or mark(x) in self.told or call is not users[0]:
                continue
            self.told.add(mark(x))
            term = _sum([backward_rules.pulled(user, x, self.signs) for user in reversed(users)])
            below = self._fused(x, call)
            if below is not None:
                self.told.add(mark(below.inputs[0]))
                yield self._through(term, below)
            else:
                notes = (
                    rules.slope_notes(call, x, self.signs) if kind(call) in ("activation", "softmax", "general") else ()
                )
                yield self._derivative(x, term, "delta", notes)

    def _inputs(self) -> Iterator[Step]:
        """dL/dx of sequences, for which the way back through time ends there."""
        for x in self.run.inputs if self.signs.of_sequences else ():
            users = self.run.uses.get(mark(x), [])
            if x.node is not None and users:
                term = _sum([backward_rules.pulled(user, x, self.signs) for user in reversed(users)])
                yield self._derivative(x, term, "delta", ())

    def _fused(self, x: Tensor, call: Call) -> Call | None:
        """The activation below a dense layer, whose slope belongs to the same step; None at branches."""
        below = self.run.producer.get(mark(x))
        if below is None or kind(below) != "activation" or kind(call) != "linear":
            return None
        z = below.inputs[0]
        branches = len(self.run.uses[mark(x)]) > 1 or len(self.run.uses[mark(z)]) > 1
        return None if branches or z is self.run.x else below

    def _through(self, term: rules.Term, below: Call) -> Step:
        """The delta of a hidden layer: back through the weights above and through the activation, in one."""
        z, f = below.inputs[0], rules.function(below)
        rule = rf"({term[0]}) \odot {f}'({self.signs.sign(z)})"
        slope = self.signs.lay(self.run.slope(below))
        numbers = None if term[1] is None else ("(", *term[1], r") \odot", slope)
        return self._derivative(z, (rule, numbers), "delta", rules.slope_notes(below, z, self.signs))

    def _derivative(self, x: Tensor, term: rules.Term, how: str, notes: tuple[str, ...]) -> Step:
        self.told.add(mark(x))
        sign, is_delta = self.signs.delta(x), mark(x) in self.signs.deltas
        return Step(
            name=self.signs.delta_name(x),
            kind=how,
            phase="backward",
            caption=rf"$\partial L/\partial {self.signs.sign(x)}$" if is_delta else "",
            symbol=sign,
            rule=f"{sign} = {term[0]}",
            value=self.signs.slope(x),
            substituted=term[1],
            notes=notes,
            check=self.run.check(x),
        )

    # Parameters.

    def _parameters(self, call: Call) -> Iterator[Step]:
        for name, tensor in self.run.own_parameters(call).items():
            users = self._users(tensor)
            if call is not users[0][0]:
                continue  # told with the first, where the shares of all are known
            terms = [backward_rules.parameter(c, own, self.signs) for c, own in reversed(users)]
            sign, term = terms[-1][0], _sum([t for _, t in terms])
            notes = backward_rules.parameter_notes(call, name, self.signs)
            short = SHORT.get(name, name) if weighted(call) else name
            upright = name.rpartition(".")[2].startswith("bias") and kind(call) in ("linear", "recurrent")
            yield self._parameter(slope_name(call.path, short), tensor, sign, term, upright, notes)

    def _users(self, parameter: Tensor) -> list[tuple[Call, str]]:
        """The calls that use a parameter, each with its name there: a layer called again, or weights that are tied."""
        own = ((call, self.run.own_parameters(call)) for call in self.run.calls if not call.passes)
        return [(call, name) for call, held in own for name, p in held.items() if mark(p) == mark(parameter)]

    def _parameter(
        self, name: str, p: Tensor, sign: str, term: rules.Term, is_bias: bool = False, notes: tuple[str, ...] = ()
    ) -> Step:
        self.told.add(mark(p))
        gradient, symbol = self.run.gradient(p), rf"\partial L/\partial {sign}"
        return Step(
            name=name,
            kind="parameter",
            phase="backward",
            caption="",
            symbol=symbol,
            rule=f"{symbol} = {term[0]}",
            value=self.signs.vector(gradient) if is_bias else gradient,
            substituted=term[1],
            notes=notes,
            check=self.run.check(p),
        )

    def _loose_parameters(self) -> Iterator[Step]:
        """Parameters that no layer holds: those of a model that calls operations by itself."""
        for path, tensor in self.run.parameters.items():
            if mark(tensor) not in self.told:
                owner, _, name = path.rpartition(".")
                rule = (r"\text{through the operations above}", None)
                yield self._parameter(join(owner, f"d{name}"), tensor, self.signs.sign(tensor), rule)


def _sum(terms: list[rules.Term]) -> rules.Term:
    """The parts that all users of a quantity send back, added."""
    numbers: list[Any] | None = []
    for _, part in terms:
        numbers = None if numbers is None or part is None else [*numbers, *(["+"] if numbers else []), *part]
    return " + ".join(rule for rule, _ in terms), None if numbers is None else tuple(numbers)
