/*
 * secp256k1 as a group for threshold signatures, by the inner functions of libsecp256k1: the public ones have neither a
 * zero scalar nor a sum of products with shared doublings. Part of the unit of libsecp256k1.c alone.
 */
#include "groups.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Takes 32 bytes for a scalar; false where they are not reduced. */
static bool read_scalar(secp256k1_scalar *scalar, const uint8_t *bytes) {
  int overflow = 0;
  secp256k1_scalar_set_b32(scalar, bytes, &overflow);
  return overflow == 0;
}

static bool is_canonical(const uint8_t *bytes) {
  secp256k1_scalar scalar;
  const bool canonical = read_scalar(&scalar, bytes);
  secp256k1_scalar_clear(&scalar);
  return canonical;
}

/* Writes a scalar and clears it. */
static bool write_scalar(uint8_t *out, secp256k1_scalar *scalar) {
  secp256k1_scalar_get_b32(out, scalar);
  secp256k1_scalar_clear(scalar);
  return true;
}

/* Reduces by Horner's rule: the high half times 2^256, which is the order's complement modulo the order, plus the low. */
static bool reduce(uint8_t *out, const uint8_t *bytes) {
  static const uint8_t RADIX[GROUP_SCALAR_BYTES] = {0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
                                                    0,    0,    0,    0,    1,    0x45, 0x51, 0x23, 0x19, 0x50, 0xb7,
                                                    0x5f, 0xc4, 0x40, 0x2d, 0xa1, 0x73, 0x2f, 0xc9, 0xbe, 0xbf};
  secp256k1_scalar high, low, radix;
  secp256k1_scalar_set_b32(&high, bytes, NULL);
  secp256k1_scalar_set_b32(&low, bytes + GROUP_SCALAR_BYTES, NULL);
  secp256k1_scalar_set_b32(&radix, RADIX, NULL);
  secp256k1_scalar_mul(&high, &high, &radix);
  secp256k1_scalar_add(&low, &low, &high);
  secp256k1_scalar_clear(&high);
  return write_scalar(out, &low);
}

static bool add_scalars(uint8_t *out, const uint8_t *a, const uint8_t *b) {
  secp256k1_scalar left, right;
  const bool reduced = read_scalar(&left, a) & read_scalar(&right, b);
  secp256k1_scalar_add(&left, &left, &right);
  secp256k1_scalar_clear(&right);
  return write_scalar(out, &left) && reduced;
}

static bool subtract_scalars(uint8_t *out, const uint8_t *a, const uint8_t *b) {
  secp256k1_scalar left, right;
  const bool reduced = read_scalar(&left, a) & read_scalar(&right, b);
  secp256k1_scalar_negate(&right, &right);
  secp256k1_scalar_add(&left, &left, &right);
  secp256k1_scalar_clear(&right);
  return write_scalar(out, &left) && reduced;
}

static bool multiply_scalars(uint8_t *out, const uint8_t *a, const uint8_t *b) {
  secp256k1_scalar left, right;
  const bool reduced = read_scalar(&left, a) & read_scalar(&right, b);
  secp256k1_scalar_mul(&left, &left, &right);
  secp256k1_scalar_clear(&right);
  return write_scalar(out, &left) && reduced;
}

static bool invert(uint8_t *out, const uint8_t *a) {
  secp256k1_scalar scalar;
  const bool reduced = read_scalar(&scalar, a);
  secp256k1_scalar_inverse(&scalar, &scalar);
  return write_scalar(out, &scalar) && reduced;
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

/* An element in memory: affine coordinates, both zero for the identity, which no point of the curve has. */
static const secp256k1_ge_storage IDENTITY;

static secp256k1_ge load(const uint8_t *element) {
  secp256k1_ge_storage storage;
  secp256k1_ge point;
  memcpy(&storage, element, sizeof storage);
  if (memcmp(&storage, &IDENTITY, sizeof storage) == 0) {
    secp256k1_ge_set_infinity(&point);
  } else {
    secp256k1_ge_from_storage(&point, &storage);
  }
  return point;
}

static bool store(uint8_t *element, const secp256k1_ge *point) {
  secp256k1_ge_storage storage = IDENTITY;
  if (!secp256k1_ge_is_infinity(point)) secp256k1_ge_to_storage(&storage, point);
  memcpy(element, &storage, sizeof storage);
  return true;
}

static bool store_public(uint8_t *element, secp256k1_gej *point) {
  secp256k1_ge affine;
  secp256k1_ge_set_gej_var(&affine, point);
  return store(element, &affine);
}

/* SEC 1, 2.3.4, compressed alone: 33 bytes that begin with 2 or 3 and end with a reduced x. */
static bool decode(uint8_t *element, const uint8_t *encoded) {
  secp256k1_ge point;
  return secp256k1_eckey_pubkey_parse(&point, encoded, MAX_ENCODED_BYTES) == 1 && store(element, &point);
}

static bool encode(uint8_t *encoded, const uint8_t *element) {
  secp256k1_ge point = load(element);
  secp256k1_eckey_pubkey_serialize33(&point, encoded);
  return true;
}

static bool is_identity(const uint8_t *element) { return memcmp(element, &IDENTITY, sizeof IDENTITY) == 0; }

static bool equals(const uint8_t *a, const uint8_t *b) { return memcmp(a, b, sizeof IDENTITY) == 0; }

static bool add(uint8_t *out, const uint8_t *a, const uint8_t *b) {
  const secp256k1_ge left = load(a), right = load(b);
  secp256k1_gej sum;
  secp256k1_gej_set_ge(&sum, &left);
  secp256k1_gej_add_ge_var(&sum, &sum, &right, NULL);
  return store_public(out, &sum);
}

static bool negate(uint8_t *out, const uint8_t *a) {
  const secp256k1_ge point = load(a);
  secp256k1_ge negative;
  secp256k1_ge_neg(&negative, &point);
  return store(out, &negative);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static secp256k1_context generator;
static bool is_blinded;

/* Makes the context that multiplies the generator, blinded once for this process (secp256k1_context_randomize). */
static void make_generator(void) {
  uint8_t seed[32];
  is_blinded = secp256k1_context_preallocated_create(&generator, SECP256K1_CONTEXT_NONE) != NULL &&
               getrandom(seed, sizeof seed, 0) == (ssize_t)sizeof seed &&
               secp256k1_context_randomize(&generator, seed) == 1;
  explicit_bzero(seed, sizeof seed);
}

static bool multiply_base(uint8_t *out, const uint8_t *bytes) {
  secp256k1_scalar scalar;
  secp256k1_ge point;
  if (pthread_once(&once, make_generator) != 0 || !is_blinded) return false;
  const bool reduced = read_scalar(&scalar, bytes);
  secp256k1_ecmult_gen_ge(&generator.ecmult_gen_ctx, &point, &scalar);
  secp256k1_scalar_clear(&scalar);
  return store(out, &point) && reduced;
}

/* Straus's method (secp256k1_ecmult_strauss_wnaf): all products share the doublings. */
struct terms {
  secp256k1_gej *points;
  secp256k1_scalar *scalars;
  struct secp256k1_strauss_state state;
};

static bool allocate_terms(struct terms *terms, size_t count) {
  terms->points = calloc(count, sizeof *terms->points);
  terms->scalars = calloc(count, sizeof *terms->scalars);
  terms->state.aux = calloc(count * ECMULT_TABLE_SIZE(WINDOW_A), sizeof *terms->state.aux);
  terms->state.pre_a = calloc(count * ECMULT_TABLE_SIZE(WINDOW_A), sizeof *terms->state.pre_a);
  terms->state.ps = calloc(count, sizeof *terms->state.ps);
  return terms->points != NULL && terms->scalars != NULL && terms->state.aux != NULL && terms->state.pre_a != NULL &&
         terms->state.ps != NULL;
}

static void free_terms(struct terms *terms) {
  free(terms->points);
  free(terms->scalars);
  free(terms->state.aux);
  free(terms->state.pre_a);
  free(terms->state.ps);
}

static bool sum_of_products(uint8_t *out, size_t count, const uint8_t *const *scalars, const uint8_t *const *elements) {
  struct terms terms;
  secp256k1_gej sum;
  bool reduced = true;
  const bool allocated = allocate_terms(&terms, count == 0 ? 1 : count);
  if (allocated) {
    for (size_t index = 0; index < count; index++) {
      const secp256k1_ge point = load(elements[index]);
      secp256k1_gej_set_ge(&terms.points[index], &point);
      reduced = read_scalar(&terms.scalars[index], scalars[index]) && reduced;
    }
    secp256k1_ecmult_strauss_wnaf(&terms.state, &sum, count, terms.points, terms.scalars, NULL);
  }
  free_terms(&terms);
  return allocated && store_public(out, &sum) && reduced;
}

const struct group secp256k1_group = {
    .scalars = &SCALARS,
    .encoded_bytes = 33,
    .element_bytes = sizeof(secp256k1_ge_storage),
    .decode = decode,
    .encode = encode,
    .is_identity = is_identity,
    .equals = equals,
    .add = add,
    .negate = negate,
    .multiply_base = multiply_base,
    .sum_of_products = sum_of_products,
};
