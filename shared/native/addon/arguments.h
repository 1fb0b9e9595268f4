/* Arguments from and values for JavaScript. A function that returns false or NULL has thrown. */
#ifndef HOLDFAST_ARGUMENTS_H
#define HOLDFAST_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAPI_VERSION 9
#include <node_api.h>

/* Makes an Error whose `code` is the name of the errno. */
napi_value make_error(napi_env env, int error);
napi_value throw_errno(napi_env env, int error);
napi_value throw_range(napi_env env);
napi_value throw_misuse(napi_env env, const char *message);

/* Takes exactly `count` arguments, or throws a TypeError. */
bool take_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values);

/* Takes a whole number from 0 to max: fractions, NaN and strings are misuse, and nothing is rounded. */
bool take_number(napi_env env, napi_value value, uint32_t max, uint32_t *result);
bool take_descriptor(napi_env env, napi_value value, int *result);

/* Takes a string of 1 to size - 1 bytes of UTF-8. A longer one is misuse: cut short, it could mean another thing. */
bool take_text(napi_env env, napi_value value, char *text, size_t size, size_t *length);

/* Takes the bytes of a Uint8Array, in JavaScript's memory and valid for the call; not NULL where it is empty. */
uint8_t *take_byte_array(napi_env env, napi_value value, size_t *length);

/* Takes the bytes of a Uint8Array of exactly `length`; another length is misuse. */
uint8_t *take_bytes(napi_env env, napi_value value, size_t length);

/* Makes a Uint8Array with a copy of the bytes, outside of V8's heap. */
napi_value make_bytes(napi_env env, const uint8_t *bytes, size_t length);

napi_value make_number(napi_env env, uint32_t number);

/* Makes a number of a descriptor; throws errno where the descriptor is negative. */
napi_value make_descriptor(napi_env env, int fd);
napi_value make_undefined(napi_env env);

struct exported {
  const char *name;
  napi_callback function;
};
bool export_functions(napi_env env, napi_value exports, const struct exported *functions, size_t count);

#endif
