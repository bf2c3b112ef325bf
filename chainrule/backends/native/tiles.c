/* Products of matrices in tiles whose sums stay in registers: z = op(x) op(y) + beta z, by one thread.

   y is packed into panels of four vectors, up to DEEP rows at a time, which stay in the second cache while all rows of x
   are multiplied with them; x is read where it lies. For matrices of some hundred rows that is faster than a BLAS, which
   packs both. Every entry is summed in the order of k, whatever part of a product it is computed in. */

enum { DEEP = 256, BROAD = 4 * WIDTH };

static const float nothing[BROAD];

/* Rows of a panel from columns of y; behind the last column zeros. */
static void pack_plain(const float *y, word ldy, word k, word columns, word broad, float *panel) {
    for (word i = 0; i < k; i++, y += ldy, panel += broad) {
        memcpy(panel, y, columns * 4);
        for (word j = columns; j < broad; j++) panel[j] = 0.0f;
    }
}

typedef int order_t __attribute__((vector_size(4 * WIDTH)));

/* The entries of two vectors in turn: of their first halves, and of their second ones. */
#define IN_TURN(i) (i), WIDTH + (i)
#define TWO_OF(i) IN_TURN(i), IN_TURN((i) + 1)
#define FOUR_OF(i) TWO_OF(i), TWO_OF((i) + 2)
#if defined(__AVX512F__)
#define HALF_FROM(i) FOUR_OF(i), FOUR_OF((i) + 4)
#elif defined(__AVX2__)
#define HALF_FROM(i) FOUR_OF(i)
#else
#define HALF_FROM(i) TWO_OF(i)
#endif

/* A square of WIDTH rows turned: each round puts the entries of row i and of the row half the square further in turn. */
INLINE void turn_square(const float *from, word apart, float *to, word apart_to) {
    const order_t low = {HALF_FROM(0)}, high = {HALF_FROM(WIDTH / 2)};
    lanes_t row[WIDTH], next[WIDTH];
    UNROLL for (int r = 0; r < WIDTH; r++) row[r] = *(const lanes_t *)(from + r * apart);
    UNROLL for (int half = 1; half < WIDTH; half *= 2) {
        UNROLL for (int r = 0; r < WIDTH / 2; r++) {
            next[2 * r] = __builtin_shuffle(row[r], row[r + WIDTH / 2], low);
            next[2 * r + 1] = __builtin_shuffle(row[r], row[r + WIDTH / 2], high);
        }
        UNROLL for (int r = 0; r < WIDTH; r++) row[r] = next[r];
    }
    UNROLL for (int r = 0; r < WIDTH; r++) *(lanes_t *)(to + r * apart_to) = row[r];
}

/* The same from rows of y. */
static void pack_turned(const float *y, word ldy, word k, word columns, word broad, float *panel) {
    word whole = columns / WIDTH * WIDTH, squares = k / WIDTH * WIDTH;
    for (word i = 0; i < squares; i += WIDTH)
        for (word j = 0; j < whole; j += WIDTH) turn_square(y + j * ldy + i, ldy, panel + i * broad + j, broad);
    for (word j = 0; j < broad; j++)
        for (word i = j < whole ? squares : 0; i < k; i++) panel[i * broad + j] = j < columns ? y[j * ldy + i] : 0.0f;
}

/* z (n, wide vectors) = first + x panel. */
static void times_broad(word wide, word n, word k, left_t x, const float *panel, rows_t first, rows_t z) {
    switch (wide) {
    case 4: tiles(rows_of(4), 4, n, k, x, panel, first, z); break;
    case 3: tiles(rows_of(3), 3, n, k, x, panel, first, z); break;
    case 2: tiles(rows_of(2), 2, n, k, x, panel, first, z); break;
    default: tiles(rows_of(1), 1, n, k, x, panel, first, z);
    }
}

/* The same where z has fewer columns than the panel. */
static void times_edge(word wide, word columns, word n, word k, left_t x, const float *panel, int adds, rows_t z) {
    float some[MOST * BROAD];
    for (word from = 0; from < n; from += MOST) {
        word rows = MIN(MOST, n - from), broad = wide * WIDTH;
        memset(some, 0, sizeof some);
        for (word r = 0; adds && r < rows; r++) memcpy(some + r * broad, z.at + (from + r) * z.row, columns * 4);
        rows_t here = {some, broad};
        times_broad(wide, rows, k, (left_t){x.at + from * x.row, x.row, x.step}, panel, here, here);
        for (word r = 0; r < rows; r++) memcpy(z.at + (from + r) * z.row, some + r * broad, columns * 4);
    }
}

/* Whether that is faster than the BLAS, as measured: with 32 registers of 16 floats, and not for few columns. */
static inline int suits_tiles(int ty, word m, word n, word k) {
    return WIDTH >= 16 && m >= 8 && k >= 8 && n >= (ty ? WIDTH : 48);
}

static void tiled(int tx, int ty, word m, word n, word k, const float *x, word ldx, const float *y, word ldy, int adds, float *z,
                  word ldz) {
    float panel[DEEP * BROAD] __attribute__((aligned(64)));
    for (word j = 0; j < n; j += BROAD) {
        word columns = MIN(BROAD, n - j), wide = (columns + WIDTH - 1) / WIDTH, broad = wide * WIDTH;
        word parts = (k + DEEP - 1) / DEEP;
        for (word part = 0; part < parts; part++) {
            word i = k * part / parts, deep = k * (part + 1) / parts - i;
            if (ty)
                pack_turned(y + j * ldy + i, ldy, deep, columns, broad, panel);
            else
                pack_plain(y + i * ldy + j, ldy, deep, columns, broad, panel);
            left_t left = tx ? (left_t){x + i * ldx, 1, ldx} : (left_t){x + i, ldx, 1};
            rows_t to = {z + j, ldz};
            if (columns < broad)
                times_edge(wide, columns, m, deep, left, panel, adds || i, to);
            else
                times_broad(wide, m, deep, left, panel, adds || i ? to : (rows_t){(float *)nothing, 0}, to);
        }
    }
}
