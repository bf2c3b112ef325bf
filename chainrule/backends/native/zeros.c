/* Products with a matrix that is 0 at many places, as images with empty margins and counts of words are: where four rows
   that follow one another are all 0, there is nothing to multiply.

   Leaving out 0 w changes no sum, unless w is infinite or NaN, and a panel with such numbers is multiplied in full: the result
   is that of all other products, to the last bit. */

#if defined(__AVX512F__)
#include <immintrin.h>

enum { TOGETHER = 4, BAND = 16, PROBES = 64, LONGEST_SUM = 2048, MOST_ROWS = 4096, SPARE = 16 };

/* A product (rows, k) (k, columns), of which x has the zeros. `turned`: it is the transpose of the one that is asked for. */
typedef struct {
    const product_t *p;
    int turned;
    left_t x;
    word rows, columns, k, shares; /* shares: into how many the rows are cut for one panel */
    uint16_t *places;              /* for every four rows, k + SPARE each: where they are not all 0 */
    word *counts;
} sparse_t;

/* Whether a matrix has many zeros, by a look at some places. */
static int has_zeros(left_t x, word rows, word k) {
    word groups = rows / TOGETHER, found = 0;
    for (word probe = 0; probe < PROBES; probe++) {
        const float *at = x.at + probe * groups / PROBES * TOGETHER * x.row + probe * 7919 % k * x.step;
        found += !at[0] && !at[x.row] && !at[2 * x.row] && !at[3 * x.row];
    }
    return found >= PROBES / 3;
}

/* The places of four rows that lie along k. */
static void places_along(const sparse_t *s, word group) {
    const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
    const float *at = s->x.at + group * TOGETHER * s->x.row;
    uint16_t *to = s->places + group * (s->k + SPARE);
    __m512i i = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    word count = 0;
    for (word from = 0; from < s->k; from += BAND, i = _mm512_add_epi32(i, _mm512_set1_epi32(BAND))) {
        __mmask16 there = (__mmask16)((1u << MIN(BAND, s->k - from)) - 1);
        __m512i bits = _mm512_setzero_si512();
        for (int r = 0; r < TOGETHER; r++)
            bits = _mm512_or_si512(bits, _mm512_maskz_loadu_epi32(there, at + r * s->x.row + from));
        __mmask16 some = _mm512_test_epi32_mask(bits, magnitude);
        _mm256_storeu_si256((void *)(to + count), _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(some, i)));
        count += __builtin_popcount(some);
    }
    s->counts[group] = count;
}

/* The places of a band of rows that lie across k, of which `rows` are there. */
static void places_across(const sparse_t *s, word band, word rows) {
    const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
    const float *at = s->x.at + band * BAND;
    __mmask16 there = (__mmask16)((1u << rows) - 1);
    word first = band * BAND / TOGETHER, groups = rows / TOGETHER, count[BAND / TOGETHER] = {0};
    for (word from = 0; from < s->k; from += 32) {
        __m512i bits = _mm512_setzero_si512();
        uint32_t of_row[BAND];
        for (word i = from; i < MIN(from + 32, s->k); i++) {
            __mmask16 some = _mm512_test_epi32_mask(_mm512_maskz_loadu_epi32(there, at + i * s->x.step), magnitude);
            bits = _mm512_mask_or_epi32(bits, some, bits, _mm512_set1_epi32((int)(1u << (i - from))));
        }
        _mm512_storeu_si512(of_row, bits);
        for (word g = 0; g < groups; g++) {
            const uint32_t *four = of_row + g * TOGETHER;
            uint16_t *to = s->places + (first + g) * (s->k + SPARE);
            for (uint32_t left = four[0] | four[1] | four[2] | four[3]; left; left &= left - 1)
                to[count[g]++] = (uint16_t)(from + __builtin_ctz(left));
        }
    }
    for (word g = 0; g < groups; g++) s->counts[first + g] = count[g];
}

static void list_places(const void *context, word from, word to) {
    const sparse_t *s = context;
    for (word band = from; band < to; band++) {
        word first = band * BAND / TOGETHER, rows = MIN(BAND, s->rows - band * BAND);
        if (s->x.step != 1)
            places_across(s, band, rows);
        else
            for (word g = 0; g < rows / TOGETHER; g++) places_along(s, first + g);
    }
}

/* z = first + x panel for four rows, at some places of k. */
INLINE void tile_at(int wide, word n, const uint16_t *places, left_t x, const float *panel, rows_t first, rows_t z) {
    lanes_t sum[TOGETHER][4];
    UNROLL for (int r = 0; r < TOGETHER; r++)
        UNROLL for (int v = 0; v < wide; v++) sum[r][v] = *(const lanes_t *)(first.at + r * first.row + v * WIDTH);
    for (word c = 0; c < n; c++) {
        word i = places[c];
        const float *row = panel + i * wide * WIDTH, *entries = x.at + i * x.step;
        UNROLL for (int r = 0; r < TOGETHER; r++) {
            float entry = entries[r * x.row];
            UNROLL for (int v = 0; v < wide; v++) sum[r][v] += entry * *(const lanes_t *)(row + v * WIDTH);
        }
    }
    UNROLL for (int r = 0; r < TOGETHER; r++)
        UNROLL for (int v = 0; v < wide; v++) *(lanes_t *)(z.at + r * z.row + v * WIDTH) = sum[r][v];
}

/* The same for n rows of x from row `from` on. */
static void rows_at(const sparse_t *s, word from, word n, word wide, const float *panel, int in_full, rows_t first, rows_t z) {
    word whole = in_full ? 0 : n / TOGETHER * TOGETHER;
    for (word r = 0; r < n; r += r < whole ? TOGETHER : n - r) {
        left_t x = {s->x.at + (from + r) * s->x.row, s->x.row, s->x.step};
        rows_t first_ = {first.at + r * first.row, first.row}, z_ = {z.at + r * z.row, z.row};
        word group = (from + r) / TOGETHER, count = r < whole ? s->counts[group] : 0;
        const uint16_t *places = s->places + group * (s->k + SPARE);
        if (r >= whole)
            times_broad(wide, n - r, s->k, x, panel, first_, z_);
        else if (wide == 4)
            tile_at(4, count, places, x, panel, first_, z_);
        else if (wide == 3)
            tile_at(3, count, places, x, panel, first_, z_);
        else if (wide == 2)
            tile_at(2, count, places, x, panel, first_, z_);
        else
            tile_at(1, count, places, x, panel, first_, z_);
    }
}

static int is_finite(const float *panel, word n) {
    lanes_t sum = {0};
    for (word i = 0; i < n; i += WIDTH) sum += *(const lanes_t *)(panel + i) * 0.0f;
    for (int v = 0; v < WIDTH; v++)
        if (sum[v] != 0.0f)
            return 0;
    return 1;
}

/* Columns of the matrix without zeros, from j on, as a panel. */
static void pack_dense(const sparse_t *s, word j, word columns, word broad, float *panel) {
    const product_t *p = s->p;
    const float *from = s->turned ? p->x : p->y;
    word ld = s->turned ? p->lda : p->ldb;
    if (s->turned ? !p->ta : p->tb)
        pack_turned(from + j * ld, ld, s->k, columns, broad, panel);
    else
        pack_plain(from + j, ld, s->k, columns, broad, panel);
}

/* Results of n rows and some columns to where they belong: (row, column) of z, or of its transpose. */
static void put_rows(const sparse_t *s, const float *some, word broad, word row, word n, word column, word columns) {
    word ldz = s->p->ldc, c = 0;
    float *z = s->turned ? s->p->z + column * ldz + row : s->p->z + row * ldz + column;
    if (!s->turned) {
        for (word r = 0; r < n; r++) memcpy(z + r * ldz, some + r * broad, columns * 4);
        return;
    }
    for (; n == BAND && c + WIDTH <= columns; c += WIDTH) turn_square(some + c, broad, z + c * ldz, ldz);
    for (; c < columns; c++)
        for (word r = 0; r < n; r++) z[c * ldz + r] = some[r * broad + c];
}

static void some_panels(const void *context, word from, word to) {
    const sparse_t *s = context;
    const product_t *p = s->p;
    float some[BAND * BROAD] __attribute__((aligned(64))), *panel = aligned_alloc(64, s->k * BROAD * 4);
    word bands = (s->rows + BAND - 1) / BAND;
    for (word unit = from; unit < to; unit++) {
        word j = unit / s->shares * BROAD, share = unit % s->shares, columns = MIN(BROAD, s->columns - j);
        word wide = (columns + WIDTH - 1) / WIDTH, broad = wide * WIDTH;
        pack_dense(s, j, columns, broad, panel);
        int in_full = !is_finite(panel, s->k * broad), direct = !s->turned && columns == broad;
        for (word band = bands * share / s->shares; band < bands * (share + 1) / s->shares; band++) {
            word row = band * BAND, n = MIN(BAND, s->rows - row);
            rows_t z = direct ? (rows_t){p->z + row * p->ldc + j, p->ldc} : (rows_t){some, broad};
            for (word r = 0; r < n && !direct && p->beta != 0.0f; r++)
                memcpy(some + r * broad, p->z + (row + r) * p->ldc + j, columns * 4);
            rows_at(s, row, n, wide, panel, in_full, p->beta != 0.0f ? z : (rows_t){(float *)nothing, 0}, z);
            if (!direct)
                put_rows(s, some, broad, row, n, j, columns);
        }
    }
    free(panel);
}

/* Multiply, some rows of x at a time, with lists of their places. */
static void sparse_product(sparse_t s) {
    product_t p = *s.p;
    word all = s.rows, panels = (s.columns + BROAD - 1) / BROAD;
    s.rows = MIN(all, MOST_ROWS);
    s.p = &p;
    s.shares = panels < pool.threads ? MIN(pool.threads, MAX(s.rows / (4 * BAND), 1)) : 1;
    s.counts = malloc((s.rows / TOGETHER + 1) * (sizeof(word) + (s.k + SPARE) * sizeof(uint16_t)));
    s.places = (uint16_t *)(s.counts + s.rows / TOGETHER + 1);
    for (word done = 0; done < all; done += MOST_ROWS) {
        s.rows = MIN(MOST_ROWS, all - done);
        over((s.rows + BAND - 1) / BAND, 4, list_places, &s);
        over(panels * s.shares, 1, some_panels, &s);
        s.x.at += MOST_ROWS * s.x.row;
        p.z += MOST_ROWS * (s.turned ? 1 : p.ldc);
    }
    free(s.counts);
}

/* Multiply by leaving out zeros, if there are many and it pays (measured); else 0, and nothing is done. */
static int leaves_out_zeros(const product_t *p) {
    if (p->batch > 1 || p->alpha != 1.0f || p->m < 32 || p->n < 32 || p->k < 32 || p->k > LONGEST_SUM ||
        p->m * p->n * p->k < 1 << 19 || (p->beta != 0.0f && p->beta != 1.0f))
        return 0;
    left_t x = p->ta ? (left_t){p->x, 1, p->lda} : (left_t){p->x, p->lda, 1};
    left_t y = p->tb ? (left_t){p->y, p->ldb, 1} : (left_t){p->y, 1, p->ldb};
    if (has_zeros(x, p->m, p->k))
        sparse_product((sparse_t){p, 0, x, p->m, p->n, p->k});
    else if (p->beta == 0.0f && has_zeros(y, p->n, p->k))
        sparse_product((sparse_t){p, 1, y, p->n, p->m, p->k});
    else
        return 0;
    return 1;
}
#else
static int leaves_out_zeros(const product_t *p) {
    return 0;
}
#endif
