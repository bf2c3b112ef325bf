/* The largest entry of every window of an image, and its derivative.

   Windows are tables: place i looks at rows high[i kh + a] and columns wide[j kw + b] of its plane; an entry outside of the
   plane is -infinity. Windows of 2 x 2 that share a plane out need no table. Planes go to threads. */

typedef struct {
    word planes, h, w, ph, pw, kh, kw, halves; /* halves: whether windows are 2 x 2 at a stride of 2 */
    const int64_t *high, *wide;
    const float *x, *y, *y_bar;
    float *to;
} pool_t;

static inline float larger(float x, float y) { /* NaN where one is */
    float m = x > y ? x : y; /* apart from the test below, or compilers make branches of it */
    return x != x ? x : m;
}

static inline float entry(const pool_t *s, const float *x, word i, word j) {
    return i >= 0 && i < s->h && j >= 0 && j < s->w ? x[i * s->w + j] : -INFINITY;
}

static void pool_plane(const pool_t *s, const float *x, float *y) {
    for (word i = 0; i < s->ph; i++)
        for (word j = 0; j < s->pw; j++) {
            float m = -INFINITY;
            for (word a = 0; a < s->kh; a++)
                for (word b = 0; b < s->kw; b++) m = larger(entry(s, x, s->high[i * s->kh + a], s->wide[j * s->kw + b]), m);
            y[i * s->pw + j] = m;
        }
}

static void pool_halves(const pool_t *s, const float *x, float *y) {
    for (word i = 0; i < s->ph; i++, x += 2 * s->w, y += s->pw) {
        const float *below = x + s->w;
        VECTOR for (word j = 0; j < s->pw; j++) {
            float a = x[2 * j], b = x[2 * j + 1], c = below[2 * j], d = below[2 * j + 1];
            y[j] = larger(larger(a, b), larger(c, d));
        }
    }
}

static void pool_some(const void *context, word from, word to) {
    const pool_t *s = context;
    for (word k = from; k < to; k++)
        (s->halves ? pool_halves : pool_plane)(s, s->x + k * s->h * s->w, s->to + k * s->ph * s->pw);
}

/* The share of each largest entry in the cotangent of its place. */
static void spread_plane(const pool_t *s, const float *x, const float *y, const float *y_bar, float *x_bar) {
    memset(x_bar, 0, s->h * s->w * 4);
    for (word i = 0; i < s->ph; i++)
        for (word j = 0; j < s->pw; j++, y++, y_bar++) {
            word count = 0;
            for (word a = 0; a < s->kh; a++)
                for (word b = 0; b < s->kw; b++) count += entry(s, x, s->high[i * s->kh + a], s->wide[j * s->kw + b]) == *y;
            float share = *y_bar / MAX(count, 1);
            for (word a = 0; a < s->kh; a++)
                for (word b = 0; b < s->kw; b++) {
                    word at = s->high[i * s->kh + a], across = s->wide[j * s->kw + b];
                    if (at >= 0 && at < s->h && across >= 0 && across < s->w && x[at * s->w + across] == *y)
                        x_bar[at * s->w + across] += share;
                }
        }
}

static void spread_halves(const pool_t *s, const float *x, const float *y, const float *y_bar, float *x_bar) {
    for (word i = 0; i < s->ph; i++, x += 2 * s->w, x_bar += 2 * s->w, y += s->pw, y_bar += s->pw) {
        const float *below = x + s->w;
        float *under = x_bar + s->w;
        VECTOR for (word j = 0; j < s->pw; j++) {
            float a = x[2 * j] == y[j], b = x[2 * j + 1] == y[j], c = below[2 * j] == y[j], d = below[2 * j + 1] == y[j];
            float count = a + b + c + d, share = y_bar[j] / (count > 1.0f ? count : 1.0f);
            x_bar[2 * j] = a * share, x_bar[2 * j + 1] = b * share;
            under[2 * j] = c * share, under[2 * j + 1] = d * share;
        }
        if (s->w > 2 * s->pw)
            x_bar[s->w - 1] = under[s->w - 1] = 0.0f;
    }
    memset(x_bar, 0, (s->h - 2 * s->ph) * s->w * 4);
}

static void spread_some(const void *context, word from, word to) {
    const pool_t *s = context;
    word large = s->h * s->w, small = s->ph * s->pw;
    for (word k = from; k < to; k++) {
        const float *x = s->x + k * large, *y = s->y + k * small, *y_bar = s->y_bar + k * small;
        (s->halves ? spread_halves : spread_plane)(s, x, y, y_bar, s->to + k * large);
    }
}

static pool_t pool_of(const word *a) {
    return (pool_t){
        .planes = a[0], .h = a[1], .w = a[2], .ph = a[3], .pw = a[4], .kh = a[5], .kw = a[6], .halves = a[7],
        .high = (const int64_t *)a[8], .wide = (const int64_t *)a[9],
    };
}

/* Arguments of both: sizes in the order of pool_t and the tables; then x, y. */
EXPORT void max_pool(const word *a) {
    pool_t s = pool_of(a);
    s.x = F(10), s.to = F(11);
    over(s.planes, 20000 / (s.h * s.w + 1) + 1, pool_some, &s);
}

/* ... and then y_bar, x, y, x_bar. */
EXPORT void max_pool_spread(const word *a) {
    pool_t s = pool_of(a);
    s.y_bar = F(10), s.x = F(11), s.y = F(12), s.to = F(13);
    over(s.planes, 20000 / (s.h * s.w + 1) + 1, spread_some, &s);
}
