/* Matrix products in tiles (tiles.c) or by the BLAS that NumPy has loaded, cut into stretches of rows or columns that threads
   share.

   The BLAS itself is told to use one thread, for its own would stand in the way of those here. */

enum { ROW_MAJOR = 101, PLAIN = 111, TRANSPOSED = 112, ROWS = 16 };

typedef void (*gemm64_t)(int, int, int, int64_t, int64_t, int64_t, float, const float *, int64_t, const float *, int64_t,
                         float, float *, int64_t);
typedef void (*gemm32_t)(int, int, int, int32_t, int32_t, int32_t, float, const float *, int32_t, const float *, int32_t,
                         float, float *, int32_t);
typedef void (*count64_t)(int64_t);
typedef void (*count32_t)(int32_t);
typedef int (*ask_t)(void);

static struct {
    gemm64_t gemm64;
    gemm32_t gemm32;
    void (*set_threads)(int);
    ask_t get_threads;
} blas;

/* Arguments: the address of cblas_sgemm, whether its sizes have 64 bits, and of what sets and tells its threads, or 0. */
EXPORT void use_blas(const word *a) {
    blas.gemm64 = a[1] ? (gemm64_t)a[0] : NULL;
    blas.gemm32 = a[1] ? NULL : (gemm32_t)a[0];
    blas.set_threads = (void (*)(int))a[2];
    blas.get_threads = (ask_t)a[3];
}

typedef struct {
    word m, n, k, lda, ldb, ldc, ta, tb;
    float alpha, beta;
    const float *x, *y;
    float *z;
    word batch, step_x, step_y, step_z;
} product_t;

/* z = alpha op(x) op(y) + beta z, for rows m and columns n of z. */
static void gemm(int ta, int tb, word m, word n, word k, float alpha, const float *x, word ldx, const float *y, word ldy,
                 float beta, float *z, word ldz) {
    if (!m || !n)
        return;
    if (alpha == 1.0f && (beta == 0.0f || beta == 1.0f) && suits_tiles(tb, m, n, k)) {
        tiled(ta, tb, m, n, k, x, ldx, y, ldy, beta != 0.0f, z, ldz);
        return;
    }
    ta = ta ? TRANSPOSED : PLAIN;
    tb = tb ? TRANSPOSED : PLAIN;
    if (blas.gemm64)
        blas.gemm64(ROW_MAJOR, ta, tb, m, n, k, alpha, x, ldx, y, ldy, beta, z, ldz);
    else
        blas.gemm32(ROW_MAJOR, ta, tb, (int)m, (int)n, (int)k, alpha, x, (int)ldx, y, (int)ldy, beta, z, (int)ldz);
}

#include "zeros.c"

static void some_rows(const void *context, word from, word to) {
    const product_t *p = context;
    from = MIN(from * ROWS, p->m), to = MIN(to * ROWS, p->m);
    gemm(p->ta, p->tb, to - from, p->n, p->k, p->alpha, p->x + from * (p->ta ? 1 : p->lda), p->lda, p->y, p->ldb, p->beta,
         p->z + from * p->ldc, p->ldc);
}

static void some_columns(const void *context, word from, word to) {
    const product_t *p = context;
    from = MIN(from * BROAD, p->n), to = MIN(to * BROAD, p->n);
    gemm(p->ta, p->tb, p->m, to - from, p->k, p->alpha, p->x, p->lda, p->y + from * (p->tb ? p->ldb : 1), p->ldb, p->beta,
         p->z + from, p->ldc);
}

static void some_matrices(const void *context, word from, word to) {
    const product_t *p = context;
    for (word i = from; i < to; i++)
        gemm(p->ta, p->tb, p->m, p->n, p->k, p->alpha, p->x + i * p->step_x, p->lda, p->y + i * p->step_y, p->ldb, p->beta,
             p->z + i * p->step_z, p->ldc);
}

/* A product in stretches along m or n, each with some microseconds to do: along m where each thread has many rows, for each
   stretch packs all of y. */
static void share(const product_t *p, word units, word least, word work, body_t body) {
    word enough = 400000 / (work + 1) + 1;
    over(units, MAX(enough, MIN(least, units / pool.threads)), body, p);
}

static void shared_product(product_t p) {
    if (leaves_out_zeros(&p))
        return;
    word rows = (p.m + ROWS - 1) / ROWS, columns = (p.n + BROAD - 1) / BROAD;
    if (p.batch > 1)
        over(p.batch, 200000 / (2 * p.m * p.n * p.k + 1) + 1, some_matrices, &p);
    else if (p.m >= 128 * pool.threads || columns < pool.threads)
        share(&p, rows, 128 / ROWS, 2 * p.k * p.n * ROWS, some_rows);
    else
        share(&p, columns, 1, 2 * p.k * p.m * BROAD, some_columns);
}

/* Arguments: m, n, k; x, ldx, whether it is transposed; y, ldy, whether; z, ldz; alpha, beta; batch and steps. */
EXPORT void product(const word *a) {
    shared_product((product_t){
        .m = a[0], .n = a[1], .k = a[2], .x = F(3), .lda = a[4], .ta = a[5], .y = F(6), .ldb = a[7], .tb = a[8],
        .z = F(9), .ldc = a[10], .alpha = (float)number(a[11]), .beta = (float)number(a[12]),
        .batch = a[13], .step_x = a[14], .step_y = a[15], .step_z = a[16],
    });
}
