"""A student reads a worked example: in a terminal, in a notebook, on paper."""

import re
from html.parser import HTMLParser
from inspect import signature

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.glass import EXAMPLES, Explanation, Step, one_neuron_chain, tiny_network

VOID = {"meta", "br"}
ERROR = re.compile(r"✓ (\de−\d+|0)")  # a rounding error: it differs between machines

CHAIN = """\
One neuron a layer: sigmoid, linear output, half the squared error (004 §2.4.4, Example 9)
Linear(1 → 1) → Sigmoid() → Linear(1 → 1); 1 sample, float64
✓ 14 of 14 derivatives agree with central differences; beside each stands the largest difference

── Given ───────────────────────────────────────────────────────────────────────

x = 1    y = 0.5

── Forward ─────────────────────────────────────────────────────────────────────

fc1.z   layer 1: Linear(1 → 1)   derivative ✓
    z⁽¹⁾ = x W⁽¹⁾ᵀ + b⁽¹⁾
         = 1 · 0.4 + 0.3
         = 0.7

act1.a   Sigmoid()   derivative ✓
    a⁽¹⁾ = σ(z⁽¹⁾)
         = σ(0.7)
         = 0.66819

fc2.z   layer 2: Linear(1 → 1)   derivative ✓
    z⁽²⁾ = a⁽¹⁾ W⁽²⁾ᵀ + b⁽²⁾
         = 0.66819 · 0.5 + 0.1
         = 0.43409

loss   loss: half_squared   derivative ✓
    L = 1/2 ‖z⁽²⁾ − y‖²
      = 1/2 (0.43409 − 0.5)²
      = 0.0021718
    note  the document calls this MSE, but its numbers carry the factor 1/2

── Backward ────────────────────────────────────────────────────────────────────

fc2.delta   ∂L/∂z⁽²⁾   derivative ✓
    δ⁽²⁾ = z⁽²⁾ − y
         = 0.43409 − 0.5
         = −0.065906

fc2.dW   derivative ✓
    ∂L/∂W⁽²⁾ = δ⁽²⁾ᵀ a⁽¹⁾
             = −0.065906 · 0.66819
             = −0.044038

fc2.db   derivative ✓
    ∂L/∂b⁽²⁾ = δ⁽²⁾
             = −0.065906

fc1.delta   ∂L/∂z⁽¹⁾   derivative ✓
    δ⁽¹⁾ = (δ⁽²⁾ W⁽²⁾) ⊙ σ'(z⁽¹⁾)
         = (−0.065906 · 0.5) ⊙ 0.22171
         = −0.0073061
    note  σ'(z) = a (1 − a)

fc1.dW   derivative ✓
    ∂L/∂W⁽¹⁾ = δ⁽¹⁾ᵀ x
             = −0.0073061 · 1
             = −0.0073061

fc1.db   derivative ✓
    ∂L/∂b⁽¹⁾ = δ⁽¹⁾
             = −0.0073061

── Update ──────────────────────────────────────────────────────────────────────

fc1.W.new
    W⁽¹⁾ ← W⁽¹⁾ − η ∂L/∂W⁽¹⁾
         = 0.4 − 0.1 · (−0.0073061)
         = 0.40073

fc1.b.new
    b⁽¹⁾ ← b⁽¹⁾ − η ∂L/∂b⁽¹⁾
         = 0.3 − 0.1 · (−0.0073061)
         = 0.30073

fc2.W.new
    W⁽²⁾ ← W⁽²⁾ − η ∂L/∂W⁽²⁾
         = 0.5 − 0.1 · (−0.044038)
         = 0.5044

fc2.b.new
    b⁽²⁾ ← b⁽²⁾ − η ∂L/∂b⁽²⁾
         = 0.1 − 0.1 · (−0.065906)
         = 0.10659

── Forward after 1 update ──────────────────────────────────────────────────────

fc1.z   layer 1: Linear(1 → 1)   derivative ✓
    z⁽¹⁾ = x W⁽¹⁾ᵀ + b⁽¹⁾
         = 1 · 0.40073 + 0.30073
         = 0.70146

act1.a   Sigmoid()   derivative ✓
    a⁽¹⁾ = σ(z⁽¹⁾)
         = σ(0.70146)
         = 0.66851

fc2.z   layer 2: Linear(1 → 1)   derivative ✓
    z⁽²⁾ = a⁽¹⁾ W⁽²⁾ᵀ + b⁽²⁾
         = 0.66851 · 0.5044 + 0.10659
         = 0.44379

loss   loss: half_squared   derivative ✓
    L = 1/2 ‖z⁽²⁾ − y‖²
      = 1/2 (0.44379 − 0.5)²
      = 0.0015798

── Loss, before and behind each update ─────────────────────────────────────────

loss  0.0021718 → 0.0015798
"""


def without_errors(text):
    return ERROR.sub("✓", text)


class Tags(HTMLParser):
    """Fails where a tag is closed that is not the last opened; notes what a page would load."""

    def __init__(self):
        super().__init__()
        self.open, self.loaded, self.count = [], [], 0

    def handle_starttag(self, tag, attrs):
        self.count += 1
        self.loaded += [value for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_one_neuron_chain_reads_like_this():
    assert without_errors(str(one_neuron_chain())) == CHAIN.rstrip("\n")


LAYOUTS = [
    pytest.param(name, options, id=f"{name} {' '.join(options.values())}")
    for name, make in EXAMPLES.items()
    for options in ([{"layout": "rows"}, {"layout": "columns"}] if "layout" in signature(make).parameters else [{}])
]


@pytest.mark.parametrize(("name", "options"), LAYOUTS)
def test_examples_are_checked_and_fit_a_terminal(name, options):
    e = EXAMPLES[name](**options)
    assert e.checked
    assert max(map(len, str(e).splitlines())) <= 100
    assert all(isinstance(step, Step) for step in e.steps)


def test_tiny_network_tells_chapter_6_in_its_order():
    text = str(tiny_network())
    titles = re.findall(r"^[═─]{2} (.*?) [═─]+$", text, re.MULTILINE)
    assert titles == [
        "Sample 1 alone", "Forward", "Backward", "The batch of 4", "Forward", "Backward", "Update",
        "Forward of sample 1 alone, after 1 update", "Forward of the batch, after 1 update",
        "Sample 1, before and behind each update", "Loss, before and behind each update",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "z₁⁽¹⁾ = 0.1 · 0.5 + 0.2 · 0.2 + 0.01 = 0.05 + 0.04 + 0.01 = 0.1",  # (6.12)
        "Z⁽¹⁾ = W⁽¹⁾ X + b⁽¹⁾ 1ᵀ",  # (5.16)
        "δ⁽²⁾ = ŷ − y",  # (6.37)
        "= 0.67481 · [0.10  0.25  0.40]",  # (6.46)
        "= [0.06748  0.16870  0.26992]",  # (6.47)
        "δ⁽¹⁾ = (W⁽²⁾ᵀ δ⁽²⁾) ⊙ ReLU'(z⁽¹⁾)",  # (6.40)
        "= (1.1233 + 0.17827 + 0.99034 + 0.17439)/4",  # (6.35)
        "ℓ₁ = −[0 · ln 0.67481 + (1 − 0) · ln(1 − 0.67481)] = 1.1233",  # (6.22)
        "Δ⁽²⁾ = (Ŷ − Y)/m",  # (5.23), with the 1/m of (5.17)
        "W⁽²⁾ ← W⁽²⁾ − η ∂L/∂W⁽²⁾",  # (6.58)
        "= [0.69920  0.79808  0.89697]",  # (6.60)
        "L = −[y ln ŷ + (1 − y) ln(1 − ŷ)]",  # (6.22), letters as in (5.12)
        "z₁⁽¹⁾ = 0.097808 · 0.5 + 0.19914 · 0.2 − 0.0071507 = 0.048904 + 0.039829 − 0.0071507",  # (6.64)
        "note  the document prints 1.1223 (6.23); right is 1.1233",
        "note  the document prints [0.0289, 0.0425, 0.0568] (6.56); right is [0.0080, 0.0192, 0.0303]",
        "loss  0.61658 → 0.59918",  # (6.66)
    ],
)
def test_tiny_network_shows(line):
    assert line in str(tiny_network())


def test_digits_are_a_choice():
    assert "= 0.434\n" in str(one_neuron_chain(digits=3))
    assert "= 0.43409389\n" in str(one_neuron_chain(digits=8))


def noted(told):
    """Every note of an example, with the numbers of the step that it stands below."""
    if isinstance(told, Explanation):
        for note in told.notes:
            one = told if note.sample is None else told.sample(note.sample)
            yield note.text, one.passes[note.updates][note.name]
    for step in told.steps:
        yield from ((text, step.value) for text in step.notes)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_note_says_what_the_library_computes(name):
    """Every "right is ..." of the examples agrees with the number it stands below."""
    for text, value in noted(EXAMPLES[name]()):
        said = re.findall(r"-?\d+\.\d+", text.replace("−", "-").partition("right is")[2].partition(": its")[0])
        close = [min(abs(np.ravel(value) - float(n))) <= 0.5e-4 + 1e-12 for n in said]
        assert all(close), text


def test_what_is_wrong_in_chapter_7_is_said():
    text = " ".join(str(EXAMPLES["demonstrations"]()).split())
    for wrong, right in {
        "[0.0289, 0.0425, 0.0568] (7.2)": "[0.0080, 0.0192, 0.0303]",
        "[−0.00289, −0.00425, −0.00568] (7.1)": "[−0.0008, −0.0019, −0.0030]",
        "[−0.01445, −0.02125, −0.02840] (7.2)": "[−0.0040, −0.0096, −0.0152]",
        "0.6160, 0.5847, 0.5172 for 0, 1 and 5 (7.3, illustrative)": "0.6166, 0.5992, 0.5480",
        "0.6445 (7.7)": "0.6451",
        "[0.6919, 0.7890, 0.8758] (7.13: its subtraction is wrong)": "[0.6924, 0.7887, 0.8850]",
        "−0.848 for sample 1 (7.14')": "−0.8473: its −0.848 leaves ε out",
    }.items():
        assert f"the document prints {wrong}; right is {right}" in text


@pytest.mark.parametrize("name", EXAMPLES)
def test_html_stands_alone(name):
    e = EXAMPLES[name]()
    for page in (e.html(), e._repr_html_()):
        tags = Tags()
        tags.feed(page)
        assert tags.open == [] and tags.loaded == [] and tags.count > 100
        assert "url(" not in page and "@import" not in page and "<script" not in page


@pytest.mark.parametrize("name", EXAMPLES)
def test_latex_is_balanced(name):
    for latex in (EXAMPLES[name]().latex(), EXAMPLES[name]().latex(document=True)):
        bare = latex.replace(r"\{", "").replace(r"\}", "")
        assert bare.count("{") == bare.count("}")
        assert latex.count("$") % 2 == 0
        opened, closed = (sorted(re.findall(rf"\\{word}{{(\w+\*?)}}", latex)) for word in ("begin", "end"))
        assert opened == closed != []
        assert latex.isascii(), sorted({c for c in latex if not c.isascii()})
    assert r"\begin{document}" in latex and latex.rstrip().endswith(r"\end{document}")


@pytest.mark.parametrize(
    "line",
    [
        r"&= \left( \begin{bmatrix} 0.7 \\ 0.8 \\ 0.9 \end{bmatrix} \cdot 0.67481 \right) \odot "
        r"\begin{bmatrix} 1 \\ 1 \\ 1 \end{bmatrix}",
        r"+ 0.89697 \cdot 0.37632 + 0.075499 \\" "\n" r"&\quad = 0.057042 + 0.18272 + 0.33755 + 0.075499 = 0.65281",
        r"z_{1}^{(1)} &= 0.097808 \cdot 0.5 + 0.19914 \cdot 0.2 - 0.0071507",
        r"L &= -[y \ln \hat y + (1 - y) \ln(1 - \hat y)]",
    ],
)
def test_latex_shows(line):
    assert line in tiny_network().latex()


def test_large_layers_are_cut_short():
    rng = np.random.default_rng(0)
    model = cr.nn.Sequential(fc1=cr.nn.Linear(64, 32), act=cr.nn.ReLU(), fc2=cr.nn.Linear(32, 10))
    e = cr.explain(model, rng.standard_normal((100, 64)), rng.integers(0, 10, 100), cr.losses.cross_entropy)
    text = str(e)
    assert max(map(len, text.splitlines())) <= 100 and len(text.splitlines()) < 200
    assert "shape (100, 32)" in text and "…" in text and "min " in text
    assert e["fc1.z"].shape == (100, 32)
    assert e.checked


def test_a_single_sample_needs_no_batch_axis():
    model = cr.nn.Sequential(fc1=cr.nn.Linear(2, 3), act=cr.nn.Tanh(), fc2=cr.nn.Linear(3, 1))
    e = cr.explain(model, [0.5, 0.2], [1.0], cr.losses.half_squared)
    assert e["fc1.z"].shape == (1, 3)
    assert str(e.step("fc1.z")) == "z⁽¹⁾ = x W⁽¹⁾ᵀ + b⁽¹⁾"


def test_random_masks_are_shown_and_follow_the_seed():
    model = cr.nn.Sequential(fc1=cr.nn.Linear(2, 3), drop=cr.nn.Dropout(0.5), fc2=cr.nn.Linear(3, 1))

    def explained():
        cr.seed(3)
        return cr.explain(model, np.ones((4, 2)), np.ones((4, 1)), cr.losses.mse)

    first, second = explained(), explained()
    np.testing.assert_array_equal(first["drop.a"], second["drop.a"])
    assert "Ã⁽¹⁾ = Z⁽¹⁾ ⊙ M/(1 − p)" in str(first) and first.checked


def xor(loss="mse", layout="rows", digits=4):
    """The network 2-2-1 of a student: tanh, sigmoid, numbers chosen by hand."""
    fc1, fc2 = nn.Linear(2, 2), nn.Linear(2, 1)
    fc1.load_state_dict({"weight": np.array([[1.0, -2.0], [-1.5, 0.5]]), "bias": np.array([-0.5, 0.25])})
    fc2.load_state_dict({"weight": np.array([[2.0, -1.0]]), "bias": np.array([-0.1])})
    model = nn.Sequential(fc1=fc1, act1=nn.Tanh(), fc2=fc2, act2=nn.Sigmoid())
    x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]]
    return cr.explain(model, x, y, loss, layout=layout, digits=digits, samples=[1], lr=0.5)


@pytest.mark.parametrize(
    "line",
    [
        "z₁⁽¹⁾ = 1 · 0 − 2 · 1 − 0.5 = 0 − 2 − 0.5 = −2.5",
        "z₁⁽²⁾ = 2 · (−0.9866) − 1 · 0.6351 − 0.1 = −1.973 − 0.6351 − 0.1 = −2.708",
        "= −0.1 − 0.5 · (−0.0005538)",
        "L = 1/k ‖ŷ − y‖²",
        "note  k = 1, the number of outputs",
        "∂L/∂ŷ = 2/k (ŷ − y)",
        "∂L/∂Ŷ = 1/m ∂ℓ/∂ŷ",
        "note  ∂ℓ/∂ŷ = 2/k (ŷ − y) for one sample",
        "note  σ'(z) = ŷ (1 − ŷ)",
        "note  tanh'(z) = 1 − a²",
        "note  the bias is added to every row, a row being a sample",
        "note  1 is a column of ones: the sum over the samples",
    ],
)
def test_xor_shows(line):
    assert line in str(xor())


@pytest.mark.parametrize("layout", ["rows", "columns"])
@pytest.mark.parametrize("loss", ["mse", "bce-probabilities"])
def test_a_minus_is_one_sign_everywhere(loss, layout):
    e = xor(loss, layout)
    page = re.sub(r"<style>.*?</style>|<[^>]*>", "", e.html().replace('<table class="m">', "["), flags=re.DOTALL)
    for text in (str(e), page):
        assert "−" in text and not re.search(r"-\d|[+−] −|[+−] -|e-", text)
    assert "−" not in e.latex()


@pytest.mark.parametrize("name", ["tiny-network", "one-neuron-chain", "backpropagation"])
def test_the_target_has_one_letter(name):
    """No t, and no y that is a prediction."""
    text = str(EXAMPLES[name]())
    assert not re.search(r"(?<![\w'])t(?!\w)|ln y|the prediction", text)


def test_three_classes_with_softmax_inside_the_loss():
    model = nn.Sequential(fc1=nn.Linear(2, 3))
    e = cr.explain(model, [[1.0, -2.0], [0.5, 0.5]], [2, 0], "cross-entropy")
    assert [str(s) for s in e.steps[1:5]] == [
        "Ŷ = softmax(Z⁽¹⁾)", "ℓ = −Σₖ yₖ ln ŷₖ", "L = 1/m Σᵢ ℓᵢ", "Δ⁽¹⁾ = (Ŷ − Y)/m",
    ]  # fmt: skip
    assert e.step("losses").notes == ("$y_k$ is 1 for the label and 0 for every other class",)
    assert f"= −ln {e.sample(0)['y_hat'][0, 2]:.5f}".rstrip("0") in str(e.sample(0))


def test_names_are_what_an_explanation_iterates_over():
    e = one_neuron_chain()
    assert list(e) == e.names == list(e.keys()) and len(e) == len(e.names)
    assert "fc1.z" in e and "fc3.z" not in e and 0 not in e
    assert {name: float(e[name].item()) for name in e} == {k: float(v.item()) for k, v in dict(e).items()}
    assert list(e.after) == list(dict(e.after)) and "fc1.z" in e.after and len(e.after) < len(e)


def test_a_loss_goes_by_its_name_too():
    assert xor("mse").losses.tolist() == xor(cr.losses.mse).losses.tolist()
    assert str(xor("half_squared")) == str(xor("half-squared")) == str(xor(cr.losses.half_squared))


def test_without_a_title_the_layers_are_named_once():
    assert str(xor()).splitlines()[:2] == [
        "Explained: Linear(2 → 2) → Tanh() → Linear(2 → 1) → Sigmoid()",
        "4 samples in rows, float64",
    ]
