/* Long short-term memory over a whole sequence, and its derivative; chainrule/ops/lstm.py has the formulas. */

typedef struct {
    sequence_t s;
    float *c0;
    word c0_row, c0_unit;
    float *h, *c, *gates; /* results, or what was made forwards */
    word chunk;           /* steps whose inputs are mapped at once */
    float *u_packed, *b_packed, *z, *cells, *states[2];
    word ld; /* distance of rows of the states */
    word step;
} lstm_t;

static void lstm_start(const void *context, word from, word to) {
    const lstm_t *l = context;
    const sequence_t *s = &l->s;
    for (word block = from; block < to; block++) {
        word first = block * UNITS, end = MIN(first + UNITS, s->h);
        pack_rows(s, block, s->w, s->in, s->packed + block * 4 * UNITS * s->in);
        pack_rows(s, block, s->u, s->h, l->u_packed + block * 4 * UNITS * s->h);
        pack_rows(s, block, s->b, 1, l->b_packed + block * 4 * UNITS);
        for (word i = 0; i < s->n; i++)
            for (word j = first; j < end; j++) {
                l->states[0][i * l->ld + j] = s->h0[i * s->h0_row + j * s->h0_unit];
                l->cells[(block * s->n + i) * UNITS + j - first] = l->c0[i * l->c0_row + j * l->c0_unit];
            }
    }
}

/* Some units of one example from the pre-activations z (4, WIDTH): gates, cell and state. */
INLINE void lstm_units(const lstm_t *l, word i, word t, word unit, word count, const float *z, float *cell, const float *old, float *new) {
    const sequence_t *s = &l->s;
    word row = i * s->length + t, at = i * l->ld + unit, n = s->h;
    float *gates = l->gates + row * 4 * n + unit, *h = l->h + row * n + unit, *c = l->c + row * n + unit, *state = new + at;
    const float *passed = old + at;
    int held = is_held(s, i, t);
    EACH for (word j = 0; j < count; j++) {
        float in = sigmoid_gate(z[j]), f = sigmoid_gate(z[WIDTH + j]), g = tanh_gate(z[2 * WIDTH + j]), o = sigmoid_gate(z[3 * WIDTH + j]);
        float new_c = f * cell[j] + in * g, new_h = o * tanh_gate(new_c);
        gates[j] = in, gates[n + j] = f, gates[2 * n + j] = g, gates[3 * n + j] = o;
        c[j] = cell[j] = held ? cell[j] : new_c;
        h[j] = state[j] = held ? passed[j] : new_h;
    }
}

static void lstm_fetch(const lstm_t *l, group_t near, word t) {
    const sequence_t *s = &l->s;
    for (word i = near.next; i < near.next + near.next_rows && near.next_unit < s->h; i++) {
        word row = i * s->length + t, at = row * s->h + near.next_unit;
        for (word g = 0; g < 4; g++) __builtin_prefetch(l->gates + (4 * row + g) * s->h + near.next_unit, 1);
        __builtin_prefetch(l->h + at, 1);
        __builtin_prefetch(l->c + at, 1);
    }
}

static void lstm_some(const void *context, word from, word to) {
    const lstm_t *l = context;
    const sequence_t *s = &l->s;
    word t = time_of(s, l->step), at = l->step % l->chunk, one = s->n * 4 * UNITS, groups = groups_of(s->n, 4);
    const float *old = l->states[l->step & 1];
    float *new = l->states[~l->step & 1], tile[12 / 4 * 4 * UNITS];
    for (word block = from; block < to; block++) {
        float *chunk = l->z + block * l->chunk * one, *z = chunk + at * one;
        for (word k = 0; !at && k < MIN(l->chunk, s->length - l->step); k++)
            times_block(4, s->n, s->in, s->x + time_of(s, l->step + k) * s->x_step, s->x_row,
                        s->packed + block * 4 * UNITS * s->in, l->b_packed + block * 4 * UNITS, 0, chunk + k * one, s->n);
        for (word g = 0; g < groups; g++) {
            group_t near = group_of(s->n, block, g, groups);
            lstm_fetch(l, near, t);
            times_block(4, near.rows, s->h, old + near.from * l->ld, l->ld, l->u_packed + block * 4 * UNITS * s->h,
                        z + near.from * 4 * WIDTH, s->n, tile, 12 / 4);
            for (word r = 0; r < near.rows; r++)
                for (word p = 0, unit = block * UNITS; p < UNITS / WIDTH && unit < s->h; p++, unit += WIDTH) {
                    const float *z_ = tile + (p * 12 / 4 + r) * 4 * WIDTH;
                    float *cell = l->cells + (block * s->n + near.from + r) * UNITS + p * WIDTH;
                    if (s->h - unit >= WIDTH) /* a number that the compiler knows */
                        lstm_units(l, near.from + r, t, unit, WIDTH, z_, cell, old, new);
                    else
                        lstm_units(l, near.from + r, t, unit, s->h - unit, z_, cell, old, new);
                }
        }
    }
}

/* Arguments: of the sequence; c0 and its distances; h, c, gates; chunk, distance of rows of states; scratch. */
EXPORT void lstm(const word *a) {
    lstm_t l = {.s = sequence_of(a, 4)};
    a += SEQUENCE;
    l.c0 = F(0), l.c0_row = a[1], l.c0_unit = a[2], l.h = F(3), l.c = F(4), l.gates = F(5), l.chunk = a[6], l.ld = a[7];
    l.u_packed = F(8), l.b_packed = F(9), l.z = F(10), l.cells = F(11), l.states[0] = F(12), l.states[1] = F(13);
    word products = 4 * UNITS * (l.s.in + l.s.h);
    over_blocks(&l.s, products, lstm_start, &l);
    for (; l.step < l.s.length; l.step++) over_blocks(&l.s, products * l.s.n, lstm_some, &l);
}

typedef struct {
    sequence_t s;
    bars_t h_bar, c_bar, gates_bar;
    float *h, *c, *gates, *c0;
    word c0_row, c0_unit;
    float *delta, *h0_bar, *c0_bar, *w_bar, *u_bar, *b_bar;
    float *dh, *dc, *deltas; /* of a step by blocks, and of some steps by rows */
    word ld, slots, step;
} lstm_back_t;

/* Where delta of a step is kept, until the next ones take its place. */
static inline float *lstm_deltas(const lstm_back_t *l, word step) {
    return l->deltas + (l->s.length - 1 - step) % l->slots * l->s.n * l->ld;
}

static void lstm_back_start(const void *context, word from, word to) {
    const lstm_back_t *l = context;
    const sequence_t *s = &l->s;
    for (word block = from; block < to; block++) {
        word first = block * UNITS, end = MIN(first + UNITS, s->h);
        pack_columns(s, block, s->u, 4 * s->h, s->packed + block * UNITS * 4 * s->h);
        memset(l->dh + block * UNITS * s->n, 0, UNITS * s->n * 4);
        memset(l->dc + block * UNITS * s->n, 0, UNITS * s->n * 4);
        for (word g = 0; g < 4; g++)
            for (word j = first; j < end; j++) l->b_bar[g * s->h + j] = 0.0f;
    }
}

/* Some units of one example: from dh, dc what arrives at this step, delta, and dc of the step before. */
INLINE void lstm_units_back(word count, word h, const float *dh, float *dc, const float *gates, const float *c, const float *before,
                            float *delta) {
    EACH for (word j = 0; j < count; j++) {
        float i = gates[j], f = gates[h + j], g = gates[2 * h + j], o = gates[3 * h + j], squashed = tanh_gate(c[j]);
        float cell = dc[j] + dh[j] * o * (1.0f - squashed * squashed);
        delta[j] = cell * g * (i - i * i);
        delta[UNITS + j] = cell * before[j] * (f - f * f);
        delta[2 * UNITS + j] = cell * i * (1.0f - g * g);
        delta[3 * UNITS + j] = dh[j] * squashed * (o - o * o);
        dc[j] = cell * f;
    }
}

INLINE void add_bars(bars_t bars, word i, word t, word unit, word count, float *to) {
    if (bars.at) {
        const float *from = bars.at + i * bars.row + t * bars.step + unit * bars.unit;
        if (bars.unit == 1)
            EACH for (word j = 0; j < count; j++) to[j] += from[j];
        else
            EACH for (word j = 0; j < count; j++) to[j] += from[j * bars.unit];
    }
}

/* delta += slope of the gates times their own cotangents */
INLINE void lstm_gate_bars(const lstm_back_t *l, word i, word t, word unit, word count, const float *gates, float *delta) {
    for (word g = 0; g < 4 && l->gates_bar.at; g++) {
        float bar[UNITS] = {0};
        add_bars(l->gates_bar, i, t, g * l->s.h + unit, count, bar);
        for (word j = 0; j < count; j++) {
            float a = gates[g * l->s.h + j];
            delta[g * UNITS + j] += bar[j] * (g == 2 ? 1.0f - a * a : a - a * a);
        }
    }
}

static void lstm_back_fetch(const lstm_back_t *l, group_t near, word t) {
    const sequence_t *s = &l->s;
    for (word i = near.next; i < near.next + near.next_rows && near.next_unit < s->h; i++) {
        word row = i * s->length + t, at = row * s->h + near.next_unit;
        for (word g = 0; g < 4; g++) {
            __builtin_prefetch(l->gates + (4 * row + g) * s->h + near.next_unit);
            __builtin_prefetch(l->delta + (4 * row + g) * s->h + near.next_unit, 1);
        }
        __builtin_prefetch(l->c + at + (s->reverse ? s->h : -s->h));
        if (l->h_bar.at)
            __builtin_prefetch(l->h_bar.at + i * l->h_bar.row + t * l->h_bar.step + near.next_unit * l->h_bar.unit);
    }
}

INLINE void lstm_back_units(const lstm_back_t *l, word i, word t, word unit, word count, float *dh, float *dc, float *sums) {
    const sequence_t *s = &l->s;
    word row = i * s->length + t;
    const float *c = l->c + row * s->h + unit, *gates = l->gates + row * 4 * s->h + unit, *before = c + (s->reverse ? s->h : -s->h);
    float delta[4 * UNITS], first[UNITS], *shown = l->delta + row * 4 * s->h + unit;
    float *kept = lstm_deltas(l, l->step) + i * l->ld + unit;
    add_bars(l->h_bar, i, t, unit, count, dh);
    add_bars(l->c_bar, i, t, unit, count, dc);
    if (!l->step) {
        for (word j = 0; j < count; j++) first[j] = l->c0[i * l->c0_row + (unit + j) * l->c0_unit];
        before = first;
    }
    if (is_held(s, i, t)) {
        memset(delta, 0, sizeof delta);
    } else {
        lstm_units_back(count, s->h, dh, dc, gates, c, before, delta);
        memset(dh, 0, count * 4);
    }
    lstm_gate_bars(l, i, t, unit, count, gates, delta);
    for (word g = 0; g < 4; g++)
        EACH for (word j = 0; j < count; j++) {
            float d = delta[g * UNITS + j];
            shown[g * s->h + j] = d, kept[g * s->h + j] = d, sums[g * UNITS + j] += d;
        }
}

/* dh of the step before from delta of all units, and what is made of it. */
static void lstm_back_some(const void *context, word from, word to) {
    const lstm_back_t *l = context;
    const sequence_t *s = &l->s;
    word t = time_of(s, l->step), groups = groups_of(s->n, 1), wide = 2 * WIDTH;
    for (word block = from; block < to; block++) {
        float *dh = l->dh + block * UNITS * s->n, *dc = l->dc + block * UNITS * s->n, sums[4 * UNITS] = {0};
        for (word g = 0; g < groups; g++) {
            group_t near = group_of(s->n, block, g, groups);
            float *here = dh + near.from * wide;
            if (l->step >= 0)
                lstm_back_fetch(l, near, t);
            if (l->step < s->length - 1)
                times_block(1, near.rows, 4 * s->h, lstm_deltas(l, l->step + 1) + near.from * l->ld, l->ld,
                            s->packed + block * UNITS * 4 * s->h, here, s->n, here, s->n);
            for (word i = near.from; i < near.from + near.rows; i++)
                for (word p = 0, unit = block * UNITS; p < UNITS / wide && unit < s->h; p++, unit += wide) {
                    word at = (p * s->n + i) * wide, count = MIN(wide, s->h - unit);
                    if (l->step < 0) {
                        memcpy(l->h0_bar + i * s->h + unit, dh + at, count * 4);
                        memcpy(l->c0_bar + i * s->h + unit, dc + at, count * 4);
                    } else if (count == wide) { /* a number that the compiler knows */
                        lstm_back_units(l, i, t, unit, 2 * WIDTH, dh + at, dc + at, sums + p * wide);
                    } else {
                        lstm_back_units(l, i, t, unit, count, dh + at, dc + at, sums + p * wide);
                    }
                }
        }
        for (word g = 0; g < 4; g++)
            for (word j = 0; j < UNITS && block * UNITS + j < s->h; j++) l->b_bar[g * s->h + block * UNITS + j] += sums[g * UNITS + j];
    }
}

/* Arguments: of the sequence (W and b are not used); the cotangents of h, c and gates; h, c, gates; c0 and its distances;
   delta, the cotangents of h0, c0, W, U, b; distance of rows of deltas, and of how many steps; scratch. */
EXPORT void lstm_back(const word *a) {
    lstm_back_t l = {.s = sequence_of(a, 4)};
    a += SEQUENCE;
    l.h_bar = bars_of(a), l.c_bar = bars_of(a + 4), l.gates_bar = bars_of(a + 8), l.h = F(12), l.c = F(13), l.gates = F(14);
    l.c0 = F(15), l.c0_row = a[16], l.c0_unit = a[17], l.delta = F(18), l.h0_bar = F(19), l.c0_bar = F(20), l.w_bar = F(21);
    l.u_bar = F(22), l.b_bar = F(23), l.ld = a[24], l.slots = a[25], l.dh = F(26), l.dc = F(27), l.deltas = F(28);
    weights_t weights = {.s = &l.s, .h = l.h, .deltas = l.deltas, .ld = l.ld, .last = l.s.length - 1, .panels = F(29), .is_new = 1};
    word products = 4 * UNITS * l.s.h;
    over_blocks(&l.s, products, lstm_back_start, &l);
    for (l.step = l.s.length - 1; l.step >= -1; l.step--) {
        over_blocks(&l.s, products * l.s.n, lstm_back_some, &l);
        if (l.step < 0 || (weights.last - l.step + 1 < l.slots && l.step))
            continue;
        weights.rows = (weights.last - l.step + 1) * l.s.n;
        over(weights.rows, 20000 / (l.s.in + l.s.h) + 1, pack_some, &weights);
        add_weights(&weights, 0, 4 * l.s.h, 0, l.w_bar);
        add_weights(&weights, 0, 4 * l.s.h, 1, l.u_bar);
        weights.last = l.step - 1, weights.is_new = 0;
    }
}
