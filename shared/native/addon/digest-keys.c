#define _GNU_SOURCE
#include "digest-keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#define MAX_INFO_BYTES 2560     /* a PrivateKeyInfo of RSA with 4096 bits has 2,376 */
#define MAX_SIGNATURE_BYTES 512  /* of such a key */
#define MAX_HALF_BYTES 48       /* of an ECDSA signature: P-384 */
#define MAX_DIGEST_BYTES 64

static const napi_type_tag KEY_TAG = {0x71c8d0f35ae94b26, 0x9d04e6b7f1832a5c};

/* A handle: owns OpenSSL's key until that is cleared, NULL afterwards. */
struct digest_key {
  EVP_PKEY *pkey;
};

static const struct scheme {
  const char *name;
  const char *type; /* of the key, as OpenSSL names it */
  const char *hash;
  size_t digest_bytes;
  int padding; /* of RSA */
} SCHEMES[] = {
    {"ecdsa-p384-sha384", "EC", "SHA384", 48, 0},
    {"ed25519ph", "ED25519", NULL, 64, 0},
    {"rsa-pss-sha256", "RSA", "SHA256", 32, RSA_PKCS1_PSS_PADDING},
    {"rsa-pss-sha384", "RSA", "SHA384", 48, RSA_PKCS1_PSS_PADDING},
    {"rsa-pss-sha512", "RSA", "SHA512", 64, RSA_PKCS1_PSS_PADDING},
    {"rsa-pkcs1-sha256", "RSA", "SHA256", 32, RSA_PKCS1_PADDING},
    {"rsa-pkcs1-sha384", "RSA", "SHA384", 48, RSA_PKCS1_PADDING},
    {"rsa-pkcs1-sha512", "RSA", "SHA512", 64, RSA_PKCS1_PADDING},
};

static void finalize(node_api_basic_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  struct digest_key *key = data;
  EVP_PKEY_free(key->pkey); /* OpenSSL clears the secret. */
  free(key);
}

static struct digest_key *take_key(napi_env env, napi_value value) {
  bool ours = false;
  void *data = NULL;
  if (napi_check_object_type_tag(env, value, &KEY_TAG, &ours) == napi_ok && ours &&
      napi_unwrap(env, value, &data) == napi_ok) {
    return data;
  }
  throw_misuse(env, "expected a key of holdDigestKey");
  return NULL;
}

static EVP_PKEY *read_key(const uint8_t *info, size_t length) {
  const uint8_t *read = info;
  PKCS8_PRIV_KEY_INFO *parsed = d2i_PKCS8_PRIV_KEY_INFO(NULL, &read, (long)length);
  EVP_PKEY *pkey = parsed == NULL || read != info + length ? NULL : EVP_PKCS82PKEY(parsed);
  PKCS8_PRIV_KEY_INFO_free(parsed); /* clears its bytes */
  char group[32] = "";
  const bool known =
      pkey != NULL && (EVP_PKEY_is_a(pkey, "RSA") || EVP_PKEY_is_a(pkey, "ED25519") ||
                       (EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1 &&
                        strcmp(group, "secp384r1") == 0));
  if (!known) {
    EVP_PKEY_free(pkey);
    pkey = NULL;
  }
  ERR_clear_error();
  return pkey;
}

/* holdDigestKey(privateKeyInfo: Uint8Array): handle; a RangeError for what is no key of P-384, Ed25519 or RSA */
static napi_value hold_digest_key(napi_env env, napi_callback_info info) {
  napi_value value, object = NULL;
  size_t length = 0;
  const uint8_t *bytes;
  if (!take_arguments(env, info, 1, &value) || (bytes = take_byte_array(env, value, &length)) == NULL) return NULL;
  EVP_PKEY *pkey = length > MAX_INFO_BYTES ? NULL : read_key(bytes, length);
  if (pkey == NULL) return throw_range(env);
  struct digest_key *key = calloc(1, sizeof *key);
  if (key == NULL) {
    EVP_PKEY_free(pkey);
    return throw_errno(env, ENOMEM);
  }
  key->pkey = pkey;
  if (napi_create_object(env, &object) != napi_ok || napi_type_tag_object(env, object, &KEY_TAG) != napi_ok ||
      napi_wrap(env, object, key, finalize, NULL, NULL) != napi_ok) {
    finalize(env, key, NULL);
    return throw_errno(env, ENOMEM);
  }
  return object;
}

/* clearDigestKey(handle): frees the key, which OpenSSL clears; twice is harmless */
static napi_value clear_digest_key(napi_env env, napi_callback_info info) {
  napi_value value;
  struct digest_key *key;
  if (!take_arguments(env, info, 1, &value) || (key = take_key(env, value)) == NULL) return NULL;
  EVP_PKEY_free(key->pkey);
  key->pkey = NULL;
  return make_undefined(env);
}

static const struct scheme *find_scheme(const char *name) {
  for (size_t index = 0; index < sizeof SCHEMES / sizeof SCHEMES[0]; index++) {
    if (strcmp(SCHEMES[index].name, name) == 0) return &SCHEMES[index];
  }
  return NULL;
}

static bool prepare(EVP_PKEY_CTX *context, const struct scheme *scheme) {
  unsigned deterministic = 1; /* EVP_SIGNATURE-ECDSA(7): RFC 6979 */
  char salt[] = OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST;
  OSSL_PARAM parameters[5];
  size_t count = 0;
  if (scheme->hash == NULL) {
    /* EVP_SIGNATURE-ED25519(7): initialised like this, it signs a digest. */
    EVP_SIGNATURE *signature = EVP_SIGNATURE_fetch(NULL, "ED25519ph", NULL);
    const bool ready = signature != NULL && EVP_PKEY_sign_init_ex2(context, signature, NULL) == 1;
    EVP_SIGNATURE_free(signature);
    return ready;
  }
  int padding = scheme->padding;
  parameters[count++] = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, (char *)scheme->hash, 0);
  if (padding == 0) parameters[count++] = OSSL_PARAM_construct_uint(OSSL_SIGNATURE_PARAM_NONCE_TYPE, &deterministic);
  if (padding != 0) parameters[count++] = OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PAD_MODE, &padding);
  if (padding == RSA_PKCS1_PSS_PADDING) {
    parameters[count++] = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, salt, 0);
  }
  parameters[count] = OSSL_PARAM_construct_end();
  return EVP_PKEY_sign_init_ex(context, parameters) == 1;
}

/* Writes an ECDSA signature as r ‖ s with the lower s: both verify, and a third party is left nothing to alter. */
static bool write_halves(EVP_PKEY *pkey, const uint8_t *der, size_t length, uint8_t *out, size_t *written) {
  BIGNUM *order = NULL, *lower = BN_new();
  const uint8_t *read = der;
  ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &read, (long)length);
  bool done = false;
  if (signature != NULL && lower != NULL && EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_ORDER, &order) == 1) {
    const BIGNUM *s = ECDSA_SIG_get0_s(signature);
    const int half = BN_num_bytes(order);
    /* The lower s is the smaller of s and the order less s. */
    done = half <= MAX_HALF_BYTES && BN_sub(lower, order, s) == 1 &&
           BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, half) == half &&
           BN_bn2binpad(BN_cmp(s, lower) > 0 ? lower : s, out + half, half) == half;
    *written = 2 * (size_t)half;
  }
  BN_free(order);
  BN_free(lower);
  ECDSA_SIG_free(signature);
  return done;
}

/* signDigest(handle, algorithm: string, digest: Uint8Array): Uint8Array, the signature; of ECDSA r ‖ s */
static napi_value sign_digest(napi_env env, napi_callback_info info) {
  napi_value values[3];
  char name[32];
  size_t length = 0, signature_length = MAX_SIGNATURE_BYTES;
  struct digest_key *key;
  const struct scheme *scheme;
  const uint8_t *digest;
  uint8_t signature[MAX_SIGNATURE_BYTES], halves[2 * MAX_HALF_BYTES];
  if (!take_arguments(env, info, 3, values) || (key = take_key(env, values[0])) == NULL ||
      !take_text(env, values[1], name, sizeof name, &length)) {
    return NULL;
  }
  if (key->pkey == NULL) return throw_misuse(env, "expected a key in use, found one that was cleared");
  if ((scheme = find_scheme(name)) == NULL || !EVP_PKEY_is_a(key->pkey, scheme->type)) {
    return throw_misuse(env, "expected an algorithm of the key");
  }
  if ((digest = take_bytes(env, values[2], scheme->digest_bytes)) == NULL) return NULL;
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
  bool made = context != NULL && prepare(context, scheme) &&
              EVP_PKEY_sign(context, signature, &signature_length, digest, scheme->digest_bytes) == 1;
  EVP_PKEY_CTX_free(context);
  const bool is_ecdsa = scheme->hash != NULL && scheme->padding == 0;
  if (made && is_ecdsa) made = write_halves(key->pkey, signature, signature_length, halves, &signature_length);
  ERR_clear_error(); /* Node takes what is left in the queue for an error of its own. */
  if (!made) return throw_errno(env, EIO);
  return make_bytes(env, is_ecdsa ? halves : signature, signature_length);
}

bool export_digest_keys(napi_env env, napi_value exports) {
  static const struct exported EXPORTS[] = {
      {"holdDigestKey", hold_digest_key},
      {"signDigest", sign_digest},
      {"clearDigestKey", clear_digest_key},
  };
  return export_functions(env, exports, EXPORTS, sizeof EXPORTS / sizeof EXPORTS[0]);
}
