/*
 * Groups for JavaScript. Each function takes the number of a group first (GROUPS), and makes new arrays outside of V8's
 * heap, so that clearing one leaves no copy. A scalar that is not reduced, and a list that is too long, is a RangeError;
 * anything else that no caller of ours hands in is a TypeError.
 */
#define _GNU_SOURCE
#include "groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct group *const GROUPS[] = {&ed25519_group, &ristretto255_group, &p256_group, &secp256k1_group};
#define GROUP_COUNT (sizeof GROUPS / sizeof GROUPS[0])
#define MAX_ARGUMENTS 3

/* Takes the arguments of a function, of which the first is the number of a group. */
static const struct group *take_group(napi_env env, napi_callback_info info, size_t count,
                                      napi_value values[MAX_ARGUMENTS]) {
  uint32_t number;
  if (!take_arguments(env, info, count, values) || !take_number(env, values[0], GROUP_COUNT - 1, &number)) return NULL;
  return GROUPS[number];
}

static const uint8_t *take_element(napi_env env, napi_value value, const struct group *group) {
  return take_bytes(env, value, group->element_bytes);
}

/* Takes a reduced scalar. */
static const uint8_t *take_scalar(napi_env env, napi_value value, const struct group *group) {
  size_t length = 0;
  const uint8_t *bytes = take_byte_array(env, value, &length);
  if (bytes == NULL || (length == GROUP_SCALAR_BYTES && group->scalars->is_canonical(bytes))) return bytes;
  napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "expected a reduced scalar of 32 bytes");
  return NULL;
}

/* Makes an array of what was computed, and clears that. */
static napi_value make_result(napi_env env, bool computed, uint8_t *bytes, size_t length) {
  napi_value result = computed ? make_bytes(env, bytes, length) : throw_errno(env, ENOMEM);
  explicit_bzero(bytes, length);
  return result;
}

static napi_value make_boolean(napi_env env, bool value) {
  napi_value result = NULL;
  napi_get_boolean(env, value, &result);
  return result;
}

/* decodeElement(group, bytes): element, or null for whatever is not the encoding of one, or of the identity */
static napi_value decode_element(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS], none = NULL;
  const struct group *group = take_group(env, info, 2, values);
  uint8_t element[MAX_ELEMENT_BYTES];
  size_t length = 0;
  const uint8_t *encoded = group == NULL ? NULL : take_byte_array(env, values[1], &length);
  if (encoded == NULL) return NULL;
  if (length == group->encoded_bytes && group->decode(element, encoded)) {
    return make_bytes(env, element, group->element_bytes);
  }
  napi_get_null(env, &none);
  return none;
}

/* encodeElement(group, element): Uint8Array, or null for the identity */
static napi_value encode_element(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS], none = NULL;
  const struct group *group = take_group(env, info, 2, values);
  uint8_t encoded[MAX_ENCODED_BYTES];
  const uint8_t *element = group == NULL ? NULL : take_element(env, values[1], group);
  if (element == NULL) return NULL;
  if (!group->is_identity(element)) {
    return make_result(env, group->encode(encoded, element), encoded, group->encoded_bytes);
  }
  napi_get_null(env, &none);
  return none;
}

/* isIdentity(group, element): boolean */
static napi_value is_identity(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  const struct group *group = take_group(env, info, 2, values);
  const uint8_t *element = group == NULL ? NULL : take_element(env, values[1], group);
  return element == NULL ? NULL : make_boolean(env, group->is_identity(element));
}

/* equalElements(group, a, b): boolean */
static napi_value equal_elements(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  const struct group *group = take_group(env, info, 3, values);
  const uint8_t *a, *b;
  if (group == NULL || (a = take_element(env, values[1], group)) == NULL ||
      (b = take_element(env, values[2], group)) == NULL) {
    return NULL;
  }
  return make_boolean(env, group->equals(a, b));
}

/* addElements(group, a, b): element */
static napi_value add_elements(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  const struct group *group = take_group(env, info, 3, values);
  const uint8_t *a, *b;
  uint8_t sum[MAX_ELEMENT_BYTES];
  if (group == NULL || (a = take_element(env, values[1], group)) == NULL ||
      (b = take_element(env, values[2], group)) == NULL) {
    return NULL;
  }
  return make_result(env, group->add(sum, a, b), sum, group->element_bytes);
}

/* negateElement(group, a): element */
static napi_value negate_element(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  const struct group *group = take_group(env, info, 2, values);
  uint8_t negative[MAX_ELEMENT_BYTES];
  const uint8_t *element = group == NULL ? NULL : take_element(env, values[1], group);
  if (element == NULL) return NULL;
  return make_result(env, group->negate(negative, element), negative, group->element_bytes);
}

/* multiplyBase(group, scalar): element; in constant time */
static napi_value multiply_base(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  const struct group *group = take_group(env, info, 2, values);
  uint8_t product[MAX_ELEMENT_BYTES];
  const uint8_t *scalar = group == NULL ? NULL : take_scalar(env, values[1], group);
  if (scalar == NULL) return NULL;
  return make_result(env, group->multiply_base(product, scalar), product, group->element_bytes);
}

/* The two lists of a sum of products, each of `count` pointers into JavaScript's memory. */
struct lists {
  const uint8_t *scalars[MAX_TERMS];
  const uint8_t *elements[MAX_TERMS];
};

/* Takes both lists; an accessor of theirs could run JavaScript, but proper arrays of ours have none. */
static bool take_lists(napi_env env, const napi_value values[MAX_ARGUMENTS], const struct group *group, uint32_t count,
                       struct lists *lists) {
  for (uint32_t index = 0; index < count; index++) {
    napi_value scalar, element;
    if (napi_get_element(env, values[1], index, &scalar) != napi_ok ||
        napi_get_element(env, values[2], index, &element) != napi_ok ||
        (lists->scalars[index] = take_scalar(env, scalar, group)) == NULL ||
        (lists->elements[index] = take_element(env, element, group)) == NULL) {
      return false;
    }
  }
  return true;
}

/* sumOfProducts(group, scalars: Uint8Array[], elements: element[]): element; its time depends on all values */
static napi_value sum_of_products(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS], result = NULL;
  const struct group *group = take_group(env, info, 3, values);
  uint32_t count = 0, others = 0;
  uint8_t sum[MAX_ELEMENT_BYTES];
  if (group == NULL) return NULL;
  if (napi_get_array_length(env, values[1], &count) != napi_ok ||
      napi_get_array_length(env, values[2], &others) != napi_ok) {
    return throw_misuse(env, "expected two arrays");
  }
  if (count != others || count > MAX_TERMS) return throw_range(env);
  struct lists *lists = malloc(sizeof *lists);
  if (lists == NULL) return throw_errno(env, ENOMEM);
  if (take_lists(env, values, group, count, lists)) {
    const bool computed = group->sum_of_products(sum, count, lists->scalars, lists->elements);
    result = make_result(env, computed, sum, group->element_bytes);
  }
  free(lists);
  return result;
}

/* isScalar(group, bytes): boolean, whether the bytes are a reduced scalar */
static napi_value is_scalar(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  const struct group *group = take_group(env, info, 2, values);
  size_t length = 0;
  const uint8_t *bytes = group == NULL ? NULL : take_byte_array(env, values[1], &length);
  if (bytes == NULL) return NULL;
  return make_boolean(env, length == GROUP_SCALAR_BYTES && group->scalars->is_canonical(bytes));
}

/* reduceScalar(group, bytes): scalar of 32 to 64 bytes in the group's byte order */
static napi_value reduce_scalar(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  const struct group *group = take_group(env, info, 2, values);
  uint8_t wide[MAX_REDUCED_BYTES] = {0}, scalar[GROUP_SCALAR_BYTES];
  size_t length = 0;
  const uint8_t *bytes = group == NULL ? NULL : take_byte_array(env, values[1], &length);
  if (bytes == NULL) return NULL;
  if (length < GROUP_SCALAR_BYTES || length > MAX_REDUCED_BYTES) return throw_range(env);
  memcpy(group->scalars->is_little_endian ? wide : wide + sizeof wide - length, bytes, length);
  const bool computed = group->scalars->reduce(scalar, wide);
  explicit_bzero(wide, sizeof wide);
  return make_result(env, computed, scalar, sizeof scalar);
}

typedef bool (*scalar_operation)(uint8_t *out, const uint8_t *a, const uint8_t *b);

static napi_value combine(napi_env env, const napi_value values[MAX_ARGUMENTS], const struct group *group,
                          scalar_operation operation) {
  const uint8_t *a, *b;
  uint8_t result[GROUP_SCALAR_BYTES];
  if ((a = take_scalar(env, values[1], group)) == NULL || (b = take_scalar(env, values[2], group)) == NULL) return NULL;
  return make_result(env, operation(result, a, b), result, sizeof result);
}

/* addScalars(group, a, b): scalar; in constant time, as the others below */
static napi_value add_scalars(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  const struct group *group = take_group(env, info, 3, values);
  return group == NULL ? NULL : combine(env, values, group, group->scalars->add);
}

/* subtractScalars(group, a, b): scalar */
static napi_value subtract_scalars(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  const struct group *group = take_group(env, info, 3, values);
  return group == NULL ? NULL : combine(env, values, group, group->scalars->subtract);
}

/* multiplyScalars(group, a, b): scalar */
static napi_value multiply_scalars(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  const struct group *group = take_group(env, info, 3, values);
  return group == NULL ? NULL : combine(env, values, group, group->scalars->multiply);
}

/* invertScalar(group, a): scalar; a RangeError for zero */
static napi_value invert_scalar(napi_env env, napi_callback_info info) {
  napi_value values[MAX_ARGUMENTS];
  const struct group *group = take_group(env, info, 2, values);
  uint8_t inverse[GROUP_SCALAR_BYTES], any = 0;
  const uint8_t *scalar = group == NULL ? NULL : take_scalar(env, values[1], group);
  if (scalar == NULL) return NULL;
  for (size_t index = 0; index < GROUP_SCALAR_BYTES; index++) any |= scalar[index];
  if (any == 0) return throw_range(env);
  return make_result(env, group->scalars->invert(inverse, scalar), inverse, sizeof inverse);
}

bool export_groups(napi_env env, napi_value exports) {
  static const struct exported EXPORTS[] = {
      {"decodeElement", decode_element},     {"encodeElement", encode_element},
      {"isIdentity", is_identity},           {"equalElements", equal_elements},
      {"addElements", add_elements},         {"negateElement", negate_element},
      {"multiplyBase", multiply_base},       {"sumOfProducts", sum_of_products},
      {"isScalar", is_scalar},               {"reduceScalar", reduce_scalar},
      {"addScalars", add_scalars},           {"subtractScalars", subtract_scalars},
      {"multiplyScalars", multiply_scalars}, {"invertScalar", invert_scalar},
  };
  return export_functions(env, exports, EXPORTS, sizeof EXPORTS / sizeof EXPORTS[0]);
}
