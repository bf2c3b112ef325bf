"""000 §10.2: the derivative as a sum over paths."""

import numpy as np
import pytest

import chainrule as cr


@pytest.mark.worked("000-10.7", "000-10.hand")
def test_the_two_paths_of_the_example(worked):
    """000 §10.2.2, (10.2): y = (x₁ + x₂) x₁, L = y²; x₁ reaches L over the sum and directly."""
    x1, x2 = (cr.tensor(np.array(v), requires_grad=True) for v in (2.0, 3.0))
    v3 = x1 + x2
    v4 = v3 * x1
    v5 = cr.identity(v4)
    loss = v5**2
    ways = list(cr.paths(loss, x1))
    assert sorted(map(str, ways)) == ["leaf → add → multiply → square", "leaf → multiply → square"]
    assert sorted(float(way.product[0, 0]) for way in ways) == [40.0, 100.0]
    worked("000-10.hand").check(cr.path_sum(loss, x1))
    worked("000-10.7").check([cr.path_sum(loss, v) for v in (v5, v4, v3, x1, x2)])
