#define _GNU_SOURCE
#include "arguments.h"

#include <errno.h>
#include <string.h>

#include <uv.h>

napi_value make_error(napi_env env, int error) {
  napi_value code = NULL, message = NULL, result = NULL;
  napi_create_string_utf8(env, uv_err_name(-error), NAPI_AUTO_LENGTH, &code);
  napi_create_string_utf8(env, uv_strerror(-error), NAPI_AUTO_LENGTH, &message);
  napi_create_error(env, code, message, &result);
  return result;
}

napi_value throw_errno(napi_env env, int error) {
  napi_throw(env, make_error(env, error));
  return NULL;
}

napi_value throw_range(napi_env env) {
  napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "not a whole number in range");
  return NULL;
}

napi_value throw_misuse(napi_env env, const char *message) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_VALUE", message);
  return NULL;
}

bool take_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values) {
  size_t given = count;
  if (napi_get_cb_info(env, info, &given, values, NULL, NULL) == napi_ok && given == count) return true;
  throw_misuse(env, "wrong number of arguments");
  return false;
}

bool take_number(napi_env env, napi_value value, uint32_t max, uint32_t *result) {
  double number = -1;
  if (napi_get_value_double(env, value, &number) == napi_ok && number >= 0 && number <= (double)max) {
    *result = (uint32_t)number;
    if ((double)*result == number) return true;
  }
  throw_range(env);
  return false;
}

bool take_descriptor(napi_env env, napi_value value, int *result) {
  uint32_t number;
  if (!take_number(env, value, INT32_MAX, &number)) return false;
  *result = (int)number;
  return true;
}

bool take_text(napi_env env, napi_value value, char *text, size_t size, size_t *length) {
  if (napi_get_value_string_utf8(env, value, NULL, 0, length) == napi_ok && *length > 0 && *length < size &&
      napi_get_value_string_utf8(env, value, text, size, length) == napi_ok) {
    return true;
  }
  throw_misuse(env, "expected a string, neither empty nor too long");
  return false;
}

uint8_t *take_byte_array(napi_env env, napi_value value, size_t *length) {
  static uint8_t none;
  bool typed = false;
  napi_typedarray_type type = napi_int8_array;
  void *bytes = NULL;
  if (napi_is_typedarray(env, value, &typed) != napi_ok || !typed ||
      napi_get_typedarray_info(env, value, &type, length, &bytes, NULL, NULL) != napi_ok || type != napi_uint8_array) {
    throw_misuse(env, "expected a Uint8Array");
    return NULL;
  }
  return *length == 0 ? &none : bytes;
}

uint8_t *take_bytes(napi_env env, napi_value value, size_t length) {
  size_t given = 0;
  uint8_t *bytes = take_byte_array(env, value, &given);
  if (bytes == NULL || given == length) return bytes;
  throw_misuse(env, "expected a Uint8Array of another length");
  return NULL;
}

napi_value make_bytes(napi_env env, const uint8_t *bytes, size_t length) {
  void *copy = NULL;
  napi_value buffer, array;
  if (napi_create_arraybuffer(env, length, &copy, &buffer) != napi_ok ||
      napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &array) != napi_ok) {
    return throw_errno(env, ENOMEM);
  }
  memcpy(copy, bytes, length);
  return array;
}

napi_value make_number(napi_env env, uint32_t number) {
  napi_value result = NULL;
  napi_create_uint32(env, number, &result);
  return result;
}

napi_value make_descriptor(napi_env env, int fd) {
  return fd < 0 ? throw_errno(env, errno) : make_number(env, (uint32_t)fd);
}

napi_value make_undefined(napi_env env) {
  napi_value result = NULL;
  napi_get_undefined(env, &result);
  return result;
}

bool export_functions(napi_env env, napi_value exports, const struct exported *functions, size_t count) {
  for (size_t index = 0; index < count; index++) {
    napi_value function;
    if (napi_create_function(env, functions[index].name, NAPI_AUTO_LENGTH, functions[index].function, NULL, &function) !=
            napi_ok ||
        napi_set_named_property(env, exports, functions[index].name, function) != napi_ok) {
      return false;
    }
  }
  return true;
}
