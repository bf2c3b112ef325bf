/* Products with a matrix that is used again and again, step after step: packed once into panels, k rows of some vectors.

   A BLAS would pack it anew at every call. Rows are taken a few at a time, so that twelve sums at most stay in registers,
   and as evenly as can be, for fewer than eight would wait for one another. */

#if defined(__AVX2__)
enum { WIDTH = 8 };
#else
enum { WIDTH = 4 };
#endif
typedef float lanes_t __attribute__((vector_size(4 * WIDTH), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

/* z = first + x panel, for some rows; x is `ldx` apart, rows of z and of the panel are `wide` vectors. */
INLINE void tile(int rows, int wide, word k, const float *x, word ldx, const float *panel, const float *first, word step, float *z) {
    lanes_t sum[6][4];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int v = 0; v < wide; v++) sum[r][v] = *(const lanes_t *)(first + r * step + v * WIDTH);
    for (word i = 0; i < k; i++, panel += wide * WIDTH) {
        lanes_t y[4];
        UNROLL for (int v = 0; v < wide; v++) y[v] = *(const lanes_t *)(panel + v * WIDTH);
        UNROLL for (int r = 0; r < rows; r++) {
            float entry = x[r * ldx + i];
            UNROLL for (int v = 0; v < wide; v++) sum[r][v] += entry * y[v];
        }
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int v = 0; v < wide; v++) *(lanes_t *)(z + (r * wide + v) * WIDTH) = sum[r][v];
}

INLINE void tiles(int most, int wide, word n, word k, const float *x, word ldx, const float *panel, const float *first, word step,
                  float *z) {
    word groups = (n + most - 1) / most;
    for (word g = 0; g < groups; g++) {
        word from = n * g / groups, rows = n * (g + 1) / groups - from;
        const float *x_ = x + from * ldx, *first_ = first + from * step;
        float *z_ = z + from * wide * WIDTH;
        switch (rows) {
        case 6: if (most >= 6) tile(6, wide, k, x_, ldx, panel, first_, step, z_); break;
        case 5: if (most >= 6) tile(5, wide, k, x_, ldx, panel, first_, step, z_); break;
        case 4: if (most >= 4) tile(4, wide, k, x_, ldx, panel, first_, step, z_); break;
        case 3: tile(3, wide, k, x_, ldx, panel, first_, step, z_); break;
        case 2: tile(2, wide, k, x_, ldx, panel, first_, step, z_); break;
        default: tile(1, wide, k, x_, ldx, panel, first_, step, z_);
        }
    }
}

/* z (n, wide vectors) = first + x (n, k) panel. Rows of `first` are `step` apart: 0 for one row, for all. */
static void times_panel(int wide, word n, word k, const float *x, word ldx, const float *panel, const float *first, word step,
                        float *z) {
    if (wide == 4)
        tiles(3, 4, n, k, x, ldx, panel, first, step, z);
    else if (wide == 3)
        tiles(4, 3, n, k, x, ldx, panel, first, step, z);
    else
        tiles(6, 2, n, k, x, ldx, panel, first, step, z);
}
