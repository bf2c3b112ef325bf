/* Rows of a table by number: gathered at once, or in the gaps, where whoever waits for a task copies a piece of a row.

   `gather_ahead` begins it and says so, but not where another gathering is under way; `gather_rows` of the same rows does what
   is left of it, and gathers them all where none was begun, or it was lost by fork(). */

#include <sched.h>
#include <stdatomic.h>

enum { PIECE = 8192 }; /* bytes: a piece takes about a microsecond, which is how long a task may have to wait for it */

/* A ticket as that of the pool: 16 bits for the number of the gathering, 24 for its pieces, 24 for the next one. */
#define AHEAD(number, pieces, next) ((uint64_t)(number) << 48 | (uint64_t)(pieces) << 24 | (uint64_t)(next))
#define PIECES(ticket) ((word)((ticket) >> 24 & 0xffffff))
#define PIECE_NEXT(ticket) ((word)((ticket) & 0xffffff))

typedef struct {
    word n, width, rows, step, parts; /* rows to gather, bytes of each; rows of the table, from one to the next; pieces */
    const char *x;
    const int64_t *ids;
    char *y;
} gathering_t;

static struct {
    _Atomic int busy;
    _Atomic uint64_t ticket;
    _Atomic word left;
    gathering_t of;
    int64_t *ids, room; /* row numbers of its own, and for how many there is room */
    word *_Atomic begun; /* who was told that it has begun */
    uint16_t number;
} ahead;

/* Arguments of `gather_rows` and `gather_ahead`: rows, bytes of a row, the table, its rows, the numbers of the rows, the place,
   where it says whether it has begun, or 0, and bytes from row to row of the table. */
static gathering_t gathering(const word *a) {
    word parts = (a[1] + PIECE - 1) / PIECE;
    return (gathering_t){a[0], a[1], a[3], a[7], parts, (const char *)a[2], (const int64_t *)a[4], (char *)a[5]};
}

static inline void copy_bytes(const gathering_t *s, word row, word from, word n) {
    word id = MAX(0, MIN(s->ids[row], s->rows - 1));
    const char *x = s->x + id * s->step + from;
    char *y = s->y + row * s->width + from;
    if (n == 8) /* a label */
        memcpy(y, x, 8);
    else
        memcpy(y, x, n);
}

/* Copy one piece; 0 where there is none. */
static int piece_ahead(void) {
    uint64_t ticket = atomic_load(&ahead.ticket);
    if (PIECE_NEXT(ticket) >= PIECES(ticket))
        return 0;
    if (!atomic_compare_exchange_weak(&ahead.ticket, &ticket, ticket + 1))
        return 1;
    word k = PIECE_NEXT(ticket), from = k % ahead.of.parts * PIECE;
    copy_bytes(&ahead.of, k / ahead.of.parts, from, MIN(PIECE, ahead.of.width - from));
    atomic_fetch_sub(&ahead.left, 1);
    return 1;
}

static void lose_ahead(void) {
    atomic_store(&ahead.ticket, 0);
    atomic_store(&ahead.left, 0);
    ahead.begun = NULL;
    atomic_store(&ahead.busy, 0);
}

EXPORT void gather_ahead(const word *a) {
    gathering_t of = gathering(a);
    word *begun = (word *)a[6], pieces = of.n * of.parts;
    int free_ = 0;
    *begun = 0;
    if (pieces > 0xffffff || !pieces || !atomic_compare_exchange_strong(&ahead.busy, &free_, 1))
        return;
    if (of.n > ahead.room) {
        free(ahead.ids);
        ahead.ids = malloc(of.n * sizeof *ahead.ids);
        ahead.room = ahead.ids ? of.n : 0;
    }
    if (!ahead.ids) {
        atomic_store(&ahead.busy, 0);
        return;
    }
    memcpy(ahead.ids, of.ids, of.n * sizeof *ahead.ids);
    of.ids = ahead.ids;
    ahead.of = of, ahead.begun = begun;
    atomic_store(&ahead.left, pieces);
    atomic_store(&ahead.ticket, AHEAD(++ahead.number, pieces, 0));
    *begun = 1;
}

/* End what was begun by whom it told so at `begun`; 0 where nothing was, or it was lost. */
EXPORT word gathered_ahead(word *begun) {
    if (!*begun)
        return 0;
    *begun = 0;
    if (ahead.begun != begun)
        return 0;
    while (piece_ahead()) {}
    while (atomic_load(&ahead.left)) sched_yield();
    lose_ahead();
    return 1;
}
