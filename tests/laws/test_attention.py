"""What attention obeys: the fused forms are the composition, positions are what they claim, a cache changes nothing."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.base.keys import Key
from tests.laws.domains import CASES
from tests.laws.entries import by_label, results

EQUAL = 1e-12  # the same sums in another order, a few dozen terms
FUSED = [c for c in CASES if c.name in ("attention", "attention_back", "masked_softmax")]


def draws(*path, shape):
    return (Key(0) / "attention" / "/".join(map(str, path))).generator().standard_normal(shape)


def qkv(t, s=None, d=4, lead=(2,)):
    return [draws(n, shape=(*lead, length, d)) for n, length in zip("qkv", (t, s or t, s or t), strict=True)]


@pytest.mark.parametrize(**by_label(FUSED))
def test_a_fused_primitive_is_its_composition_to_order_2(case):
    args = case.draw()
    draw = np.random.default_rng(0)
    forms = [case.primitive, case.primitive.composition]

    def of(form):
        def f(*values):
            full = list(args)
            for i, value in zip(case.active, values, strict=True):
                full[i] = value
            return results(form(*full, **case.settings))

        return f

    point = tuple(args[i] for i in case.active)
    bars = tuple(draw.standard_normal(v.shape) for v in of(forms[0])(*point))
    dots = tuple(draw.standard_normal(p.shape) for p in point)
    pairs = []
    for form in forms:
        slope = lambda *x, form=form: cr.vjp(of(form), *x)[1](bars)  # noqa: E731
        pairs.append([*of(form)(*point), *slope(*point), *cr.jvp(slope, point, dots)[1]])
    for fused, composed in zip(*pairs, strict=True):
        np.testing.assert_allclose(fused, composed, rtol=EQUAL, atol=EQUAL)


@pytest.mark.parametrize("block", [1, 5, 64, 1000])
@pytest.mark.parametrize("causal", [False, True])
def test_blocks_change_nothing(block, causal):
    q, k, v = qkv(70, 83)
    plain = cr.attention_weights(q @ k.swapaxes(-1, -2) / 2, causal=causal) @ v
    got = cr.blockwise_attention(q, k, v, causal=causal, block=block)
    np.testing.assert_allclose(got, plain, rtol=EQUAL, atol=EQUAL)


@pytest.mark.parametrize("causal", [False, True])
def test_a_window_is_its_mask(causal):
    q, k, v = qkv(50)
    mask = cr.sliding_window_mask(50, 7, causal)
    plain = cr.scaled_dot_product_attention(q, k, v, mask)
    np.testing.assert_allclose(
        cr.blockwise_attention(q, k, v, causal=causal, window=7, block=8), plain, rtol=EQUAL, atol=EQUAL
    )


def test_blockwise_attention_does_not_hold_the_weights_forward_or_backward():
    length, width, block = 2048, 8, 128
    whole = length * length * 4  # bytes of one matrix of weights in float32
    x = [cr.tensor(a.astype(np.float32), requires_grad=True) for a in qkv(length, d=width, lead=())]

    def peak(attend):
        tracemalloc.start()
        attend(*x).sum().backward()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(lambda *a: cr.blockwise_attention(*a, block=block)) < whole / 8
    assert peak(cr.scaled_dot_product_attention) < whole / 8  # long: it goes by blocks of itself
    assert peak(lambda q, k, v: cr.attention_weights(cr.scaled_dot_scores(q, k)) @ v) > whole  # the measure sees it


def test_a_query_that_sees_nothing_gets_0_and_finite_derivatives():
    q, k, v = qkv(3)
    mask = np.ones((3, 3), bool)
    mask[1] = False
    for attend in (cr.scaled_dot_product_attention, cr.blockwise_attention):
        y = attend(q, k, v, mask)
        assert not y[:, 1].any()
        assert y[:, 0].all()
        slopes = cr.grad(lambda *a, f=attend: cr.sum(f(*a, mask=mask) ** 2), argnums=(0, 1, 2))(q, k, v)
        assert all(np.isfinite(s).all() for s in slopes)
        assert not slopes[0][:, 1].any()


def test_large_scores_do_not_overflow():
    q, k, v = (a.astype(np.float32) * 100 for a in qkv(5))
    for attend in (cr.scaled_dot_product_attention, cr.blockwise_attention):
        assert np.isfinite(attend(q, k, v)).all()


def test_grouped_queries_are_queries_with_repeated_keys():
    q, (k, v) = draws("q", shape=(2, 6, 5, 4)), (draws(n, shape=(2, 2, 7, 4)) for n in "kv")
    wide = [np.repeat(a, 3, axis=1) for a in (k, v)]
    wanted = cr.scaled_dot_product_attention(q, *wide)
    for attend in (cr.scaled_dot_product_attention, cr.blockwise_attention):
        np.testing.assert_allclose(attend(q, k, v), wanted, rtol=EQUAL, atol=EQUAL)


def test_additive_scores_pair_by_pair():
    q, k = draws("q", shape=(5, 3)), draws("k", shape=(4, 2))
    w_q, w_k, v = draws("wq", shape=(6, 3)), draws("wk", shape=(6, 2)), draws("v", shape=6)
    s = cr.additive_scores(q, k, w_q, w_k, v)
    wanted = [[v @ np.tanh(w_q @ a + w_k @ b) for b in k] for a in q]
    np.testing.assert_allclose(s, wanted, rtol=EQUAL)
    assert cr.check_gradients(cr.additive_scores, q, k, w_q, w_k, v, order=2)


@pytest.mark.parametrize("features", ["elu", "relu", lambda x: cr.exp(x)])
@pytest.mark.parametrize(("causal", "length"), [(False, 9), (True, 9), (True, 150), (True, 1)])
def test_linear_attention_is_attention_with_products_of_features(features, causal, length):
    q, k, v = qkv(length)
    phi = {"elu": lambda x: np.where(x > 0, x + 1, np.exp(x)), "relu": lambda x: np.maximum(x, 0)}.get(features, np.exp)
    a = phi(q) @ phi(k).swapaxes(-1, -2) * (np.tri(length) if causal else 1)
    wanted = a @ v / (a.sum(-1, keepdims=True) + 1e-6)
    got = cr.linear_attention(q, k, v, causal=causal, features=features)
    np.testing.assert_allclose(got, wanted, rtol=1e-10, atol=1e-10)


def test_linear_attention_has_derivatives_to_order_2():
    assert cr.check_gradients(lambda *a: cr.linear_attention(*a, causal=True), *qkv(5, d=2, lead=()), order=2)


# Positions.


@pytest.mark.parametrize("interleaved", [False, True])
def test_rotary_scores_depend_on_the_distance_only(interleaved):
    q, k, _ = qkv(6)
    scores = [
        cr.dot_scores(*(cr.rotary(x, np.arange(6) + start, interleaved=interleaved) for x in (q, k)))
        for start in (0, 11)
    ]
    np.testing.assert_allclose(*scores, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose((cr.rotary(q) ** 2).sum(-1), (q**2).sum(-1), rtol=EQUAL)  # a turn keeps lengths
    assert cr.check_gradients(lambda x: cr.rotary(x, interleaved=interleaved), q)


def test_alibi_slopes_and_signs():
    np.testing.assert_allclose(cr.alibi_slopes(8), 2.0 ** -np.arange(1, 9))
    np.testing.assert_allclose(cr.alibi_slopes(3), [2**-4, 2**-8, 2**-2])
    bias = cr.alibi(2, 3, 4, offset=1)
    np.testing.assert_allclose(bias[0], -(2.0**-4) * np.abs([[1, 0, -1, -2], [2, 1, 0, -1], [3, 2, 1, 0]]))


def test_positions_are_added_as_far_as_the_sequence_goes():
    x = np.zeros((2, 7, 4), np.float32)
    np.testing.assert_array_equal(nn.PositionalEncoding(4)(x)[0], cr.ops.sinusoidal_positions(7, 4))
    learned = nn.LearnedPositions(9, 4)
    np.testing.assert_array_equal(learned(x, offset=2).data[1], learned.weight.data[2:])


# Layers.


@pytest.mark.parametrize("settings", [{}, {"num_kv_heads": 2}, {"rotary": True}, {"num_kv_heads": 1, "rotary": True}])
def test_decoding_step_by_step_equals_the_full_pass(settings):
    cr.seed(0)
    layer, x = nn.MultiheadAttention(16, 4, **settings).astype("float64"), draws("x", shape=(2, 9, 16))
    whole, _ = layer(x, is_causal=True)
    for cuts in ([*range(10)], [0, 4, 5, 9]):
        cache = nn.KVCache()
        parts = [layer(x[:, a:b], is_causal=True, cache=cache)[0].data for a, b in pairwise(cuts)]
        np.testing.assert_allclose(np.concatenate(parts, 1), whole.data, rtol=EQUAL, atol=EQUAL)
        assert len(cache) == 9
    cache.clear()
    assert len(cache) == 0


def test_a_stack_decodes_with_one_cache_a_layer():
    cr.seed(0)
    stack = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, 0.0), 3).astype("float64")
    x, caches = draws("x", shape=(2, 5, 8)), [nn.KVCache() for _ in range(3)]
    steps = [stack(x[:, t : t + 1], is_causal=True, caches=caches).data for t in range(5)]
    np.testing.assert_allclose(np.concatenate(steps, 1), stack(x, is_causal=True).data, rtol=EQUAL, atol=EQUAL)


def test_weights_that_are_asked_for_do_not_change_the_result():
    layer, x = nn.MultiheadAttention(8, 4, num_kv_heads=2).astype("float64"), draws("x", shape=(2, 5, 8))
    y, a = layer(x, is_causal=True, average_attn_weights=False)
    np.testing.assert_allclose(y.data, layer(x, is_causal=True, need_weights=False)[0].data, rtol=EQUAL, atol=EQUAL)
    assert a.shape == (2, 4, 5, 5)
    np.testing.assert_allclose(a.data.sum(-1), 1)


def test_a_feed_forward_block_with_a_gate():
    block, x = nn.FeedForward(4, 6, "swiglu").astype("float64"), draws("x", shape=(3, 4))
    z = x @ block.linear1.weight.data.T
    wanted = (z / (1 + np.exp(-z)) * (x @ block.gate.weight.data.T)) @ block.linear2.weight.data.T
    np.testing.assert_allclose(block(x).data, wanted, rtol=EQUAL)


def test_stochastic_depth_drops_whole_samples_and_keeps_the_mean():
    cr.seed(0)
    layer, x = nn.StochasticDepth(0.25), np.ones((4000, 3), np.float32)
    y = layer(x).data
    assert set(np.unique(y).tolist()) == {0.0, np.float32(1 / 0.75)}
    assert (y == y[:, :1]).all()
    assert abs(y.mean() - 1) < 5 * np.sqrt(0.25 / 0.75 / 4000)  # 5 standard errors
    assert len(np.unique(nn.StochasticDepth(0.5, "batch")(x).data)) == 1
    np.testing.assert_array_equal(layer.eval()(x), x)


def test_the_gradient_of_a_tied_embedding_has_both_shares():
    cr.seed(0)
    table = nn.Embedding(5, 3).astype("float64")
    ids = np.array([1, 4, 1])
    slope = cr.grad(lambda w: cr.sum(cr.tanh(cr.affine(cr.embedding(ids, w), w))))(table.weight.data)
    cr.sum(cr.tanh(table.logits(table(ids)))).backward()
    np.testing.assert_allclose(table.weight.grad.data, slope, rtol=EQUAL)
    assert cr.check_gradients(lambda w: cr.tanh(cr.affine(cr.embedding(ids, w), w)), table.weight.data, order=2)


def test_kept_together_under_numbers_and_names():
    parts = [nn.Linear(2, 2) for _ in range(3)]

    class Model(nn.Module):
        def __init__(self, layers, heads, shifts):
            self.layers, self.heads, self.shifts = layers, heads, shifts

    plain = Model(parts, {"a": parts[0]}, [nn.Parameter([1.0])])
    named = Model(nn.ModuleList(parts), nn.ModuleDict({"a": parts[0]}), nn.ParameterList(plain.shifts))
    assert {n for n, _ in named.named_parameters()} == {n for n, _ in plain.named_parameters()}
    assert len(named.layers) == 3
    assert named.layers[-1] is parts[2]
    assert named.heads["a"] is parts[0]
    assert list(named.heads) == ["a"]
