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
INLINE void times_block(const sequence_t *s, word gates, word rows, word k, const float *x, word ldx, const float *panels,
                        const float *first, word each, float *z, word size) {
    word wide = wide_of(gates) * WIDTH, count = UNITS / units_of(gates);
    for (word p = 0; p < count; p++)
        times_panel((int)(wide / WIDTH), rows, k, x, ldx, panels + p * k * wide, first + p * wide * MAX(each, 1), each ? wide : 0,
                    z + p * size * wide);
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

/* The states that the steps started from, in the order of time. */
typedef struct {
    const sequence_t *s;
    const float *from;
    float *to;
} copied_t;

static void some_earlier(const void *context, word from, word to) {
    const copied_t *c = context;
    const sequence_t *s = c->s;
    for (word i = from; i < to; i++) {
        float *states = c->to + i * s->length * s->h, *first = states + time_of(s, 0) * s->h;
        memcpy(states + (s->reverse ? 0 : s->h), c->from + (i * s->length + s->reverse) * s->h, (s->length - 1) * s->h * 4);
        for (word j = 0; j < s->h; j++) first[j] = s->h0[i * s->h0_row + j * s->h0_unit];
    }
}

static void some_inputs(const void *context, word from, word to) {
    const copied_t *c = context;
    const sequence_t *s = c->s;
    for (word i = from; i < to; i++)
        for (word t = 0; t < s->length; t++)
            memcpy(c->to + (i * s->length + t) * s->in, s->x + i * s->x_row + t * s->x_step, s->in * 4);
}

/* z (m, k) = d^T v, summed over all steps of all examples, which lie by rows: d (n T, ldd), of which m, and v (n T, k). */
static void over_time(const sequence_t *s, const float *d, word m, word ldd, const float *v, word k, float *z) {
    shared_product((product_t){.m = m, .n = k, .k = s->n * s->length, .x = d, .lda = ldd, .ta = 1, .y = v, .ldb = k, .z = z, .ldc = k,
                               .alpha = 1.0f, .batch = 1});
}

/* The gradients of W and U from d (n T, ldd). `earlier` is memory for the earlier states, `inputs` that for x, or NULL where
   x lies by rows. */
static const float *earlier_states(const sequence_t *s, const float *h, float *earlier) {
    copied_t copied = {s, h, earlier};
    over(s->n, 20000 / (s->length * s->h) + 1, some_earlier, &copied);
    return earlier;
}

static const float *inputs_by_rows(const sequence_t *s, float *inputs) {
    copied_t copied = {s, NULL, inputs};
    if (inputs)
        over(s->n, 20000 / (s->length * s->in) + 1, some_inputs, &copied);
    return inputs ? inputs : s->x;
}
