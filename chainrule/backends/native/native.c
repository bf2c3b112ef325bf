/* Kernels of float32 for NumPy's arrays, in one library. Every one has a twin in NumPy that it is tested against. */

#include "native.h"
#include "ahead.c"
#include "threads.c"
#include "math.c"
#include "chain.c"
#include "panels.c"
#include "tiles.c"
#include "products.c"
#include "rows.c"
#include "updates.c"
#include "norms.c"
#include "attention.c"
#include "lookup.c"
#include "convolution.c"
#include "depthwise.c"
#include "winograd_maps.c"
#include "winograd.c"
#include "pooling.c"
#include "resampling.c"
#include "recurrence.c"
#include "recurrence_back.c"
#include "lstm.c"
#include "gru.c"
#include "rnn.c"
#include "watching.c"

static void run_all(const word *calls, word n) {
    for (word i = 0; i < n; i++) ((kernel_t)calls[2 * i])((const word *)calls[2 * i + 1]);
}

/* Whoever runs kernels has the BLAS on one thread meanwhile, and tells it how many it had. */
static int alone(void) {
    int threads = blas.get_threads ? blas.get_threads() : 1;
    if (threads > 1)
        blas.set_threads(1);
    return threads;
}

static void not_alone(int threads) {
    if (threads > 1)
        blas.set_threads(threads);
}

/* Run kernels one after the other: pairs of a function and its arguments. */
EXPORT void run(const word *calls, word n) {
    int threads = alone();
    run_all(calls, n);
    not_alone(threads);
}

/* Run one kernel. */
EXPORT void run_one(kernel_t kernel, const word *arguments) {
    word call[] = {(word)kernel, (word)arguments};
    run(call, 1);
}

/* Run them several times. Before each, `width` words are put to their places, from the next row of values. It ends behind
   a time that has set `stop`; `done` counts.
   Arguments: calls, how many, the places of the words, width, values, stop, done. Then: the first row, how many times. */
EXPORT void run_series(const word *a, word first, word times) {
    word *const *places = (word *const *)a[2];
    const word width = a[3], *values = (const word *)a[4] + first * width, *stop = (const word *)a[5];
    word *done = (word *)a[6];
    int threads = alone();
    for (*done = 0; *done < times && !*stop; (*done)++, values += width) {
        for (word i = 0; i < width; i++) *places[i] = values[i];
        run_all((const word *)a[0], a[1]);
    }
    not_alone(threads);
}
