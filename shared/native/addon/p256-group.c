/*
 * P-256 as a group for threshold signatures, by Node's OpenSSL. Scalars are added, subtracted and multiplied by
 * functions whose time depends on no value, but for a leading word of 64 bits that is zero (BIGNUM drops such words);
 * OpenSSL multiplies the generator in constant time.
 */
#define _GNU_SOURCE
#include "groups.h"

#include <pthread.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#define ELEMENT_BYTES 64 /* affine coordinates, both zero for the identity, which no point of the curve has */

/* SEC 2, 2.4.2 */
static const uint8_t ORDER[GROUP_SCALAR_BYTES] = {0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,    0xff, 0xff, 0xff,
                                                  0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                                  0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};

static struct {
  EC_GROUP *group;
  BN_MONT_CTX *montgomery; /* modulo the order */
  BIGNUM *inverse_exponent; /* the order less two, public */
} curve;
static bool has_curve;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Makes what all calls share and none changes: making a group takes longer than a multiplication. */
static void make_curve(void) {
  BN_CTX *context = BN_CTX_new();
  curve.group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  curve.montgomery = BN_MONT_CTX_new();
  curve.inverse_exponent = BN_new();
  const BIGNUM *order = curve.group == NULL ? NULL : EC_GROUP_get0_order(curve.group);
  has_curve = context != NULL && order != NULL && curve.montgomery != NULL && curve.inverse_exponent != NULL &&
              BN_MONT_CTX_set(curve.montgomery, order, context) == 1 &&
              BN_copy(curve.inverse_exponent, order) != NULL && BN_sub_word(curve.inverse_exponent, 2) == 1;
  BN_CTX_free(context);
}

static bool open_curve(void) { return pthread_once(&once, make_curve) == 0 && has_curve; }

static bool is_canonical(const uint8_t *bytes) {
  unsigned borrow = 0;
  for (size_t index = GROUP_SCALAR_BYTES; index-- > 0;) borrow = ((0x100u + bytes[index] - ORDER[index] - borrow) >> 8) ^ 1u;
  return borrow == 1;
}

/* The numbers of one computation, freed and cleared together. */
struct numbers {
  BN_CTX *context;
  BIGNUM *a, *b, *result;
};

static bool open_numbers(struct numbers *numbers) {
  numbers->context = BN_CTX_secure_new();
  if (numbers->context == NULL || !open_curve()) {
    BN_CTX_free(numbers->context);
    return false;
  }
  BN_CTX_start(numbers->context);
  numbers->a = BN_CTX_get(numbers->context);
  numbers->b = BN_CTX_get(numbers->context);
  numbers->result = BN_CTX_get(numbers->context);
  if (numbers->result == NULL) {
    BN_CTX_end(numbers->context);
    BN_CTX_free(numbers->context);
    return false;
  }
  BN_set_flags(numbers->a, BN_FLG_CONSTTIME);
  BN_set_flags(numbers->b, BN_FLG_CONSTTIME);
  BN_set_flags(numbers->result, BN_FLG_CONSTTIME);
  return true;
}

/* Writes the result where the computation went well, and clears all. */
static bool close_numbers(struct numbers *numbers, bool computed, uint8_t *out) {
  const bool written =
      computed && BN_bn2binpad(numbers->result, out, GROUP_SCALAR_BYTES) == GROUP_SCALAR_BYTES;
  BN_clear(numbers->a);
  BN_clear(numbers->b);
  BN_clear(numbers->result);
  BN_CTX_end(numbers->context);
  BN_CTX_free(numbers->context);
  return written;
}

static bool read_pair(const struct numbers *numbers, const uint8_t *a, const uint8_t *b) {
  return BN_bin2bn(a, GROUP_SCALAR_BYTES, numbers->a) != NULL && BN_bin2bn(b, GROUP_SCALAR_BYTES, numbers->b) != NULL;
}

static const BIGNUM *order(void) { return EC_GROUP_get0_order(curve.group); }

static bool reduce(uint8_t *out, const uint8_t *bytes) {
  struct numbers numbers;
  if (!open_numbers(&numbers)) return false;
  const bool computed = BN_bin2bn(bytes, MAX_REDUCED_BYTES, numbers.a) != NULL &&
                        BN_nnmod(numbers.result, numbers.a, order(), numbers.context) == 1;
  return close_numbers(&numbers, computed, out);
}

static bool add_scalars(uint8_t *out, const uint8_t *a, const uint8_t *b) {
  struct numbers numbers;
  if (!open_numbers(&numbers)) return false;
  const bool computed =
      read_pair(&numbers, a, b) && BN_mod_add_quick(numbers.result, numbers.a, numbers.b, order()) == 1;
  return close_numbers(&numbers, computed, out);
}

static bool subtract_scalars(uint8_t *out, const uint8_t *a, const uint8_t *b) {
  struct numbers numbers;
  if (!open_numbers(&numbers)) return false;
  const bool computed =
      read_pair(&numbers, a, b) && BN_mod_sub_quick(numbers.result, numbers.a, numbers.b, order()) == 1;
  return close_numbers(&numbers, computed, out);
}

static bool multiply_scalars(uint8_t *out, const uint8_t *a, const uint8_t *b) {
  struct numbers numbers;
  if (!open_numbers(&numbers)) return false;
  const bool computed =
      read_pair(&numbers, a, b) &&
      BN_to_montgomery(numbers.a, numbers.a, curve.montgomery, numbers.context) == 1 &&
      BN_mod_mul_montgomery(numbers.result, numbers.a, numbers.b, curve.montgomery, numbers.context) == 1;
  return close_numbers(&numbers, computed, out);
}

/* Inverts by Fermat's little theorem: the exponent is public, and the base takes the time of any other. */
static bool invert(uint8_t *out, const uint8_t *a) {
  struct numbers numbers;
  if (!open_numbers(&numbers)) return false;
  const bool computed = BN_bin2bn(a, GROUP_SCALAR_BYTES, numbers.a) != NULL &&
                        BN_mod_exp_mont_consttime(numbers.result, numbers.a, curve.inverse_exponent, order(),
                                                  numbers.context, curve.montgomery) == 1;
  return close_numbers(&numbers, computed, out);
}

static const struct scalar_field SCALARS = {
    .is_canonical = is_canonical,
    .reduce = reduce,
    .add = add_scalars,
    .subtract = subtract_scalars,
    .multiply = multiply_scalars,
    .invert = invert,
    .is_little_endian = false,
};

static bool is_identity(const uint8_t *element) {
  static const uint8_t IDENTITY[ELEMENT_BYTES];
  return memcmp(element, IDENTITY, sizeof IDENTITY) == 0;
}

static bool equals(const uint8_t *a, const uint8_t *b) { return memcmp(a, b, ELEMENT_BYTES) == 0; }

/* Makes a point of an element; NULL where memory is short, or the bytes are those of no point. */
static EC_POINT *load(const uint8_t *element) {
  uint8_t encoded[1 + ELEMENT_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
  EC_POINT *point = open_curve() ? EC_POINT_new(curve.group) : NULL;
  if (point == NULL || is_identity(element)) return point; /* A new point is the identity. */
  memcpy(encoded + 1, element, ELEMENT_BYTES);
  if (EC_POINT_oct2point(curve.group, point, encoded, sizeof encoded, NULL) == 1) return point;
  EC_POINT_free(point);
  return NULL;
}

/* Writes an element and frees the point, which may be NULL. */
static bool store(uint8_t *element, EC_POINT *point, bool computed) {
  uint8_t encoded[1 + ELEMENT_BYTES];
  bool stored = computed && point != NULL;
  if (stored && EC_POINT_is_at_infinity(curve.group, point) == 1) {
    memset(element, 0, ELEMENT_BYTES);
  } else if (stored) {
    stored = EC_POINT_point2oct(curve.group, point, POINT_CONVERSION_UNCOMPRESSED, encoded, sizeof encoded, NULL) ==
             sizeof encoded;
    if (stored) memcpy(element, encoded + 1, ELEMENT_BYTES);
  }
  EC_POINT_free(point);
  return stored;
}

/* SEC 1, 2.3.4, compressed alone: 33 bytes that begin with 2 or 3 and end with a reduced x. */
static bool decode(uint8_t *element, const uint8_t *encoded) {
  if (encoded[0] != 2 && encoded[0] != 3) return false;
  EC_POINT *point = open_curve() ? EC_POINT_new(curve.group) : NULL;
  return store(element, point,
               point != NULL && EC_POINT_oct2point(curve.group, point, encoded, MAX_ENCODED_BYTES, NULL) == 1);
}

static bool encode(uint8_t *encoded, const uint8_t *element) {
  encoded[0] = (uint8_t)(2 + (element[ELEMENT_BYTES - 1] & 1));
  memcpy(encoded + 1, element, MAX_ENCODED_BYTES - 1);
  return true;
}

static bool add(uint8_t *out, const uint8_t *a, const uint8_t *b) {
  EC_POINT *left = load(a), *right = load(b);
  const bool computed =
      left != NULL && right != NULL && EC_POINT_add(curve.group, left, left, right, NULL) == 1;
  EC_POINT_free(right);
  return store(out, left, computed);
}

static bool negate(uint8_t *out, const uint8_t *a) {
  EC_POINT *point = load(a);
  return store(out, point, point != NULL && EC_POINT_invert(curve.group, point, NULL) == 1);
}

static bool multiply_base(uint8_t *out, const uint8_t *bytes) {
  struct numbers numbers;
  uint8_t unused[GROUP_SCALAR_BYTES];
  if (!open_numbers(&numbers)) return false;
  EC_POINT *point = EC_POINT_new(curve.group);
  const bool computed = point != NULL && BN_bin2bn(bytes, GROUP_SCALAR_BYTES, numbers.a) != NULL &&
                        EC_POINT_mul(curve.group, point, numbers.a, NULL, NULL, numbers.context) == 1;
  (void)close_numbers(&numbers, false, unused);
  return store(out, point, computed);
}

static bool sum_of_products(uint8_t *out, size_t count, const uint8_t *const *scalars, const uint8_t *const *elements) {
  EC_POINT *sum = open_curve() ? EC_POINT_new(curve.group) : NULL;
  BN_CTX *context = BN_CTX_new();
  BIGNUM *scalar = BN_new();
  bool computed = sum != NULL && context != NULL && scalar != NULL;
  for (size_t index = 0; computed && index < count; index++) {
    EC_POINT *point = load(elements[index]);
    computed = point != NULL && BN_bin2bn(scalars[index], GROUP_SCALAR_BYTES, scalar) != NULL &&
               EC_POINT_mul(curve.group, point, NULL, point, scalar, context) == 1 &&
               EC_POINT_add(curve.group, sum, sum, point, context) == 1;
    EC_POINT_free(point);
  }
  BN_free(scalar);
  BN_CTX_free(context);
  return store(out, sum, computed);
}

const struct group p256_group = {
    .scalars = &SCALARS,
    .encoded_bytes = 33,
    .element_bytes = ELEMENT_BYTES,
    .decode = decode,
    .encode = encode,
    .is_identity = is_identity,
    .equals = equals,
    .add = add,
    .negate = negate,
    .multiply_base = multiply_base,
    .sum_of_products = sum_of_products,
};
