/* What the kernels share: arguments, threads, vectors.

   Every kernel is `void kernel(const int64_t *a)`: its arguments are 64-bit words, of which some are addresses, some
   sizes, some the bits of a double. So any number of kernels can be run one after the other by one call. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int64_t word;
typedef void (*kernel_t)(const word *);

#define F(i) ((float *)a[i])
#define MIN(x, y) ((x) < (y) ? (x) : (y))
#define MAX(x, y) ((x) > (y) ? (x) : (y))
#define EXPORT __attribute__((visibility("default")))
#define VECTOR _Pragma("GCC ivdep")

static inline double number(word bits) {
    double x;
    memcpy(&x, &bits, 8);
    return x;
}
