"""Formulas on a page: the same LaTeX as on paper, as MathML that a browser sets by itself."""

from xml.etree import ElementTree

import numpy as np
import pytest

from chainrule.glass.explanation.mathml import math

FORMULAS = {
    r"x_1^2": "<msubsup><mi>x</mi><mn>1</mn><mn>2</mn></msubsup>",
    r"\tfrac12 y": '<mfrac displaystyle="false"><mn>1</mn><mn>2</mn></mfrac><mi>y</mi>',
    r"\tfrac1{12}": '<mfrac displaystyle="false"><mn>1</mn><mn>12</mn></mfrac>',
    r"\sqrt{a + b}": "<msqrt><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow></msqrt>",
    r"\surd(s)": "<msqrt><mi>s</mi></msqrt>",
    r"\sum_i x_i": "<munder><mo>∑</mo><mi>i</mi></munder><msub><mi>x</mi><mi>i</mi></msub>",
    r"\textstyle\sum_i": '<msub><mo largeop="false">∑</mo><mi>i</mi></msub>',
    r"\bar x": '<mover accent="true"><mi>x</mi><mo stretchy="false">‾</mo></mover>',
    r"f'": "<msup><mi>f</mi><mrow><mo>′</mo></mrow></msup>",
    r"\ln y": '<mi>ln</mi><mspace width="0.17em"></mspace><mi>y</mi>',
    r"\max(0, x)": (
        '<mi>max</mi><mrow><mo stretchy="false">(</mo><mn>0</mn><mo>,</mo><mi>x</mi><mo stretchy="false">)</mo></mrow>'
    ),
    r"\mathrm{my\_name}": "<mi>my_name</mi>",
    r"\text{a < b}": "<mtext>a &lt; b</mtext>",
    r"a - b": "<mi>a</mi><mo>−</mo><mi>b</mi>",
    r"[0, 1": '<mo stretchy="false">[</mo><mn>0</mn><mo>,</mo><mn>1</mn>',
    r"W^{\top}": '<msup><mi>W</mi><mi mathvariant="normal">T</mi></msup>',
    r"^2": "<msup><mrow></mrow><mn>2</mn></msup>",
    r"\{1, 2\}": "<mo>{</mo><mn>1</mn><mo>,</mo><mn>2</mn><mo>}</mo>",
}


@pytest.mark.parametrize("latex", FORMULAS)
def test_formula(latex):
    written = math(latex)
    assert written == f"<math>{FORMULAS[latex]}</math>"
    ElementTree.fromstring(written)


def test_numbers_stand_between_the_pieces():
    assert math(np.array(-2.5e-9), r"\cdot", np.array(3)) == (
        "<math><mrow><mn>−2.5000</mn><mo>·</mo><msup><mn>10</mn><mn>−9</mn></msup></mrow><mo>·</mo><mn>3</mn></math>"
    )


def test_brackets_grow_with_a_matrix_and_with_nothing_else():
    written = math(r"\sigma(", np.eye(2), ")", r"\cdot", "(a + b)")
    assert written.count("<mo>(</mo>") == 1 and written.count('<mo stretchy="false">(</mo>') == 1
    assert '<mtable class="m"><mtr><mtd><mn>1</mn></mtd><mtd><mn>0</mn></mtd></mtr>' in written


def test_a_large_matrix_is_cut_short():
    written = math(np.arange(100.0).reshape(10, 10) + 1)
    assert written.count("<mtr>") == 8 and written.count("<mtd>") == 64 and "<mn>…</mn>" in written


def test_a_power_binds_to_the_matrix_before_it():
    tree = ElementTree.fromstring(math(np.array([1.0, 2.0]), "^2"))
    assert [child.tag for child in tree] == ["msup"] and tree[0][0].tag == "mtable"
