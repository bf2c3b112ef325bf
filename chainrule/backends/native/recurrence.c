/* What the recurrences share: x (n, T, in) and results (n, T, ...) by rows, states (n, h), weights of `gates` rows a unit.

   A step is cut into blocks of units, which threads share; in each step every block reads the states that all made in the
   step before, so a step is one task of the pool. Blocks have their part of the weights packed (panels.c), and what only
   they need (cells, sums) in memory of their own as (panel, n, ...): it is read in a row, and not driven out of the cache
   as rows are whose distance is a power of two. Units behind the last have weights of 0 and are not kept. */

enum { UNITS = 16 };

/* A loop over so few units that the compiler would rather write out its entries, one by one, than use vectors. */
#define EACH _Pragma("GCC unroll 1") VECTOR

/* tanh x as x P(x^2)/Q(x^2), fitted to least largest relative error, and what follows from it for the logistic function: a
   third of the work of the ones in math.c, within 6 units in the last place of 1 (and of tanh x, where x is small). */
static inline float tanh_gate(float x) {
    float t = x > 9.0f ? 9.0f : x;
    t = t < -9.0f ? -9.0f : t;
    float z = t * t;
    float p = 9.999999795e-01f + z * (1.338107992e-01f + z * (3.495651302e-03f + z * (2.061006360e-05f + z * 1.335589887e-08f)));
    float q = 1.0f + z * (4.671439555e-01f + z * (2.587722596e-02f + z * (3.285735702e-04f + z * 7.777091273e-07f)));
    float y = t * p / q;
    y = y > 1.0f ? 1.0f : y;
    return y < -1.0f ? -1.0f : y;
}

static inline float sigmoid_gate(float x) {
    return 0.5f + 0.5f * tanh_gate(0.5f * x);
}

typedef struct {
    word n, length, in, h, gates, reverse, blocks;
    float *x, *h0, *w, *u, *b, *packed;
    word x_row, x_step, h0_row, h0_unit; /* distances of examples, of steps, of units */
    uint8_t *mask;                       /* or NULL */
    word mask_row, mask_step;
} sequence_t;

enum { SEQUENCE = 18 };

/* The first arguments of all recurrences, in the order of their use here; then come their own. */
static sequence_t sequence_of(const word *a, word gates) {
    return (sequence_t){
        .gates = gates, .n = a[0], .length = a[1], .in = a[2], .h = a[3], .reverse = a[4], .blocks = (a[3] + UNITS - 1) / UNITS,
        .x = F(5), .x_row = a[6], .x_step = a[7], .h0 = F(8), .h0_row = a[9], .h0_unit = a[10], .w = F(11), .u = F(12),
        .b = F(13), .mask = (uint8_t *)a[14], .mask_row = a[15], .mask_step = a[16], .packed = F(17),
    };
}

/* Cotangents of a result (n, T, ...) that come from outside, or NULL: their distances of examples, steps, units. */
typedef struct {
    const float *at;
    word row, step, unit;
} bars_t;

static bars_t bars_of(const word *a) {
    return (bars_t){F(0), a[1], a[2], a[3]};
}

static inline word time_of(const sequence_t *s, word step) {
    return s->reverse ? s->length - 1 - step : step;
}

/* Whether the state of an example passes unchanged at a time. */
static inline int is_held(const sequence_t *s, word i, word t) {
    return s->mask && !s->mask[i * s->mask_row + t * s->mask_step];
}

/* Run a step: every thread has one stretch of blocks, if there is enough to do for it, and the same one in every step, for
   its part of the weights is in its cache then. `products` are the multiplications of a block. */
static void over_blocks(const sequence_t *s, word products, body_t body, const void *context) {
    word enough = 100000 / (products + 1) + 1, share = (s->blocks + pool.threads - 1) / pool.threads;
    over(s->blocks, MAX(enough, share), body, context);
}

/* Vectors of a panel: its gates, or two where there are none to keep together; units of it. */
INLINE word wide_of(word gates) {
    return gates > 1 ? gates : 2;
}

INLINE word units_of(word gates) {
    return gates > 1 ? WIDTH : 2 * WIDTH;
}

/* The panels of a block from rows of weights (gates h, k). */
static void pack_rows(const sequence_t *s, word block, const float *weights, word k, float *packed) {
    word units = units_of(s->gates), wide = wide_of(s->gates) * WIDTH;
    for (word first = block * UNITS; first < (block + 1) * UNITS; first += units, packed += k * wide)
        for (word g = 0; g < s->gates; g++)
            for (word j = 0; j < units; j++) {
                const float *row = weights + (g * s->h + first + j) * k;
                int kept = first + j < s->h;
                for (word i = 0; i < k; i++) packed[i * wide + g * units + j] = kept ? row[i] : 0.0f;
            }
}

/* The panels of a block from columns of weights (k, h). */
static void pack_columns(const sequence_t *s, word block, const float *weights, word k, float *packed) {
    word units = units_of(1);
    for (word first = block * UNITS; first < (block + 1) * UNITS; first += units)
        for (word i = 0; i < k; i++, packed += units)
            for (word j = 0; j < units; j++) packed[j] = first + j < s->h ? weights[i * s->h + first + j] : 0.0f;
}

/* z (panel, n, wide) = first + x (n, k) panels, for one block and some rows of its n. `first` is like z, or one row a panel
   where `each` is 0; `size` is how many rows z has for a panel. */
INLINE void times_block(word gates, word rows, word k, const float *x, word ldx, const float *panels, float *first,
                        word each, float *z, word size) {
    word wide = wide_of(gates) * WIDTH, count = UNITS / units_of(gates);
    for (word p = 0; p < count; p++)
        times_panel((int)(wide / WIDTH), rows, k, x, ldx, panels + p * k * wide,
                    (rows_t){first + p * wide * MAX(each, 1), each ? wide : 0}, (rows_t){z + p * size * wide, wide});
}

/* Examples are taken some at a time, as many as a tile has rows: what is made of them is still near then, and meanwhile the
   rows of the next ones are fetched, which are far apart, so that the processor does not see by itself what it will need. */
typedef struct {
    word from, rows, next, next_rows, next_unit;
} group_t;

static inline word groups_of(word n, word gates) {
    word most = 12 / wide_of(gates);
    return (n + most - 1) / most;
}

static inline group_t group_of(word n, word block, word g, word groups) {
    word from = n * g / groups, to = n * (g + 1) / groups, last = g + 1 == groups;
    word next = last ? 0 : to, end = n * ((last ? 0 : g + 1) + 1) / groups;
    return (group_t){from, to - from, next, end - next, (block + last) * UNITS};
}

/* Gradients of weights: the sum over steps and examples of what delta and what came in, some steps at a time. Rows of both
   are those of these steps: delta as it was kept for the step before, (steps, n, ld), inputs and states packed into panels,
   [rows / DEPTH][panel][row][2 WIDTH], those of the inputs first. */
enum { DEPTH = 128, PANEL = 2 * WIDTH };

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
            for (word p = 0, j = 0; j < v->k; p++, j += PANEL) {
                float edge[6 * PANEL] = {0}, *bar = v->bar + m * v->k + j;
                word whole = v->k - j >= PANEL, kept = MIN(PANEL, v->k - j) * 4;
                for (word r = 0; !whole && !is_new && r < count; r++) memcpy(edge + r * PANEL, bar + r * v->k, kept);
                for (word r = 0; r < count; r++) __builtin_prefetch(bar + r * v->k + PANEL, 1); /* what the next tile adds to */
                rows_t z = whole ? (rows_t){bar, v->k} : (rows_t){edge, PANEL};
                columns_times_panel(count, rows, delta, v->ld, panels + p * rows * PANEL, whole && is_new ? (rows_t){edge, 0} : z, z);
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
