/* A Node-API addon for one test: call(number, first, second, third) makes a system call and answers with its errno. */
#define NAPI_VERSION 9
#define _GNU_SOURCE
#include <errno.h>
#include <node_api.h>
#include <unistd.h>

static napi_value call(napi_env env, napi_callback_info info) {
  napi_value values[4], result = NULL;
  size_t count = 4;
  int64_t words[4] = {0};
  if (napi_get_cb_info(env, info, &count, values, NULL, NULL) != napi_ok) return NULL;
  for (size_t index = 0; index < count && index < 4; index++) napi_get_value_int64(env, values[index], &words[index]);
  napi_create_int32(env, syscall((long)words[0], words[1], words[2], words[3]) < 0 ? errno : 0, &result);
  return result;
}

NAPI_MODULE_INIT() {
  napi_value function;
  if (napi_create_function(env, "call", NAPI_AUTO_LENGTH, call, NULL, &function) == napi_ok) {
    napi_set_named_property(env, exports, "call", function);
  }
  return exports;
}
