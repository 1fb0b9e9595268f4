/* What JavaScript hands in and is handed back. A function that answers false or NULL has thrown. */
#ifndef HOLDFAST_ARGUMENTS_H
#define HOLDFAST_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAPI_VERSION 9
#include <node_api.h>

/* An Error whose `code` is the name of the errno. */
napi_value make_error(napi_env env, int error);
napi_value throw_errno(napi_env env, int error);
napi_value throw_range(napi_env env);
napi_value throw_misuse(napi_env env, const char *message);

/* Exactly `count` arguments, or a TypeError. */
bool take_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values);

/* A whole number from 0 to max: fractions, NaN and strings are misuse, not something to round. */
bool take_number(napi_env env, napi_value value, uint32_t max, uint32_t *result);
bool take_descriptor(napi_env env, napi_value value, int *result);

/* A string of 1 to size - 1 bytes of UTF-8, all of it: one that was cut could mean something else. */
bool take_text(napi_env env, napi_value value, char *text, size_t size, size_t *length);

/* The bytes of a Uint8Array, in JavaScript's memory and valid for the call; not NULL even where there are none. */
uint8_t *take_byte_array(napi_env env, napi_value value, size_t *length);

napi_value make_number(napi_env env, uint32_t number);

/* The descriptor as a number, or errno thrown for a negative one. */
napi_value make_descriptor(napi_env env, int fd);
napi_value make_undefined(napi_env env);

struct exported {
  const char *name;
  napi_callback function;
};
bool export_functions(napi_env env, napi_value exports, const struct exported *functions, size_t count);

#endif
