/* Convolution by kernels of 3 x 3 with stride 1, its transpose and the gradient of its weights, in tiles of 2 x 2 places.

   The algebra stands in winograd_maps.c. A chunk is some rows of tiles, of one image or several; the values of its tiles lie
   as a matrix (channels, tiles) for each of the 16 points, so that the sums are 16 matrix products. Parts of the work are
   those of convolution.c. */

typedef struct {
    word n, c, h, w, o, ph, pw, top, left;
    word rows, parts, room; /* rows of tiles in a chunk at most; parts, and floats of scratch for each */
    float *x, *weights, *y, *scratch;
    word th, tw, wide; /* tiles of an image along its axes; entries from one row of a matrix of tiles to the next */
    word step_c, step_o; /* entries from one point to the next; at 4096 bytes they would meet in the cache */
} tiles_t;

/* Entries from `start` of a row of n, 0 outside, those at even places apart from those at odd ones. */
static void split_row(const float *x, word n, word start, word pairs, float *line, float *even, float *odd) {
    word from = MIN(MAX(-start, 0), 2 * pairs), to = MAX(MIN(n - start, 2 * pairs), from);
    if (!x)
        to = from;
    for (word j = 0; j < from; j++) line[j] = 0.0f;
    if (to > from)
        memcpy(line + from, x + start + from, (to - from) * 4);
    for (word j = to; j < 2 * pairs; j++) line[j] = 0.0f;
    VECTOR for (word t = 0; t < pairs; t++) even[t] = line[2 * t], odd[t] = line[2 * t + 1];
}

/* Room for lines: one whole, and four of entries at even places and at odd ones. */
typedef struct {
    float *line, *even[4], *odd[4];
} lines_t;

static void swap(float **x, float **y) {
    float *z = *x;
    *x = *y, *y = z;
}

static lines_t lines_in(float *scratch, word tw) {
    word half = tw + 1 + WIDE;
    lines_t l = {.line = scratch};
    for (int r = 0; r < 4; r++) l.even[r] = scratch + (2 + 2 * r) * half, l.odd[r] = l.even[r] + half;
    return l;
}

/* Values of the images' tiles at all points, (points, channels, tiles), for rows of tiles from `first` on. */
static void take_tiles(const tiles_t *s, lines_t *l, word first, word rows, float *v) {
    for (word c = 0; c < s->c; c++) {
        const float *x = s->x + (first / s->th * s->c + c) * s->h * s->w;
        word i = first % s->th, begin = 0;
        for (word r = 0; r < rows; r++) {
            for (word k = begin; k < 4; k++) {
                word row = 2 * i + k - s->top;
                const float *from = row >= 0 && row < s->h ? x + row * s->w : NULL;
                split_row(from, s->w, -s->left, s->tw + 1, l->line, l->even[k], l->odd[k]);
            }
            values_of_tiles(l->even, l->odd, s->tw, v + c * s->wide + r * s->tw, s->step_c);
            swap(&l->even[0], &l->even[2]), swap(&l->even[1], &l->even[3]);
            swap(&l->odd[0], &l->odd[2]), swap(&l->odd[1], &l->odd[3]);
            begin = 2;
            if (++i == s->th)
                i = 0, begin = 0, x += s->c * s->h * s->w;
        }
    }
}

static void take_places(const tiles_t *s, lines_t *l, word first, word rows, float *v) {
    for (word k = 0; k < s->o; k++) {
        const float *y = s->y + (first / s->th * s->o + k) * s->ph * s->pw;
        word i = first % s->th;
        for (word r = 0; r < rows; r++) {
            for (word q = 0; q < 2; q++) {
                const float *from = 2 * i + q < s->ph ? y + (2 * i + q) * s->pw : NULL;
                split_row(from, s->pw, 0, s->tw, l->line, l->even[q], l->odd[q]);
            }
            values_of_places(l->even, l->odd, s->tw, v + k * s->wide + r * s->tw, s->step_o);
            if (++i == s->th)
                i = 0, y += s->o * s->ph * s->pw;
        }
    }
}

static void put_places(const tiles_t *s, lines_t *l, word first, word rows, const float *m) {
    for (word k = 0; k < s->o; k++) {
        float *y = s->y + (first / s->th * s->o + k) * s->ph * s->pw;
        word i = first % s->th;
        for (word r = 0; r < rows; r++) {
            places_of_values(m + k * s->wide + r * s->tw, s->step_o, s->tw, l->even, l->odd);
            for (word q = 0; q < MIN(2, s->ph - 2 * i); q++) {
                float *to = y + (2 * i + q) * s->pw;
                const float *e = l->even[q], *o = l->odd[q];
                VECTOR for (word t = 0; t < s->pw / 2; t++) to[2 * t] = e[t], to[2 * t + 1] = o[t];
                if (s->pw % 2)
                    to[s->pw - 1] = e[s->tw - 1];
            }
            if (++i == s->th)
                i = 0, y += s->o * s->ph * s->pw;
        }
    }
}

static void tiles_some(const void *context, word from, word to) {
    const tiles_t *s = context;
    const float *u = s->scratch;
    for (word part = from; part < to; part++) {
        float *v = s->scratch + POINTS * s->o * s->c + part * s->room, *m = v + POINTS * s->step_c;
        lines_t lines = lines_in(m + POINTS * s->step_o, s->tw);
        word all = s->n * s->th, end = all * (part + 1) / s->parts;
        for (word first = all * part / s->parts; first < end; first += s->rows) {
            word rows = MIN(s->rows, end - first);
            take_tiles(s, &lines, first, rows, v);
            for (word p = 0; p < POINTS; p++)
                gemm(0, 0, s->o, rows * s->tw, s->c, 1.0f, u + p * s->o * s->c, s->c, v + p * s->step_c, s->wide, 0.0f,
                     m + p * s->step_o, s->wide);
            put_places(s, &lines, first, rows, m);
        }
    }
}

static void tiles_weight_some(const void *context, word from, word to) {
    const tiles_t *s = context;
    for (word part = from; part < to; part++) {
        float *sums = s->scratch + part * s->room, *v = sums + POINTS * s->o * s->c, *z = v + POINTS * s->step_c;
        lines_t lines = lines_in(z + POINTS * s->step_o, s->tw);
        word all = s->n * s->th, start = all * part / s->parts, end = all * (part + 1) / s->parts;
        memset(sums, 0, POINTS * s->o * s->c * 4);
        for (word first = start; first < end; first += s->rows) {
            word rows = MIN(s->rows, end - first);
            take_tiles(s, &lines, first, rows, v);
            take_places(s, &lines, first, rows, z);
            for (word p = 0; p < POINTS; p++)
                gemm(0, 1, s->o, s->c, rows * s->tw, 1.0f, z + p * s->step_o, s->wide, v + p * s->step_c, s->wide, 1.0f,
                     sums + p * s->o * s->c, s->c);
        }
    }
}

static tiles_t tiles_of(const word *a) {
    tiles_t s = {
        .n = a[0], .c = a[1], .h = a[2], .w = a[3], .o = a[4], .ph = a[5], .pw = a[6], .top = a[7], .left = a[8],
        .rows = a[9], .parts = a[10], .room = a[11], .x = F(12), .weights = F(13), .y = F(14), .scratch = F(15),
    };
    s.th = (s.ph + 1) / 2, s.tw = (s.pw + 1) / 2, s.wide = s.rows * s.tw + WIDE;
    s.step_c = s.c * s.wide + LINE, s.step_o = s.o * s.wide + LINE;
    return s;
}

/* Arguments of all three: sizes of tiles_t in its order, x, weights, y, scratch. */
EXPORT void winograd(const word *a) {
    tiles_t s = tiles_of(a);
    kernels_t k = {.m = s.o, .n = s.c, .step_m = 9 * s.c, .step_n = 9, .g = s.weights, .u = s.scratch};
    over(s.o, 500 / s.c + 1, values_of_kernels, &k);
    over(s.parts, 1, tiles_some, &s);
}

/* Here x are the places of the convolution and y its images; the weights lie as ever. */
EXPORT void winograd_transpose(const word *a) {
    tiles_t s = tiles_of(a);
    kernels_t k = {.m = s.o, .n = s.c, .step_m = 9, .step_n = 9 * s.o, .turned = 1, .g = s.weights, .u = s.scratch};
    over(s.o, 500 / s.c + 1, values_of_kernels, &k);
    over(s.parts, 1, tiles_some, &s);
}

EXPORT void winograd_weight(const word *a) {
    tiles_t s = tiles_of(a);
    over(s.parts, 1, tiles_weight_some, &s);
    kernels_t k = {.m = s.o, .n = s.c, .g = s.weights, .u = s.scratch};
    for (word part = 1; part < s.parts; part++)
        VECTOR for (word i = 0; i < POINTS * s.o * s.c; i++) s.scratch[i] += s.scratch[part * s.room + i];
    over(s.o, 500 / s.c + 1, kernels_of_values, &k);
}
