/*
 * libsecp256k1, from the pinned source in vendor/: one unit with its tables, the three modules that are used, and the
 * group for threshold signatures, in plain C on every architecture. As system headers its files' warnings are no errors
 * of this build.
 */
#define _GNU_SOURCE
#define ENABLE_MODULE_RECOVERY 1
#define ENABLE_MODULE_EXTRAKEYS 1
#define ENABLE_MODULE_SCHNORRSIG 1
/* 16 KiB of tables instead of 1 MiB in the image: verifying takes a tenth longer, signing does not use them. */
#define ECMULT_WINDOW_SIZE 8
#define SECP256K1_NO_API_VISIBILITY_ATTRIBUTES 1

#include <src/secp256k1.c>
#include <src/precomputed_ecmult.c>
#include <src/precomputed_ecmult_gen.c>

#include "secp256k1-group-impl.h"
