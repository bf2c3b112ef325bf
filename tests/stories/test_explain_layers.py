"""A student reads what layers on images, features and ids do, line by line."""

import re

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.glass import EXAMPLES

ERROR = re.compile(r"✓ (\de−\d+|0)")  # a rounding error: it differs between machines

CIRCULAR = """\
A circular convolution as a circulant matrix (002 A.9)
Conv1d(1 → 1, kernel 3, padding ((0, 2),) circular, no bias); 1 sample, float64
✓ 5 of 5 derivatives agree with central differences; beside each stands the largest difference

── Given ───────────────────────────────────────────────────────────────────────

X = [1  −2  3  5  4]    y = [0  0  0  0  0]

── Forward ─────────────────────────────────────────────────────────────────────

conv.window   the window of z⁽¹⁾₁,₃, the output of largest size   shape (1, 3)
    u = what z⁽¹⁾₁,₃ sees of X
      = [3  5  4]

conv.entry   kernel times window, entry by entry, added up
    z⁽¹⁾₁,₃ = ⟨W⁽¹⁾₁, u⟩
            = Σ [1  2  3] ⊙ [3  5  4]
            = 25
    z⁽¹⁾₁,₃ = 1 · 3 + 2 · 5 + 3 · 4 = 3 + 10 + 12 = 25

conv.matrix   the convolution as a matrix, circulant: each row is the one above, turned by one
    shape (5, 5)
    T = matrix W⁽¹⁾
        ⎡1  2  3  0  0⎤
        ⎢0  1  2  3  0⎥
      = ⎢0  0  1  2  3⎥
        ⎢3  0  0  1  2⎥
        ⎣2  3  0  0  1⎦
    note  the document prints this matrix with letters: w₀, w₁, w₂ are 1, 2, 3 here

conv.product   the result as a product   shape (5, 1)
    vec z⁽¹⁾ = T vec X
               ⎡1  2  3  0  0⎤   ⎡ 1⎤
               ⎢0  1  2  3  0⎥   ⎢−2⎥
             = ⎢0  0  1  2  3⎥ · ⎢ 3⎥
               ⎢3  0  0  1  2⎥   ⎢ 5⎥
               ⎣2  3  0  0  1⎦   ⎣ 4⎦
               ⎡ 6⎤
               ⎢19⎥
             = ⎢25⎥
               ⎢16⎥
               ⎣ 0⎦
    note  vec writes all entries of an array below each other

conv.z   layer 1: Conv1d(1 → 1, kernel 3, padding ((0, 2),) circular, no bias)   shape (1, 1, 5)
    derivative ✓
    z⁽¹⁾ = W⁽¹⁾ ⋆ X
         = [6  19  25  16  0]
    note  ⋆ lays the kernel on every window as it is, without turning it around
    note  length: 5 + 0 + 2 − 3 + 1 = 5

loss   loss: half_squared   derivative ✓
    L = 1/2 ‖z⁽¹⁾ − y‖²
      = 639

── Backward ────────────────────────────────────────────────────────────────────

conv.delta   ∂L/∂z⁽¹⁾   shape (1, 1, 5)   derivative ✓
    δ⁽¹⁾ = z⁽¹⁾ − y
         = [6  19  25  16  0]

conv.dW_entry   the derivative of largest size: the deltas of its channel, times what the weight
    meets there, uₚ   derivative ✓
    ∂L/∂W⁽¹⁾₁,₁,₂ = Σₚ δ⁽¹⁾₁,ₚ uₚ
                  = Σ [6  19  25  16  0] ⊙ [−2  3  5  4  1]
                  = 234
    ∂L/∂W⁽¹⁾₁,₁,₂ = 6 · (−2) + 19 · 3 + 25 · 5 + 16 · 4 + 0 · 1 = −12 + 57 + 125 + 64 + 0 = 234

conv.dW   shape (1, 1, 3)   derivative ✓
    ∂L/∂W⁽¹⁾ = δ⁽¹⁾ Uᵀ
                                    ⎡ 1  −2   3⎤
                                    ⎢−2   3   5⎥
             = [6  19  25  16  0] · ⎢ 3   5   4⎥
                                    ⎢ 5   4   1⎥
                                    ⎣ 4   1  −2⎦
             = [123  234  229]
    note  deltas with a row for each output channel, times windows with a row for each place; the
          rows of the product have the shape of the kernel
    note  a weight is used at all places, so its derivative is a sum over places
"""

POOLING = """\
pool.window   the window of p⁽¹⁾₁,₁,₂, the result of largest size   shape (2, 2)
    u = what p⁽¹⁾₁,₁,₂ sees of z⁽¹⁾
      = ⎡5  3⎤
        ⎣1  2⎦

pool.entry
    p⁽¹⁾₁,₁,₂ = max u
              = max(5, 3, 1, 2)
              = 5
    note  entry (1, 3) of its channel, counted from 1, won

pool.mask   which entries won: the derivative goes to these   shape (1, 1, 4, 4)
    M = Σₚ [entry won window p]
        ⎡0  0  1  0⎤
      = ⎢1  0  0  0⎥
        ⎢1  0  0  1⎥
        ⎣0  0  0  0⎦

pool.a   MaxPool2d(kernel 2, stride 2)   shape (1, 1, 2, 2)   derivative ✓
    p⁽¹⁾ = max_{i ∈ window} z⁽¹⁾ᵢ
         = ⎡3  5⎤
           ⎣2  4⎦
    note  (1, 1, 4, 4) → (1, 1, 2, 2)
    note  the document prints [[3, 5], [2, 4]], which agrees
    note  its formula takes the largest of i = kp to (k + 1)p, one entry too many; right is (k + 1)p
          − 1

loss   loss: half_squared   derivative ✓
    L = 1/2 ‖p⁽¹⁾ − y‖²
      = 27

── Backward ────────────────────────────────────────────────────────────────────

pool.da   shape (1, 1, 2, 2)   derivative ✓
    ∂L/∂p⁽¹⁾ = p⁽¹⁾ − y
             = ⎡3  5⎤
               ⎣2  4⎦

pool.da_entry   the input with the largest derivative: from each place that sees it its share
    derivative ✓
    δ⁽¹⁾₁,₁,₃ = Σ_{window p won} (∂L/∂p⁽¹⁾)ₚ
              = 1 · 5
              = 5
    note  1 of 4 places see it

copy.delta   ∂L/∂z⁽¹⁾   shape (1, 1, 4, 4)   derivative ✓
    δ⁽¹⁾ = M ⊙ repeated(∂L/∂p⁽¹⁾)
           ⎡0  0  1  0⎤   ⎡3  3  5  5⎤
         = ⎢1  0  0  0⎥ ⊙ ⎢3  3  5  5⎥
           ⎢1  0  0  1⎥   ⎢2  2  4  4⎥
           ⎣0  0  0  0⎦   ⎣2  2  4  4⎦
           ⎡0  0  5  0⎤
         = ⎢3  0  0  0⎥
           ⎢2  0  0  4⎥
           ⎣0  0  0  0⎦
"""

BATCH_NORM = """\
bn.mean   mean of each feature over the batch
    μ = 1/4 Σ Z⁽¹⁾
      = 4

bn.var   variance of each feature over the batch, divided by their number
    σ² = 1/4 Σ (Z⁽¹⁾ − μ)²
       = 5

bn.x_hat   standardised; the last factor is 1/√(σ² + ε)   shape (4, 1)
    x̂ = (Z⁽¹⁾ − μ)/√(σ² + ε)
         ⎡1⎤
      = (⎢3⎥ − 4) ⊙ 0.44721
         ⎢5⎥
         ⎣7⎦
        ⎡−1.3416⎤
      = ⎢−0.4472⎥
        ⎢ 0.4472⎥
        ⎣ 1.3416⎦

bn.running_mean   kept for evaluation
    μ_run = 0.9 μ_run + 0.1 · μ
          = 0.9 · 0 + 0.1 · 4
          = 0.4

bn.running_var   kept for evaluation
    σ_run² = 0.9 σ_run² + 0.1 · 4/3 σ²
           = 0.9 · 1 + 0.1 · 6.6667
           = 1.5667
    note  the variance is taken with 4 − 1 below, as an estimate for new samples

bn.a   BatchNorm1d(1)   shape (4, 1)   derivative ✓
    N⁽¹⁾ = γ ⊙ x̂ + β
               ⎡−1.3416⎤
         = 2 ⊙ ⎢−0.4472⎥ + 0.5
               ⎢ 0.4472⎥
               ⎣ 1.3416⎦
           ⎡−2.1833⎤
         = ⎢−0.3944⎥
           ⎢ 1.3944⎥
           ⎣ 3.1833⎦
    note  ε = 0

losses   half_squared, sample by sample   shape (1, 4)
    ℓ = 1/2 ‖n⁽¹⁾ − y‖²
      = [2.3834  0.0778  0.9722  2.3834]
    ℓ₁ = 1/2 (−2.1833 − 0)² = 2.3834
    ℓ₂ = 1/2 (−0.39443 − 0)² = 0.077786
    ℓ₃ = 1/2 (1.3944 − 0)² = 0.97221
    ℓ₄ = 1/2 (3.1833 − 1)² = 2.3834

loss   loss of the batch   derivative ✓
    L = 1/m Σᵢ ℓᵢ
      = (2.3834 + 0.077786 + 0.97221 + 2.3834)/4
      = 1.4542

── Backward ────────────────────────────────────────────────────────────────────

bn.da   shape (4, 1)   derivative ✓
    ∂L/∂N⁽¹⁾ = 1/m ∂ℓ/∂n⁽¹⁾
               ⎡−0.54582⎤
             = ⎢−0.09861⎥
               ⎢ 0.34861⎥
               ⎣ 0.54582⎦
    note  ∂ℓ/∂n⁽¹⁾ = n⁽¹⁾ − y for one sample

bn.dx_hat   shape (4, 1)   derivative ✓
    g = ∂L/∂x̂ = γ ⊙ ∂L/∂N⁽¹⁾
            ⎡−0.54582⎤
      = 2 ⊙ ⎢−0.09861⎥
            ⎢ 0.34861⎥
            ⎣ 0.54582⎦
        ⎡−1.0916⎤
      = ⎢−0.1972⎥
        ⎢ 0.6972⎥
        ⎣ 1.0916⎦

bn.sum   what the mean sends back
    s = Σ g
      = 0.5

bn.dot   what the variance sends back
    t = Σ g ⊙ x̂
      = 3.3292

bn.dweight   derivative ✓
    ∂L/∂γ = Σ ∂L/∂N⁽¹⁾ ⊙ x̂
               ⎡−0.54582⎤   ⎡−1.3416⎤
          = Σ (⎢−0.09861⎥ ⊙ ⎢−0.4472⎥)
               ⎢ 0.34861⎥   ⎢ 0.4472⎥
               ⎣ 0.54582⎦   ⎣ 1.3416⎦
          = 1.6646

bn.dbias   derivative ✓
    ∂L/∂β = Σ ∂L/∂N⁽¹⁾
              ⎡−0.54582⎤
          = Σ ⎢−0.09861⎥
              ⎢ 0.34861⎥
              ⎣ 0.54582⎦
          = 0.25

fc.delta   ∂L/∂Z⁽¹⁾   shape (4, 1)   derivative ✓
    Δ⁽¹⁾ = 1/(4 √(σ² + ε)) ⊙ (4 g − s − x̂ ⊙ t)
                         ⎡−1.0916⎤         ⎡−1.3416⎤
         = 0.1118 ⊙ (4 · ⎢−0.1972⎥ − 0.5 − ⎢−0.4472⎥ ⊙ 3.3292)
                         ⎢ 0.6972⎥         ⎢ 0.4472⎥
                         ⎣ 1.0916⎦         ⎣ 1.3416⎦
           ⎡−0.044721⎤
         = ⎢ 0.022361⎥
           ⎢ 0.089443⎥
           ⎣−0.067082⎦
"""

EMBEDDING = """\
Explained: Embedding(4, 2, padding_idx=0)
2 samples in rows, float64
✓ 4 of 4 derivatives agree with central differences; beside each stands the largest difference

── Given ───────────────────────────────────────────────────────────────────────

                     (1,·,·) (2,·,·)
                      ⎡0  0⎤  ⎡0  0⎤
X = ⎡2  1  2⎤    Y =  ⎢0  0⎥  ⎢0  0⎥
    ⎣3  0  1⎦         ⎣0  0⎦  ⎣0  0⎦

── Forward ─────────────────────────────────────────────────────────────────────

emb.one_hot   a row for each id, with its 1 in column v: the rows are O E   shape (6, 4)
    O = [X = v]
        ⎡0  0  1  0⎤
        ⎢0  1  0  0⎥
      = ⎢0  0  1  0⎥
        ⎢0  0  0  1⎥
        ⎢1  0  0  0⎥
        ⎣0  1  0  0⎦

emb.a   Embedding(4, 2, padding_idx=0)   shape (2, 3, 2)   derivative ✓
    H₁ = rows(X, E)
                         ⎡0  0⎤
       = rows(⎡2  1  2⎤, ⎢1  2⎥)
              ⎣3  0  1⎦  ⎢3  4⎥
                         ⎣5  6⎦
         (1,·,·) (2,·,·)
          ⎡3  4⎤  ⎡5  6⎤
       =  ⎢1  2⎥  ⎢0  0⎥
          ⎣3  4⎦  ⎣1  2⎦
    note  the 4 rows of E are counted from 0, as ids are
    note  id 0 is padding: its row gets no derivative

losses   half_square, sample by sample   shape (1, 6)
    ℓ = half_square(h₁, y)
      = [12.5  2.5  12.5  30.5  0.0  2.5]

loss   loss of the batch   derivative ✓
    L = Σᵢ ℓᵢ
      = 12.5 + 2.5 + 12.5 + 30.5 + 0 + 2.5
      = 60.5

── Backward ────────────────────────────────────────────────────────────────────

emb.da   shape (2, 3, 2)   derivative ✓
    ∂L/∂H₁ = ∂half_square/∂H₁
             (1,·,·) (2,·,·)
              ⎡3  4⎤  ⎡5  6⎤
           =  ⎢1  2⎥  ⎢0  0⎥
              ⎣3  4⎦  ⎣1  2⎦

emb.counts   how often each id stands: so many derivatives are added up in its row   shape (4,)
    cᵥ = Σ [X = v]
       = [1  2  2  1]

emb.dweight   shape (4, 2)   derivative ✓
    ∂L/∂E = Oᵀ ∂L/∂H₁
                                 ⎡3  4⎤
            ⎡0  0  0  0  0  0⎤   ⎢1  2⎥
          = ⎢0  1  0  0  0  1⎥ · ⎢3  4⎥
            ⎢1  0  1  0  0  0⎥   ⎢5  6⎥
            ⎣0  0  0  1  0  0⎦   ⎢0  0⎥
                                 ⎣1  2⎦
            ⎡0  0⎤
          = ⎢2  4⎥
            ⎢6  8⎥
            ⎣5  6⎦
    note  row 0 is the padding's: its ones are left out of O
"""


def told(explanation, first="", beyond=None):
    """The text of an explanation from a step on, up to another."""
    text = ERROR.sub("✓", str(explanation))
    return text[text.index(first) : text.index("\n" + beyond) if beyond else None]


def test_a_circular_convolution_reads_like_this():
    assert told(EXAMPLES["circular-convolution"]()) == CIRCULAR.rstrip("\n")


def test_max_pooling_reads_like_this():
    assert told(EXAMPLES["max-pooling"](), "pool.window", "copy.dW_entry") == POOLING


def test_batch_norm_reads_like_this():
    """Four numbers 1, 3, 5, 7: mean 4, variance 5, and the derivative in its three parts."""
    fc, bn = nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1, eps=0.0)
    fc.load_state_dict({"weight": np.array([[1.0]])})
    bn.load_state_dict(bn.state_dict() | {"weight": np.array([2.0]), "bias": np.array([0.5])})
    e = cr.explain(nn.Sequential(fc=fc, bn=bn), [[1], [3], [5], [7]], [[0.0], [0.0], [0.0], [1.0]], "half-squared")
    assert told(e, "bn.mean", "fc.dW") == BATCH_NORM


def test_an_embedding_reads_like_this():
    """Id 2 stands twice, id 0 is padding."""
    emb = nn.Embedding(4, 2, padding_idx=0)
    emb.load_state_dict({"weight": np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])})

    def half_square(p, y):
        return cr.sum(cr.square(p - y)) / 2

    e = cr.explain(nn.Sequential(emb=emb), np.array([[2, 1, 2], [3, 0, 1]]), np.zeros((2, 3, 2)), half_square)
    assert told(e) == EMBEDDING.rstrip("\n")


def test_a_small_network_for_images_is_told_from_pixels_to_classes():
    """Every layer in its order, and the derivative back to the first filter."""
    cr.seed(0)
    model = nn.Sequential(
        conv1=nn.Conv2d(1, 2, 3, padding=1), bn1=nn.BatchNorm2d(2), act1=nn.ReLU(), pool1=nn.MaxPool2d(2),
        conv2=nn.Conv2d(2, 4, 3), drop=nn.Dropout2d(0.25), pool2=nn.GlobalAvgPool(), fc=nn.Linear(4, 3),
    )  # fmt: skip
    images, labels = np.random.default_rng(0).random((4, 1, 8, 8)), np.array([0, 1, 2, 0])
    e = cr.explain(model, images, labels, "cross-entropy", lr=0.1, steps=2)
    assert e.checked and e.losses[-1] < e.losses[0]
    layers = [name.split(".")[0] for name in (s.name for s in e.steps if s.phase == "forward")]
    assert list(dict.fromkeys(layers)) == [*dict(model.named_children()), "y_hat", "losses", "loss"]
    assert "bn1 " not in str(e) and max(map(len, str(e).splitlines())) <= 100
    new = {s.name for s in e.steps if s.phase == "update"}
    assert {"conv1.W.new", "conv1.b.new", "bn1.weight.new", "conv2.W.new", "fc.W.new"} <= new


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("Z⁽²⁾ = W⁽²⁾ ⋆ P⁽¹⁾ + b⁽²⁾", "conv2.z"),
        ("∂L/∂P⁽¹⁾ = W⁽²⁾ᵀ ⋆ Δ⁽²⁾", "pool1.da"),
        ("P⁽¹⁾ = max_{i ∈ window} A⁽¹⁾ᵢ", "pool1.a"),
        ("∂L/∂A⁽¹⁾ = M ⊙ repeated(∂L/∂P⁽¹⁾)", "act1.da"),
        ("P⁽²⁾ = 1/4 Σ_{i ∈ window} Z⁽²⁾ᵢ", "pool2.a"),
        ("Δ⁽²⁾ = 1/4 repeated(∂L/∂P⁽²⁾)", "conv2.delta"),
    ],
)
def test_rules_of_a_network_for_images(rule, name):
    model = nn.Sequential(
        conv1=nn.Conv2d(1, 2, 3, padding=1), act1=nn.ReLU(), pool1=nn.MaxPool2d(2),
        conv2=nn.Conv2d(2, 4, 3), pool2=nn.GlobalAvgPool(), fc=nn.Linear(4, 3),
    )  # fmt: skip
    images = np.random.default_rng(0).random((2, 1, 8, 8))
    assert str(cr.explain(model, images, np.array([0, 1]), "cross-entropy").step(name)) == rule
