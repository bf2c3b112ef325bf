/* What the derivatives of the recurrences share: back in time, a step's delta from that of the step after it.

   Delta of some steps is kept by rows, (steps, n, ld), for the product with U that leads to the step before, and then for the
   gradients of the weights. */

/* Cotangents of a result (n, T, ...) that come from outside, or NULL: their distances of examples, steps, units. */
typedef struct {
    const float *at;
    word row, step, unit;
} bars_t;

static bars_t bars_of(const word *a) {
    return (bars_t){F(0), a[1], a[2], a[3]};
}

/* The panels of a block from columns of weights (k, h). */
static void pack_columns(const sequence_t *s, word block, const float *weights, word k, float *packed) {
    word units = units_of(1);
    for (word first = block * UNITS; first < (block + 1) * UNITS; first += units)
        for (word i = 0; i < k; i++, packed += units)
            for (word j = 0; j < units; j++) packed[j] = first + j < s->h ? weights[i * s->h + first + j] : 0.0f;
}

/* Gradients of weights: the sum over steps and examples of what delta and what came in, some steps at a time. Rows of both
   are those of these steps: delta as it was kept for the step before, (steps, n, ld), inputs and states packed into panels,
   [rows / DEPTH][panel][row][2 WIDTH], those of the inputs first. */
enum { DEPTH = 256, PANEL = 2 * WIDTH };

typedef struct {
    const sequence_t *s;
    const float *h, *deltas;
    word ld, rows, last; /* the first of the steps is the last in the order of time */
    float *panels;
    /* one gradient: of which columns of delta, from which panel on, and whether it begins */
    word column, m, panel, k, is_new;
    float *bar;
} weights_t;

static inline word panels_of(word k) {
    return (k + PANEL - 1) / PANEL;
}

static void pack_entries(const float *from, word unit, word k, float *to, word apart) {
    for (word j = 0; j < k; j += PANEL, to += apart) {
        word count = MIN(PANEL, k - j);
        if (unit == 1 && count == PANEL)
            memcpy(to, from + j, PANEL * 4);
        else
            for (word e = 0; e < PANEL; e++) to[e] = e < count ? from[(j + e) * unit] : 0.0f;
    }
}

static void pack_some(const void *context, word from, word to) {
    const weights_t *v = context;
    const sequence_t *s = v->s;
    word inputs = panels_of(s->in), all = inputs + panels_of(s->h);
    for (word row = from; row < to; row++) {
        word start = row / DEPTH * DEPTH, apart = MIN(DEPTH, v->rows - start) * PANEL, i = row % s->n, step = v->last - row / s->n;
        float *panel = v->panels + start * all * PANEL + (row - start) * PANEL;
        pack_entries(s->x + i * s->x_row + time_of(s, step) * s->x_step, 1, s->in, panel, apart);
        if (step)
            pack_entries(v->h + (i * s->length + time_of(s, step - 1)) * s->h, 1, s->h, panel + inputs * apart, apart);
        else
            pack_entries(s->h0 + i * s->h0_row, s->h0_unit, s->h, panel + inputs * apart, apart);
    }
}

static void some_weights(const void *context, word from, word to) {
    const weights_t *v = context;
    word all = panels_of(v->s->in) + panels_of(v->s->h), groups = (v->m + 5) / 6;
    for (word start = 0; start < v->rows; start += DEPTH) {
        word rows = MIN(DEPTH, v->rows - start), is_new = v->is_new && !start;
        const float *panels = v->panels + start * all * PANEL + v->panel * rows * PANEL;
        for (word g = from; g < to; g++) {
            word m = v->m * g / groups, count = v->m * (g + 1) / groups - m;
            const float *delta = v->deltas + start * v->ld + v->column + m;
            float left[DEPTH * 8]; /* six columns by themselves: they serve for all panels */
            for (word r = 0; r < rows; r++) memcpy(left + r * 8, delta + r * v->ld, 8 * 4);
            for (word p = 0, j = 0; j < v->k; p++, j += PANEL) {
                float edge[6 * PANEL] = {0}, *bar = v->bar + m * v->k + j;
                word whole = v->k - j >= PANEL, kept = MIN(PANEL, v->k - j) * 4;
                for (word r = 0; !whole && !is_new && r < count; r++) memcpy(edge + r * PANEL, bar + r * v->k, kept);
                for (word r = 0; r < count; r++) __builtin_prefetch(bar + r * v->k + PANEL, 1); /* what the next tile adds to */
                rows_t z = whole ? (rows_t){bar, v->k} : (rows_t){edge, PANEL};
                columns_times_panel(count, rows, left, 8, panels + p * rows * PANEL, whole && is_new ? (rows_t){edge, 0} : z, z);
                for (word r = 0; !whole && r < count; r++) memcpy(bar + r * v->k, edge + r * PANEL, kept);
            }
        }
    }
}

/* bar (m, k) += the sum over rows of columns of delta and a part of the panels. */
static void add_weights(weights_t *v, word column, word m, int of_states, float *bar) {
    v->column = column, v->m = m, v->panel = of_states ? panels_of(v->s->in) : 0, v->k = of_states ? v->s->h : v->s->in, v->bar = bar;
    over((m + 5) / 6, 50000 / (6 * v->k * v->rows) + 1, some_weights, v);
}

typedef struct {
    sequence_t s;
    bars_t h_bar;
    float *h, *h0_bar, *w_bar, *u_bar, *dh, *deltas, *panels; /* dh is by blocks, (panel, n, units) */
    word ld, slots, step;                                     /* distance of rows of deltas, and of how many steps */
} backward_t;

enum { BACKWARD = SEQUENCE + 13, PARTS = 4 };

/* What becomes of dh of some units of one example: delta, kept for the step before and shown, and dh that passes by U; `at`
   is the place among the blocks. `sums` are those over examples, (PARTS, UNITS). */
typedef void (*units_back_t)(const backward_t *b, word i, word t, word unit, word count, word at, float *sums);
typedef void (*begun_t)(const backward_t *b, word i, word unit, word count, word at);
typedef void (*summed_t)(const backward_t *b, word unit, word count, const float *sums);

static backward_t backward_of(const word *a, word gates) {
    backward_t b = {.s = sequence_of(a, gates)};
    a += SEQUENCE;
    b.h_bar = bars_of(a), b.h = F(4), b.h0_bar = F(5), b.w_bar = F(6), b.u_bar = F(7), b.ld = a[8], b.slots = a[9];
    b.dh = F(10), b.deltas = F(11), b.panels = F(12), b.step = b.s.length - 1;
    return b;
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

/* Where delta of a step is kept, until later ones take its place. */
static inline float *kept_deltas(const backward_t *b, word step) {
    return b->deltas + (b->s.length - 1 - step) % b->slots * b->s.n * b->ld;
}

/* Some units of a state of one example, (n, units) or as a part of all. */
INLINE const float *state_before(const backward_t *b, const float *states, const float *first, word row, word unit_apart, word i, word t,
                                 word unit, word count, float *room) {
    if (b->step)
        return states + (i * b->s.length + t + (b->s.reverse ? 1 : -1)) * b->s.h + unit;
    for (word j = 0; j < count; j++) room[j] = first[i * row + (unit + j) * unit_apart];
    return room;
}

static void backward_start(const backward_t *b, word from, word to) {
    const sequence_t *s = &b->s;
    word k = s->gates * s->h;
    for (word block = from; block < to; block++) {
        pack_columns(s, block, s->u, k, s->packed + block * UNITS * k);
        memset(b->dh + block * UNITS * s->n, 0, UNITS * s->n * 4);
    }
}

INLINE void backward_some(const backward_t *b, word from, word to, units_back_t units, fetch_t fetch, begun_t begun, summed_t summed) {
    const sequence_t *s = &b->s;
    word t = time_of(s, b->step), groups = groups_of(s->n, 1), wide = 2 * WIDTH, k = s->gates * s->h;
    for (word block = from; block < to; block++) {
        float *dh = b->dh + block * UNITS * s->n, sums[PARTS * UNITS] = {0};
        for (word g = 0; g < groups; g++) {
            group_t near = group_of(s->n, block, g, groups);
            for (word i = near.next; b->step >= 0 && i < near.next + near.next_rows && near.next_unit < s->h; i++)
                fetch(b, i, t, near.next_unit);
            float *here = dh + near.from * wide;
            if (b->step < s->length - 1)
                times_block(1, near.rows, k, kept_deltas(b, b->step + 1) + near.from * b->ld, b->ld, s->packed + block * UNITS * k, here,
                            s->n, here, s->n);
            for (word i = near.from; i < near.from + near.rows; i++)
                for (word p = 0, unit = block * UNITS; p < UNITS / wide && unit < s->h; p++, unit += wide) {
                    word at = block * UNITS * s->n + (p * s->n + i) * wide, count = MIN(wide, s->h - unit);
                    if (b->step < 0)
                        begun(b, i, unit, count, at);
                    else if (count == wide) /* a number that the compiler knows */
                        units(b, i, t, unit, wide, at, sums + p * wide);
                    else
                        units(b, i, t, unit, count, at, sums + p * wide);
                }
        }
        if (b->step >= 0)
            summed(b, block * UNITS, MIN(UNITS, s->h - block * UNITS), sums);
    }
}

/* One gradient of weights: of columns of delta, from inputs or from states. */
typedef struct {
    word column, m;
    int of_states;
    float *bar;
} gradient_t;

static void backward_all(backward_t *b, body_t start, body_t some, const gradient_t *gradients, int count) {
    const sequence_t *s = &b->s;
    weights_t weights = {.s = s, .h = b->h, .deltas = b->deltas, .ld = b->ld, .last = s->length - 1, .panels = b->panels, .is_new = 1};
    word products = s->gates * UNITS * s->h;
    over_blocks(s, products, start, b);
    for (; b->step >= -1; b->step--) {
        over_blocks(s, products * s->n, some, b);
        word steps = weights.last - b->step + 1;
        if (b->step < 0 || (steps < b->slots && b->step))
            continue;
        weights.rows = steps * s->n;
        over(weights.rows, 20000 / (s->in + s->h) + 1, pack_some, &weights);
        for (int g = 0; g < count; g++)
            add_weights(&weights, gradients[g].column, gradients[g].m, gradients[g].of_states, gradients[g].bar);
        weights.last = b->step - 1, weights.is_new = 0;
    }
}
