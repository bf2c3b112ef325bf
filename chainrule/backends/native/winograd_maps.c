/* The maps A, G and B by which Winograd (1980) convolves with 3 x 3 weights: 16 products for 2 x 2 places instead of 36.

   Along one axis, two places y see four entries d through three weights g, and all that is wanted follows from the form

       sum over i, k of y_i g_k d_(i+k)  =  sum over m of c_m d_m,   where c_m = sum over i + k = m of y_i g_k.

   The c are the coefficients of the polynomial y(t) g(t), of degree 3, which its values at t = 0, 1, -1 and infinity (the
   highest coefficient) determine. With A y the values of y, G g those of g, and B the way from values to coefficients,
   turned over to d (signs and halves as they suit), the form is

       sum over p of (A y)_p (G g)_p (B d)_p

                1  0               1    0    0               1  0 -1  0
           A =  1  1         G =  1/2  1/2  1/2         B =  0  1  1  0
                1 -1              1/2 -1/2  1/2              0 -1  1  0
                0 -1               0    0    1               0  1  0 -1

   Along two axes the maps are applied to both: A y A^T and so on, 4 x 4 points. Convolution, its transpose and the gradient
   of its weights are the derivatives of this one form in y, d and g. The sum over channels (over tiles, for the weights) is
   a matrix product for every point:

       y = A^T [sum over c of (G g G^T) (B d B^T)] A        g = G^T [sum over tiles of (A y A^T) (B d B^T)] G

   The transpose is computed as the convolution with the kernels turned around. All numbers are halves of sums of few, so
   the result is as exact as by columns; a NaN or an infinity reaches all places of its tiles. */

enum { POINTS = 16, WIDE = 8, LINE = 16 };

typedef float wide_t __attribute__((vector_size(4 * WIDE), aligned(4), may_alias));

static inline wide_t at(const float *x) {
    return *(const wide_t *)x;
}

static inline void put(float *x, wide_t v) {
    *(wide_t *)x = v;
}

/* B d B^T for a row of tiles: line r of the four has its entries in e[r] and o[r]; point p goes to v + p step. */
static void values_of_tiles(float *const *e, float *const *o, word tiles, float *v, word step) {
    for (word t = 0; t < tiles; t += WIDE) {
        wide_t d[4][4];
        for (int r = 0; r < 4; r++) {
            d[r][0] = at(e[r] + t), d[r][1] = at(o[r] + t);
            d[r][2] = at(e[r] + t + 1), d[r][3] = at(o[r] + t + 1);
        }
        wide_t b[4][4];
        for (int q = 0; q < 4; q++) {
            b[0][q] = d[0][q] - d[2][q], b[1][q] = d[1][q] + d[2][q];
            b[2][q] = d[2][q] - d[1][q], b[3][q] = d[1][q] - d[3][q];
        }
        for (int p = 0; p < 4; p++) {
            float *to = v + 4 * p * step + t;
            put(to, b[p][0] - b[p][2]), put(to + step, b[p][1] + b[p][2]);
            put(to + 2 * step, b[p][2] - b[p][1]), put(to + 3 * step, b[p][1] - b[p][3]);
        }
    }
}

/* A y A^T for a row of tiles. */
static void values_of_places(float *const *e, float *const *o, word tiles, float *v, word step) {
    for (word t = 0; t < tiles; t += WIDE) {
        wide_t y[4][2] = {{at(e[0] + t), at(o[0] + t)}, {0}, {0}, {-at(e[1] + t), -at(o[1] + t)}};
        for (int q = 0; q < 2; q++) y[1][q] = y[0][q] - y[3][q], y[2][q] = y[0][q] + y[3][q];
        for (int p = 0; p < 4; p++) {
            float *to = v + 4 * p * step + t;
            put(to, y[p][0]), put(to + step, y[p][0] + y[p][1]);
            put(to + 2 * step, y[p][0] - y[p][1]), put(to + 3 * step, -y[p][1]);
        }
    }
}

/* A^T m A for a row of tiles: two lines of places. */
static void places_of_values(const float *m, word step, word tiles, float *const *e, float *const *o) {
    for (word t = 0; t < tiles; t += WIDE) {
        wide_t s[2][4];
        for (int q = 0; q < 4; q++) {
            const float *from = m + q * step + t;
            wide_t one = at(from + 4 * step), two = at(from + 8 * step);
            s[0][q] = at(from) + one + two, s[1][q] = one - two - at(from + 12 * step);
        }
        for (int r = 0; r < 2; r++) {
            put(e[r] + t, s[r][0] + s[r][1] + s[r][2]);
            put(o[r] + t, s[r][1] - s[r][2] - s[r][3]);
        }
    }
}

/* G g G^T of kernels: for the pair (i, j) at u + i n + j, one point after the other at distance m n. */
typedef struct {
    word m, n, step_m, step_n, turned;
    const float *g;
    float *u;
} kernels_t;

static void values_of_kernels(const void *context, word from, word to) {
    const kernels_t *s = context;
    for (word i = from; i < to; i++)
        for (word j = 0; j < s->n; j++) {
            const float *g = s->g + i * s->step_m + j * s->step_n;
            float h[4][3];
            for (int q = 0; q < 3; q++) {
                float x = g[s->turned ? 8 - q : q], y = g[s->turned ? 5 - q : 3 + q], z = g[s->turned ? 2 - q : 6 + q];
                h[0][q] = x, h[1][q] = (x + y + z) * 0.5f, h[2][q] = (x - y + z) * 0.5f, h[3][q] = z;
            }
            float *u = s->u + i * s->n + j;
            for (int p = 0; p < 4; p++) {
                float x = h[p][0], y = h[p][1], z = h[p][2], values[4] = {x, (x + y + z) * 0.5f, (x - y + z) * 0.5f, z};
                for (int q = 0; q < 4; q++) u[(4 * p + q) * s->m * s->n] = values[q];
            }
        }
}

/* G^T s G: kernels from their values at the points. */
static void kernels_of_values(const void *context, word from, word to) {
    const kernels_t *s = context;
    word step = s->m * s->n;
    for (word at = from * s->n; at < to * s->n; at++) {
        const float *u = s->u + at;
        float h[3][4], *g = (float *)s->g + at * 9;
        for (int q = 0; q < 4; q++) {
            float a = u[q * step], b = u[(4 + q) * step], c = u[(8 + q) * step], d = u[(12 + q) * step];
            h[0][q] = a + (b + c) * 0.5f, h[1][q] = (b - c) * 0.5f, h[2][q] = (b + c) * 0.5f + d;
        }
        for (int p = 0; p < 3; p++) {
            float b = h[p][1], c = h[p][2];
            g[3 * p] = h[p][0] + (b + c) * 0.5f, g[3 * p + 1] = (b - c) * 0.5f, g[3 * p + 2] = (b + c) * 0.5f + h[p][3];
        }
    }
}
