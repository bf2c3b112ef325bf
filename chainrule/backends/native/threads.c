/* A pool of threads that wait beside the caller: `over(n, grain, body, context)` runs body(context, from, to) on
   stretches of 0 … n-1, one stretch in the caller and each other one in a worker of its own.

   Workers spin a few microseconds for the next task, for one follows another within a step, and then sleep. After
   fork() the child has no workers and starts its own at need. A second caller at the same time works alone. */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

typedef void (*body_t)(const void *context, word from, word to);

enum { MOST_THREADS = 64, BASE = 2 * MOST_THREADS, SPINS = 4000 };

static struct {
    int threads; /* that may work, the caller among them */
    int started; /* workers there are */
    _Atomic long round; /* what to do now: a count of tasks times BASE, plus the parts of this one */
    _Atomic int left; /* workers that have not finished it */
    _Atomic int sleepers;
    body_t body;
    const void *context;
    word n;
    long born[MOST_THREADS]; /* the round at which a worker was made */
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

static void stretch(int part, int parts) {
    pool.body(pool.context, pool.n * part / parts, pool.n * (part + 1) / parts);
}

static long next_round(long seen) {
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&pool.round) != seen)
            return atomic_load(&pool.round);
        pause_briefly();
    }
    pthread_mutex_lock(&pool.lock);
    atomic_fetch_add(&pool.sleepers, 1);
    while (atomic_load(&pool.round) == seen)
        pthread_cond_wait(&pool.wake, &pool.lock);
    atomic_fetch_sub(&pool.sleepers, 1);
    pthread_mutex_unlock(&pool.lock);
    return atomic_load(&pool.round);
}

static void *worker(void *number) {
    int part = (int)(intptr_t)number;
    for (long round = pool.born[part];;) {
        round = next_round(round);
        if (part < round % BASE) {
            stretch(part, round % BASE);
            atomic_fetch_sub(&pool.left, 1);
        }
    }
    return NULL;
}

static void forget_workers(void) {
    pool.started = 0;
    atomic_store(&pool.sleepers, 0);
    pthread_mutex_init(&pool.caller, NULL);
    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.wake, NULL);
}

/* How many can work, the caller among them, when so many are wanted; starts workers at need. */
static int crew(int wanted) {
    wanted = MIN(wanted, pool.threads);
    static int known = 0;
    if (!known)
        known = !pthread_atfork(NULL, NULL, forget_workers);
    while (pool.started < wanted - 1) {
        pthread_t id;
        int part = pool.started + 1;
        pool.born[part] = atomic_load(&pool.round);
        if (pthread_create(&id, NULL, worker, (void *)(intptr_t)part))
            break;
        pthread_detach(id);
        pool.started++;
    }
    return MIN(wanted, 1 + pool.started);
}

static void over(word n, word grain, body_t body, const void *context) {
    word most = n / MAX(grain, 1);
    if (most < 2 || pool.threads < 2 || pthread_mutex_trylock(&pool.caller)) {
        body(context, 0, n);
        return;
    }
    int parts = crew((int)MIN(most, MOST_THREADS));
    pool.body = body;
    pool.context = context;
    pool.n = n;
    atomic_store(&pool.left, parts - 1);
    atomic_store(&pool.round, (atomic_load(&pool.round) / BASE + 1) * BASE + parts);
    if (atomic_load(&pool.sleepers)) {
        pthread_mutex_lock(&pool.lock);
        pthread_cond_broadcast(&pool.wake);
        pthread_mutex_unlock(&pool.lock);
    }
    stretch(0, parts);
    for (int i = 0; atomic_load(&pool.left); i++) {
        pause_briefly();
        if (i > SPINS) /* a worker may be waiting for this processor */
            sched_yield();
    }
    pthread_mutex_unlock(&pool.caller);
}

EXPORT void set_threads(word n) {
    pool.threads = (int)MAX(1, MIN(n, MOST_THREADS));
}
