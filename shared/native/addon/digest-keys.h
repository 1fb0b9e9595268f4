/* Private keys of OpenSSL that sign digests, which node:crypto by itself cannot: it hashes whatever it signs. */
#ifndef HOLDFAST_DIGEST_KEYS_H
#define HOLDFAST_DIGEST_KEYS_H

#include "arguments.h"

/* Adds the functions for JavaScript to `exports`. */
bool export_digest_keys(napi_env env, napi_value exports);

#endif
