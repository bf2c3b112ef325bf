/* Convolution of images x (n, c, h, w) by weights w (o, c/groups, kh, kw), its transpose, and the gradient of its weights.

   Windows become columns: entry (c, a, b) of the window at the place (i, j) is x[c, i sh + a dh - top, j sw + b dw - left],
   0 where that is outside. A chunk is some rows of places, of one image or several, whose columns fit the cache:

       y = w columns          x += columns, columns = w^T y          w = sum of y columns^T over chunks

   The work is cut into parts, as many as threads, each with scratch of its own; the parts of w are added in their order. */

typedef struct {
    word n, c, h, w, o, ph, pw, kh, kw, sh, sw, dh, dw, top, left, groups;
    word rows, parts, room; /* rows of a chunk at most; parts, and floats of scratch for each */
    float *x, *weights, *y, *scratch;
} conv_t;

static word columns_high(const conv_t *s) {
    return s->c / s->groups * s->kh * s->kw;
}

/* What is done with n entries of a column and of an image, which lie `step` apart; x is NULL outside of the image. A weight
   belongs to it where there are no matrices (depthwise.c). */
typedef void (*line_t)(float *column, float *x, word step, word n, float *weight);

static inline void copy_line(float *column, float *x, word step, word n, float *weight) {
    (void)weight;
    if (!x)
        VECTOR for (word j = 0; j < n; j++) column[j] = 0.0f;
    else if (step == 1)
        VECTOR for (word j = 0; j < n; j++) column[j] = x[j];
    else
        VECTOR for (word j = 0; j < n; j++) column[j] = x[j * step];
}

static inline void add_line(float *column, float *x, word step, word n, float *weight) {
    (void)weight;
    if (!x)
        return;
    if (step == 1)
        VECTOR for (word j = 0; j < n; j++) x[j] += column[j];
    else
        VECTOR for (word j = 0; j < n; j++) x[j * step] += column[j];
}

/* The columns of one channel and one entry of the kernel, for rows of places from `first` on. */
static inline void over_rows(const conv_t *s, word channel, word a, word b, word first, word rows, float *column, line_t line,
                             float *weight) {
    word image = first / s->ph, i = first % s->ph, shift = b * s->dw - s->left;
    word from = shift < 0 ? MIN((-shift + s->sw - 1) / s->sw, s->pw) : 0;
    word to = shift < s->w ? MAX(MIN((s->w - 1 - shift) / s->sw + 1, s->pw), from) : from;
    for (word r = 0; r < rows; r++, column += s->pw) {
        word at = i * s->sh + a * s->dh - s->top;
        if (at < 0 || at >= s->h) {
            line(column, NULL, 1, s->pw, weight);
        } else {
            float *x = s->x + ((image * s->c + channel) * s->h + at) * s->w + shift;
            line(column, NULL, 1, from, weight);
            line(column + from, x + from * s->sw, s->sw, to - from, weight);
            line(column + to, NULL, 1, s->pw - to, weight);
        }
        if (++i == s->ph)
            i = 0, image++;
    }
}

static inline void over_columns(const conv_t *s, word group, word first, word rows, float *columns, line_t line) {
    word channels = s->c / s->groups;
    for (word c = 0; c < channels; c++)
        for (word a = 0; a < s->kh; a++)
            for (word b = 0; b < s->kw; b++, columns += rows * s->pw)
                over_rows(s, group * channels + c, a, b, first, rows, columns, line, NULL);
}

static void take_columns(const conv_t *s, word group, word first, word rows, float *columns) {
    over_columns(s, group, first, rows, columns, copy_line);
}

static void add_columns(const conv_t *s, word group, word first, word rows, float *columns) {
    over_columns(s, group, first, rows, columns, add_line);
}

/* Results of a group at rows of places from `first` on, as a matrix (o/groups, places), and back. */
static void move_results(const conv_t *s, word group, word first, word rows, float *results, int out) {
    word channels = s->o / s->groups, width = rows * s->pw;
    for (word r = 0; r < rows;) {
        word image = (first + r) / s->ph, i = (first + r) % s->ph, some = MIN(rows - r, s->ph - i);
        for (word k = 0; k < channels; k++) {
            float *y = s->y + ((image * s->o + group * channels + k) * s->ph + i) * s->pw;
            float *m = results + k * width + r * s->pw;
            memcpy(out ? y : m, out ? m : y, some * s->pw * 4);
        }
        r += some;
    }
}

static float *weights_of(const conv_t *s, word group) {
    return s->weights + group * (s->o / s->groups) * columns_high(s);
}

static void conv_some(const void *context, word from, word to) {
    const conv_t *s = context;
    word k = columns_high(s), m = s->o / s->groups, all = s->n * s->ph;
    for (word part = from; part < to; part++) {
        float *columns = s->scratch + part * s->room, *results = columns + k * s->rows * s->pw;
        word end = all * (part + 1) / s->parts;
        for (word first = all * part / s->parts; first < end; first += s->rows) {
            word rows = MIN(s->rows, end - first), width = rows * s->pw;
            for (word g = 0; g < s->groups; g++) {
                take_columns(s, g, first, rows, columns);
                gemm(0, 0, m, width, k, 1.0f, weights_of(s, g), k, columns, width, 0.0f, results, width);
                move_results(s, g, first, rows, results, 1);
            }
        }
    }
}

static void conv_transpose_some(const void *context, word from, word to) { /* parts are of whole images */
    const conv_t *s = context;
    word k = columns_high(s), m = s->o / s->groups, image = s->c * s->h * s->w;
    for (word part = from; part < to; part++) {
        float *columns = s->scratch + part * s->room, *results = columns + k * s->rows * s->pw;
        word start = s->n * part / s->parts, end = s->n * (part + 1) / s->parts;
        memset(s->x + start * image, 0, (end - start) * image * 4);
        for (word first = start * s->ph; first < end * s->ph; first += s->rows) {
            word rows = MIN(s->rows, end * s->ph - first), width = rows * s->pw;
            for (word g = 0; g < s->groups; g++) {
                move_results(s, g, first, rows, results, 0);
                gemm(1, 0, k, width, m, 1.0f, weights_of(s, g), k, results, width, 0.0f, columns, width);
                add_columns(s, g, first, rows, columns);
            }
        }
    }
}

static void conv_weight_some(const void *context, word from, word to) {
    const conv_t *s = context;
    word k = columns_high(s), m = s->o / s->groups, all = s->n * s->ph;
    for (word part = from; part < to; part++) {
        float *total = s->scratch + part * s->room, *columns = total + s->o * k, *results = columns + k * s->rows * s->pw;
        word end = all * (part + 1) / s->parts;
        memset(total, 0, s->o * k * 4);
        for (word first = all * part / s->parts; first < end; first += s->rows) {
            word rows = MIN(s->rows, end - first), width = rows * s->pw;
            for (word g = 0; g < s->groups; g++) {
                take_columns(s, g, first, rows, columns);
                move_results(s, g, first, rows, results, 0);
                gemm(0, 1, m, k, width, 1.0f, results, width, columns, width, 1.0f, total + g * m * k, k);
            }
        }
    }
}

static conv_t conv_of(const word *a) {
    return (conv_t){
        .n = a[0], .c = a[1], .h = a[2], .w = a[3], .o = a[4], .ph = a[5], .pw = a[6], .kh = a[7], .kw = a[8], .sh = a[9],
        .sw = a[10], .dh = a[11], .dw = a[12], .top = a[13], .left = a[14], .groups = a[15], .rows = a[16], .parts = a[17],
        .room = a[18], .x = F(19), .weights = F(20), .y = F(21), .scratch = F(22),
    };
}

/* Arguments of all three: the sizes and settings in the order of conv_t, then x, weights, y, scratch. */
EXPORT void conv(const word *a) {
    conv_t s = conv_of(a);
    over(s.parts, 1, conv_some, &s);
}

EXPORT void conv_transpose(const word *a) {
    conv_t s = conv_of(a);
    over(s.parts, 1, conv_transpose_some, &s);
}

EXPORT void conv_weight(const word *a) {
    conv_t s = conv_of(a);
    over(s.parts, 1, conv_weight_some, &s);
    memcpy(s.weights, s.scratch, s.o * columns_high(&s) * 4);
    for (word part = 1; part < s.parts; part++)
        VECTOR for (word i = 0; i < s.o * columns_high(&s); i++) s.weights[i] += s.scratch[part * s.room + i];
}

static void unfold_some(const void *context, word from, word to) {
    const conv_t *s = context;
    for (word i = from; i < to; i++) take_columns(s, 0, i * s->ph, s->ph, s->y + i * columns_high(s) * s->ph * s->pw);
}

static void fold_some(const void *context, word from, word to) {
    const conv_t *s = context;
    for (word i = from; i < to; i++) {
        memset(s->x + i * s->c * s->h * s->w, 0, s->c * s->h * s->w * 4);
        add_columns(s, 0, i * s->ph, s->ph, s->y + i * columns_high(s) * s->ph * s->pw);
    }
}

/* Windows as columns, image by image, and added back; arguments as above, of which weights and scratch are not used. */
EXPORT void unfold(const word *a) {
    conv_t s = conv_of(a);
    over(s.n, 20000 / (columns_high(&s) * s.ph * s.pw + 1) + 1, unfold_some, &s);
}

EXPORT void fold(const word *a) {
    conv_t s = conv_of(a);
    over(s.n, 20000 / (columns_high(&s) * s.ph * s.pw + 1) + 1, fold_some, &s);
}
