"""Convolution, pooling and resampling by loops over windows: the second expression of their values."""

import numpy as np


def taps(size, kernel, found, *, stride, padding, dilation):
    """(place in the kernel, place of y, entry of x) for all that meet inside of x."""
    for k in np.ndindex(*kernel):
        for p in np.ndindex(*found):
            i = tuple(b * s + a * d - w[0] for a, b, s, d, w in zip(k, p, stride, dilation, padding, strict=True))
            if all(0 <= a < n for a, n in zip(i, size, strict=True)):
                yield (slice(None), *k), (slice(None), *p), (slice(None), *i)


def counts(size, kernel, *, stride, padding, dilation):
    along = zip(size, kernel, stride, padding, dilation, strict=True)
    return tuple((n + sum(w) - d * (k - 1) - 1) // s + 1 for n, k, s, w, d in along)


def groups_of(x, w, y, groups):
    """Views of the channels of x, and of the weights and channels of y, that belong to each group."""
    i, o = x.shape[1] // groups, y.shape[1] // groups
    for g in range(groups):
        yield x[:, g * i : (g + 1) * i], w[g * o : (g + 1) * o], y[:, g * o : (g + 1) * o]


def every(a):
    """An index behind the examples, or behind the channels that weights come from."""
    return (slice(None), *a)


def conv(x, w, *, groups, **settings):
    y = np.zeros((len(x), len(w), *counts(x.shape[2:], w.shape[2:], **settings)))
    for xs, ws, ys in groups_of(x, w, y, groups):
        for k, p, i in taps(x.shape[2:], w.shape[2:], y.shape[2:], **settings):
            ys[every(p)] += xs[every(i)] @ ws[every(k)].T
    return y


def conv_transpose(y, w, *, size, groups, **settings):
    x = np.zeros((len(y), w.shape[1] * groups, *size))
    for xs, ws, ys in groups_of(x, w, y, groups):
        for k, p, i in taps(size, w.shape[2:], y.shape[2:], **settings):
            xs[every(i)] += ys[every(p)] @ ws[every(k)]
    return x


def conv_weight(x, y, *, kernel, groups, **settings):
    w = np.zeros((y.shape[1], x.shape[1] // groups, *kernel))
    for xs, ws, ys in groups_of(x, w, y, groups):
        for k, p, i in taps(x.shape[2:], kernel, y.shape[2:], **settings):
            ws[every(k)] += ys[every(p)].T @ xs[every(i)]
    return w


def unfold(x, *, kernel, **settings):
    y = np.zeros((*x.shape[:2], *kernel, *counts(x.shape[2:], kernel, **settings)))
    for k, p, i in taps(x.shape[2:], kernel, y.shape[2 + len(kernel) :], **settings):
        y[(slice(None), *k, *p[1:])] = x[every(i)]
    return y


def fold(y, *, size, kernel, **settings):
    x = np.zeros((*y.shape[:2], *size))
    for k, p, i in taps(size, kernel, y.shape[2 + len(kernel) :], **settings):
        x[every(i)] += y[(slice(None), *k, *p[1:])]
    return x


def seen(windows, place):
    """The entries of x that the window at a place looks at, those outside left out."""
    along = [[int(i) for i in np.unique(w.index[p]) if 0 <= i < w.size] for w, p in zip(windows, place, strict=True)]
    return [tuple(a[k] for a, k in zip(along, n, strict=True)) for n in np.ndindex(*map(len, along))]


def each_window(x, windows):
    """For every place of every image and channel: its index, and those of the entries it looks at."""
    for lead in np.ndindex(*x.shape[:2]):
        for place in np.ndindex(*map(len, windows)):
            yield (*lead, *place), [(*lead, *i) for i in seen(windows, place)]


def max_pool(x, *, windows):
    y = np.zeros((*x.shape[:2], *map(len, windows)))
    for p, entries in each_window(x, windows):
        y[p] = max(x[i] for i in entries)
    return y


def chosen(x, y, windows):
    for p, entries in each_window(x, windows):
        top = [i for i in entries if x[i] == y[p]]
        yield p, top


def max_pool_gather(x_dot, x, y, *, windows):
    y_dot = np.zeros(y.shape)
    for p, top in chosen(x, y, windows):
        y_dot[p] = sum(x_dot[i] for i in top) / max(1, len(top))
    return y_dot


def max_pool_spread(y_bar, x, y, *, windows):
    x_bar = np.zeros(x.shape)
    for p, top in chosen(x, y, windows):
        for i in top:
            x_bar[i] += y_bar[p] / len(top)
    return x_bar


def resample(x, *, axis, windows):
    matrix = np.zeros((len(windows), windows.size))
    for r, (places, weights) in enumerate(zip(windows.index, windows.weight, strict=True)):
        for i, weight in zip(places, weights, strict=True):
            if weight:
                matrix[r, i] += weight
    return np.moveaxis(np.moveaxis(x, axis, -1) @ matrix.T, -1, axis)


WINDOWED = {
    "conv": conv,
    "conv_transpose": conv_transpose,
    "conv_weight": conv_weight,
    "fold": fold,
    "max_pool": max_pool,
    "max_pool_gather": max_pool_gather,
    "max_pool_spread": max_pool_spread,
    "resample": resample,
    "unfold": unfold,
}
