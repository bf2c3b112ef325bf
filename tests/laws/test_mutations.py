"""The laws have teeth: a rule that is wrong by 0.1 %, or a wrong shape, is caught for every primitive."""

import numpy as np
import pytest

import chainrule as cr
from tests.laws import domains_attention, domains_vocabulary
from tests.laws.domains import DOMAINS
from tests.laws.entries import results
from tests.laws.measures import laws_hold

WRONG = 1.001
SMOOTH = [name for name in sorted(DOMAINS) if cr.PRIMITIVES[name].is_differentiable]
SLOTS = [(name, i) for name in SMOOTH for i in DOMAINS[name].active]

KEEP_SHAPE = (
    {"softmax", "log_softmax", "standardise_back"} | domains_vocabulary.KEEP_SHAPE | domains_attention.KEEP_SHAPE
)  # their rule only refuses


def some_case_fails(name):
    cases = [case for case in DOMAINS[name].cases(name) if all(np.prod(s) for s in case.shapes)]
    return not all(laws_hold(*case.function(case.draw())) for case in cases)


@pytest.mark.parametrize(("name", "slot"), SLOTS)
def test_a_wrong_cotangent_is_caught(monkeypatch, name, slot):
    primitive = cr.PRIMITIVES[name]
    right = primitive.pull

    def wrong(*args):
        for i, bar in enumerate(right(*args)):
            yield bar * WRONG if i == slot and bar is not None else bar

    monkeypatch.setattr(primitive, "pull", wrong)
    assert some_case_fails(name)


@pytest.mark.parametrize("name", SMOOTH)
def test_a_wrong_tangent_is_caught(monkeypatch, name):
    primitive = cr.PRIMITIVES[name]
    right = primitive.push

    def wrong(*args):
        dots = right(*args)
        return tuple(d * WRONG for d in dots) if isinstance(dots, tuple) else dots * WRONG

    monkeypatch.setattr(primitive, "push", wrong)
    assert some_case_fails(name)


@pytest.mark.parametrize(("name", "slot"), [s for s in SLOTS if cr.PRIMITIVES[s[0]].family == "elementwise"])
def test_a_wrong_partial_is_caught_though_both_modes_agree(monkeypatch, name, slot):
    primitive = cr.PRIMITIVES[name]
    rules = list(primitive._partials)
    right = rules[slot]
    rules[slot] = lambda *args, **settings: right(*args, **settings) * WRONG
    monkeypatch.setattr(primitive, "_partials", tuple(rules))
    assert some_case_fails(name)


def specs_hold(name):
    for case in DOMAINS[name].cases(name):
        args = case.draw(np.float32)
        y = case.primitive(*args, **case.settings)
        specs = results(case.primitive.spec(*args, **case.settings))
        if specs != tuple(cr.Spec(v.shape, v.dtype) for v in results(y)):
            return False
    return True


@pytest.mark.parametrize("name", sorted(DOMAINS))
def test_a_wrong_shape_rule_is_caught(monkeypatch, name):
    assert specs_hold(name)
    primitive = cr.PRIMITIVES[name]
    right = primitive._shape or (lambda *specs, **settings: specs[0].shape)
    monkeypatch.setattr(primitive, "_shape", lambda *specs, **settings: (*right(*specs, **settings), 1))
    assert not specs_hold(name)


@pytest.mark.parametrize("name", [n for n in sorted(DOMAINS) if cr.PRIMITIVES[n]._shape and n not in KEEP_SHAPE])
def test_a_forgotten_shape_rule_is_caught(monkeypatch, name):
    monkeypatch.setattr(cr.PRIMITIVES[name], "_shape", None)
    assert not specs_hold(name)


@pytest.mark.parametrize("name", sorted(DOMAINS))
def test_a_wrong_dtype_rule_is_caught(monkeypatch, name):
    monkeypatch.setattr(cr.PRIMITIVES[name], "_dtype", lambda *specs, **settings: np.dtype(np.int8))
    assert not specs_hold(name)
