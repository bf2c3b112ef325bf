/* Updates of optimisers on flat buffers, each in one pass over memory. */

typedef struct {
    float *theta, *m, *v;
    const float *g;
    float beta1, beta2, eps, step, decay, shrink;
    word n;
} adam_t;

static void adam_stretch(const void *context, word from, word to) {
    const adam_t *s = context;
    float *theta = s->theta, *m = s->m, *v = s->v;
    const float *g = s->g, b1 = s->beta1, c1 = 1.0f - s->beta1, b2 = s->beta2, c2 = 1.0f - s->beta2;
    float eps = s->eps, step = s->step, decay = s->decay, shrink = s->shrink;
    from = MIN(from * 1024, s->n), to = MIN(to * 1024, s->n);
    VECTOR for (word i = from; i < to; i++) {
        float slope = g[i] + decay * theta[i];
        m[i] = b1 * m[i] + c1 * slope;
        v[i] = b2 * v[i] + c2 * slope * slope;
        theta[i] = shrink * theta[i] - step * m[i] / (sqrtf(v[i]) + eps);
    }
}

/* Arguments: entries, theta, g, m, v, beta1, beta2, eps, step, decay (L2), shrink. With c = sqrt(1 - beta2^t) the
   caller gives eps * c and step = lr c / (1 - beta1^t). */
EXPORT void adam(const word *a) {
    adam_t s = {
        .theta = F(1), .g = F(2), .m = F(3), .v = F(4), .beta1 = (float)number(a[5]), .beta2 = (float)number(a[6]),
        .eps = (float)number(a[7]), .step = (float)number(a[8]), .decay = (float)number(a[9]), .shrink = (float)number(a[10]),
        .n = a[0],
    };
    over((s.n + 1023) / 1024, 8, adam_stretch, &s);
}

typedef struct {
    word n;
    float *theta, *v;
    const float *g;
    float step, momentum, take, decay, ahead;
} sgd_t;

static void sgd_stretch(const void *context, word from, word to) {
    const sgd_t *s = context;
    float *theta = s->theta, *v = s->v;
    const float *g = s->g, step = s->step, momentum = s->momentum, take = s->take, decay = s->decay, ahead = s->ahead;
    from = MIN(from * 1024, s->n), to = MIN(to * 1024, s->n);
    if (!v) {
        VECTOR for (word i = from; i < to; i++) theta[i] -= step * (g[i] + decay * theta[i]);
        return;
    }
    VECTOR for (word i = from; i < to; i++) {
        float slope = g[i] + decay * theta[i];
        v[i] = momentum * v[i] + take * slope;
        theta[i] -= step * v[i] + ahead * slope;
    }
}

/* Arguments: entries, theta, g, v or 0, step, momentum, take, decay, ahead: v = momentum v + take (g + decay theta),
   theta -= step v + ahead (g + decay theta). */
EXPORT void sgd(const word *a) {
    sgd_t s = {
        .n = a[0], .theta = F(1), .g = F(2), .v = F(3), .step = (float)number(a[4]), .momentum = (float)number(a[5]),
        .take = (float)number(a[6]), .decay = (float)number(a[7]), .ahead = (float)number(a[8]),
    };
    over((s.n + 1023) / 1024, 8, sgd_stretch, &s);
}
