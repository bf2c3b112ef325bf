"""A student reads back through time and through attention, every line."""

import re

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.glass import EXAMPLES

ERROR = re.compile(r"✓ (\de−\d+|0)")  # a rounding error: it differs between machines


class Memory(nn.Module):
    """One recurrent unit that reads two numbers; the prediction is its last state."""

    def __init__(self):
        self.rnn = nn.RNN(1, 1).astype(np.float64)
        numbers = {"weight_ih_l0": [[0.5]], "weight_hh_l0": [[-0.4]], "bias_ih_l0": [0.1], "bias_hh_l0": [0.0]}
        self.rnn.load_state_dict({name: np.array(value) for name, value in numbers.items()})

    def forward(self, x):
        return self.rnn(x)[0][:, -1]


class Looking(nn.Module):
    """Two tokens of one feature, one head; the prediction is its result."""

    def __init__(self):
        self.look = nn.MultiheadAttention(1, 1, bias=False).astype(np.float64)
        self.look.load_state_dict({"in_proj_weight": np.array([[1.0], [0.5], [2.0]]), "out_proj.weight": np.eye(1)})

    def forward(self, x):
        return self.look(x)[0]


MEMORY = """\
Explained: RNN(1 → 1) → index
1 sample, float64
✓ 17 of 17 derivatives agree with central differences; beside each stands the largest difference

── Given ───────────────────────────────────────────────────────────────────────

X = ⎡1⎤    y = 0.5
    ⎣2⎦

── Forward ─────────────────────────────────────────────────────────────────────

rnn.t1.z   pre-activation, step 1 of 2
    z₁ = x₁ Wᵀ + h₀ Uᵀ + b
       = 1 · 0.5 + 0 · (−0.4) + 0.1
       = 0.6
    note  x₁ is step 1 of the input, a row for each sequence
    note  b = bᵢₕ + bₕₕ, the sum of the two biases
    note  the first state h₀ is 0

rnn.t1.h   state, step 1 of 2
    h₁ = tanh(z₁)
       = tanh(0.6)
       = 0.53705

rnn.t2.z   pre-activation, step 2 of 2
    z₂ = x₂ Wᵀ + h₁ Uᵀ + b
       = 2 · 0.5 + 0.53705 · (−0.4) + 0.1
       = 0.88518

rnn.t2.h   state, step 2 of 2
    h₂ = tanh(z₂)
       = tanh(0.88518)
       = 0.709

rnn.a   RNN(1 → 1)   shape (2, 1)   derivative ✓
    H = (h₁; h₂)
      = ⎡0.53705⎤
        ⎣0.70900⎦
    note  the states of all steps as rows

index.a   index   derivative ✓
    v₁ = H[:, −1]
       = 0.709
    note  step 2 of 2 of each sequence

loss   loss: half_squared   derivative ✓
    L = 1/2 ‖v₁ − y‖²
      = 1/2 (0.709 − 0.5)²
      = 0.021842

── Backward ────────────────────────────────────────────────────────────────────

index.da   derivative ✓
    ∂L/∂v₁ = v₁ − y
           = 0.209

rnn.da   shape (2, 1)   derivative ✓
    ∂L/∂H = ∂L/∂v₁ at [:, −1], 0 elsewhere
          = ⎡0.000⎤
            ⎣0.209⎦

rnn.t2.dh   derivative ✓
    ∂L/∂h₂ = h̄₂
           = 0.209
    note  h̄₂ is what arrives at h₂ from above; what comes back through time, from the step behind,
          is added to it

rnn.t2.delta   derivative ✓
    δ₂ = ∂L/∂h₂ ⊙ tanh'(z₂)
       = 0.209 ⊙ 0.49731
       = 0.10394
    note  tanh'(z₂) = 1 − h₂²

rnn.t2.dweight_ih
    (∂L/∂W)₂ = δ₂ᵀ x₂
             = 0.10394 · 2
             = 0.20788

rnn.t2.dweight_hh
    (∂L/∂U)₂ = δ₂ᵀ h₁
             = 0.10394 · 0.53705
             = 0.055821

rnn.t1.dh   derivative ✓
    ∂L/∂h₁ = δ₂ U
           = 0.10394 · (−0.4)
           = −0.041576

rnn.t1.delta   derivative ✓
    δ₁ = ∂L/∂h₁ ⊙ tanh'(z₁)
       = −0.041576 ⊙ 0.71158
       = −0.029585
    note  tanh'(z₁) = 1 − h₁²

rnn.t1.dweight_ih
    (∂L/∂W)₁ = δ₁ᵀ x₁
             = −0.029585 · 1
             = −0.029585

rnn.t1.dweight_hh
    (∂L/∂U)₁ = δ₁ᵀ h₀
             = −0.029585 · 0
             = 0

rnn.dweight_ih_l0   derivative ✓
    ∂L/∂W = Σₜ δₜᵀ xₜ
          = −0.029585 + 0.20788
          = 0.1783

rnn.dweight_hh_l0   derivative ✓
    ∂L/∂U = Σₜ δₜᵀ hₜ₋₁
          = 0 + 0.055821
          = 0.055821

rnn.dbias_ih_l0   derivative ✓
    ∂L/∂bᵢₕ = Σₜ δₜ
            = −0.029585 + 0.10394
            = 0.074356

rnn.dbias_hh_l0   derivative ✓
    ∂L/∂bₕₕ = Σₜ δₜ
            = −0.029585 + 0.10394
            = 0.074356

dx   shape (2, 1)   derivative ✓
    ∂L/∂X = (δ₁; δ₂) W
          = ⎡−0.02958⎤ · 0.5
            ⎣ 0.10394⎦
          = ⎡−0.014792⎤
            ⎣ 0.051970⎦

── Update ──────────────────────────────────────────────────────────────────────

rnn.weight_ih_l0.new
    W ← W − η ∂L/∂W
      = 0.5 − 0.1 · 0.1783
      = 0.48217

rnn.weight_hh_l0.new
    U ← U − η ∂L/∂U
      = −0.4 − 0.1 · 0.055821
      = −0.40558

rnn.bias_ih_l0.new
    bᵢₕ ← bᵢₕ − η ∂L/∂bᵢₕ
        = 0.1 − 0.1 · 0.074356
        = 0.092564

rnn.bias_hh_l0.new
    bₕₕ ← bₕₕ − η ∂L/∂bₕₕ
        = 0 − 0.1 · 0.074356
        = −0.0074356

── Forward after 1 update ──────────────────────────────────────────────────────

rnn.t1.z   pre-activation, step 1 of 2
    z₁ = x₁ Wᵀ + h₀ Uᵀ + b
       = 1 · 0.48217 + 0 · (−0.40558) + 0.085129
       = 0.5673
    note  x₁ is step 1 of the input, a row for each sequence
    note  b = bᵢₕ + bₕₕ, the sum of the two biases
    note  the first state h₀ is 0

rnn.t1.h   state, step 1 of 2
    h₁ = tanh(z₁)
       = tanh(0.5673)
       = 0.51337

rnn.t2.z   pre-activation, step 2 of 2
    z₂ = x₂ Wᵀ + h₁ Uᵀ + b
       = 2 · 0.48217 + 0.51337 · (−0.40558) + 0.085129
       = 0.84125

rnn.t2.h   state, step 2 of 2
    h₂ = tanh(z₂)
       = tanh(0.84125)
       = 0.68647

rnn.a   RNN(1 → 1)   shape (2, 1)   derivative ✓
    H = (h₁; h₂)
      = ⎡0.51337⎤
        ⎣0.68647⎦
    note  the states of all steps as rows

index.a   index   derivative ✓
    v₁ = H[:, −1]
       = 0.68647
    note  step 2 of 2 of each sequence

loss   loss: half_squared   derivative ✓
    L = 1/2 ‖v₁ − y‖²
      = 1/2 (0.68647 − 0.5)²
      = 0.017386

── Loss, before and behind each update ─────────────────────────────────────────

loss  0.021842 → 0.017386
"""

LOOKING = """\
Explained: MultiheadAttention(1, 1 heads)
1 sample, float64
✓ 16 of 16 derivatives agree with central differences; beside each stands the largest difference

── Given ───────────────────────────────────────────────────────────────────────

X = ⎡ 1⎤    Y = ⎡0.5⎤
    ⎣−1⎦        ⎣0.0⎦

── Forward ─────────────────────────────────────────────────────────────────────

look.head1.Q   queries, head 1 of 1   shape (2, 1)
    Q₁ = X (W₁^Q)ᵀ
       = ⎡ 1⎤ · 1
         ⎣−1⎦
       = ⎡ 1⎤
         ⎣−1⎦

look.head1.K   keys, head 1 of 1   shape (2, 1)
    K₁ = X (W₁^K)ᵀ
       = ⎡ 1⎤ · 0.5
         ⎣−1⎦
       = ⎡ 0.5⎤
         ⎣−0.5⎦

look.head1.V   values, head 1 of 1   shape (2, 1)
    V₁ = X (W₁^V)ᵀ
       = ⎡ 1⎤ · 2
         ⎣−1⎦
       = ⎡ 2⎤
         ⎣−2⎦

look.head1.scores   scores, head 1 of 1   shape (2, 2)
    S₁ = Q₁ K₁ᵀ/√1
       = ⎡ 1⎤ · [0.5  −0.5]/√1
         ⎣−1⎦
       = ⎡ 0.5  −0.5⎤
         ⎣−0.5   0.5⎦
    note  d = 1, the width of a query; row i, column j: how query i fits key j

look.head1.weights   weights, head 1 of 1   shape (2, 2)
    A₁ = softmax(S₁)
       = softmax(⎡ 0.5  −0.5⎤)
                 ⎣−0.5   0.5⎦
       = ⎡0.73106  0.26894⎤
         ⎣0.26894  0.73106⎦
    note  row by row: Aᵢⱼ = e^Sᵢⱼ / Σₖ e^Sᵢₖ

look.head1.output   output, head 1 of 1   shape (2, 1)
    O₁ = A₁ V₁
       = ⎡0.73106  0.26894⎤ · ⎡ 2⎤
         ⎣0.26894  0.73106⎦   ⎣−2⎦
       = ⎡ 0.92423⎤
         ⎣−0.92423⎦

look.concat   the heads side by side   shape (2, 1)
    C = (O₁)
      = ⎡ 0.92423⎤
        ⎣−0.92423⎦

look.a   MultiheadAttention(1, 1 heads)   shape (2, 1)   derivative ✓
    H₁ = C (W^O)ᵀ
       = ⎡ 0.92423⎤ · 1
         ⎣−0.92423⎦
       = ⎡ 0.92423⎤
         ⎣−0.92423⎦
    note  the heads together, projected once more

losses   half_squared, sample by sample   shape (1, 2)
    ℓ = 1/2 ‖h₁ − y‖²
      = [0.08999  0.42710]

loss   loss of the batch   derivative ✓
    L = Σᵢ ℓᵢ
      = 0.089987 + 0.4271
      = 0.51709

── Backward ────────────────────────────────────────────────────────────────────

look.da   shape (2, 1)   derivative ✓
    ∂L/∂H₁ = ∂ℓ/∂h₁
           = ⎡ 0.42423⎤
             ⎣−0.92423⎦
    note  ∂ℓ/∂h₁ = h₁ − y for one sample

look.dconcat   shape (2, 1)   derivative ✓
    ∂L/∂C = (∂L/∂H₁) W^O
          = ⎡ 0.42423⎤ · 1
            ⎣−0.92423⎦
          = ⎡ 0.42423⎤
            ⎣−0.92423⎦

look.head1.doutput   shape (2, 1)   derivative ✓
    ∂L/∂O₁ = ∂L/∂C, column 1
           = ⎡ 0.42423⎤
             ⎣−0.92423⎦

look.head1.dV   shape (2, 1)   derivative ✓
    ∂L/∂V₁ = A₁ᵀ ∂L/∂O₁
           = ⎡0.73106  0.26894⎤ · ⎡ 0.42423⎤
             ⎣0.26894  0.73106⎦   ⎣−0.92423⎦
           = ⎡ 0.06158⎤
             ⎣−0.56158⎦

look.head1.dweights   shape (2, 2)   derivative ✓
    ∂L/∂A₁ = (∂L/∂O₁) V₁ᵀ
           = ⎡ 0.42423⎤ · [2  −2]
             ⎣−0.92423⎦
           = ⎡ 0.8485  −0.8485⎤
             ⎣−1.8485   1.8485⎦

look.head1.dscores   shape (2, 2)   derivative ✓
    ∂L/∂S₁ = A₁ ⊙ (∂L/∂A₁ − rowsum(∂L/∂A₁ ⊙ A₁))
           = ⎡0.73106  0.26894⎤ ⊙ (⎡ 0.8485  −0.8485⎤ − ⎡0.39209  0.39209⎤)
             ⎣0.26894  0.73106⎦    ⎣−1.8485   1.8485⎦   ⎣0.85421  0.85421⎦
           = ⎡ 0.33364  −0.33364⎤
             ⎣−0.72686   0.72686⎦
    note  the Jacobian of a row is diag a − aᵀ a; rowsum stands in every column

look.head1.dQ   shape (2, 1)   derivative ✓
    ∂L/∂Q₁ = (∂L/∂S₁) K₁/√1
           = ⎡ 0.33364  −0.33364⎤ · ⎡ 0.5⎤/√1
             ⎣−0.72686   0.72686⎦   ⎣−0.5⎦
           = ⎡ 0.33364⎤
             ⎣−0.72686⎦

look.head1.dK   shape (2, 1)   derivative ✓
    ∂L/∂K₁ = (∂L/∂S₁)ᵀ Q₁/√1
           = ⎡ 0.33364  −0.72686⎤ · ⎡ 1⎤/√1
             ⎣−0.33364   0.72686⎦   ⎣−1⎦
           = ⎡ 1.0605⎤
             ⎣−1.0605⎦

look.dW_Q   derivative ✓
    ∂L/∂W^Q = (∂L/∂Q)ᵀ X
            = [0.33364  −0.72686] · ⎡ 1⎤
                                    ⎣−1⎦
            = 1.0605

look.dW_K   derivative ✓
    ∂L/∂W^K = (∂L/∂K)ᵀ X
            = [1.0605  −1.0605] · ⎡ 1⎤
                                  ⎣−1⎦
            = 2.121

look.dW_V   derivative ✓
    ∂L/∂W^V = (∂L/∂V)ᵀ X
            = [0.06158  −0.56158] · ⎡ 1⎤
                                    ⎣−1⎦
            = 0.62315

look.din_proj_weight   shape (3, 1)   derivative ✓
    ∂L/∂W^QKV = (∂L/∂W^Q; ∂L/∂W^K; ∂L/∂W^V)
                ⎡1.0605⎤
              = ⎢2.1210⎥
                ⎣0.6232⎦

look.out_proj.dweight   derivative ✓
    ∂L/∂W^O = (∂L/∂H₁)ᵀ C
            = [0.42423  −0.92423] · ⎡ 0.92423⎤
                                    ⎣−0.92423⎦
            = 1.2463

dx   shape (2, 1)   derivative ✓
    ∂L/∂X = (∂L/∂Q) W^Q + (∂L/∂K) W^K + (∂L/∂V) W^V
          = ⎡ 0.33364⎤ · 1 + ⎡ 1.0605⎤ · 0.5 + ⎡ 0.06158⎤ · 2
            ⎣−0.72686⎦       ⎣−1.0605⎦         ⎣−0.56158⎦
          = ⎡ 0.9870⎤
            ⎣−2.3803⎦
"""


def without_errors(text):
    return ERROR.sub("✓", text)


def test_back_through_time_reads_like_this():
    e = cr.explain(Memory(), np.array([[[1.0], [2.0]]]), [[0.5]], "half-squared", lr=0.1)
    assert without_errors(str(e)) == MEMORY.rstrip("\n")


def test_attention_reads_like_this():
    x, y = np.array([[[1.0], [-1.0]]]), np.array([[[0.5], [0.0]]])
    assert without_errors(str(cr.explain(Looking(), x, y, "half-squared"))) == LOOKING.rstrip("\n")


@pytest.mark.parametrize(
    "line",
    [
        "i₁ = σ(Wⁱ x₁ + Uⁱ h₀ + bⁱ)",
        "c₂ = f₂ ⊙ c₁ + i₂ ⊙ g₂",
        "h₂ = o₂ ⊙ tanh(c₂)",
        "∂L/∂c₁ = ∂L/∂h₁ ⊙ o₁ ⊙ (1 − tanh²(c₁)) + ∂L/∂c₂ ⊙ f₂",  # (21.18)
        "δ₂ᶠ = ∂L/∂c₂ ⊙ c₁ ⊙ f₂ ⊙ (1 − f₂)",
        "δ₂ = (δ₂ⁱ, δ₂ᶠ, δ₂ᵍ, δ₂ᵒ)",
        "∂L/∂U = Σₜ δₜ hₜ₋₁ᵀ",
        "∂L/∂h₁ = Uᵀ δ₂",
    ],
)
def test_the_lstm_shows(line):
    assert line in str(EXAMPLES["lstm"]())


@pytest.mark.parametrize(
    "line",
    [
        "z₁ = W x₁ + U h₀ + b",  # (21.4)
        "δ₃ = ∂L/∂h₃ ⊙ tanh'(z₃)",  # (21.12)
        "∂L/∂h₂ = Uᵀ δ₃",  # (21.14)
        "note  the document prints [0.440, 0.226, 0.216] (21.6); right is [0.4382, 0.2260, 0.2165]",
        "note  the document prints [−0.0252, −0.0265, −0.0157] (21.16); right is [−0.0267, −0.0284,",
        "loss  0.34112 → ",
    ],
)
def test_the_recurrent_network_shows(line):
    assert line in str(EXAMPLES["rnn"]())


def test_the_gru_of_pytorch_and_that_of_the_documents_differ_in_words():
    def read(layer):
        cr.seed(0)
        model = nn.Sequential(rnn=layer, last=nn.Lambda(lambda pair: pair[0][:, -1]), fc=nn.Linear(2, 1))
        e = cr.explain(model, np.ones((1, 2, 2)), [[1.0]], "mse")
        return str(e.step("rnn.t2.n")), str(e.step("rnn.t2.h"))

    assert read(nn.GRU(2, 2)) == (
        "n₂ = tanh(x₂ Wⁿᵀ + bⁿ + r₂ ⊙ (h₁ Uⁿᵀ + b'ⁿ))",
        "h₂ = (1 − z₂) ⊙ n₂ + z₂ ⊙ h₁",
    )
    assert read(nn.ChungGRU(2, 2)) == (
        "n₂ = tanh(x₂ Wⁿᵀ + (r₂ ⊙ h₁) Uⁿᵀ + bⁿ)",
        "h₂ = (1 − z₂) ⊙ h₁ + z₂ ⊙ n₂",
    )


def test_a_language_model_is_told_step_by_step():
    """Ids in, a prediction for every step: the steps are what the loss is a mean over."""

    class Speaker(nn.Module):
        def __init__(self):
            self.table, self.rnn, self.head = nn.Embedding(5, 2), nn.GRU(2, 3), nn.Linear(3, 5)

        def forward(self, ids):
            return self.head(self.rnn(self.table(ids))[0])

    cr.seed(0)
    e = cr.explain(Speaker(), np.array([[1, 4, 2]]), np.array([[4, 2, 0]]), "cross-entropy")
    assert e.checked
    assert str(e.step("head.delta")) == "Δ⁽¹⁾ = (Ŷ − Y)/m"
    np.testing.assert_allclose(e["head.delta"], (e["y_hat"] - np.eye(5)[[4, 2, 0]]) / 3, rtol=1e-9, atol=1e-12)
    assert e["losses"].shape == (3,)
    assert "table.dweight" in {step.name for step in e.steps}
