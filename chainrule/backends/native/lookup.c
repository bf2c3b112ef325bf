/* Rows by number: taken from a table, and added back to it. */

static void gather_some(const void *context, word from, word to) {
    const gathering_t *s = context;
    for (word row = from; row < to; row++) copy_bytes(s, row, 0, s->width);
}

/* Rows of any kind, by numbers from 0 on. Its arguments are those of `gather_ahead`, which may have begun it. */
EXPORT void gather_rows(const word *a) {
    gathering_t of = gathering(a);
    if (!a[6] || !gathered_ahead((word *)a[6]))
        over(of.n, 65536 / (of.width + 1) + 1, gather_some, &of);
}

typedef struct {
    word n, rows, width;
    const float *x;
    const int64_t *ids;
    float *y;
} lookup_t;

static void take_some(const void *context, word from, word to) {
    const lookup_t *s = context;
    for (word i = from; i < to; i++) {
        word id = s->ids[i] < 0 ? s->ids[i] + s->rows : s->ids[i];
        if (id >= 0 && id < s->rows)
            memcpy(s->y + i * s->width, s->x + id * s->width, s->width * 4);
        else
            for (word k = 0; k < s->width; k++) s->y[i * s->width + k] = NAN;
    }
}

/* y_i = x[id_i]. Arguments: n, rows of x, width, x, ids, y. */
EXPORT void take_rows(const word *a) {
    lookup_t s = {.n = a[0], .rows = a[1], .width = a[2], .x = F(3), .ids = (const int64_t *)a[4], .y = F(5)};
    over(s.n, 40000 / (s.width + 1) + 1, take_some, &s);
}

/* Threads share the columns, so that rows named twice are added in their order. */
static void add_some(const void *context, word from, word to) {
    const lookup_t *s = context;
    from = MIN(from * 16, s->width), to = MIN(to * 16, s->width);
    for (word r = 0; r < s->rows; r++) memset(s->y + r * s->width + from, 0, (to - from) * 4);
    for (word i = 0; i < s->n; i++) {
        word id = s->ids[i] < 0 ? s->ids[i] + s->rows : s->ids[i];
        if (id < 0 || id >= s->rows)
            continue;
        float *y = s->y + id * s->width;
        const float *x = s->x + i * s->width;
        VECTOR for (word k = from; k < to; k++) y[k] += x[k];
    }
}

/* y = 0, then y[id_i] += x_i. Arguments: n, rows of y, width, x, ids, y. */
EXPORT void add_rows(const word *a) {
    lookup_t s = {.n = a[0], .rows = a[1], .width = a[2], .x = F(3), .ids = (const int64_t *)a[4], .y = F(5)};
    over((s.width + 15) / 16, 40000 / (s.n * 16 + 1) + 1, add_some, &s);
}

/* Sets the word at `flag` where a number is not from `low` to `high`. Arguments: n, x, low, high, flag. */
#define CHECK(name, type)                                                                                               \
    EXPORT void name(const word *a) {                                                                                   \
        const type *x = (const type *)a[1];                                                                             \
        double low = number(a[2]), high = number(a[3]);                                                                 \
        int bad = 0;                                                                                                    \
        for (word i = 0; i < a[0]; i++) bad |= (double)x[i] < low || (double)x[i] > high;                               \
        if (bad)                                                                                                        \
            *(word *)a[4] = 1;                                                                                          \
    }

CHECK(check_whole, int64_t)
CHECK(check_single, float)
