/* Weighted sums along an axis, which average pooling and upsampling are made of, and one number around images. */

typedef struct {
    word a, n, c, m, k; /* x (a, n, c) becomes y (a, m, c), each from k entries */
    const int64_t *index;
    const float *weight, *x;
    float *y;
} resample_t;

static void resample_rows(const resample_t *s, const float *x, float *y) {
    memset(y, 0, s->m * s->c * 4);
    for (word r = 0; r < s->m; r++)
        for (word e = r * s->k; e < (r + 1) * s->k; e++) {
            const float *row = x + s->index[e] * s->c;
            float weight = s->weight[e], *to = y + r * s->c;
            VECTOR for (word i = 0; i < s->c; i++) to[i] += weight * row[i];
        }
}

static void resample_entries(const resample_t *s, const float *x, float *y) {
    for (word r = 0; r < s->m; r++) {
        float total = 0.0f;
        for (word e = r * s->k; e < (r + 1) * s->k; e++) total += s->weight[e] * x[s->index[e]];
        y[r] = total;
    }
}

static void resample_some(const void *context, word from, word to) {
    const resample_t *s = context;
    for (word i = from; i < to; i++)
        (s->c == 1 ? resample_entries : resample_rows)(s, s->x + i * s->n * s->c, s->y + i * s->m * s->c);
}

/* Arguments: a, n, c, m, k, index (within the axis), weight, x, y. */
EXPORT void resample(const word *a) {
    resample_t s = {a[0], a[1], a[2], a[3], a[4], (const int64_t *)a[5], F(6), F(7), F(8)};
    over(s.a, 20000 / (s.m * s.k * s.c + 1) + 1, resample_some, &s);
}

typedef struct {
    word h, w, ph, pw, top, left;
    const float *x;
    float *y, value;
} pad_t;

static void pad_some(const void *context, word from, word to) {
    const pad_t *s = context;
    for (word k = from; k < to; k++)
        for (word i = 0; i < s->ph; i++) {
            float *y = s->y + (k * s->ph + i) * s->pw;
            word inside = i >= s->top && i < s->top + s->h, end = inside ? s->left : s->pw;
            for (word j = 0; j < end; j++) y[j] = s->value;
            if (!inside)
                continue;
            memcpy(y + s->left, s->x + (k * s->h + i - s->top) * s->w, s->w * 4);
            for (word j = s->left + s->w; j < s->pw; j++) y[j] = s->value;
        }
}

/* Arguments: planes, their size, that with a border, where x begins in it, the number of the border, x, y. */
EXPORT void pad(const word *a) {
    pad_t s = {a[1], a[2], a[3], a[4], a[5], a[6], F(8), F(9), (float)number(a[7])};
    over(a[0], 40000 / (s.ph * s.pw + 1) + 1, pad_some, &s);
}
