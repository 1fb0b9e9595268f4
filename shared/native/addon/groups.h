/*
 * Groups of prime order that shares are made in (RFC 9591, section 3.1), each by a library of its own.
 *
 * A scalar is its 32 bytes as RFC 9591 serialises it in that group, reduced wherever a function takes one. An element is
 * `element_bytes` of memory that only the group itself reads. Functions return false where memory is short, and as each
 * says; their time depends on elements, and on scalars in `sum_of_products` alone.
 */
#ifndef HOLDFAST_GROUPS_H
#define HOLDFAST_GROUPS_H

#include "arguments.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GROUP_SCALAR_BYTES 32
#define MAX_ENCODED_BYTES 33
#define MAX_ELEMENT_BYTES 160
#define MAX_REDUCED_BYTES 64
#define MAX_TERMS 1024

struct scalar_field {
  bool (*is_canonical)(const uint8_t *bytes);
  /* Reduces MAX_REDUCED_BYTES in the group's byte order. */
  bool (*reduce)(uint8_t *out, const uint8_t *bytes);
  bool (*add)(uint8_t *out, const uint8_t *a, const uint8_t *b);
  bool (*subtract)(uint8_t *out, const uint8_t *a, const uint8_t *b);
  bool (*multiply)(uint8_t *out, const uint8_t *a, const uint8_t *b);
  bool (*invert)(uint8_t *out, const uint8_t *a); /* `a` is not zero */
  bool is_little_endian;
};

struct group {
  const struct scalar_field *scalars;
  size_t encoded_bytes;
  size_t element_bytes;
  /* Decodes `encoded_bytes`: false for whatever is not the canonical encoding of an element other than the identity. */
  bool (*decode)(uint8_t *element, const uint8_t *encoded);
  bool (*encode)(uint8_t *encoded, const uint8_t *element); /* `element` is not the identity */
  bool (*is_identity)(const uint8_t *element);
  bool (*equals)(const uint8_t *a, const uint8_t *b);
  bool (*add)(uint8_t *out, const uint8_t *a, const uint8_t *b);
  bool (*negate)(uint8_t *out, const uint8_t *a);
  bool (*multiply_base)(uint8_t *out, const uint8_t *scalar);
  bool (*sum_of_products)(uint8_t *out, size_t count, const uint8_t *const *scalars, const uint8_t *const *elements);
};

extern const struct group ed25519_group, ristretto255_group, p256_group, secp256k1_group;

/* Adds the functions for JavaScript to `exports`. */
bool export_groups(napi_env env, napi_value exports);

#endif
