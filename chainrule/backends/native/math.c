/* Elementary functions of float, without branches, so that a loop over them becomes vector instructions.

   Polynomials were fitted to least largest error on the intervals named; each function is within 3 units in the last
   place (erf: 1e-7 of 1), and NaN, infinities and zeros come out as in the C library. */

static inline float bits_to_float(int32_t i) {
    float x;
    memcpy(&x, &i, 4);
    return x;
}

static inline int32_t float_to_bits(float x) {
    int32_t i;
    memcpy(&i, &x, 4);
    return i;
}

static const float LN2_HIGH = 0.693359375f, LN2_LOW = -2.12194440e-4f, LOG2_E = 1.44269504f;

/* e^x - 1 - x on |x| <= ln 2 / 2, over x^2 */
static inline float exp_tail(float r) {
    return 5.000000096e-01f + r * (1.666651831e-01f + r * (4.166620414e-02f + r * (8.368953513e-03f + r * 1.395060228e-03f)));
}

static inline float exp_(float x) {
    x = x > 89.0f ? 89.0f : x;
    x = x < -104.0f ? -104.0f : x;
    float n = (x * LOG2_E + 12582912.0f) - 12582912.0f; /* to the nearest whole number */
    float r = x - n * LN2_HIGH - n * LN2_LOW;
    float p = 1.0f + (r + r * r * exp_tail(r));
    int32_t k = (int32_t)n, half = k >> 1; /* 2^n in two factors, for n may leave the exponents there are */
    return p * bits_to_float((half + 127) << 23) * bits_to_float((k - half + 127) << 23);
}

/* ln x as n ln 2 + ln(1 + f), 1 + f between sqrt(1/2) and sqrt 2 */
static inline float log_(float x) {
    int small = x < 1.17549435e-38f;
    float y = small ? x * 8388608.0f : x;
    int32_t i = float_to_bits(y) - 0x3f3504f3;
    float n = (float)(i >> 23) - (small ? 23.0f : 0.0f);
    float f = bits_to_float((i & 0x007fffff) + 0x3f3504f3) - 1.0f;
    float p = 3.333331260e-01f + f * (-2.500000960e-01f + f * (2.000211866e-01f + f * (-1.666799585e-01f + f * (1.421955235e-01f +
        f * (-1.240558893e-01f + f * (1.188816232e-01f + f * (-1.167565178e-01f + f * 6.746640345e-02f)))))));
    float y_ = n * LN2_HIGH + (f + (f * f * (f * p - 0.5f) + n * LN2_LOW));
    y_ = x == 0.0f ? -INFINITY : y_;
    y_ = x < 0.0f ? NAN : y_;
    y_ = x == INFINITY ? INFINITY : y_;
    return x != x ? x : y_;
}

static inline float log1p_(float x) {
    float u = 1.0f + x, d = u - 1.0f;
    float y = log_(u) + (x - d) / u; /* what was lost in 1 + x */
    y = d == 0.0f ? x : y;
    y = x == INFINITY ? INFINITY : y;
    return x == -1.0f ? -INFINITY : y;
}

static inline float expm1_(float x) {
    float p = x + x * x * (5.000000417e-01f + x * (1.666666802e-01f + x * (4.166531583e-02f + x * (8.333071922e-03f +
        x * (1.399744682e-03f + x * 1.999318413e-04f)))));
    float e = exp_(x) - 1.0f;
    return fabsf(x) < 0.5f ? p : e;
}

static inline float tanh_(float x) {
    float z = x * x, a = fabsf(x);
    float p = x + x * z * (-3.333328393e-01f + z * (1.333149129e-01f + z * (-5.374349806e-02f + z * (2.065058722e-02f +
        z * -5.717044953e-03f))));
    float e = 1.0f - 2.0f / (exp_(2.0f * a) + 1.0f);
    e = x < 0.0f ? -e : e;
    return a < 0.625f ? p : e;
}

static inline float sigmoid_(float x) {
    float e = exp_(-fabsf(x));
    return (x >= 0.0f ? 1.0f : e) / (1.0f + e);
}

static inline float erf_(float x) {
    float z = x * x, a = fabsf(x);
    float p = x * (1.128379166e+00f + z * (-3.761262582e-01f + z * (1.128358515e-01f + z * (-2.685381193e-02f +
        z * (5.188327679e-03f + z * (-8.010193567e-04f + z * 7.853861161e-05f))))));
    float b = a > 4.0f ? 4.0f : a;
    float q = 3.537193099e-04f + b * (1.127040037e+00f + b * (6.382256760e-01f + b * (1.030373699e-01f + b * (-2.180531889e-02f +
        b * (2.939607449e-03f + b * -1.855740252e-04f)))));
    float e = 1.0f - exp_(-q);
    e = x < 0.0f ? -e : e;
    return a < 1.0f ? p : e;
}

/* e^(a^2) erfc(a) for a >= 0, a polynomial in t = 1/(1 + 0.3 a), times t */
static inline float erfcx_(float a) {
    float t = 1.0f / (1.0f + 0.3f * a);
    return t * (1.691874188e-01f + t * (1.707237441e-01f + t * (1.482866231e-01f + t * (2.151061740e-01f + t * (-9.502645376e-02f +
        t * (5.482092449e-01f + t * (-5.126669765e-01f + t * (4.857360341e-01f + t * -1.295558283e-01f))))))));
}

/* The standard normal distribution function at x, from e = e^(-x^2/2); its digits are right also where it is near 0. */
static inline float normal_cdf_(float x, float e) {
    float tail = 0.5f * erfcx_(fabsf(x) * 0.70710678f) * e;
    return x < 0.0f ? tail : 1.0f - tail;
}

static inline float gelu_(float x) {
    return x * normal_cdf_(x, exp_(-0.5f * x * x));
}

static inline float gelu_slope_(float x) {
    float e = exp_(-0.5f * x * x);
    return normal_cdf_(x, e) + x * e * 0.39894228f;
}
