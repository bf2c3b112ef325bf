/* What a plan shows of itself: values, or four figures of each, kept row by row in a ring.

   Arguments of both: arrays, their addresses and sizes in pairs, rows of the ring, entries of a row, ring, count. The
   row is count % rows; the count goes up by one. */

EXPORT void keep_values(const word *a) {
    const word *pairs = (const word *)a[1];
    word *count = (word *)a[5];
    float *row = F(4) + *count % a[2] * a[3];
    for (word i = 0; i < a[0]; i++) {
        memcpy(row, (const float *)pairs[2 * i], pairs[2 * i + 1] * 4);
        row += pairs[2 * i + 1];
    }
    ++*count;
}

enum { LANES = 16 };

/* Mean, standard deviation, least and largest; NaN where one entry is NaN. */
static void figures(const float *x, word n, float *y) {
    double total = 0, squares = 0;
    float low[LANES], high[LANES];
    for (int k = 0; k < LANES; k++) low[k] = INFINITY, high[k] = -INFINITY;
    for (word block = 0; block < n; block += 4096) {
        word end = MIN(n, block + 4096), i = block;
        float sum[LANES] = {0}, square[LANES] = {0};
        for (; i + LANES <= end; i += LANES)
            for (int k = 0; k < LANES; k++) {
                float v = x[i + k];
                sum[k] += v;
                square[k] += v * v;
                low[k] = v < low[k] ? v : low[k];
                high[k] = v > high[k] ? v : high[k];
            }
        for (; i < end; i++) {
            sum[0] += x[i];
            square[0] += x[i] * x[i];
            low[0] = x[i] < low[0] ? x[i] : low[0];
            high[0] = x[i] > high[0] ? x[i] : high[0];
        }
        for (int k = 0; k < LANES; k++) total += sum[k], squares += square[k];
    }
    for (int k = 1; k < LANES; k++) {
        low[0] = low[k] < low[0] ? low[k] : low[0];
        high[0] = high[k] > high[0] ? high[k] : high[0];
    }
    double mean = n ? total / n : NAN, variance = n ? squares / n - mean * mean : NAN;
    y[0] = (float)mean;
    y[1] = (float)sqrt(variance < 0 ? 0 : variance);
    y[2] = total != total ? NAN : low[0];
    y[3] = total != total ? NAN : high[0];
}

typedef struct {
    const word *pairs;
    float *row;
} figures_t;

static void some_figures(const void *context, word from, word to) {
    const figures_t *s = context;
    for (word i = from; i < to; i++) figures((const float *)s->pairs[2 * i], s->pairs[2 * i + 1], s->row + 4 * i);
}

EXPORT void keep_figures(const word *a) {
    word *count = (word *)a[5], entries = 0;
    figures_t s = {(const word *)a[1], F(4) + *count % a[2] * a[3]};
    for (word i = 0; i < a[0]; i++) entries += s.pairs[2 * i + 1];
    over(a[0], 100000 * a[0] / (entries + 1) + 1, some_figures, &s);
    ++*count;
}

/* y = x, a number; sets the word at `stop` where it is not finite. Arguments: x, y, stop. */
EXPORT void keep(const word *a) {
    *F(1) = *F(0);
    if (!isfinite(*F(0)))
        *(word *)a[2] = 1;
}
