#define _GNU_SOURCE
#include "keys.h"

#include <string.h>
#include <sys/random.h>

#include <secp256k1_preallocated.h>
#include <secp256k1_recovery.h>
#include <secp256k1_schnorrsig.h>

/* Blinds the context: multiplications with the generator start from a random point (secp256k1_context_randomize). */
static bool blind(struct key *key) {
  uint8_t seed[32];
  if (secp256k1_context_preallocated_size(SECP256K1_CONTEXT_NONE) > sizeof key->context_memory) return false;
  key->context = secp256k1_context_preallocated_create(key->context_memory, SECP256K1_CONTEXT_NONE);
  const bool blinded = getrandom(seed, sizeof seed, 0) == (ssize_t)sizeof seed &&
                       secp256k1_context_randomize(key->context, seed) == 1;
  explicit_bzero(seed, sizeof seed);
  return blinded;
}

bool prepare_secp256k1(struct key *key) {
  secp256k1_pubkey point;
  size_t length = sizeof key->public_key;
  return blind(key) && secp256k1_keypair_create(key->context, &key->pair, key->secret) == 1 &&
         secp256k1_keypair_pub(key->context, &point, &key->pair) == 1 &&
         secp256k1_ec_pubkey_serialize(key->context, key->public_key, &length, &point, SECP256K1_EC_COMPRESSED) == 1;
}

bool sign_ecdsa_secp256k1(const struct key *key, const uint8_t digest[DIGEST_BYTES], uint8_t out[ECDSA_BYTES + 1]) {
  secp256k1_ecdsa_recoverable_signature signature;
  int recovery = -1;
  if (secp256k1_ecdsa_sign_recoverable(key->context, &signature, digest, key->secret, NULL, NULL) != 1 ||
      secp256k1_ecdsa_recoverable_signature_serialize_compact(key->context, out, &recovery, &signature) != 1) {
    return false;
  }
  out[ECDSA_BYTES] = (uint8_t)recovery;
  /* 2 and 3 mean that R's x exceeded the group order: one chance in 2^127, and Ethereum has no way to express it. */
  return recovery == 0 || recovery == 1;
}

/* BIP-341, "Constructing and spending Taproot outputs": the secret of the point with the even y, plus the tweak. */
static bool tweak_for_taproot(const secp256k1_context *context, secp256k1_keypair *pair, const uint8_t *merkle_root,
                              size_t merkle_root_length) {
  static const uint8_t TAG[] = "TapTweak";
  uint8_t committed[64], tweak[32];
  secp256k1_xonly_pubkey internal;
  if (secp256k1_keypair_xonly_pub(context, &internal, NULL, pair) != 1 ||
      secp256k1_xonly_pubkey_serialize(context, committed, &internal) != 1) {
    return false;
  }
  if (merkle_root_length > 0) memcpy(committed + 32, merkle_root, merkle_root_length);
  return secp256k1_tagged_sha256(context, tweak, TAG, sizeof TAG - 1, committed, 32 + merkle_root_length) == 1 &&
         secp256k1_keypair_xonly_tweak_add(context, pair, tweak) == 1;
}

bool sign_bip340(const struct key *key, const uint8_t digest[DIGEST_BYTES], const uint8_t auxiliary[32], bool tweaked,
                 const uint8_t *merkle_root, size_t merkle_root_length, uint8_t out[ECDSA_BYTES + 32]) {
  secp256k1_keypair pair = key->pair;
  secp256k1_xonly_pubkey verifier;
  const bool made =
      (!tweaked || tweak_for_taproot(key->context, &pair, merkle_root, merkle_root_length)) &&
      secp256k1_schnorrsig_sign32(key->context, out, digest, &pair, auxiliary) == 1 &&
      secp256k1_keypair_xonly_pub(key->context, &verifier, NULL, &pair) == 1 &&
      /* BIP-340, "Default Signing": a fault while signing may give the key away, so nothing leaves that does not verify. */
      secp256k1_schnorrsig_verify(key->context, out, digest, DIGEST_BYTES, &verifier) == 1 &&
      secp256k1_xonly_pubkey_serialize(key->context, out + ECDSA_BYTES, &verifier) == 1;
  explicit_bzero(&pair, sizeof pair);
  return made;
}
