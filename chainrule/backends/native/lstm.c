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
INLINE void lstm_units(word count, word h, const float *z, float *cell, float *gates, float *c, float *state) {
    VECTOR for (word j = 0; j < count; j++) {
        float i = sigmoid_(z[j]), f = sigmoid_(z[WIDTH + j]), g = tanh_(z[2 * WIDTH + j]), o = sigmoid_(z[3 * WIDTH + j]);
        float new = f * cell[j] + i * g;
        gates[j] = i, gates[h + j] = f, gates[2 * h + j] = g, gates[3 * h + j] = o;
        c[j] = cell[j] = new;
        state[j] = o * tanh_(new);
    }
}

static void lstm_some(const void *context, word from, word to) {
    const lstm_t *l = context;
    const sequence_t *s = &l->s;
    word t = time_of(s, l->step), at = l->step % l->chunk, wide = 4 * WIDTH, one = s->n * 4 * UNITS;
    const float *old = l->states[l->step & 1];
    float *new = l->states[~l->step & 1];
    for (word block = from; block < to; block++) {
        float *chunk = l->z + block * l->chunk * one, *z = chunk + at * one;
        for (word k = 0; !at && k < MIN(l->chunk, s->length - l->step); k++)
            times_block(s, 4, s->in, s->x + time_of(s, l->step + k) * s->x_step, s->x_row, s->packed + block * 4 * UNITS * s->in,
                        l->b_packed + block * 4 * UNITS, 0, chunk + k * one);
        times_block(s, 4, s->h, old, l->ld, l->u_packed + block * 4 * UNITS * s->h, z, 1, z);
        for (word i = 0; i < s->n; i++)
            for (word j = block * UNITS, p = 0; p < UNITS / WIDTH && j < s->h; p++, j += WIDTH) {
                word row = i * s->length + t, count = MIN(WIDTH, s->h - j);
                float *cell = l->cells + (block * s->n + i) * UNITS + p * WIDTH, *gates = l->gates + row * 4 * s->h + j;
                float *h = l->h + row * s->h + j, *c = l->c + row * s->h + j, *state = new + i * l->ld + j, held[WIDTH];
                memcpy(held, cell, sizeof held);
                if (count == WIDTH)
                    lstm_units(WIDTH, s->h, z + (p * s->n + i) * wide, cell, gates, c, state);
                else
                    lstm_units(count, s->h, z + (p * s->n + i) * wide, cell, gates, c, state);
                if (is_held(s, i, t)) {
                    memcpy(state, old + i * l->ld + j, count * 4);
                    memcpy(cell, held, count * 4);
                    memcpy(c, held, count * 4);
                }
                memcpy(h, state, count * 4);
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
    float *dh, *dc, *deltas[2]; /* of a step: by blocks, and by rows */
    word ld, step;
} lstm_back_t;

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
    VECTOR for (word j = 0; j < count; j++) {
        float i = gates[j], f = gates[h + j], g = gates[2 * h + j], o = gates[3 * h + j], squashed = tanh_(c[j]);
        float cell = dc[j] + dh[j] * o * (1.0f - squashed * squashed);
        delta[j] = cell * g * (i - i * i);
        delta[UNITS + j] = cell * before[j] * (f - f * f);
        delta[2 * UNITS + j] = cell * i * (1.0f - g * g);
        delta[3 * UNITS + j] = dh[j] * squashed * (o - o * o);
        dc[j] = cell * f;
    }
}

static void add_bars(bars_t bars, word i, word t, word unit, word count, float *to) {
    if (bars.at) {
        const float *from = bars.at + i * bars.row + t * bars.step + unit * bars.unit;
        if (bars.unit == 1)
            VECTOR for (word j = 0; j < count; j++) to[j] += from[j];
        else
            VECTOR for (word j = 0; j < count; j++) to[j] += from[j * bars.unit];
    }
}

/* delta += slope of the gates times their own cotangents */
static void lstm_gate_bars(const lstm_back_t *l, word i, word t, word unit, word count, const float *gates, float *delta) {
    for (word g = 0; g < 4 && l->gates_bar.at; g++) {
        float bar[UNITS] = {0};
        add_bars(l->gates_bar, i, t, g * l->s.h + unit, count, bar);
        for (word j = 0; j < count; j++) {
            float a = gates[g * l->s.h + j];
            delta[g * UNITS + j] += bar[j] * (g == 2 ? 1.0f - a * a : a - a * a);
        }
    }
}

static void lstm_back_units(const lstm_back_t *l, word i, word t, word unit, word count, float *dh, float *dc, float *sums) {
    const sequence_t *s = &l->s;
    word row = i * s->length + t;
    const float *c = l->c + row * s->h + unit, *gates = l->gates + row * 4 * s->h + unit, *before = c + (s->reverse ? s->h : -s->h);
    float delta[4 * UNITS], first[UNITS], *shown = l->delta + row * 4 * s->h + unit;
    float *kept = l->deltas[l->step & 1] + i * l->ld + unit;
    add_bars(l->h_bar, i, t, unit, count, dh);
    add_bars(l->c_bar, i, t, unit, count, dc);
    if (!l->step) {
        for (word j = 0; j < count; j++) first[j] = l->c0[i * l->c0_row + (unit + j) * l->c0_unit];
        before = first;
    }
    if (is_held(s, i, t)) {
        memset(delta, 0, sizeof delta);
    } else {
        if (count == 2 * WIDTH)
            lstm_units_back(2 * WIDTH, s->h, dh, dc, gates, c, before, delta);
        else
            lstm_units_back(count, s->h, dh, dc, gates, c, before, delta);
        memset(dh, 0, count * 4);
    }
    lstm_gate_bars(l, i, t, unit, count, gates, delta);
    for (word g = 0; g < 4; g++)
        VECTOR for (word j = 0; j < count; j++) {
            float d = delta[g * UNITS + j];
            shown[g * s->h + j] = d, kept[g * s->h + j] = d, sums[g * UNITS + j] += d;
        }
}

/* dh of the step before from delta of all units, and what is made of it. */
static void lstm_back_some(const void *context, word from, word to) {
    const lstm_back_t *l = context;
    const sequence_t *s = &l->s;
    for (word block = from; block < to; block++) {
        float *dh = l->dh + block * UNITS * s->n, *dc = l->dc + block * UNITS * s->n;
        if (l->step < s->length - 1)
            times_block(s, 1, 4 * s->h, l->deltas[~l->step & 1], l->ld, s->packed + block * UNITS * 4 * s->h, dh, 1, dh);
        for (word p = 0; p < UNITS / (2 * WIDTH); p++) {
            word unit = block * UNITS + p * 2 * WIDTH, count = MIN(2 * WIDTH, s->h - unit), at = p * s->n * 2 * WIDTH;
            float sums[4 * UNITS] = {0};
            for (word i = 0; i < s->n && count > 0; i++, at += 2 * WIDTH) {
                if (l->step >= 0)
                    lstm_back_units(l, i, time_of(s, l->step), unit, count, dh + at, dc + at, sums);
                for (word j = 0; l->step < 0 && j < count; j++) {
                    l->h0_bar[i * s->h + unit + j] = dh[at + j];
                    l->c0_bar[i * s->h + unit + j] = dc[at + j];
                }
            }
            for (word g = 0; g < 4; g++)
                for (word j = 0; j < count; j++) l->b_bar[g * s->h + unit + j] += sums[g * UNITS + j];
        }
    }
}

/* Arguments: of the sequence (W and b are not used); the cotangents of h, c and gates; h, c, gates; c0 and its distances;
   delta, the cotangents of h0, c0, W, U, b; distance of rows of deltas; scratch, of which that for x may be none. */
EXPORT void lstm_back(const word *a) {
    lstm_back_t l = {.s = sequence_of(a, 4)};
    a += SEQUENCE;
    l.h_bar = bars_of(a), l.c_bar = bars_of(a + 4), l.gates_bar = bars_of(a + 8), l.h = F(12), l.c = F(13), l.gates = F(14);
    l.c0 = F(15), l.c0_row = a[16], l.c0_unit = a[17], l.delta = F(18), l.h0_bar = F(19), l.c0_bar = F(20), l.w_bar = F(21);
    l.u_bar = F(22), l.b_bar = F(23), l.ld = a[24], l.dh = F(25), l.dc = F(26), l.deltas[0] = F(27), l.deltas[1] = F(28);
    word products = 4 * UNITS * l.s.h;
    over_blocks(&l.s, products, lstm_back_start, &l);
    for (l.step = l.s.length - 1; l.step >= -1; l.step--) over_blocks(&l.s, products * l.s.n, lstm_back_some, &l);
    over_time(&l.s, l.delta, 4 * l.s.h, 4 * l.s.h, inputs_by_rows(&l.s, F(30)), l.s.in, l.w_bar);
    over_time(&l.s, l.delta, 4 * l.s.h, 4 * l.s.h, earlier_states(&l.s, l.h, F(29)), l.s.h, l.u_bar);
}
