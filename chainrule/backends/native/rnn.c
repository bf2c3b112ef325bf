/* The plain recurrent network over a whole sequence, and its derivative; chainrule/ops/rnn.py has the formulas. */

typedef struct {
    forward_t f;
    word is_relu;
} rnn_t;

static void rnn_start(const void *context, word from, word to) {
    forward_start(context, from, to);
}

INLINE void rnn_units(const forward_t *f, word i, word t, word unit, word count, const float *x, const float *z, const float *old,
                      float *new) {
    float *h = f->h + (i * f->s.length + t) * f->s.h + unit, *state = new + i * f->ld + unit;
    const float *passed = old + i * f->ld + unit;
    int held = is_held(&f->s, i, t);
    (void)x;
    if (((const rnn_t *)f)->is_relu)
        EACH for (word j = 0; j < count; j++) h[j] = state[j] = held ? passed[j] : z[j] < 0.0f ? 0.0f : z[j]; /* NaN stays */
    else
        EACH for (word j = 0; j < count; j++) h[j] = state[j] = held ? passed[j] : tanh_gate(z[j]);
}

INLINE void rnn_fetch(const void *context, word i, word t, word unit) {
    const forward_t *f = context;
    __builtin_prefetch(f->h + (i * f->s.length + t) * f->s.h + unit, 1);
}

static void rnn_some(const void *context, word from, word to) {
    forward_some(context, from, to, 1, rnn_units, rnn_fetch);
}

/* Arguments: of a recurrence; whether it is ReLU, not tanh. */
EXPORT void rnn(const word *a) {
    rnn_t l = {.f = forward_of(a, 1), .is_relu = a[FORWARD]};
    forward_all(&l.f, rnn_start, rnn_some);
}

typedef struct {
    backward_t b;
    word is_relu;
    float *delta, *b_bar;
} rnn_back_t;

static void rnn_back_start(const void *context, word from, word to) {
    const rnn_back_t *l = context;
    backward_start(&l->b, from, to);
    for (word j = from * UNITS; j < MIN(to * UNITS, l->b.s.h); j++) l->b_bar[j] = 0.0f;
}

INLINE void rnn_units_back(const backward_t *b, word i, word t, word unit, word count, word at, float *sums) {
    const rnn_back_t *l = (const rnn_back_t *)b;
    word row = (i * b->s.length + t) * b->s.h + unit;
    const float *h = b->h + row;
    float *shown = l->delta + row, *dh = b->dh + at, *kept = kept_deltas(b, b->step) + i * b->ld + unit;
    int held = is_held(&b->s, i, t), is_relu = (int)l->is_relu;
    add_bars(b->h_bar, i, t, unit, count, dh);
    EACH for (word j = 0; j < count; j++) {
        float slope = is_relu ? (h[j] > 0.0f ? 1.0f : 0.0f) : 1.0f - h[j] * h[j], d = held ? 0.0f : slope * dh[j];
        shown[j] = kept[j] = d, sums[j] += d;
        dh[j] = held ? dh[j] : 0.0f;
    }
}

INLINE void rnn_back_fetch(const void *context, word i, word t, word unit) {
    const rnn_back_t *l = context;
    word at = (i * l->b.s.length + t) * l->b.s.h + unit;
    __builtin_prefetch(l->b.h + at);
    __builtin_prefetch(l->delta + at, 1);
    if (l->b.h_bar.at)
        __builtin_prefetch(l->b.h_bar.at + i * l->b.h_bar.row + t * l->b.h_bar.step + unit * l->b.h_bar.unit);
}

INLINE void rnn_summed(const backward_t *b, word unit, word count, const float *sums) {
    for (word j = 0; j < count; j++) ((const rnn_back_t *)b)->b_bar[unit + j] += sums[j];
}

static void rnn_back_some(const void *context, word from, word to) {
    backward_some(context, from, to, rnn_units_back, rnn_back_fetch, begun, rnn_summed);
}

/* Arguments: of a derivative; whether it is ReLU; delta, the cotangent of b. */
EXPORT void rnn_back(const word *a) {
    rnn_back_t l = {.b = backward_of(a, 1)};
    a += BACKWARD;
    l.is_relu = a[0], l.delta = F(1), l.b_bar = F(2);
    word h = l.b.s.h;
    gradient_t gradients[] = {{0, h, 0, l.b.w_bar}, {0, h, 1, l.b.u_bar}};
    backward_all(&l.b, rnn_back_start, rnn_back_some, gradients, 2);
}
