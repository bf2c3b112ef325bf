/* Products with a matrix that is used again and again, step after step: packed once into panels, k rows of some vectors.

   A BLAS would pack it anew at every call. Rows are taken a few at a time, so that SUMS at most stay in registers,
   and as evenly as can be, for fewer than eight would wait for one another. */

#if defined(__AVX512F__)
enum { WIDTH = 16, SUMS = 24 };
#elif defined(__AVX2__)
enum { WIDTH = 8, SUMS = 12 };
#else
enum { WIDTH = 4, SUMS = 12 };
#endif
typedef float lanes_t __attribute__((vector_size(4 * WIDTH), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

enum { MOST = 6 };

/* Rows of a tile. */
INLINE int rows_of(int wide) {
    return SUMS / wide < MOST ? SUMS / wide : MOST;
}

/* What is multiplied with a panel: entry (r, i) lies at r row + i step. */
typedef struct {
    const float *at;
    word row, step;
} left_t;

/* Rows of a result, or of what it is added to: 0 apart for one row that stands for all. */
typedef struct {
    float *at;
    word row;
} rows_t;

/* z = first + x panel, for some rows; rows of z and of the panel are `wide` vectors. */
INLINE void tile(int rows, int wide, word k, left_t x, const float *panel, rows_t first, rows_t z) {
    lanes_t sum[MOST][4];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int v = 0; v < wide; v++) sum[r][v] = *(const lanes_t *)(first.at + r * first.row + v * WIDTH);
    for (word i = 0; i < k; i++, panel += wide * WIDTH) {
        lanes_t y[4];
        UNROLL for (int v = 0; v < wide; v++) y[v] = *(const lanes_t *)(panel + v * WIDTH);
        UNROLL for (int r = 0; r < rows; r++) {
            float entry = x.at[r * x.row + i * x.step];
            UNROLL for (int v = 0; v < wide; v++) sum[r][v] += entry * y[v];
        }
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int v = 0; v < wide; v++) *(lanes_t *)(z.at + r * z.row + v * WIDTH) = sum[r][v];
}

INLINE void tiles(int most, int wide, word n, word k, left_t x, const float *panel, rows_t first, rows_t z) {
    word groups = (n + most - 1) / most;
    for (word g = 0; g < groups; g++) {
        word from = n * g / groups;
        left_t x_ = {x.at + from * x.row, x.row, x.step};
        rows_t first_ = {first.at + from * first.row, first.row}, z_ = {z.at + from * z.row, z.row};
        switch (n * (g + 1) / groups - from) {
        case 6: if (most >= 6) tile(6, wide, k, x_, panel, first_, z_); break;
        case 5: if (most >= 6) tile(5, wide, k, x_, panel, first_, z_); break;
        case 4: if (most >= 4) tile(4, wide, k, x_, panel, first_, z_); break;
        case 3: tile(3, wide, k, x_, panel, first_, z_); break;
        case 2: tile(2, wide, k, x_, panel, first_, z_); break;
        default: tile(1, wide, k, x_, panel, first_, z_);
        }
    }
}

/* z (n, wide vectors) = first + x (n, k) panel, x by rows. */
static void times_panel(int wide, word n, word k, const float *x, word ldx, const float *panel, rows_t first, rows_t z) {
    left_t by_rows = {x, ldx, 1};
    if (wide == 4)
        tiles(rows_of(4), 4, n, k, by_rows, panel, first, z);
    else if (wide == 3)
        tiles(rows_of(3), 3, n, k, by_rows, panel, first, z);
    else
        tiles(rows_of(2), 2, n, k, by_rows, panel, first, z);
}

/* The same with x by columns, for panels of two vectors. */
static void columns_times_panel(word n, word k, const float *x, word ldx, const float *panel, rows_t first, rows_t z) {
    tiles(rows_of(2), 2, n, k, (left_t){x, 1, ldx}, panel, first, z);
}
