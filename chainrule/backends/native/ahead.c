/* Rows of a table gathered in the gaps: whoever waits for a task copies a piece of a row meanwhile.

   One gathering at a time. `gather_ahead` begins it and says so, but not where another one is under way; `gathered_ahead`
   does what is left of it, ends it, and returns 1, or 0 where it was lost, by fork(). */

#include <sched.h>
#include <stdatomic.h>

enum { PIECE = 8192 }; /* bytes: a piece takes about a microsecond, which is how long a task may have to wait for it */

/* A ticket as that of the pool: 16 bits for the number of the gathering, 24 for its pieces, 24 for the next one. */
#define AHEAD(number, pieces, next) ((uint64_t)(number) << 48 | (uint64_t)(pieces) << 24 | (uint64_t)(next))
#define PIECES(ticket) ((word)((ticket) >> 24 & 0xffffff))
#define PIECE_NEXT(ticket) ((word)((ticket) & 0xffffff))

static struct {
    _Atomic int busy;
    _Atomic uint64_t ticket;
    _Atomic word left;
    word width, parts; /* bytes of a row, and in how many pieces */
    const char *x;
    const int64_t *rows;
    char *y;
    uint16_t number;
} ahead;

/* Copy one piece; 0 where there is none. */
static int piece_ahead(void) {
    uint64_t ticket = atomic_load(&ahead.ticket);
    if (PIECE_NEXT(ticket) >= PIECES(ticket))
        return 0;
    if (!atomic_compare_exchange_weak(&ahead.ticket, &ticket, ticket + 1))
        return 1;
    word k = PIECE_NEXT(ticket), row = k / ahead.parts, from = k % ahead.parts * PIECE;
    memcpy(ahead.y + row * ahead.width + from, ahead.x + ahead.rows[row] * ahead.width + from,
           MIN(PIECE, ahead.width - from));
    atomic_fetch_sub(&ahead.left, 1);
    return 1;
}

static void lose_ahead(void) {
    atomic_store(&ahead.ticket, 0);
    atomic_store(&ahead.left, 0);
    atomic_store(&ahead.busy, 0);
}

/* Arguments: rows, bytes of a row, the table, the numbers of the rows (all of them in the table), the place, and where
   to say whether it has begun. */
EXPORT void gather_ahead(const word *a) {
    int64_t *begun = (int64_t *)a[5];
    *begun = 0;
    word parts = (a[1] + PIECE - 1) / PIECE, pieces = a[0] * parts;
    int free = 0;
    if (pieces > 0xffffff || !pieces || !atomic_compare_exchange_strong(&ahead.busy, &free, 1))
        return;
    ahead.width = a[1], ahead.parts = parts;
    ahead.x = (const char *)a[2], ahead.rows = (const int64_t *)a[3], ahead.y = (char *)a[4];
    atomic_store(&ahead.left, pieces);
    atomic_store(&ahead.ticket, AHEAD(++ahead.number, pieces, 0));
    *begun = 1;
}

EXPORT word gathered_ahead(const word *unused) {
    (void)unused;
    if (!atomic_load(&ahead.busy))
        return 0;
    while (piece_ahead()) {}
    while (atomic_load(&ahead.left)) sched_yield();
    atomic_store(&ahead.ticket, 0);
    atomic_store(&ahead.busy, 0);
    return 1;
}
