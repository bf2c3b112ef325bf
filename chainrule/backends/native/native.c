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

/* Run kernels one after the other: pairs of a function and its arguments. */
EXPORT void run(const word *calls, word n) {
    int threads = blas.get_threads ? blas.get_threads() : 1;
    if (threads > 1)
        blas.set_threads(1);
    for (word i = 0; i < n; i++)
        ((kernel_t)calls[2 * i])((const word *)calls[2 * i + 1]);
    if (threads > 1)
        blas.set_threads(threads);
}

/* Run one kernel. */
EXPORT void run_one(kernel_t kernel, const word *arguments) {
    word call[] = {(word)kernel, (word)arguments};
    run(call, 1);
}
