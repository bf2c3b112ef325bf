"""A recurrence and its derivative: backpropagation through time, whole, truncated, in segments."""

import numpy as np
import pytest

import chainrule as cr

ROUNDING = 1e-13  # the same sums in another order
DRAW = np.random.default_rng(0)
H0, XS, A = DRAW.standard_normal(3), DRAW.standard_normal((7, 3)), DRAW.standard_normal((3, 3)) / 2


def step(h, x):
    h = cr.tanh(A @ h + x)
    return h, h * h


def total(h0, xs, **settings):
    last, ys = cr.scan(step, h0, xs, **settings)
    return cr.sum(last) + cr.sum(ys)


def test_a_scan_is_the_loop():
    h, ys = H0, []
    for x in XS:
        h, y = step(h, x)
        ys.append(y)
    last, all_ys = cr.scan(step, H0, XS)
    np.testing.assert_array_equal(last, h)
    np.testing.assert_array_equal(all_ys, np.stack(ys))


def test_reverse_is_the_scan_of_the_turned_sequence():
    last, ys = cr.scan(step, H0, XS, reverse=True)
    turned = cr.scan(step, H0, XS[::-1])
    np.testing.assert_array_equal(last, turned[0])
    np.testing.assert_array_equal(ys, turned[1][::-1])


def test_time_may_lie_along_any_axis_and_inputs_may_be_trees():
    xs = {"a": DRAW.standard_normal((2, 5)), "b": (DRAW.standard_normal((2, 5)),)}
    last, ys = cr.scan(lambda s, x: (s + x["a"], {"sum": s, "none": None}), np.zeros(2), xs, axis=1)
    np.testing.assert_allclose(last, xs["a"].sum(1))
    assert ys["sum"].shape == (2, 5)
    assert ys["none"] is None


def test_a_scan_without_inputs():
    last, ys = cr.scan(lambda s, _: (s * 2, s), np.ones(()), length=4)
    assert last == 16
    np.testing.assert_array_equal(ys, [1, 2, 4, 8])


@pytest.mark.parametrize("settings", [{}, {"reverse": True}, {"checkpoint": True}, {"checkpoint": 3}])
def test_backpropagation_through_time_obeys_the_laws(settings):
    assert cr.check_gradients(lambda h, xs: total(h, xs, **settings), H0, XS, order=2)


@pytest.mark.parametrize("segments", [True, 1, 3, 7])
def test_segments_change_nothing(segments):
    for g, w in zip(
        cr.grad(lambda h, xs: total(h, xs, checkpoint=segments), (0, 1))(H0, XS),
        cr.grad(total, (0, 1))(H0, XS),
        strict=True,
    ):
        np.testing.assert_allclose(g, w, rtol=ROUNDING, atol=ROUNDING)


def test_segments_keep_fewer_nodes():
    x = cr.tensor(XS, requires_grad=True)
    whole = cr.graph(cr.scan(step, H0, x)[0])
    parts = cr.graph(cr.scan(step, H0, x, checkpoint=True)[0])
    assert len([n for n in whole if n.name == "tanh"]) == 7
    assert [n.name for n in parts].count("checkpoint") == 2
    assert not [n for n in parts if n.name == "tanh"]


def test_truncation_is_a_scan_of_pieces_with_constant_states_between():
    """Every k steps the state is a constant: the gradient is the sum of those of the pieces."""
    for k in (1, 2, 3, 7, 10):
        h, wanted = H0, np.zeros_like(XS)
        for start in range(0, len(XS), k):
            piece = XS[start : start + k]

            def loss(xs, h=h):
                return cr.sum(cr.scan(step, h, xs)[1])

            wanted[start : start + k] = cr.grad(loss)(piece)
            h = cr.scan(step, h, piece)[0]
        got = cr.grad(lambda xs, k=k: cr.sum(cr.scan(step, H0, xs, truncate=k)[1]))(XS)
        np.testing.assert_allclose(got, wanted, rtol=ROUNDING, atol=ROUNDING)


def test_truncation_cuts_what_lies_further_back_and_keeps_the_value():
    def last(xs, **settings):
        return cr.sum(cr.scan(step, H0, xs, **settings)[0])

    np.testing.assert_array_equal(last(XS), last(XS, truncate=2))
    slopes = cr.grad(lambda xs: last(xs, truncate=2))(XS)
    assert not slopes[:6].any()  # the last piece is step 6 alone
    assert slopes[6].all()
    both = cr.grad(lambda xs: last(xs, truncate=2, checkpoint=True))(XS)
    np.testing.assert_array_equal(slopes, both)


def test_scan_inside_vmap_and_the_other_way_round():
    xs = DRAW.standard_normal((4, 7, 3))
    each = cr.vmap(cr.grad(lambda x: total(H0, x)))(xs)
    for k in range(4):
        np.testing.assert_allclose(each[k], cr.grad(lambda x: total(H0, x))(xs[k]), rtol=1e-12, atol=ROUNDING)
    cut = cr.vmap(cr.grad(lambda x: total(H0, x, truncate=2, checkpoint=2)))(xs)
    assert cut.shape == xs.shape


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (
            lambda: cr.scan(step, H0),
            cr.OptionError,
            "scan needs inputs or a length.\n  try     scan(f, state, length=10)",
        ),
        (
            lambda: cr.scan(lambda s, x: (s, s), H0, (XS, XS[:5])),
            cr.ShapeError,
            "The inputs of scan have 5 and 7 steps along axis 0.\n  inputs  (7, 3) and (5, 3)",
        ),
        (
            lambda: cr.scan(step, H0, XS, length=8),
            cr.ShapeError,
            "The inputs of scan have 7 steps along axis 0; length=8 was asked for.\n  inputs  (7, 3)",
        ),
        (
            lambda: cr.scan(step, H0, XS[:0]),
            cr.ShapeError,
            "scan needs at least one step, the sequence is empty.",
        ),
        (
            lambda: cr.scan(lambda s, x: s, H0, XS),
            cr.OptionError,
            "scan's function returns a pair (state, y), this one returned a ndarray.\n"
            "  try     return state, y  (return state, state, where the states are what is wanted)",
        ),
        (
            lambda: cr.scan(step, H0, XS, truncate=0),
            cr.OptionError,
            "truncate is a number of steps, 1 or more; it is 0.",
        ),
        (
            lambda: cr.scan(step, H0, XS, checkpoint=9),
            cr.OptionError,
            "7 steps cannot be cut into 9 segments.",
        ),
    ],
)
def test_mistakes_are_named(call, kind, text):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == text
