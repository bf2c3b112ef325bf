/* Long short-term memory over a whole sequence, and its derivative; chainrule/ops/lstm.py has the formulas. */

typedef struct {
    forward_t f;
    float *c0, *c, *gates, *cells; /* cells of the step, by blocks */
    word c0_row, c0_unit;
} lstm_t;

static void lstm_start(const void *context, word from, word to) {
    const lstm_t *l = context;
    const sequence_t *s = &l->f.s;
    forward_start(&l->f, from, to);
    for (word block = from; block < to; block++)
        for (word i = 0; i < s->n; i++)
            for (word j = 0; j < UNITS && block * UNITS + j < s->h; j++)
                l->cells[(block * s->n + i) * UNITS + j] = l->c0[i * l->c0_row + (block * UNITS + j) * l->c0_unit];
}

INLINE void lstm_units(const forward_t *f, word i, word t, word unit, word count, const float *x, const float *z, const float *old,
                       float *new) {
    const lstm_t *l = (const lstm_t *)f;
    const sequence_t *s = &f->s;
    word row = i * s->length + t, at = i * f->ld + unit, n = s->h;
    float *gates = l->gates + row * 4 * n + unit, *h = f->h + row * n + unit, *c = l->c + row * n + unit, *state = new + at;
    float *cell = l->cells + (unit / UNITS * s->n + i) * UNITS + unit % UNITS;
    float passed[WIDTH];
    int held = is_held(s, i, t);
    (void)x;
    if (held)
        memcpy(passed, cell, count * 4);
    EACH for (word j = 0; j < count; j++) {
        float in = sigmoid_gate(z[j]), f_ = sigmoid_gate(z[WIDTH + j]), g = tanh_gate(z[2 * WIDTH + j]), o = sigmoid_gate(z[3 * WIDTH + j]);
        float new_c = f_ * cell[j] + in * g;
        gates[j] = in, gates[n + j] = f_, gates[2 * n + j] = g, gates[3 * n + j] = o;
        c[j] = cell[j] = new_c;
        h[j] = state[j] = o * tanh_gate(new_c);
    }
    for (word j = 0; held && j < count; j++) {
        c[j] = cell[j] = passed[j];
        h[j] = state[j] = old[at + j];
    }
}

INLINE void lstm_fetch(const void *context, word i, word t, word unit) {
    const lstm_t *l = context;
    word row = i * l->f.s.length + t, h = l->f.s.h;
    for (word g = 0; g < 4; g++) __builtin_prefetch(l->gates + (4 * row + g) * h + unit, 1);
    __builtin_prefetch(l->f.h + row * h + unit, 1);
    __builtin_prefetch(l->c + row * h + unit, 1);
}

static void lstm_some(const void *context, word from, word to) {
    forward_some(context, from, to, 4, lstm_units, lstm_fetch);
}

/* Arguments: of a recurrence; c0 and its distances; c, gates; cells of a step. */
EXPORT void lstm(const word *a) {
    lstm_t l = {.f = forward_of(a, 4)};
    a += FORWARD;
    l.c0 = F(0), l.c0_row = a[1], l.c0_unit = a[2], l.c = F(3), l.gates = F(4), l.cells = F(5);
    forward_all(&l.f, lstm_start, lstm_some);
}

typedef struct {
    backward_t b;
    bars_t c_bar, gates_bar;
    float *c, *gates, *c0, *delta, *c0_bar, *b_bar, *dc;
    word c0_row, c0_unit;
} lstm_back_t;

static void lstm_back_start(const void *context, word from, word to) {
    const lstm_back_t *l = context;
    const sequence_t *s = &l->b.s;
    backward_start(&l->b, from, to);
    memset(l->dc + from * UNITS * s->n, 0, (to - from) * UNITS * s->n * 4);
    for (word g = 0; g < 4; g++)
        for (word j = from * UNITS; j < MIN(to * UNITS, s->h); j++) l->b_bar[g * s->h + j] = 0.0f;
}

/* delta += slope of the gates times their own cotangents */
INLINE void lstm_gate_bars(const lstm_back_t *l, word i, word t, word unit, word count, const float *gates, float *delta) {
    for (word g = 0; g < 4 && l->gates_bar.at; g++) {
        float bar[UNITS] = {0};
        add_bars(l->gates_bar, i, t, g * l->b.s.h + unit, count, bar);
        for (word j = 0; j < count; j++) {
            float a = gates[g * l->b.s.h + j];
            delta[g * UNITS + j] += bar[j] * (g == 2 ? 1.0f - a * a : a - a * a);
        }
    }
}

INLINE void lstm_units_back(const backward_t *b, word i, word t, word unit, word count, word at, float *sums) {
    const lstm_back_t *l = (const lstm_back_t *)b;
    word n = b->s.h, row = i * b->s.length + t;
    const float *c = l->c + row * n + unit, *gates = l->gates + row * 4 * n + unit;
    float delta[4 * UNITS], room[UNITS], *shown = l->delta + row * 4 * n + unit, *dh = b->dh + at, *dc = l->dc + at;
    float *kept = kept_deltas(b, b->step) + i * b->ld + unit;
    const float *before = state_before(b, l->c, l->c0, l->c0_row, l->c0_unit, i, t, unit, count, room);
    float arrives = is_held(&b->s, i, t) ? 0.0f : 1.0f;
    add_bars(b->h_bar, i, t, unit, count, dh);
    add_bars(l->c_bar, i, t, unit, count, dc);
    EACH for (word j = 0; j < count; j++) {
        float in = gates[j], f = gates[n + j], g = gates[2 * n + j], o = gates[3 * n + j], squashed = tanh_gate(c[j]);
        float d = arrives != 0.0f ? dh[j] : 0.0f, cell = (arrives != 0.0f ? dc[j] : 0.0f) + d * o * (1.0f - squashed * squashed);
        delta[j] = cell * g * (in - in * in);
        delta[UNITS + j] = cell * before[j] * (f - f * f);
        delta[2 * UNITS + j] = cell * in * (1.0f - g * g);
        delta[3 * UNITS + j] = d * squashed * (o - o * o);
        dc[j] = arrives != 0.0f ? cell * f : dc[j];
        dh[j] = arrives != 0.0f ? 0.0f : dh[j];
    }
    lstm_gate_bars(l, i, t, unit, count, gates, delta);
    for (word g = 0; g < 4; g++)
        EACH for (word j = 0; j < count; j++) {
            float d = delta[g * UNITS + j];
            shown[g * n + j] = d, kept[g * n + j] = d, sums[g * UNITS + j] += d;
        }
}

INLINE void lstm_back_fetch(const void *context, word i, word t, word unit) {
    const lstm_back_t *l = context;
    word row = i * l->b.s.length + t, h = l->b.s.h;
    for (word g = 0; g < 4; g++) {
        __builtin_prefetch(l->gates + (4 * row + g) * h + unit);
        __builtin_prefetch(l->delta + (4 * row + g) * h + unit, 1);
    }
    __builtin_prefetch(l->c + (row + (l->b.s.reverse ? 1 : -1)) * h + unit);
    if (l->b.h_bar.at)
        __builtin_prefetch(l->b.h_bar.at + i * l->b.h_bar.row + t * l->b.h_bar.step + unit * l->b.h_bar.unit);
}

INLINE void lstm_begun(const backward_t *b, word i, word unit, word count, word at) {
    const lstm_back_t *l = (const lstm_back_t *)b;
    memcpy(b->h0_bar + i * b->s.h + unit, b->dh + at, count * 4);
    memcpy(l->c0_bar + i * b->s.h + unit, l->dc + at, count * 4);
}

INLINE void lstm_summed(const backward_t *b, word unit, word count, const float *sums) {
    float *b_bar = ((const lstm_back_t *)b)->b_bar + unit;
    for (word g = 0; g < 4; g++)
        for (word j = 0; j < count; j++) b_bar[g * b->s.h + j] += sums[g * UNITS + j];
}

static void lstm_back_some(const void *context, word from, word to) {
    backward_some(context, from, to, lstm_units_back, lstm_back_fetch, lstm_begun, lstm_summed);
}

/* Arguments: of a derivative; the cotangents of c and gates; c, gates; c0 and its distances; delta, the cotangents of c0 and
   b; dc of a step. */
EXPORT void lstm_back(const word *a) {
    lstm_back_t l = {.b = backward_of(a, 4)};
    a += BACKWARD;
    l.c_bar = bars_of(a), l.gates_bar = bars_of(a + 4), l.c = F(8), l.gates = F(9), l.c0 = F(10), l.c0_row = a[11], l.c0_unit = a[12];
    l.delta = F(13), l.c0_bar = F(14), l.b_bar = F(15), l.dc = F(16);
    word rows = 4 * l.b.s.h;
    gradient_t gradients[] = {{0, rows, 0, l.b.w_bar}, {0, rows, 1, l.b.u_bar}};
    backward_all(&l.b, lstm_back_start, lstm_back_some, gradients, 2);
}
