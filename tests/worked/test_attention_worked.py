"""Attention in the documents: chapters 17, 18, 20, 21 of 000, chapter 17 of 003, A.25 of 002; T is not d_k here."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn

EQUAL = 1e-12
T, D_K, D_V = 3, 2, 4


def draws(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


@pytest.mark.worked("000-17.Q11")
def test_thirty_words_are_9000_numbers(worked):
    x = nn.Embedding(50, 300)(np.arange(30))
    worked("000-17.Q11").check(x.size)


@pytest.mark.worked("000-17.Q12")
def test_attention_weights_are_a_distribution(worked):
    weights = cr.attention_weights(np.log(np.array([[0.9, 0.1]])))
    np.testing.assert_allclose(weights, [[0.9, 0.1]], rtol=EQUAL)
    worked("000-17.Q12").check(weights.sum())


@pytest.mark.worked("000-18.Q15")
def test_the_way_from_the_first_to_the_hundredth_token(worked):
    """Recurrence hands on along the diagonal, one place a step; attention sees all in one."""
    step = np.eye(100, k=-1)
    reached, steps = np.eye(100)[:, 0], 0
    while not reached[99]:
        reached, steps = step @ reached, steps + 1
    worked("000-18.Q15").check(steps)
    assert cr.causal_mask(100)[99, 0]


@pytest.mark.worked("000-18.Q17a", "000-18.Q17b")
def test_scaling_takes_the_variance_of_512_products_to_1(worked):
    d = 512
    one = np.eye(d)  # Var(q · k) = Σᵢ E[qᵢ²] E[kᵢ²]: the squared scores of unit vectors, summed
    variance = (cr.dot_scores(one, one) ** 2).sum()
    scaled = (cr.scaled_dot_scores(one, one) ** 2).sum()
    worked("000-18.Q17a").check(np.array([variance, scaled]))
    worked("000-18.Q17b").check(np.float64(3 * cr.dot_scores(one, one)[0, 0] / cr.scaled_dot_scores(one, one)[0, 0]))


@pytest.mark.worked("000-18.11", "000-18.11b")
def test_sinusoidal_positions_move_by_a_turn(worked):
    worked("000-18.11b").check(cr.sinusoidal_positions(2, 4, dtype=np.float64)[1])
    width, k = 6, 5
    pe = cr.sinusoidal_positions(40, width, dtype=np.float64)
    assert np.abs(pe).max() <= 1
    turn = np.zeros((width, width))
    for i in range(0, width, 2):
        c, s = np.cos(k / 10000 ** (i / width)), np.sin(k / 10000 ** (i / width))
        turn[i : i + 2, i : i + 2] = [[c, s], [-s, c]]  # (sin, cos) at t + k from (sin, cos) at t
    np.testing.assert_allclose(pe[k:], pe[:-k] @ turn.T, rtol=1e-10, atol=EQUAL)


@pytest.mark.worked("000-18.16")
def test_causal_weights_of_equal_scores(worked):
    worked("000-18.16").check(cr.attention_weights(np.zeros((3, 3)), causal=True))


@pytest.mark.worked("000-20.5")
def test_pairs_of_full_and_of_windowed_attention(worked):
    window = cr.sliding_window_mask(1000, 32)
    worked("000-20.5").check(np.array([window.size, window.sum()]))


@pytest.mark.worked("000-20.5b")
def test_a_low_rank_update_has_the_rank_of_its_factors():
    a, b = draws(7, 2), draws(5, 2, seed=1)
    assert np.linalg.matrix_rank(cr.matmul(a, b.T)) == 2
    assert a.size + b.size == 2 * (7 + 5)


@pytest.mark.worked("000-21.att")
def test_the_instance_of_two_tokens(worked):
    x = np.eye(2)
    weights = cr.attention_weights(cr.scaled_dot_scores(x, x))
    result = cr.scaled_dot_product_attention(x, x, x)
    worked("000-21.att").check(np.concatenate([weights, result]))


def columns():
    """Q, K (d_k × T) and V (d_v × T) with tokens as columns."""
    return draws(D_K, T), draws(D_K, T, seed=1), draws(D_V, T)


def column_attention(q, k, v):
    """V Aᵀ with A = softmax(Qᵀ K/√d_k), rows of A summing to 1: 003 §17.3."""
    return v @ cr.transpose(cr.softmax(cr.transpose(q) @ k / np.sqrt(D_K), 1))


@pytest.mark.worked("000-21.3.2", "003-17.3")
def test_tokens_as_columns_are_tokens_as_rows_transposed():
    q, k, v = columns()
    rows = cr.scaled_dot_product_attention(q.T, k.T, v.T)
    np.testing.assert_allclose(column_attention(q, k, v), rows.T, rtol=EQUAL)
    assert (q @ k.T).shape == (D_K, D_K) != (T, T)  # Q Kᵀ, as 000 §21.3.2 prints, compares features, not tokens
    with pytest.raises(cr.ShapeError):
        cr.scaled_dot_product_attention(q, k, v.T)


@pytest.mark.worked("000-21.20", "000-21.21", "000-21.22")
def test_the_derivatives_of_attention_with_tokens_as_columns():
    q, k, v = columns()
    head, pull = cr.vjp(column_attention, q, k, v)
    g = draws(*head.shape, seed=5)
    q_bar, k_bar, v_bar = pull(g)
    a = cr.softmax(q.T @ k / np.sqrt(D_K), 1)
    np.testing.assert_allclose(v_bar, g @ a, rtol=EQUAL)  # (21.19)
    a_bar = g.T @ v  # (21.20)
    e_bar = a * (a_bar - (a * a_bar).sum(1, keepdims=True))
    np.testing.assert_allclose(q_bar, k @ e_bar.T / np.sqrt(D_K), rtol=1e-10)  # not (∂L/∂E) K, as (21.22) prints
    np.testing.assert_allclose(k_bar, q @ e_bar / np.sqrt(D_K), rtol=1e-10)
    assert cr.check_gradients(column_attention, q, k, v)
    other = v @ cr.softmax(k.T @ q / np.sqrt(D_K), 0)  # softmax along columns goes with Kᵀ Q
    np.testing.assert_allclose(other, head, rtol=EQUAL)
    jacobian = cr.jacobian(lambda e: cr.softmax(e, 0))(k.T @ q)
    p = cr.softmax(k.T @ q, 0)
    for j in range(T):
        wanted = np.diag(p[:, j]) - np.outer(p[:, j], p[:, j])
        np.testing.assert_allclose(jacobian[:, j, :, j], wanted, rtol=1e-10, atol=EQUAL)


def layer_and_rows():
    cr.seed(0)
    return nn.MultiheadAttention(8, 2).astype("float64"), draws(4, 8)


@pytest.mark.worked("002-A.25")
def test_permuted_tokens_give_permuted_results():
    layer, x = layer_and_rows()
    order = [2, 0, 3, 1]
    y, permuted = layer(x)[0].data, layer(x[order])[0].data
    np.testing.assert_allclose(permuted, y[order], rtol=EQUAL, atol=EQUAL)  # equivariant
    assert np.abs(permuted - y).max() > 1e-3  # not invariant; that is a pooled result:
    np.testing.assert_allclose(permuted.mean(0), y.mean(0), rtol=EQUAL, atol=EQUAL)


@pytest.mark.worked("002-A.25b")
def test_attention_is_cheaper_than_recurrence_where_sequences_are_shorter_than_wide():
    """By the costs that primitives state: products of scores and values against one square matrix a step."""
    for t, d in ((32, 128), (512, 128)):
        spec = {n: cr.Spec(s, np.dtype("f4")) for n, s in {"rows": (t, d), "keys": (d, t), "square": (d, d)}.items()}
        product = cr.PRIMITIVES["matmul"]
        scores, recurrence = product.flops(spec["rows"], spec["keys"]), product.flops(spec["rows"], spec["square"])
        assert scores == 2 * t * t * d
        assert recurrence == 2 * t * d * d
        assert (scores < recurrence) == (t < d)


@pytest.mark.worked("003-17.4")
def test_heads_as_columns_are_projected_from_the_left():
    layer, x = layer_and_rows()
    w, w_o, d = layer.in_proj_weight.data, layer.out_proj.weight.data, 4
    q, k, v = (part @ x.T for part in np.split(w, 3))  # (8, T), two heads one under the other
    heads = []
    for i in (slice(0, d), slice(d, 2 * d)):
        a = cr.softmax(q[i].T @ k[i] / np.sqrt(d), 1)
        heads.append(v[i] @ a.T)
    np.testing.assert_allclose((w_o @ np.concatenate(heads)).T, layer(x)[0].data, rtol=1e-10, atol=EQUAL)


@pytest.mark.worked("003-17.7")
def test_the_feed_forward_block_of_rows_and_of_columns_and_the_order_of_norms():
    block, x = nn.FeedForward(4, 6).astype("float64"), draws(3, 4)
    w1, b1, w2, b2 = (p.data for p in block.parameters())
    columns = w2 @ np.maximum(0, w1 @ x.T + b1[:, None]) + b2[:, None]
    np.testing.assert_allclose(block(x).data, columns.T, rtol=EQUAL)
    pre = nn.TransformerEncoderLayer(4, 2, 6, 0.0, norm_first=True).astype("float64")
    h = x + pre.self_attn(pre.norm1(x))[0].data
    f = lambda z: pre.linear2(cr.relu(pre.linear1(z)))  # noqa: E731
    np.testing.assert_allclose(pre(x).data, h + f(pre.norm2(h)).data, rtol=EQUAL)
    pre.norm_first = False  # 000 §18.4, 002 A.23
    h = pre.norm1(x + pre.self_attn(x)[0].data).data
    np.testing.assert_allclose(pre(x).data, pre.norm2(h + f(h).data).data, rtol=EQUAL)


@pytest.mark.worked("003-17.8")
def test_tied_output_weights_are_the_table_itself():
    table, h = nn.Embedding(11, 4).astype("float64"), draws(3, 4)
    np.testing.assert_allclose(table.logits(h).data, (table.weight.data @ h.T).T, rtol=EQUAL)  # |V| × D, no transpose
    head = nn.Linear(4, 11, bias=False)
    head.weight = table.weight
    np.testing.assert_array_equal(head(h).data, table.logits(h).data)
