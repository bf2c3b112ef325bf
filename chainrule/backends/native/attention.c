/* Attention of many heads, a block of queries at a time: the weights of all pairs are never held.

   y = P v, P = exp(S - L), S = scale q k^T within the band low <= j - i <= high, L = ln sum exp S. Heads go to threads. */

enum { QUERIES = 32 };

typedef struct {
    word inner, queries, keys, d, dv, low, high;
    float scale;
    /* address, distances of the outer axis, of the inner axis, and of rows; entries of a row lie together */
    word q[4], k[4], v[4], y[4], y_bar[4], q_bar[4], k_bar[4], v_bar[4];
    float *log;
    const float *log_bar;
} attention_t;

static float *head(const word *x, word i, word inner) {
    return (float *)x[0] + i / inner * x[1] + i % inner * x[2];
}

/* The keys that queries i..j-1 may see, as a range. */
static void seen(const attention_t *s, word i, word j, word *from, word *to) {
    *from = MIN(MAX(i + s->low, 0), s->keys);
    *to = MAX(*from, MIN(j - 1 + s->high + 1, s->keys));
}

/* One row of scores becomes e^(S - top); outside of the band 0. Returns the sum, and the largest score in *top. */
static float row_weights(const attention_t *s, float *row, word i, word from, word to, float *top) {
    word first = MIN(MAX(MAX(i + s->low, 0), from), to), last = MAX(first, MIN(i + s->high + 1, to));
    float m = -INFINITY;
    for (word j = first; j < last; j++) {
        float v = row[j - from] *= s->scale;
        m = v > m || v != v ? v : m;
    }
    *top = m == -INFINITY ? 0.0f : m;
    m = *top;
    for (word j = from; j < first; j++) row[j - from] = 0.0f;
    VECTOR for (word j = first; j < last; j++) row[j - from] = exp_(row[j - from] - m);
    for (word j = last; j < to; j++) row[j - from] = 0.0f;
    return sum_row(row + (first - from), last - first);
}

static void attend(const void *context, word first, word last) {
    const attention_t *s = context;
    float *weights = malloc(sizeof(float) * QUERIES * MAX(s->keys, 1));
    for (word h = first; h < last; h++) {
        const float *q = head(s->q, h, s->inner), *k = head(s->k, h, s->inner), *v = head(s->v, h, s->inner);
        float *y = head(s->y, h, s->inner);
        for (word i = 0; i < s->queries; i += QUERIES) {
            word n = MIN(QUERIES, s->queries - i), from, to;
            seen(s, i, i + n, &from, &to);
            gemm(0, 1, n, to - from, s->d, 1.0f, q + i * s->q[3], s->q[3], k + from * s->k[3], s->k[3], 0.0f, weights, to - from);
            for (word r = 0; r < n; r++) {
                float top, *row = weights + r * (to - from);
                float total = row_weights(s, row, i + r, from, to, &top);
                float share = total == 0.0f ? 1.0f : 1.0f / total;
                VECTOR for (word j = 0; j < to - from; j++) row[j] *= share;
                s->log[h * s->queries + i + r] = log_(total == 0.0f ? 1.0f : total) + top;
            }
            if (to > from)
                gemm(0, 0, n, s->dv, to - from, 1.0f, weights, to - from, v + from * s->v[3], s->v[3], 0.0f, y + i * s->y[3], s->y[3]);
            else
                for (word r = 0; r < n; r++) memset(y + (i + r) * s->y[3], 0, s->dv * 4);
        }
    }
    free(weights);
}

static void clear_rows(float *x, word rows, word width, word step) {
    for (word i = 0; i < rows; i++) memset(x + i * step, 0, width * 4);
}

static void attend_back(const void *context, word first, word last) {
    const attention_t *s = context;
    float *p = malloc(sizeof(float) * 2 * QUERIES * MAX(s->keys, 1)), *e = p + QUERIES * s->keys;
    for (word h = first; h < last; h++) {
        const float *q = head(s->q, h, s->inner), *k = head(s->k, h, s->inner), *v = head(s->v, h, s->inner);
        const float *y = head(s->y, h, s->inner), *bar = head(s->y_bar, h, s->inner);
        float *q_bar = head(s->q_bar, h, s->inner), *k_bar = head(s->k_bar, h, s->inner), *v_bar = head(s->v_bar, h, s->inner);
        clear_rows(k_bar, s->keys, s->d, s->k_bar[3]);
        clear_rows(v_bar, s->keys, s->dv, s->v_bar[3]);
        for (word i = 0; i < s->queries; i += QUERIES) {
            word n = MIN(QUERIES, s->queries - i), from, to;
            seen(s, i, i + n, &from, &to);
            word m = to - from;
            if (!m) {
                clear_rows(q_bar + i * s->q_bar[3], n, s->d, s->q_bar[3]);
                continue;
            }
            gemm(0, 1, n, m, s->d, 1.0f, q + i * s->q[3], s->q[3], k + from * s->k[3], s->k[3], 0.0f, p, m);
            gemm(0, 1, n, m, s->dv, 1.0f, bar + i * s->y_bar[3], s->y_bar[3], v + from * s->v[3], s->v[3], 0.0f, e, m);
            for (word r = 0; r < n; r++) {
                word row = i + r, at = h * s->queries + row;
                word begin = MIN(MAX(row + s->low, from), to), end = MAX(begin, MIN(row + s->high + 1, to));
                float centre = sum_products(bar + row * s->y_bar[3], y + row * s->y[3], s->dv) - (s->log_bar ? s->log_bar[at] : 0.0f);
                float log = s->log[at], *pr = p + r * m, *er = e + r * m;
                VECTOR for (word j = 0; j < m; j++) {
                    float weight = exp_(pr[j] * s->scale - log);
                    weight = j + from >= begin && j + from < end ? weight : 0.0f;
                    pr[j] = weight;
                    er[j] = weight == 0.0f ? 0.0f : weight * (er[j] - centre) * s->scale;
                }
            }
            gemm(0, 0, n, s->d, m, 1.0f, e, m, k + from * s->k[3], s->k[3], 0.0f, q_bar + i * s->q_bar[3], s->q_bar[3]);
            gemm(1, 0, m, s->d, n, 1.0f, e, m, q + i * s->q[3], s->q[3], 1.0f, k_bar + from * s->k_bar[3], s->k_bar[3]);
            gemm(1, 0, m, s->dv, n, 1.0f, p, m, bar + i * s->y_bar[3], s->y_bar[3], 1.0f, v_bar + from * s->v_bar[3], s->v_bar[3]);
        }
    }
    free(p);
}

static void take_four(word *to, const word *from) {
    memcpy(to, from, 4 * sizeof(word));
}

/* Arguments: heads, inner, queries, keys, d, dv, low, high, scale; q, k, v, y as four words each; L. */
EXPORT void attention(const word *a) {
    attention_t s = {
        .inner = a[1], .queries = a[2], .keys = a[3], .d = a[4], .dv = a[5], .low = a[6], .high = a[7],
        .scale = (float)number(a[8]), .log = F(25),
    };
    take_four(s.q, a + 9), take_four(s.k, a + 13), take_four(s.v, a + 17), take_four(s.y, a + 21);
    over(a[0], 1, attend, &s);
}

/* Arguments: as above; then L_bar or 0; y_bar, q_bar, k_bar, v_bar as four words each. */
EXPORT void attention_back(const word *a) {
    attention_t s = {
        .inner = a[1], .queries = a[2], .keys = a[3], .d = a[4], .dv = a[5], .low = a[6], .high = a[7],
        .scale = (float)number(a[8]), .log = F(25), .log_bar = F(26),
    };
    take_four(s.q, a + 9), take_four(s.k, a + 13), take_four(s.v, a + 17), take_four(s.y, a + 21);
    take_four(s.y_bar, a + 27), take_four(s.q_bar, a + 31), take_four(s.k_bar, a + 35), take_four(s.v_bar, a + 39);
    over(a[0], 1, attend_back, &s);
}
