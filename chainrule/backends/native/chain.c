/* A chain of operations entry by entry, run block by block, so that what passes between them stays in the cache.

   A block is a register of BLOCK numbers. Inputs are read into registers (converted to float, repeated where they are
   broadcast), operations go from registers to registers, outputs are written at the end of the block. */

enum { BLOCK = 512, MOST_REGISTERS = 48, MOST_AXES = 5 };

enum { FLOAT32, BOOL8, INT64, INT32 };

typedef struct {
    word address, type, axes; /* axes 0: entries lie one behind the other, as many as the result has */
    word size[MOST_AXES], stride[MOST_AXES]; /* of the collapsed axes, outermost first; strides in entries */
} operand_t;

typedef void (*op_t)(float *d, const float *x, const float *y, const float *z, int n);

#define OP(name, expression)                                                                                            \
    static void op_##name(float *d, const float *x, const float *y, const float *z, int n) {                            \
        (void)x, (void)y, (void)z;                                                                                      \
        VECTOR for (int i = 0; i < n; i++) d[i] = (expression);                                                         \
    }

/* In the order of OPERATIONS in chains.py. */
OP(add, x[i] + y[i])
OP(subtract, x[i] - y[i])
OP(multiply, x[i] * y[i])
OP(divide, x[i] / y[i])
OP(negative, -x[i])
OP(abs, fabsf(x[i]))
OP(square, x[i] * x[i])
OP(sqrt, sqrtf(x[i]))
OP(exp, exp_(x[i]))
OP(log, log_(x[i]))
OP(log1p, log1p_(x[i]))
OP(expm1, expm1_(x[i]))
OP(tanh, tanh_(x[i]))
OP(sigmoid, sigmoid_(x[i]))
OP(erf, erf_(x[i]))
OP(relu, x[i] > 0.0f ? x[i] : (x[i] != x[i] ? x[i] : 0.0f))
OP(maximum, x[i] > y[i] || x[i] != x[i] ? x[i] : y[i])
OP(minimum, x[i] < y[i] || x[i] != x[i] ? x[i] : y[i])
OP(greater, x[i] > y[i] ? 1.0f : 0.0f)
OP(greater_equal, x[i] >= y[i] ? 1.0f : 0.0f)
OP(less, x[i] < y[i] ? 1.0f : 0.0f)
OP(less_equal, x[i] <= y[i] ? 1.0f : 0.0f)
OP(equal, x[i] == y[i] ? 1.0f : 0.0f)
OP(not_equal, x[i] != y[i] ? 1.0f : 0.0f)
OP(choose, z[i] != 0.0f ? x[i] : y[i])
OP(logical_and, x[i] != 0.0f && y[i] != 0.0f ? 1.0f : 0.0f)
OP(logical_or, x[i] != 0.0f || y[i] != 0.0f ? 1.0f : 0.0f)
OP(logical_not, x[i] == 0.0f ? 1.0f : 0.0f)
OP(copy, x[i])
OP(sign, (float)((x[i] > 0.0f) - (x[i] < 0.0f)) + (x[i] != x[i] ? x[i] : 0.0f))
OP(gelu, gelu_(x[i]))
OP(gelu_slope, gelu_slope_(x[i]))

static const op_t OPERATIONS[] = {
    op_add, op_subtract, op_multiply, op_divide, op_negative, op_abs, op_square, op_sqrt, op_exp, op_log, op_log1p,
    op_expm1, op_tanh, op_sigmoid, op_erf, op_relu, op_maximum, op_minimum, op_greater, op_greater_equal, op_less,
    op_less_equal, op_equal, op_not_equal, op_choose, op_logical_and, op_logical_or, op_logical_not, op_copy, op_sign,
    op_gelu, op_gelu_slope,
};

static void fill(float *d, float x, word n) {
    VECTOR for (word i = 0; i < n; i++) d[i] = x;
}

static void convert(float *d, const operand_t *x, word offset, word stride, word n) {
    word step = stride;
    switch (x->type) {
    case FLOAT32: {
        const float *s = (const float *)x->address + offset;
        if (step == 1)
            memcpy(d, s, n * 4);
        else if (step == 0)
            fill(d, *s, n);
        else
            for (word i = 0; i < n; i++) d[i] = s[i * step];
        return;
    }
    case BOOL8: {
        const uint8_t *s = (const uint8_t *)x->address + offset;
        for (word i = 0; i < n; i++) d[i] = (float)s[i * step];
        return;
    }
    case INT64: {
        const int64_t *s = (const int64_t *)x->address + offset;
        for (word i = 0; i < n; i++) d[i] = (float)s[i * step];
        return;
    }
    default: {
        const int32_t *s = (const int32_t *)x->address + offset;
        for (word i = 0; i < n; i++) d[i] = (float)s[i * step];
    }
    }
}

/* n entries from the flat place `from` on, run by run along the innermost axis. */
static void gather(float *d, const operand_t *x, word from, word n) {
    word index[MOST_AXES], offset = 0, rest = from;
    int last = (int)x->axes - 1;
    for (int k = last; k >= 0; k--) {
        index[k] = rest % x->size[k];
        rest /= x->size[k];
        offset += index[k] * x->stride[k];
    }
    while (n > 0) {
        word run = MIN(n, x->size[last] - index[last]);
        convert(d, x, offset, x->stride[last], run);
        d += run;
        n -= run;
        offset += (run - 1) * x->stride[last];
        index[last] += run - 1;
        for (int k = last; k >= 0; k--) { /* the next place, as an odometer counts */
            if (++index[k] < x->size[k]) {
                offset += x->stride[k];
                break;
            }
            offset -= (x->size[k] - 1) * x->stride[k];
            index[k] = 0;
        }
    }
}

static void store(const operand_t *y, const float *s, word from, word n) {
    if (y->type == FLOAT32) {
        memcpy((float *)y->address + from, s, n * 4);
    } else {
        uint8_t *d = (uint8_t *)y->address + from;
        for (word i = 0; i < n; i++) d[i] = s[i] != 0.0f;
    }
}

/* Arguments: entries; inputs and their operand_t; operations and four int32 each (code, x, y, z), operation k to register
   inputs + k; outputs, their operand_t, and the int32 register of each. */
typedef struct {
    word n, inputs, outputs, operations;
    const operand_t *in, *out;
    const int32_t *code, *from;
} chain_t;

static void chain_blocks(const void *context, word first, word last) {
    const chain_t *c = context;
    float memory[MOST_REGISTERS][BLOCK] __attribute__((aligned(64)));
    const float *at[MOST_REGISTERS];
    for (word k = 0; k < c->inputs; k++)
        if (c->in[k].axes == 1 && c->in[k].stride[0] == 0) { /* one number for all */
            gather(memory[k], c->in + k, 0, MIN(BLOCK, c->in[k].size[0]));
            at[k] = memory[k];
        }
    for (word k = 0; k < c->operations; k++)
        at[c->inputs + k] = memory[c->inputs + k];
    for (word block = first; block < last; block++) {
        word from = block * BLOCK, n = MIN(BLOCK, c->n - from);
        for (word k = 0; k < c->inputs; k++) {
            const operand_t *x = c->in + k;
            if (x->axes == 0 && x->type == FLOAT32) {
                at[k] = (const float *)x->address + from;
            } else if (x->axes == 0) {
                convert(memory[k], x, from, 1, n);
                at[k] = memory[k];
            } else if (x->axes > 1 || x->stride[0] != 0) {
                gather(memory[k], x, from, n);
                at[k] = memory[k];
            }
        }
        for (word k = 0; k < c->operations; k++) {
            const int32_t *op = c->code + 4 * k;
            OPERATIONS[op[0]](memory[c->inputs + k], at[op[1]], at[op[2]], at[op[3]], (int)n);
        }
        for (word k = 0; k < c->outputs; k++)
            store(c->out + k, at[c->from[k]], from, n);
    }
}

EXPORT void chain(const word *a) {
    chain_t c = {a[0], a[1], a[3], a[2], (void *)a[4], (void *)a[6], (void *)a[5], (void *)a[7]};
    word blocks = (c.n + BLOCK - 1) / BLOCK, grain = 60 / (c.operations + c.inputs) + 4;
    over(blocks, grain, chain_blocks, &c);
}
