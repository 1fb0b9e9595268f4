/*
 * ed25519 and ristretto255 by libsodium's group code (ref10), whose pinned source in vendor/ is part of this unit: most of
 * its functions are static. As a system header its warnings are no errors of this build.
 */
#define _GNU_SOURCE
#include "groups.h"

#include <stdlib.h>
#include <string.h>

#define CONFIGURED 1
#define SODIUM_STATIC 1
#define HAVE_TI_MODE 1 /* limbs of 51 bits: both architectures have __int128 */
#define HAVE_INLINE_ASM 1
#define NATIVE_LITTLE_ENDIAN 1
#include <crypto_core/ed25519/ref10/ed25519_ref10.c>

/* Takes the place of libsodium's utils.c, of which ref10 needs this alone. */
int sodium_is_zero(const unsigned char *bytes, const size_t length) {
  volatile unsigned char any = 0;
  for (size_t index = 0; index < length; index++) any |= bytes[index];
  return 1 & ((any - 1) >> 8);
}

static const uint8_t ONE[GROUP_SCALAR_BYTES] = {1};
/* RFC 9591, 6.1: the order less one. */
static const uint8_t MINUS_ONE[GROUP_SCALAR_BYTES] = {0xec, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                                      0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                                      0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

static bool is_canonical(const uint8_t *bytes) { return sc25519_is_canonical(bytes) == 1; }

static bool reduce(uint8_t *out, const uint8_t *bytes) {
  uint8_t wide[MAX_REDUCED_BYTES];
  memcpy(wide, bytes, sizeof wide);
  sc25519_reduce(wide);
  memcpy(out, wide, GROUP_SCALAR_BYTES);
  explicit_bzero(wide, sizeof wide);
  return true;
}

static bool add_scalars(uint8_t *out, const uint8_t *a, const uint8_t *b) {
  sc25519_muladd(out, a, ONE, b);
  return true;
}

static bool subtract_scalars(uint8_t *out, const uint8_t *a, const uint8_t *b) {
  sc25519_muladd(out, b, MINUS_ONE, a);
  return true;
}

static bool multiply_scalars(uint8_t *out, const uint8_t *a, const uint8_t *b) {
  sc25519_mul(out, a, b);
  return true;
}

static bool invert(uint8_t *out, const uint8_t *a) {
  sc25519_invert(out, a);
  return true;
}

static const struct scalar_field SCALARS = {
    .is_canonical = is_canonical,
    .reduce = reduce,
    .add = add_scalars,
    .subtract = subtract_scalars,
    .multiply = multiply_scalars,
    .invert = invert,
    .is_little_endian = true,
};

/* Copies an element out of JavaScript's memory, which need not be aligned. */
static ge25519_p3 load(const uint8_t *element) {
  ge25519_p3 point;
  memcpy(&point, element, sizeof point);
  return point;
}

static bool store(uint8_t *element, const ge25519_p3 *point) {
  memcpy(element, point, sizeof *point);
  return true;
}

static bool add(uint8_t *out, const uint8_t *a, const uint8_t *b) {
  const ge25519_p3 left = load(a), right = load(b);
  ge25519_cached cached;
  ge25519_p1p1 completed;
  ge25519_p3 sum;
  ge25519_p3_to_cached(&cached, &right);
  ge25519_add(&completed, &left, &cached);
  ge25519_p1p1_to_p3(&sum, &completed);
  return store(out, &sum);
}

static bool negate(uint8_t *out, const uint8_t *a) {
  ge25519_p3 point = load(a);
  fe25519_neg(point.X, point.X);
  fe25519_neg(point.T, point.T);
  return store(out, &point);
}

static bool multiply_base(uint8_t *out, const uint8_t *scalar) {
  ge25519_p3 point;
  ge25519_scalarmult_base(&point, scalar);
  return store(out, &point);
}

/* One product of a sum: the odd multiples of its element up to 15, and the scalar's signed digits that choose one. */
struct term {
  ge25519_cached multiples[8];
  signed char digits[256];
};

static void prepare_term(struct term *term, const uint8_t *scalar, const uint8_t *element) {
  const ge25519_p3 point = load(element);
  ge25519_p1p1 completed;
  ge25519_p3 twice, multiple;
  slide_vartime(term->digits, scalar);
  ge25519_p3_to_cached(&term->multiples[0], &point);
  ge25519_p3_dbl(&completed, &point);
  ge25519_p1p1_to_p3(&twice, &completed);
  for (size_t index = 1; index < 8; index++) {
    ge25519_add(&completed, &twice, &term->multiples[index - 1]);
    ge25519_p1p1_to_p3(&multiple, &completed);
    ge25519_p3_to_cached(&term->multiples[index], &multiple);
  }
}

/* Straus's method: all products share the doublings. */
static bool sum_of_products(uint8_t *out, size_t count, const uint8_t *const *scalars, const uint8_t *const *elements) {
  struct term *terms = calloc(count == 0 ? 1 : count, sizeof *terms);
  if (terms == NULL) return false;
  for (size_t index = 0; index < count; index++) prepare_term(&terms[index], scalars[index], elements[index]);
  ge25519_p2 doubled;
  ge25519_p1p1 sum;
  ge25519_p3 whole;
  ge25519_p2_0(&doubled);
  ge25519_p3_0(&whole);
  for (int bit = 255; bit >= 0; bit--) {
    ge25519_p2_dbl(&sum, &doubled);
    for (size_t index = 0; index < count; index++) {
      const int digit = terms[index].digits[bit];
      if (digit == 0) continue;
      ge25519_p1p1_to_p3(&whole, &sum);
      if (digit > 0) {
        ge25519_add(&sum, &whole, &terms[index].multiples[digit / 2]);
      } else {
        ge25519_sub(&sum, &whole, &terms[index].multiples[-digit / 2]);
      }
    }
    if (bit > 0) ge25519_p1p1_to_p2(&doubled, &sum);
  }
  ge25519_p1p1_to_p3(&whole, &sum);
  free(terms);
  return store(out, &whole);
}

static bool is_identity_of_curve(const uint8_t *element) {
  const ge25519_p3 point = load(element);
  fe25519 difference;
  fe25519_sub(difference, point.Y, point.Z);
  return fe25519_iszero(point.X) && fe25519_iszero(difference);
}

/* Tells whether two products, each of two field elements, are equal. */
static bool are_equal(const fe25519 a1, const fe25519 a2, const fe25519 b1, const fe25519 b2) {
  fe25519 a, b;
  fe25519_mul(a, a1, a2);
  fe25519_mul(b, b1, b2);
  fe25519_sub(a, a, b);
  return fe25519_iszero(a);
}

static bool equals_on_curve(const uint8_t *a, const uint8_t *b) {
  const ge25519_p3 left = load(a), right = load(b);
  return are_equal(left.X, right.Z, right.X, left.Z) && are_equal(left.Y, right.Z, right.Y, left.Z);
}

/* RFC 9591, 6.1: a canonical encoding (RFC 8032, 5.1.3) of a point in the subgroup of prime order, not the identity. */
static bool decode_ed25519(uint8_t *element, const uint8_t *encoded) {
  ge25519_p3 point;
  return ge25519_is_canonical(encoded) == 1 && ge25519_frombytes(&point, encoded) == 0 &&
         ge25519_is_on_main_subgroup(&point) == 1 && store(element, &point) && !is_identity_of_curve(element);
}

static bool encode_ed25519(uint8_t *encoded, const uint8_t *element) {
  const ge25519_p3 point = load(element);
  ge25519_p3_tobytes(encoded, &point);
  return true;
}

const struct group ed25519_group = {
    .scalars = &SCALARS,
    .encoded_bytes = 32,
    .element_bytes = sizeof(ge25519_p3),
    .decode = decode_ed25519,
    .encode = encode_ed25519,
    .is_identity = is_identity_of_curve,
    .equals = equals_on_curve,
    .add = add,
    .negate = negate,
    .multiply_base = multiply_base,
    .sum_of_products = sum_of_products,
};

/* RFC 9496, 4.3.3: an element is a class of points, and two points are of one class by either of two equations. */
static bool equals_in_class(const uint8_t *a, const uint8_t *b) {
  const ge25519_p3 left = load(a), right = load(b);
  return are_equal(left.X, right.Y, left.Y, right.X) || are_equal(left.Y, right.Y, left.X, right.X);
}

static bool is_identity_class(const uint8_t *element) {
  const ge25519_p3 point = load(element);
  return fe25519_iszero(point.X) || fe25519_iszero(point.Y);
}

/* RFC 9496, 4.3.1 */
static bool decode_ristretto255(uint8_t *element, const uint8_t *encoded) {
  ge25519_p3 point;
  return ristretto255_frombytes(&point, encoded) == 0 && store(element, &point) && !is_identity_class(element);
}

/* RFC 9496, 4.3.2 */
static bool encode_ristretto255(uint8_t *encoded, const uint8_t *element) {
  const ge25519_p3 point = load(element);
  ristretto255_p3_tobytes(encoded, &point);
  return true;
}

const struct group ristretto255_group = {
    .scalars = &SCALARS,
    .encoded_bytes = 32,
    .element_bytes = sizeof(ge25519_p3),
    .decode = decode_ristretto255,
    .encode = encode_ristretto255,
    .is_identity = is_identity_class,
    .equals = equals_in_class,
    .add = add,
    .negate = negate,
    .multiply_base = multiply_base,
    .sum_of_products = sum_of_products,
};

_Static_assert(sizeof(ge25519_p3) <= MAX_ELEMENT_BYTES, "an element of ed25519 in memory");
