#define _GNU_SOURCE
#include "keys.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>

/* SEC 2, 2.4.2: the order, and the greatest s that is not greater than its half. */
static const uint8_t ORDER[SCALAR_BYTES] = {0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,    0xff, 0xff, 0xff,
                                            0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                            0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
static const uint8_t HALF[SCALAR_BYTES] = {0x7f, 0xff, 0xff, 0xff, 0x80, 0,    0,    0,    0x7f, 0xff, 0xff,
                                           0xff, 0xff, 0xff, 0xff, 0xff, 0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b,
                                           0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8};

/* Subtracts: out = a - b, big endian; returns the borrow. The time does not depend on the values. `out` may be `b`. */
static uint8_t subtract(uint8_t out[SCALAR_BYTES], const uint8_t a[SCALAR_BYTES], const uint8_t b[SCALAR_BYTES]) {
  unsigned borrow = 0;
  for (size_t index = SCALAR_BYTES; index-- > 0;) {
    const unsigned difference = 0x100u + a[index] - b[index] - borrow;
    out[index] = (uint8_t)difference;
    borrow = 1 - (difference >> 8);
  }
  return (uint8_t)borrow;
}

static bool is_scalar(const uint8_t secret[SCALAR_BYTES]) {
  uint8_t rest[SCALAR_BYTES], any = 0;
  const uint8_t below = subtract(rest, secret, ORDER);
  for (size_t index = 0; index < SCALAR_BYTES; index++) any |= secret[index];
  explicit_bzero(rest, sizeof rest);
  return below == 1 && any != 0;
}

/* Derives the public key of `secret`: OpenSSL multiplies in constant time. */
static bool derive_public_key(const uint8_t secret[SCALAR_BYTES], uint8_t public_key[PUBLIC_KEY_BYTES]) {
  EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  BIGNUM *scalar = BN_secure_new();
  EC_POINT *point = group == NULL ? NULL : EC_POINT_new(group);
  bool derived = false;
  if (point != NULL && scalar != NULL && BN_bin2bn(secret, SCALAR_BYTES, scalar) != NULL) {
    BN_set_flags(scalar, BN_FLG_CONSTTIME);
    derived = EC_POINT_mul(group, point, scalar, NULL, NULL, NULL) == 1 &&
              EC_POINT_point2oct(group, point, POINT_CONVERSION_COMPRESSED, public_key, PUBLIC_KEY_BYTES, NULL) ==
                  PUBLIC_KEY_BYTES;
  }
  EC_POINT_free(point);
  BN_clear_free(scalar);
  EC_GROUP_free(group);
  return derived;
}

static EVP_PKEY *make_openssl_key(struct key *key) {
  EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
  EVP_PKEY *made = NULL;
  char curve[] = "prime256v1";
  uint8_t reversed[SCALAR_BYTES]; /* OSSL_PARAM(3): integers in the machine's order, which is little endian */
  _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the order of a parameter's bytes");
  for (size_t index = 0; index < SCALAR_BYTES; index++) reversed[index] = key->secret[SCALAR_BYTES - 1 - index];
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
      OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, reversed, sizeof reversed),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, key->public_key, sizeof key->public_key),
      OSSL_PARAM_construct_end(),
  };
  if (maker == NULL || EVP_PKEY_fromdata_init(maker) != 1 ||
      EVP_PKEY_fromdata(maker, &made, EVP_PKEY_KEYPAIR, parameters) != 1) {
    made = NULL;
  }
  explicit_bzero(reversed, sizeof reversed);
  EVP_PKEY_CTX_free(maker);
  return made;
}

bool prepare_p256(struct key *key) {
  if (!is_scalar(key->secret) || !derive_public_key(key->secret, key->public_key)) return false;
  EVP_PKEY *made = make_openssl_key(key);
  if (made == NULL) return false;
  key->signer = EVP_PKEY_CTX_new_from_pkey(NULL, made, NULL);
  EVP_PKEY_free(made); /* The signer holds a reference of its own. */
  char digest[] = "SHA256";
  unsigned deterministic = 1; /* EVP_SIGNATURE-ECDSA(7): RFC 6979 */
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_uint(OSSL_SIGNATURE_PARAM_NONCE_TYPE, &deterministic),
      OSSL_PARAM_construct_end(),
  };
  return key->signer != NULL && EVP_PKEY_sign_init_ex(key->signer, parameters) == 1;
}

void release_p256(struct key *key) {
  EVP_PKEY_CTX_free(key->signer);
  key->signer = NULL;
}

bool sign_ecdsa_p256(const struct key *key, const uint8_t digest[DIGEST_BYTES], uint8_t out[ECDSA_BYTES]) {
  uint8_t der[80];
  const uint8_t *read = der;
  size_t length = sizeof der;
  if (EVP_PKEY_sign(key->signer, der, &length, digest, DIGEST_BYTES) != 1) return false;
  ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &read, (long)length);
  if (signature == NULL) return false;
  uint8_t *s = out + SCALAR_BYTES;
  const bool written = BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, SCALAR_BYTES) == SCALAR_BYTES &&
                       BN_bn2binpad(ECDSA_SIG_get0_s(signature), s, SCALAR_BYTES) == SCALAR_BYTES;
  ECDSA_SIG_free(signature);
  /* Both s and the order less s verify, and a rule that admits only the lower leaves a third party nothing to alter. */
  if (written && memcmp(s, HALF, SCALAR_BYTES) > 0) subtract(s, ORDER, s);
  return written;
}
