"""000, chapter 10: the example's graph is drawn with its values and adjoints."""

import numpy as np
import pytest

import chainrule as cr


@pytest.mark.worked("000-10.fwd", "000-10.7")
def test_the_drawing_of_the_example(worked):
    """§10.2.2: y = (x₁ + x₂) x₁ at (2, 3), L = y²; every node with value and adjoint."""
    x1, x2 = (cr.tensor(np.array(v), requires_grad=True) for v in (2.0, 3.0))
    v3 = x1 + x2
    y = v3 * x1
    L = y**2
    drawing = cr.draw.graph(L, values=True, adjoints=True, names={"x₁": x1, "x₂": x2, "v₃": v3, "v₄": y, "L": L})
    boxes = [[line.text for line in box.lines] for box in drawing.boxes]
    assert boxes == [
        ["x₁", "scalar", "value 2", "adjoint 140"],
        ["x₂", "scalar", "value 3", "adjoint 40"],
        ["v₃", "= add", "scalar", "value 5", "adjoint 40"],
        ["v₄", "= multiply", "scalar", "value 10", "adjoint 20"],
        ["L", "= square", "scalar", "value 100", "adjoint 1"],
    ]
    assert sorted(drawing.edges) == [(0, 2), (0, 3), (1, 2), (2, 3), (3, 4)]
    shown = {
        box[0]: [float(line.split()[1]) for line in box if line.split()[0] in ("value", "adjoint")] for box in boxes
    }
    worked("000-10.fwd").check([shown[v][0] for v in ("v₃", "v₄", "v₄")])
    worked("000-10.7").check([shown[v][1] for v in ("v₄", "v₄", "v₃", "x₁", "x₂")])
