/* Private keys whose bytes JavaScript does not hold: in locked pages of their own, cleared on release. */
#ifndef HOLDFAST_KEYS_H
#define HOLDFAST_KEYS_H

#include "arguments.h"

#include <stddef.h>

#include <openssl/evp.h>
#include <secp256k1_extrakeys.h>

#define SCALAR_BYTES 32
#define PUBLIC_KEY_BYTES 33
#define DIGEST_BYTES 32
#define ECDSA_BYTES 64

enum curve { SECP256K1, P256 };

struct key {
  enum curve curve;
  uint8_t secret[SCALAR_BYTES];
  uint8_t public_key[PUBLIC_KEY_BYTES]; /* compressed SEC1 */
  secp256k1_keypair pair;               /* of SECP256K1 */
  secp256k1_context *context;           /* of SECP256K1: blinded for this key, in `context_memory` */
  EVP_PKEY_CTX *signer;                 /* of P256: ready to sign digests, and the owner of OpenSSL's copy of the key */
  max_align_t context_memory[64];
};

/* Derive the other members from `secret`; false where that is not a scalar from 1 to the order less one. */
bool prepare_secp256k1(struct key *key);
bool prepare_p256(struct key *key);
void release_p256(struct key *key); /* OpenSSL clears its copy. */

/* Sign by ECDSA (RFC 6979, the lower s): r and s, and for secp256k1 one byte more, the recovery number. */
bool sign_ecdsa_secp256k1(const struct key *key, const uint8_t digest[DIGEST_BYTES], uint8_t out[ECDSA_BYTES + 1]);
bool sign_ecdsa_p256(const struct key *key, const uint8_t digest[DIGEST_BYTES], uint8_t out[ECDSA_BYTES]);

/*
 * Signs by BIP-340 with auxiliary randomness and verifies the result: the signature, then the x-only key that verifies
 * it. Signs under the key itself, or with `tweaked` under the output key of BIP-341 for a script tree with this root, of
 * 32 bytes or none.
 */
bool sign_bip340(const struct key *key, const uint8_t digest[DIGEST_BYTES], const uint8_t auxiliary[32], bool tweaked,
                 const uint8_t *merkle_root, size_t merkle_root_length, uint8_t out[ECDSA_BYTES + 32]);

/* Adds the functions for JavaScript to `exports`. */
bool export_keys(napi_env env, napi_value exports);

#endif
