/* What the recurrences share: x (n, T, in) and results (n, T, ...) by rows, states (n, h), weights of `gates` rows a unit.

   A step is cut into blocks of units, which threads share; in each step every block reads the states that all made in the
   step before, so a step is one task of the pool. Blocks have their part of the weights packed (panels.c), and what only
   they need (cells, sums) in memory of their own as (panel, n, ...): it is read in a row, and not driven out of the cache
   as rows are whose distance is a power of two. Units behind the last have weights of 0 and are not kept. */

enum { UNITS = 2 * WIDTH > 16 ? 2 * WIDTH : 16 };

/* Units of a block, for which the caller makes room. */
EXPORT word recurrence_units(void) {
    return UNITS;
}

/* A loop over so few units that the compiler would rather write out its entries, one by one, than use vectors. */
#define EACH _Pragma("GCC unroll 1") VECTOR

/* tanh x as x P(x^2)/Q(x^2), fitted to least largest relative error on |x| <= 9, and the logistic function by it: a third of
   the work of those in math.c. tanh is within 6 units in the last place; the logistic function within 2e-7, as in NumPy's
   kernels, which take it so too. */
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
    word most = rows_of((int)wide_of(gates));
    return (n + most - 1) / most;
}

static inline group_t group_of(word n, word block, word g, word groups) {
    word from = n * g / groups, to = n * (g + 1) / groups, last = g + 1 == groups;
    word next = last ? 0 : to, end = n * ((last ? 0 : g + 1) + 1) / groups;
    return (group_t){from, to - from, next, end - next, (block + last) * UNITS};
}

/* Forwards. The kind of recurrence says what becomes of the sums of some units of one example: `units` reads what comes from
   the input, `x`, and that with what comes from the old state, `z`, both as (gates, units of a panel), and sets the states. */
typedef struct {
    sequence_t s;
    float *h;                                        /* states of all steps */
    float *u_packed, *b_packed, *z, *states[2], *b_; /* b_: a bias of the last gate that stays apart from its input, or NULL */
    word chunk, ld, step;                            /* steps whose inputs are mapped at once; distance of rows of states */
} forward_t;

enum { FORWARD = SEQUENCE + 8 };

typedef void (*units_t)(const forward_t *f, word i, word t, word unit, word count, const float *x, const float *z, const float *old,
                        float *new);
typedef void (*fetch_t)(const void *f, word i, word t, word unit);

static forward_t forward_of(const word *a, word gates) {
    forward_t f = {.s = sequence_of(a, gates)};
    a += SEQUENCE;
    f.h = F(0), f.chunk = a[1], f.ld = a[2], f.u_packed = F(3), f.b_packed = F(4), f.z = F(5), f.states[0] = F(6), f.states[1] = F(7);
    return f;
}

static void forward_start(const forward_t *f, word from, word to) {
    const sequence_t *s = &f->s;
    for (word block = from; block < to; block++) {
        word size = wide_of(s->gates) * WIDTH * (UNITS / units_of(s->gates));
        pack_rows(s, block, s->w, s->in, s->packed + block * size * s->in);
        pack_rows(s, block, s->u, s->h, f->u_packed + block * size * s->h);
        pack_rows(s, block, s->b, 1, f->b_packed + block * size);
        for (word i = 0; i < s->n; i++)
            for (word j = block * UNITS; j < MIN((block + 1) * UNITS, s->h); j++)
                f->states[0][i * f->ld + j] = s->h0[i * s->h0_row + j * s->h0_unit];
    }
}

INLINE void forward_some(const forward_t *f, word from, word to, word gates, units_t units, fetch_t fetch) {
    const sequence_t *s = &f->s;
    word each = units_of(gates), wide = wide_of(gates) * WIDTH, size = wide * (UNITS / each), most = rows_of((int)wide_of(gates));
    word t = time_of(s, f->step), at = f->step % f->chunk, groups = groups_of(s->n, gates);
    const float *old = f->states[f->step & 1];
    float *new = f->states[~f->step & 1], tile[SUMS * UNITS];
    for (word block = from; block < to; block++) {
        float *chunk = f->z + block * f->chunk * s->n * size, *z = chunk + at * s->n * size;
        for (word k = 0; !at && k < MIN(f->chunk, s->length - f->step); k++)
            times_block(gates, s->n, s->in, s->x + time_of(s, f->step + k) * s->x_step, s->x_row, s->packed + block * size * s->in,
                        f->b_packed + block * size, 0, chunk + k * s->n * size, s->n);
        for (word g = 0; g < groups; g++) {
            group_t near = group_of(s->n, block, g, groups);
            for (word i = near.next; i < near.next + near.next_rows && near.next_unit < s->h; i++) fetch(f, i, t, near.next_unit);
            float *first = z + near.from * wide;
            for (word k = 0; f->b_ && k < most * UNITS / each; k++) {
                memcpy(tile + k * wide, first + (k / most * s->n + MIN(k % most, near.rows - 1)) * wide, wide * 4);
                memcpy(tile + k * wide + (gates - 1) * each, f->b_ + block * UNITS + k / most * each, each * 4);
            }
            times_block(gates, near.rows, s->h, old + near.from * f->ld, f->ld, f->u_packed + block * size * s->h,
                        f->b_ ? tile : first, f->b_ ? most : s->n, tile, most);
            for (word r = 0; r < near.rows; r++)
                for (word p = 0, unit = block * UNITS; p < UNITS / each && unit < s->h; p++, unit += each) {
                    const float *x_ = first + (p * s->n + r) * wide, *z_ = tile + (p * most + r) * wide;
                    if (s->h - unit >= each) /* a number that the compiler knows */
                        units(f, near.from + r, t, unit, each, x_, z_, old, new);
                    else
                        units(f, near.from + r, t, unit, s->h - unit, x_, z_, old, new);
                }
        }
    }
}

static void forward_all(forward_t *f, body_t start, body_t some) {
    word products = f->s.gates * UNITS * (f->s.in + f->s.h);
    over_blocks(&f->s, products, start, f);
    for (; f->step < f->s.length; f->step++) over_blocks(&f->s, products * f->s.n, some, f);
}
