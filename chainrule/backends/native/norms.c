/* Standardisation and its derivative, of x (a, b, c) over a and c: layer norm has a = 1, batch norm of features c = 1.

   Means are taken in two passes, as in NumPy: mean of x, then mean of (x - mean)^2. */

typedef struct {
    word a, b, c;
    float eps;
    const float *x, *y_bar, *variance, *mu_bar, *variance_bar;
    float *y, *mu, *var;
} norm_t;

static float sum_squares(const float *x, float shift, word n) {
    float part[16] = {0};
    word i = 0;
    for (; i + 16 <= n; i += 16)
        for (int k = 0; k < 16; k++) part[k] += (x[i + k] - shift) * (x[i + k] - shift);
    for (; i < n; i++) part[0] += (x[i] - shift) * (x[i] - shift);
    for (int k = 8; k; k /= 2)
        for (int j = 0; j < k; j++) part[j] += part[j + k];
    return part[0];
}

static float sum_products(const float *x, const float *y, word n) {
    float part[16] = {0};
    word i = 0;
    for (; i + 16 <= n; i += 16)
        for (int k = 0; k < 16; k++) part[k] += x[i + k] * y[i + k];
    for (; i < n; i++) part[0] += x[i] * y[i];
    for (int k = 8; k; k /= 2)
        for (int j = 0; j < k; j++) part[j] += part[j + k];
    return part[0];
}

static void norm_runs(const void *context, word from, word to) {
    const norm_t *s = context;
    word step = s->b * s->c, n = s->a * s->c;
    for (word j = from; j < to; j++) {
        const float *x = s->x + j * s->c;
        float *y = s->y + j * s->c;
        double total = 0, squares = 0;
        for (word i = 0; i < s->a; i++) total += sum_row(x + i * step, s->c);
        float mu = (float)(total / n);
        for (word i = 0; i < s->a; i++) squares += sum_squares(x + i * step, mu, s->c);
        float variance = (float)(squares / n), scale = 1.0f / sqrtf(variance + s->eps);
        s->mu[j] = mu;
        s->var[j] = variance;
        for (word i = 0; i < s->a; i++)
            VECTOR for (word k = 0; k < s->c; k++) y[i * step + k] = (x[i * step + k] - mu) * scale;
    }
}

enum { STRIPE = 64 };

static void norm_columns(const void *context, word first, word last) { /* c = 1: stripes of columns */
    const norm_t *s = context;
    for (word stripe = first; stripe < last; stripe++) {
        word from = stripe * STRIPE, n = MIN(STRIPE, s->b - from);
        float mu[STRIPE] = {0}, var[STRIPE] = {0}, scale[STRIPE];
        for (word i = 0; i < s->a; i++)
            VECTOR for (word k = 0; k < n; k++) mu[k] += s->x[i * s->b + from + k];
        for (word k = 0; k < n; k++) mu[k] /= s->a;
        for (word i = 0; i < s->a; i++)
            VECTOR for (word k = 0; k < n; k++) {
                float d = s->x[i * s->b + from + k] - mu[k];
                var[k] += d * d;
            }
        for (word k = 0; k < n; k++) {
            s->mu[from + k] = mu[k];
            s->var[from + k] = var[k] /= s->a;
            scale[k] = 1.0f / sqrtf(var[k] + s->eps);
        }
        for (word i = 0; i < s->a; i++)
            VECTOR for (word k = 0; k < n; k++)
                s->y[i * s->b + from + k] = (s->x[i * s->b + from + k] - mu[k]) * scale[k];
    }
}

/* Arguments: a, b, c, eps, x, y, mu, variance. */
EXPORT void standardise(const word *a) {
    norm_t s = {.a = a[0], .b = a[1], .c = a[2], .eps = (float)number(a[3]), .x = F(4), .y = F(5), .mu = F(6), .var = F(7)};
    if (s.c == 1)
        over((s.b + STRIPE - 1) / STRIPE, 20000 / (s.a * STRIPE) + 1, norm_columns, &s);
    else
        over(s.b, 20000 / (s.a * s.c) + 1, norm_runs, &s);
}

static void norm_back_runs(const void *context, word from, word to) {
    const norm_t *s = context;
    word step = s->b * s->c, n = s->a * s->c;
    for (word j = from; j < to; j++) {
        const float *bar = s->y_bar + j * s->c, *y = s->x + j * s->c;
        float *d = s->y + j * s->c;
        double total = 0, along = 0;
        for (word i = 0; i < s->a; i++) {
            total += sum_row(bar + i * step, s->c);
            along += sum_products(bar + i * step, y + i * step, s->c);
        }
        float scale = 1.0f / sqrtf(s->variance[j] + s->eps), mean = (float)(total / n), part = (float)(along / n);
        float shift = s->mu_bar ? s->mu_bar[j] / n : 0.0f;
        float stretch = s->variance_bar ? 2.0f * s->variance_bar[j] / (n * scale) : 0.0f;
        for (word i = 0; i < s->a; i++)
            VECTOR for (word k = 0; k < s->c; k++) {
                float v = y[i * step + k];
                d[i * step + k] = (bar[i * step + k] - mean - v * part) * scale + shift + v * stretch;
            }
    }
}

static void norm_back_columns(const void *context, word first, word last) {
    const norm_t *s = context;
    for (word stripe = first; stripe < last; stripe++) {
        word from = stripe * STRIPE, n = MIN(STRIPE, s->b - from);
        float mean[STRIPE] = {0}, part[STRIPE] = {0}, scale[STRIPE], shift[STRIPE], stretch[STRIPE];
        for (word i = 0; i < s->a; i++)
            VECTOR for (word k = 0; k < n; k++) {
                float b = s->y_bar[i * s->b + from + k];
                mean[k] += b;
                part[k] += b * s->x[i * s->b + from + k];
            }
        for (word k = 0; k < n; k++) {
            mean[k] /= s->a, part[k] /= s->a;
            scale[k] = 1.0f / sqrtf(s->variance[from + k] + s->eps);
            shift[k] = s->mu_bar ? s->mu_bar[from + k] / s->a : 0.0f;
            stretch[k] = s->variance_bar ? 2.0f * s->variance_bar[from + k] / (s->a * scale[k]) : 0.0f;
        }
        for (word i = 0; i < s->a; i++)
            VECTOR for (word k = 0; k < n; k++) {
                word at = i * s->b + from + k;
                s->y[at] = (s->y_bar[at] - mean[k] - s->x[at] * part[k]) * scale[k] + shift[k] + s->x[at] * stretch[k];
            }
    }
}

/* Arguments: a, b, c, eps, y_bar, y, variance, mu_bar or 0, variance_bar or 0, x_bar. */
EXPORT void standardise_back(const word *a) {
    norm_t s = {
        .a = a[0], .b = a[1], .c = a[2], .eps = (float)number(a[3]), .y_bar = F(4), .x = F(5), .variance = F(6),
        .mu_bar = F(7), .variance_bar = F(8), .y = F(9),
    };
    if (s.c == 1)
        over((s.b + STRIPE - 1) / STRIPE, 20000 / (s.a * STRIPE) + 1, norm_back_columns, &s);
    else
        over(s.b, 20000 / (s.a * s.c) + 1, norm_back_runs, &s);
}
