/* Convolution where every group has one input channel: no matrices, rows of places are added up entry by entry of the kernel.

   A plane is one output channel of one image (one input channel, for the transpose), and stays in the cache. */

static inline void add_weighted(float *y, float *x, word step, word n, float *weight) {
    float w = *weight;
    if (!x)
        return;
    if (step == 1)
        VECTOR for (word j = 0; j < n; j++) y[j] += w * x[j];
    else
        VECTOR for (word j = 0; j < n; j++) y[j] += w * x[j * step];
}

static inline void add_back(float *y, float *x, word step, word n, float *weight) {
    float w = *weight;
    if (!x)
        return;
    if (step == 1)
        VECTOR for (word j = 0; j < n; j++) x[j] += w * y[j];
    else
        VECTOR for (word j = 0; j < n; j++) x[j * step] += w * y[j];
}

enum { SIDE_BY_SIDE = 32 };

static inline void add_products(float *y, float *x, word step, word n, float *lanes) { /* sums side by side */
    if (!x)
        return;
    for (word j = 0; j < n; j += SIDE_BY_SIDE, y += SIDE_BY_SIDE, x += SIDE_BY_SIDE * step)
        if (step == 1)
            VECTOR for (word k = 0; k < MIN(SIDE_BY_SIDE, n - j); k++) lanes[k] += y[k] * x[k];
        else
            VECTOR for (word k = 0; k < MIN(SIDE_BY_SIDE, n - j); k++) lanes[k] += y[k] * x[k * step];
}

/* One plane: output channel k of an image, its input channel, and all entries of the kernel, each with a weight. */
static inline void over_kernel(const conv_t *s, word image, word k, line_t line, float *weights, word step) {
    float *y = s->y + (image * s->o + k) * s->ph * s->pw;
    for (word a = 0; a < s->kh; a++)
        for (word b = 0; b < s->kw; b++, weights += step)
            over_rows(s, k / (s->o / s->c), a, b, image * s->ph, s->ph, y, line, weights);
}

static float *weights_at(const conv_t *s, word k) {
    return s->weights + k * s->kh * s->kw;
}

static void depthwise_some(const void *context, word from, word to) {
    const conv_t *s = context;
    for (word i = from; i < to; i++) {
        memset(s->y + i * s->ph * s->pw, 0, s->ph * s->pw * 4);
        over_kernel(s, i / s->o, i % s->o, add_weighted, weights_at(s, i % s->o), 1);
    }
}

static void depthwise_transpose_some(const void *context, word from, word to) {
    const conv_t *s = context;
    word several = s->o / s->c;
    for (word i = from; i < to; i++) {
        memset(s->x + i * s->h * s->w, 0, s->h * s->w * 4);
        for (word k = i % s->c * several; k < (i % s->c + 1) * several; k++)
            over_kernel(s, i / s->c, k, add_back, weights_at(s, k), 1);
    }
}

static void depthwise_weight_some(const void *context, word from, word to) {
    const conv_t *s = context;
    word entries = s->kh * s->kw;
    for (word k = from; k < to; k++) {
        float lanes[entries][SIDE_BY_SIDE];
        memset(lanes, 0, sizeof lanes);
        for (word image = 0; image < s->n; image++) over_kernel(s, image, k, add_products, lanes[0], SIDE_BY_SIDE);
        for (word e = 0; e < entries; e++) s->weights[k * entries + e] = sum_row(lanes[e], SIDE_BY_SIDE);
    }
}

static word enough_planes(const conv_t *s) { /* for one thread */
    return 20000 / (s->ph * s->pw * s->kh * s->kw + 1) + 1;
}

/* Arguments of all three: those of the convolution. */
EXPORT void depthwise(const word *a) {
    conv_t s = conv_of(a);
    over(s.n * s.o, enough_planes(&s), depthwise_some, &s);
}

EXPORT void depthwise_transpose(const word *a) {
    conv_t s = conv_of(a);
    over(s.n * s.c, enough_planes(&s), depthwise_transpose_some, &s);
}

EXPORT void depthwise_weight(const word *a) {
    conv_t s = conv_of(a);
    over(s.o, enough_planes(&s) / s.n + 1, depthwise_weight_some, &s);
}
