/* A pool of threads beside the caller: `over(n, grain, body, context)` runs body(context, from, to) on stretches of
   0 … n-1. The stretches depend on n, the grain and the number of threads alone, so that results do not depend on who
   computes which; who is free takes the next one, so that a thread that has to wait for a processor delays nobody.

   Workers spin some microseconds for the next task, for one follows another within a step, and then sleep. After
   fork() the child has no workers and starts its own at need. A second caller at the same time works alone. */

#include <pthread.h>

typedef void (*body_t)(const void *context, word from, word to);

enum { MOST_THREADS = 64, MOST_STRETCHES = 1024, SHARES = 2, SPINS = 4000 };

/* A ticket holds the number of the task, how many stretches it has, and which is the next: 32, 16 and 16 bits. */
#define TASK(ticket) ((uint32_t)((ticket) >> 32))
#define STRETCHES(ticket) ((int)((ticket) >> 16 & 0xffff))
#define NEXT(ticket) ((int)((ticket) & 0xffff))

static struct {
    int threads; /* that may work, the caller among them */
    int started; /* workers there are */
    _Atomic uint64_t ticket;
    _Atomic int left; /* stretches that are not finished */
    _Atomic int sleepers;
    body_t body;
    const void *context;
    word n;
    pthread_mutex_t caller, lock;
    pthread_cond_t wake;
} pool = {
    .threads = 1,
    .caller = PTHREAD_MUTEX_INITIALIZER,
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .wake = PTHREAD_COND_INITIALIZER,
};

static inline void pause_briefly(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* Take stretches until there are none. What a task is about changes only when all its stretches are done, and so not
   while one is held. */
static void work(void) {
    for (;;) {
        uint64_t ticket = atomic_load(&pool.ticket);
        if (NEXT(ticket) >= STRETCHES(ticket))
            return;
        if (!atomic_compare_exchange_weak(&pool.ticket, &ticket, ticket + 1))
            continue;
        int k = NEXT(ticket), parts = STRETCHES(ticket);
        pool.body(pool.context, pool.n * k / parts, pool.n * (k + 1) / parts);
        atomic_fetch_sub(&pool.left, 1);
    }
}

static void wait_for_task(uint32_t seen) {
    for (int i = 0; i < SPINS; i++) {
        if (TASK(atomic_load(&pool.ticket)) != seen)
            return;
        if (!piece_ahead())
            pause_briefly();
    }
    pthread_mutex_lock(&pool.lock);
    atomic_fetch_add(&pool.sleepers, 1);
    while (TASK(atomic_load(&pool.ticket)) == seen)
        pthread_cond_wait(&pool.wake, &pool.lock);
    atomic_fetch_sub(&pool.sleepers, 1);
    pthread_mutex_unlock(&pool.lock);
}

static void *worker(void *unused) {
    (void)unused;
    for (;;) {
        uint32_t task = TASK(atomic_load(&pool.ticket));
        work();
        wait_for_task(task);
    }
    return NULL;
}

static void forget_workers(void) {
    pool.started = 0;
    lose_ahead();
    atomic_store(&pool.sleepers, 0);
    pthread_mutex_init(&pool.caller, NULL);
    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.wake, NULL);
}

static void start_workers(int wanted) {
    static int known = 0;
    if (!known)
        known = !pthread_atfork(NULL, NULL, forget_workers);
    for (pthread_t id; pool.started < wanted; pool.started++) {
        if (pthread_create(&id, NULL, worker, NULL))
            return;
        pthread_detach(id);
    }
}

static void over(word n, word grain, body_t body, const void *context) {
    word most = MIN(n / MAX(grain, 1), MOST_STRETCHES);
    if (most < 2 || pool.threads < 2 || pthread_mutex_trylock(&pool.caller)) {
        body(context, 0, n);
        return;
    }
    start_workers(pool.threads - 1);
    word parts = most < pool.threads * SHARES ? MIN(most, pool.threads) : pool.threads * SHARES;
    pool.body = body;
    pool.context = context;
    pool.n = n;
    atomic_store(&pool.left, (int)parts);
    uint64_t task = (uint64_t)(TASK(atomic_load(&pool.ticket)) + 1) << 32;
    atomic_store(&pool.ticket, task | (uint64_t)parts << 16);
    if (atomic_load(&pool.sleepers)) {
        pthread_mutex_lock(&pool.lock);
        pthread_cond_broadcast(&pool.wake);
        pthread_mutex_unlock(&pool.lock);
    }
    work();
    for (int i = 0; atomic_load(&pool.left); i++) {
        if (!piece_ahead())
            pause_briefly();
        if (i > SPINS) /* who holds the last stretch may be waiting for this processor */
            sched_yield();
    }
    pthread_mutex_unlock(&pool.caller);
}

EXPORT void set_threads(word n) {
    pool.threads = (int)MAX(1, MIN(n, MOST_THREADS));
}
