/* The gated recurrent unit over a whole sequence, and its derivative; chainrule/ops/gru.py has the formulas. */

typedef struct {
    forward_t f;
    float *b_hh, *a; /* r, z, n, and m = U h + b' of the candidate */
} gru_t;

static void gru_start(const void *context, word from, word to) {
    const gru_t *l = context;
    const sequence_t *s = &l->f.s;
    forward_start(&l->f, from, to);
    for (word j = from * UNITS; j < to * UNITS; j++) { /* b' of r and z goes with b, that of the candidate does not */
        float *packed = l->f.b_packed + j / WIDTH * 3 * WIDTH + j % WIDTH;
        for (word g = 0; g < 2 && j < s->h; g++) packed[g * WIDTH] += l->b_hh[g * s->h + j];
        l->f.b_[j] = j < s->h ? l->b_hh[2 * s->h + j] : 0.0f;
    }
}

INLINE void gru_units(const forward_t *f, word i, word t, word unit, word count, const float *x, const float *z, const float *old,
                      float *new) {
    const gru_t *l = (const gru_t *)f;
    word row = i * f->s.length + t, at = i * f->ld + unit, n = f->s.h;
    float *a = l->a + row * 4 * n + unit, *h = f->h + row * n + unit, *state = new + at;
    const float *passed = old + at;
    int held = is_held(&f->s, i, t);
    EACH for (word j = 0; j < count; j++) {
        float r = sigmoid_gate(z[j]), keep = sigmoid_gate(z[WIDTH + j]), m = z[2 * WIDTH + j], next = tanh_gate(x[2 * WIDTH + j] + r * m);
        a[j] = r, a[n + j] = keep, a[2 * n + j] = next, a[3 * n + j] = m;
        h[j] = state[j] = held ? passed[j] : next + keep * (passed[j] - next);
    }
}

INLINE void gru_fetch(const void *context, word i, word t, word unit) {
    const gru_t *l = context;
    word row = i * l->f.s.length + t, h = l->f.s.h;
    for (word g = 0; g < 4; g++) __builtin_prefetch(l->a + (4 * row + g) * h + unit, 1);
    __builtin_prefetch(l->f.h + row * h + unit, 1);
}

static void gru_some(const void *context, word from, word to) {
    forward_some(context, from, to, 3, gru_units, gru_fetch);
}

/* Arguments: of a recurrence; b', a; memory for that part of b' that stays apart. */
EXPORT void gru(const word *a) {
    gru_t l = {.f = forward_of(a, 3)};
    a += FORWARD;
    l.b_hh = F(0), l.a = F(1), l.f.b_ = F(2);
    forward_all(&l.f, gru_start, gru_some);
}

typedef struct {
    backward_t b;
    bars_t a_bar;
    float *a, *delta, *b_bar, *b_hh_bar;
} gru_back_t;

static void gru_back_start(const void *context, word from, word to) {
    const gru_back_t *l = context;
    backward_start(&l->b, from, to);
    for (word g = 0; g < 3; g++)
        for (word j = from * UNITS; j < MIN(to * UNITS, l->b.s.h); j++) l->b_bar[g * l->b.s.h + j] = l->b_hh_bar[g * l->b.s.h + j] = 0.0f;
}

/* Kept are the cotangents of r, z and m, which the old state went into, and behind them that of the candidate. */
INLINE void gru_units_back(const backward_t *b, word i, word t, word unit, word count, word at, float *sums) {
    const gru_back_t *l = (const gru_back_t *)b;
    word h = b->s.h, row = i * b->s.length + t;
    const float *a = l->a + row * 4 * h + unit;
    float bar[4 * UNITS] = {0}, room[UNITS], *shown = l->delta + row * 3 * h + unit, *dh = b->dh + at;
    float *kept = kept_deltas(b, b->step) + i * b->ld + unit;
    const float *before = state_before(b, b->h, b->s.h0, b->s.h0_row, b->s.h0_unit, i, t, unit, count, room);
    float arrives = is_held(&b->s, i, t) ? 0.0f : 1.0f;
    add_bars(b->h_bar, i, t, unit, count, dh);
    for (word g = 0; g < 4; g++) add_bars(l->a_bar, i, t, g * h + unit, count, bar + g * UNITS);
    EACH for (word j = 0; j < count; j++) {
        float r = a[j], z = a[h + j], n = a[2 * h + j], m = a[3 * h + j], d = arrives != 0.0f ? dh[j] : 0.0f;
        float dn = (d * (1.0f - z) + bar[2 * UNITS + j]) * (1.0f - n * n), dm = dn * r + bar[3 * UNITS + j];
        float dr = (dn * m + bar[j]) * (r - r * r), dz = (d * (before[j] - n) + bar[UNITS + j]) * (z - z * z);
        shown[j] = kept[j] = dr, shown[h + j] = kept[h + j] = dz, shown[2 * h + j] = kept[3 * h + j] = dn, kept[2 * h + j] = dm;
        sums[j] += dr, sums[UNITS + j] += dz, sums[2 * UNITS + j] += dm, sums[3 * UNITS + j] += dn;
        dh[j] = arrives != 0.0f ? d * z : dh[j];
    }
}

INLINE void gru_back_fetch(const void *context, word i, word t, word unit) {
    const gru_back_t *l = context;
    word row = i * l->b.s.length + t, h = l->b.s.h;
    for (word g = 0; g < 4; g++) __builtin_prefetch(l->a + (4 * row + g) * h + unit);
    for (word g = 0; g < 3; g++) __builtin_prefetch(l->delta + (3 * row + g) * h + unit, 1);
    __builtin_prefetch(l->b.h + (row + (l->b.s.reverse ? 1 : -1)) * h + unit);
    if (l->b.h_bar.at)
        __builtin_prefetch(l->b.h_bar.at + i * l->b.h_bar.row + t * l->b.h_bar.step + unit * l->b.h_bar.unit);
}

INLINE void begun(const backward_t *b, word i, word unit, word count, word at) {
    memcpy(b->h0_bar + i * b->s.h + unit, b->dh + at, count * 4);
}

INLINE void gru_summed(const backward_t *b, word unit, word count, const float *sums) {
    const gru_back_t *l = (const gru_back_t *)b;
    for (word g = 0; g < 3; g++)
        for (word j = 0; j < count; j++) {
            l->b_bar[g * b->s.h + unit + j] += sums[(g == 2 ? 3 : g) * UNITS + j];
            l->b_hh_bar[g * b->s.h + unit + j] += sums[g * UNITS + j];
        }
}

static void gru_back_some(const void *context, word from, word to) {
    backward_some(context, from, to, gru_units_back, gru_back_fetch, begun, gru_summed);
}

/* Arguments: of a derivative; the cotangent of a; a, delta, the cotangents of b and b'. */
EXPORT void gru_back(const word *a) {
    gru_back_t l = {.b = backward_of(a, 3)};
    a += BACKWARD;
    l.a_bar = bars_of(a), l.a = F(4), l.delta = F(5), l.b_bar = F(6), l.b_hh_bar = F(7);
    word h = l.b.s.h;
    gradient_t gradients[] = {{0, 2 * h, 0, l.b.w_bar}, {3 * h, h, 0, l.b.w_bar + 2 * h * l.b.s.in}, {0, 3 * h, 1, l.b.u_bar}};
    backward_all(&l.b, gru_back_start, gru_back_some, gradients, 3);
}
