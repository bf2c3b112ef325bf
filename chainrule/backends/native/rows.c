/* Kernels that work along rows: sums, softmax, cross-entropy. */

typedef struct {
    word a, b, c;
    const float *x;
    float *y;
    float scale;
} sum_t;

/* y (c) = sum of x (b, c) over rows, for columns from..to */
static void sum_columns(const float *x, word rows, word width, float *y, word from, word to, float scale) {
    memset(y + from, 0, (to - from) * 4);
    for (word i = 0; i < rows; i++) {
        const float *row = x + i * width;
        VECTOR for (word j = from; j < to; j++) y[j] += row[j];
    }
    if (scale != 1.0f)
        for (word j = from; j < to; j++) y[j] *= scale;
}

static float sum_row(const float *x, word n) {
    float part[16] = {0}, total = 0;
    word i = 0;
    for (; i + 16 <= n; i += 16)
        for (int k = 0; k < 16; k++) part[k] += x[i + k];
    for (; i < n; i++) part[0] += x[i];
    for (int k = 8; k; k /= 2)
        for (int j = 0; j < k; j++) part[j] += part[j + k];
    total = part[0];
    return total;
}

static void sum_middle(const void *context, word from, word to) {
    const sum_t *s = context;
    if (s->c == 1) {
        for (word i = from; i < to; i++) s->y[i] = sum_row(s->x + i * s->b, s->b) * s->scale;
    } else if (s->a == 1) {
        from = MIN(from * 16, s->c), to = MIN(to * 16, s->c);
        sum_columns(s->x, s->b, s->c, s->y, from, to, s->scale);
    } else {
        for (word i = from; i < to; i++) sum_columns(s->x + i * s->b * s->c, s->b, s->c, s->y + i * s->c, 0, s->c, s->scale);
    }
}

/* y (a, c) = scale * sum of x (a, b, c) over b. Arguments: a, b, c, x, y, scale. */
EXPORT void sum_axis(const word *a) {
    sum_t s = {a[0], a[1], a[2], F(3), F(4), (float)number(a[5])};
    word each = s.b * s.c;
    if (s.a == 1 && s.c > 1)
        over((s.c + 15) / 16, 40000 / (s.b * 16) + 1, sum_middle, &s);
    else
        over(s.a, 40000 / (each + 1) + 1, sum_middle, &s);
}

/* y (b) = scale * sum of x (a, b, c) over a and c. */
static void sum_both(const void *context, word from, word to) {
    const sum_t *s = context;
    for (word j = from; j < to; j++) {
        double total = 0;
        for (word i = 0; i < s->a; i++) total += sum_row(s->x + (i * s->b + j) * s->c, s->c);
        s->y[j] = (float)total * s->scale;
    }
}

/* Arguments: a, b, c, x, y, scale. */
EXPORT void sum_around(const word *a) {
    sum_t s = {a[0], a[1], a[2], F(3), F(4), (float)number(a[5])};
    over(s.b, 40000 / (s.a * s.c + 1) + 1, sum_both, &s);
}

static float row_max(const float *x, word n) {
    float m = x[0];
    for (word i = 1; i < n; i++) m = x[i] > m || x[i] != x[i] ? x[i] : m;
    return m;
}

static float exponentials(float *e, const float *z, word n) {
    float m = row_max(z, n);
    VECTOR for (word i = 0; i < n; i++) e[i] = exp_(z[i] - m);
    return m;
}

typedef struct {
    word n;
    const float *x;
    float *y;
} softmax_t;

static void softmax_rows(const void *context, word from, word to) {
    const softmax_t *s = context;
    for (word i = from; i < to; i++) {
        float *y = s->y + i * s->n;
        exponentials(y, s->x + i * s->n, s->n);
        float share = 1.0f / sum_row(y, s->n);
        VECTOR for (word k = 0; k < s->n; k++) y[k] *= share;
    }
}

/* Arguments: rows, classes, x, y. */
EXPORT void softmax(const word *a) {
    softmax_t s = {a[1], F(2), F(3)};
    over(a[0], 6000 / (s.n + 1) + 1, softmax_rows, &s);
}

/* y_i = ln sum exp z_i - z_i[t_i]. Arguments: rows, classes, z, labels, y. */
EXPORT void entropy(const word *a) {
    word rows = a[0], n = a[1];
    const float *z = F(2);
    const int64_t *t = (const int64_t *)a[3];
    float *y = F(4), e[n];
    for (word i = 0; i < rows; i++, z += n) {
        float m = exponentials(e, z, n);
        y[i] = t[i] >= 0 && t[i] < n ? log_(sum_row(e, n)) + m - z[t[i]] : NAN;
    }
}

/* z_bar_i = (softmax z_i - [k = t_i]) y_bar_i. Arguments: rows, classes, z, labels, y_bar, its step (0 or 1), z_bar. */
EXPORT void entropy_back(const word *a) {
    word rows = a[0], n = a[1], step = a[5];
    const float *z = F(2), *bar = F(4);
    const int64_t *t = (const int64_t *)a[3];
    float *y = F(6);
    for (word i = 0; i < rows; i++, z += n, y += n, bar += step) {
        exponentials(y, z, n);
        float share = *bar / sum_row(y, n);
        VECTOR for (word k = 0; k < n; k++) y[k] *= share;
        if (t[i] >= 0 && t[i] < n)
            y[t[i]] -= *bar;
    }
}

/* Rows whose first largest entry, or first NaN, stands at their label are counted in the word at `count`; of one entry, those that are
   above 0 where the label is. Arguments: rows, classes, z, labels, count. */
EXPORT void hits(const word *a) {
    const float *z = F(2);
    const int64_t *t = (const int64_t *)a[3];
    word found = 0;
    for (word i = 0; i < a[0]; i++, z += a[1]) {
        word best = 0;
        for (word k = 1; k < a[1]; k++) best = z[best] == z[best] && !(z[k] <= z[best]) ? k : best;
        found += a[1] > 1 ? best == t[i] : (*z > 0) == (t[i] > 0);
    }
    *(word *)a[4] = found;
}
