"""Each broken script is sick in the way it says, and not when it is repaired: by measurements of its steps.

That a loss does not fit an output shows in the score alone, which `test_bank` compares.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.bank.beginnings import Beginning, begin
from tests.bank.scripts import BROKEN, HEALTHY, Script


def of(*causes: str) -> pytest.MarkDecorator:
    """A test for every script with one of these causes."""
    scripts = [script for script in BROKEN if script.cause in causes]
    return pytest.mark.parametrize("script", scripts, ids=lambda script: script.name)


def both(script: Script, steps: int = 1_000_000) -> tuple[Beginning, Beginning]:
    """The first steps with the flaw, and without."""
    return begin(script, steps=steps), begin(script, repaired=True, steps=steps)


@of("not finite")
def test_numbers_end_in_the_phase_that_is_stated(script: Script) -> None:
    broken, repaired = both(script, 60)
    assert np.isfinite(repaired.losses).all()
    assert all(repaired.gradients_finite)
    assert all(repaired.states_finite)
    healthy = zip(np.isfinite(broken.losses), broken.gradients_finite, broken.states_finite, strict=False)
    first = next((loss, gradient) for loss, gradient, state in healthy if not (loss and gradient and state))
    phases = {(True, True): {"update"}, (True, False): {"backward"}}
    assert script.phase in phases.get(first, {"forward", "input", "parameter"})


@of("learning rate blow-up")
def test_a_blow_up_grows_from_finite_numbers(script: Script) -> None:
    broken, repaired = both(script, 60)
    assert np.isfinite(broken.losses[0])
    assert not np.isfinite(broken.losses).all()
    assert max(broken.ratios[:3]) > 1
    assert np.isfinite(repaired.losses).all()


@of("gradients not zeroed")
def test_gradients_are_kept(script: Script) -> None:
    broken, repaired = both(script, 60)
    assert broken.zeroed <= len(broken.ratios) / 10 < repaired.zeroed


@of("evaluation mode in training")
def test_most_steps_are_made_in_evaluation_mode(script: Script) -> None:
    broken, repaired = both(script, 60)
    assert np.mean(broken.training) < 0.25
    assert all(repaired.training)


@of("training mode in evaluation")
def test_the_last_figure_is_taken_in_training_mode(script: Script) -> None:
    broken, repaired = both(script)
    assert broken.scope["model"].training
    assert not repaired.scope["model"].training


@of("softmax applied twice")
def test_outputs_are_probabilities_already(script: Script) -> None:
    broken, repaired = both(script, 3)
    assert np.allclose(broken.outputs[""].sum(-1), 1, atol=1e-5)
    assert not np.allclose(repaired.outputs[""].sum(-1), 1, atol=1e-2)


@of("data not normalised")
def test_inputs_are_far_from_unit_scale(script: Script) -> None:
    broken, repaired = both(script, 1)
    assert np.abs(broken.x).max() > 100
    assert np.abs(repaired.x).max() < 10


@of("dead units")
def test_a_layer_says_zero_to_every_example(script: Script) -> None:
    broken, repaired = both(script, 5)
    assert script.layer is not None
    assert (broken.outputs[script.layer] == 0).all()
    assert (repaired.outputs[script.layer] > 0).mean() > 0.2


@of("saturated units")
def test_a_layer_is_at_its_ends(script: Script) -> None:
    shares = [np.mean(ends(b.outputs[script.layer or ""], script)) for b in both(script, 5)]
    assert shares[0] > 0.6
    assert shares[1] < 0.1


def ends(a: np.ndarray, script: Script) -> np.ndarray:
    """Where a tanh is beyond ±0.98, a sigmoid beyond 0.01 and 0.99."""
    return np.abs(2 * a - 1) > 0.98 if "sigmoid" in script.name else np.abs(a) > 0.98


@of("vanishing gradients")
def test_the_slope_at_the_input_is_a_thousandth(script: Script) -> None:
    broken, repaired = both(script, 1)
    assert broken.slope < 1e-3 * repaired.slope


@of("exploding gradients")
def test_the_slope_at_the_input_is_a_hundredfold(script: Script) -> None:
    broken, repaired = both(script, 1)
    assert broken.slope > 100 * repaired.slope
    assert np.isfinite(begin(script).losses).all()


@of("learning rate too large")
def test_steps_are_too_long_and_numbers_stay_finite(script: Script) -> None:
    broken, repaired = both(script)
    assert np.isfinite(broken.losses).all()
    assert max(broken.ratios[:20]) > 5 * max(repaired.ratios[:20])
    assert np.mean(broken.losses[-20:]) > 3 * np.mean(repaired.losses[-20:])


@of("learning rate too small")
def test_the_loss_stands_still(script: Script) -> None:
    broken, repaired = both(script)
    third = len(broken.losses) // 3
    began, ended = np.mean(broken.losses[:third]), np.mean(broken.losses[-third:])
    assert abs(ended - began) < 0.1 * began
    assert np.mean(repaired.losses[-20:]) < 0.3 * np.mean(repaired.losses[:20])


@of("train and test overlap")
def test_rows_are_on_both_sides(script: Script) -> None:
    shares = [shared(b) for b in both(script)]
    assert shares[0] > 0.15
    assert shares[1] == 0


def shared(seen: Beginning) -> float:
    """The share of rows held out that are among those trained on."""
    if seen.data is None:
        train, held = seen.scope["x"], seen.scope["held"]
    else:
        train, held = (d.x if hasattr(d, "x") else d[0] for d in (seen.data, seen.validation))
    known = {row.tobytes() for row in np.ascontiguousarray(train)}
    return float(np.mean([row.tobytes() in known for row in np.ascontiguousarray(held)]))


@of("labels not learnable")
def test_nothing_is_learned_beyond_the_mean(script: Script) -> None:
    broken, repaired = both(script)
    assert np.mean(broken.losses[-20:]) > 0.75 * of_the_mean(broken)
    assert np.mean(repaired.losses[-20:]) < 0.25 * of_the_mean(repaired)


def of_the_mean(seen: Beginning) -> float:
    """The loss of the best constant: the entropy of labels, the variance of quantities."""
    y = np.asarray(seen.scope["y"])
    shares = np.unique(y, return_counts=True)[1] / len(y)
    return float(y.var() if y.dtype.kind == "f" else -np.sum(shares * np.log(shares)))


@of("class imbalance ignored")
def test_the_majority_is_always_said(script: Script) -> None:
    broken, repaired = (minority_said(seen) for seen in both(script))
    assert broken < 0.005
    assert repaired > 0.1


def minority_said(seen: Beginning) -> float:
    """How often the model says another class than the first, which most rows have."""
    z = seen.scope["model"](seen.scope["x"]).numpy()
    assert np.mean(seen.scope["y"] == 0) > 0.9
    return float(np.mean(z[:, 0] > 0 if z.shape[1] == 1 else z.argmax(1) > 0))


@of("overfitting")
def test_the_training_rows_are_known_by_heart(script: Script) -> None:
    broken, repaired = both(script)
    assert np.mean(broken.losses[-20:]) < 0.1 * np.mean(repaired.losses[-20:])


@of("underfitting")
def test_even_the_training_rows_are_not_learned(script: Script) -> None:
    broken, repaired = both(script)
    assert np.mean(broken.losses[-50:]) > 5 * np.mean(repaired.losses[-50:])


@pytest.mark.parametrize("script", HEALTHY, ids=lambda script: script.name)
def test_a_healthy_script_begins_without_a_flaw(script: Script) -> None:
    seen = begin(script, steps=20)
    assert np.isfinite(seen.losses).all()
    assert all(seen.gradients_finite)
    assert all(seen.states_finite)
    assert all(seen.training)
    assert seen.x is None or np.abs(seen.x).max() < 15
    assert 1e-5 < np.median(seen.ratios) < 0.5
    assert all(np.ptp(output) > 0 or len(output) == 1 for output in seen.outputs.values())
