#define _GNU_SOURCE
#include "keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const napi_type_tag KEY_TAG = {0x2a94f06be1d7430c, 0xb58e17c3096df24a};

/* Allocates a key in a page of its own: never in a core dump or a child, and not in swap where memory may be locked. */
static struct key *allocate_key(void) {
  struct key *key = mmap(NULL, sizeof *key, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (key == MAP_FAILED) return NULL;
  (void)mlock(key, sizeof *key);
  (void)madvise(key, sizeof *key, MADV_DONTDUMP);
  (void)madvise(key, sizeof *key, MADV_WIPEONFORK);
  return key;
}

static void clear_key(struct key *key) {
  if (key->curve == P256) release_p256(key);
  explicit_bzero(key, sizeof *key);
  munmap(key, sizeof *key);
}

/* A handle: holds its key until that is cleared, NULL afterwards. */
struct handle {
  struct key *key;
};

static void finalize_handle(node_api_basic_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  struct handle *handle = data;
  if (handle->key != NULL) clear_key(handle->key);
  free(handle);
}

static struct handle *take_handle(napi_env env, napi_value value) {
  bool ours = false;
  void *data = NULL;
  if (napi_check_object_type_tag(env, value, &KEY_TAG, &ours) == napi_ok && ours &&
      napi_unwrap(env, value, &data) == napi_ok) {
    return data;
  }
  throw_misuse(env, "expected a key of holdSecp256k1 or holdP256");
  return NULL;
}

static const struct key *take_key(napi_env env, napi_value value) {
  const struct handle *handle = take_handle(env, value);
  if (handle != NULL && handle->key == NULL) throw_misuse(env, "expected a key in use, found one that was cleared");
  return handle == NULL ? NULL : handle->key;
}

static const struct key *take_key_of(napi_env env, napi_value value, enum curve curve) {
  const struct key *key = take_key(env, value);
  if (key == NULL || key->curve == curve) return key;
  throw_misuse(env, "expected a key of the other curve");
  return NULL;
}

static napi_value hold(napi_env env, napi_callback_info info, enum curve curve) {
  napi_value value, object = NULL;
  const uint8_t *secret;
  if (!take_arguments(env, info, 1, &value) || (secret = take_bytes(env, value, SCALAR_BYTES)) == NULL) return NULL;
  struct handle *handle = calloc(1, sizeof *handle);
  struct key *key = handle == NULL ? NULL : allocate_key();
  if (key == NULL) {
    free(handle);
    return throw_errno(env, ENOMEM);
  }
  handle->key = key;
  key->curve = curve;
  memcpy(key->secret, secret, SCALAR_BYTES);
  if (!(curve == P256 ? prepare_p256(key) : prepare_secp256k1(key))) {
    finalize_handle(env, handle, NULL);
    napi_get_null(env, &object);
    return object;
  }
  if (napi_create_object(env, &object) != napi_ok || napi_type_tag_object(env, object, &KEY_TAG) != napi_ok ||
      napi_wrap(env, object, handle, finalize_handle, NULL, NULL) != napi_ok) {
    finalize_handle(env, handle, NULL);
    return throw_errno(env, ENOMEM);
  }
  return object;
}

/* holdSecp256k1(secret: Uint8Array): handle, or null for what is no scalar of the curve. The caller clears `secret`. */
static napi_value hold_secp256k1(napi_env env, napi_callback_info info) { return hold(env, info, SECP256K1); }

/* holdP256(secret: Uint8Array): handle or null, likewise */
static napi_value hold_p256(napi_env env, napi_callback_info info) { return hold(env, info, P256); }

/* clearKey(handle): overwrites and frees the memory of the key; twice is harmless */
static napi_value clear_handle(napi_env env, napi_callback_info info) {
  napi_value value;
  struct handle *handle;
  if (!take_arguments(env, info, 1, &value) || (handle = take_handle(env, value)) == NULL) return NULL;
  if (handle->key != NULL) clear_key(handle->key);
  handle->key = NULL;
  return make_undefined(env);
}

/* publicKey(handle): Uint8Array, compressed SEC1 */
static napi_value get_public_key(napi_env env, napi_callback_info info) {
  napi_value value;
  const struct key *key;
  if (!take_arguments(env, info, 1, &value) || (key = take_key(env, value)) == NULL) return NULL;
  return make_bytes(env, key->public_key, sizeof key->public_key);
}

/* copySecret(handle, target: Uint8Array): the secret, for the sealed store; the caller clears `target` */
static napi_value copy_secret(napi_env env, napi_callback_info info) {
  napi_value values[2];
  const struct key *key;
  uint8_t *target;
  if (!take_arguments(env, info, 2, values) || (key = take_key(env, values[0])) == NULL ||
      (target = take_bytes(env, values[1], SCALAR_BYTES)) == NULL) {
    return NULL;
  }
  memcpy(target, key->secret, SCALAR_BYTES);
  return make_undefined(env);
}

/* signEcdsa(handle, digest: Uint8Array): Uint8Array, r ‖ s and on secp256k1 the recovery number */
static napi_value sign_ecdsa(napi_env env, napi_callback_info info) {
  napi_value values[2];
  const struct key *key;
  const uint8_t *digest;
  uint8_t signature[ECDSA_BYTES + 1];
  if (!take_arguments(env, info, 2, values) || (key = take_key(env, values[0])) == NULL ||
      (digest = take_bytes(env, values[1], DIGEST_BYTES)) == NULL) {
    return NULL;
  }
  const bool recoverable = key->curve == SECP256K1;
  if (!(recoverable ? sign_ecdsa_secp256k1 : sign_ecdsa_p256)(key, digest, signature)) return throw_errno(env, EIO);
  return make_bytes(env, signature, recoverable ? ECDSA_BYTES + 1 : ECDSA_BYTES);
}

/* signBip340(handle, digest, auxiliary): Uint8Array, the signature and the x-only key that verifies it */
static napi_value sign_plain(napi_env env, napi_callback_info info) {
  napi_value values[3];
  const struct key *key;
  const uint8_t *digest, *auxiliary;
  uint8_t signature[ECDSA_BYTES + 32];
  if (!take_arguments(env, info, 3, values) || (key = take_key_of(env, values[0], SECP256K1)) == NULL ||
      (digest = take_bytes(env, values[1], DIGEST_BYTES)) == NULL ||
      (auxiliary = take_bytes(env, values[2], 32)) == NULL) {
    return NULL;
  }
  if (!sign_bip340(key, digest, auxiliary, false, NULL, 0, signature)) return throw_errno(env, EIO);
  return make_bytes(env, signature, sizeof signature);
}

/* signTaproot(handle, digest, auxiliary, merkleRoot): likewise, under the output key; the root has 32 bytes or none */
static napi_value sign_taproot(napi_env env, napi_callback_info info) {
  napi_value values[4];
  const struct key *key;
  const uint8_t *digest, *auxiliary, *merkle_root;
  size_t length = 0;
  uint8_t signature[ECDSA_BYTES + 32];
  static const uint8_t NONE[1] = {0};
  if (!take_arguments(env, info, 4, values) || (key = take_key_of(env, values[0], SECP256K1)) == NULL ||
      (digest = take_bytes(env, values[1], DIGEST_BYTES)) == NULL ||
      (auxiliary = take_bytes(env, values[2], 32)) == NULL) {
    return NULL;
  }
  merkle_root = take_byte_array(env, values[3], &length);
  if (merkle_root == NULL) return NULL;
  if (length != 0 && length != 32) return throw_misuse(env, "expected a merkle root of 32 bytes or none");
  if (!sign_bip340(key, digest, auxiliary, true, length == 0 ? NONE : merkle_root, length, signature)) {
    return throw_errno(env, EIO);
  }
  return make_bytes(env, signature, sizeof signature);
}

bool export_keys(napi_env env, napi_value exports) {
  static const struct exported EXPORTS[] = {
      {"holdSecp256k1", hold_secp256k1}, {"holdP256", hold_p256},     {"clearKey", clear_handle},
      {"publicKey", get_public_key},     {"copySecret", copy_secret}, {"signEcdsa", sign_ecdsa},
      {"signBip340", sign_plain},        {"signTaproot", sign_taproot},
  };
  return export_functions(env, exports, EXPORTS, sizeof EXPORTS / sizeof EXPORTS[0]);
}
