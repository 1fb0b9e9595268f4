/*
 * holdfast.node, the part of Holdfast that JavaScript cannot do, as a Node-API addon: here AF_VSOCK sockets, readiness of a
 * descriptor, the NSM's ioctl and process hardening; private keys in keys.c, the arithmetic of threshold
 * signatures in groups.c.
 *
 * The functions keep no state of their own, and none blocks the event loop: sockets are non-blocking, the ioctl runs on
 * libuv's thread pool. Errors are thrown (or reject) as an Error whose `code` is the name of the errno.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/un.h>
#include <unistd.h>

#include "../filter.h"
#include "../vsock.h"
#include "arguments.h"
#include "digest-keys.h"
#include "groups.h"
#include "keys.h"

#include <uv.h>

/* The kernel driver's own limits: drivers/misc/nsm.c, NSM_REQUEST_MAX_SIZE and NSM_RESPONSE_MAX_SIZE. */
#define NSM_MAX_REQUEST 0x1000
#define NSM_MAX_RESPONSE 0x3000
#define MAX_CONNECT_MS 3600000u
#define MAX_BACKLOG 65535u
#define MAX_NOTICE 512

struct nsm_iovec {
  uint64_t address;
  uint64_t length;
};
struct nsm_message {
  struct nsm_iovec request;
  struct nsm_iovec response;
};
#define NSM_EXCHANGE _IOWR(0x0A, 0, struct nsm_message)
_Static_assert(NSM_EXCHANGE == 0xC0200A00, "the ioctl number of /dev/nsm");

/* localCid(): number */
static napi_value local_cid(napi_env env, napi_callback_info info) {
  (void)info;
  int fd = open("/dev/vsock", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return throw_errno(env, errno);
  uint32_t cid = 0;
  int result = ioctl(fd, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &cid);
  int error = errno;
  close(fd);
  return result < 0 ? throw_errno(env, error) : make_number(env, cid);
}

/* startConnect(cid, port, timeoutMs): descriptor */
static napi_value start_connect(napi_env env, napi_callback_info info) {
  napi_value values[3];
  uint32_t cid, port, timeout_ms;
  if (!take_arguments(env, info, 3, values) || !take_number(env, values[0], UINT32_MAX, &cid) ||
      !take_number(env, values[1], UINT32_MAX, &port) || !take_number(env, values[2], MAX_CONNECT_MS, &timeout_ms)) {
    return NULL;
  }
  return make_descriptor(env, vsock_start_connect(cid, port, timeout_ms));
}

/* finishConnect(descriptor): true when connected; false while still under way */
static napi_value finish_connect(napi_env env, napi_callback_info info) {
  napi_value value, result = NULL;
  int fd;
  if (!take_arguments(env, info, 1, &value) || !take_descriptor(env, value, &fd)) return NULL;
  int state = vsock_finish_connect(fd, 0);
  if (state < 0) return throw_errno(env, errno);
  napi_get_boolean(env, state == 1, &result);
  return result;
}

/* listen(port, backlog): descriptor, bound to every context id of this machine */
static napi_value listen_vsock(napi_env env, napi_callback_info info) {
  napi_value values[2];
  uint32_t port, backlog;
  if (!take_arguments(env, info, 2, values) || !take_number(env, values[0], UINT32_MAX, &port) ||
      !take_number(env, values[1], MAX_BACKLOG, &backlog)) {
    return NULL;
  }
  int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return throw_errno(env, errno);
  struct sockaddr_vm address = vsock_address(VMADDR_CID_ANY, port);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, (int)backlog) < 0) {
    int error = errno;
    close(fd);
    return throw_errno(env, error);
  }
  return make_number(env, (uint32_t)fd);
}

static bool set_number(napi_env env, napi_value object, const char *name, uint32_t number) {
  return napi_set_named_property(env, object, name, make_number(env, number)) == napi_ok;
}

/* accept(descriptor): {descriptor, cid, port} of the peer as the kernel knows it, or null when none waits */
static napi_value accept_vsock(napi_env env, napi_callback_info info) {
  napi_value value, result = NULL;
  int fd;
  if (!take_arguments(env, info, 1, &value) || !take_descriptor(env, value, &fd)) return NULL;
  struct sockaddr_vm peer = vsock_address(0, 0);
  socklen_t length = sizeof peer;
  int accepted;
  do {
    accepted = accept4(fd, (struct sockaddr *)&peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  } while (accepted < 0 && errno == EINTR);
  if (accepted < 0 && (errno == EAGAIN || errno == ECONNABORTED)) {
    napi_get_null(env, &result);
    return result;
  }
  if (accepted < 0) return throw_errno(env, errno);
  if (length != sizeof peer || peer.svm_family != AF_VSOCK) {
    close(accepted);
    return throw_errno(env, EAFNOSUPPORT);
  }
  if (napi_create_object(env, &result) == napi_ok &&
      set_number(env, result, "descriptor", (uint32_t)accepted) && set_number(env, result, "cid", peer.svm_cid) &&
      set_number(env, result, "port", peer.svm_port)) {
    return result;
  }
  close(accepted);
  return NULL;
}

/* localPort(descriptor): the port that a vsock descriptor is bound to */
static napi_value local_port(napi_env env, napi_callback_info info) {
  napi_value value;
  int fd;
  if (!take_arguments(env, info, 1, &value) || !take_descriptor(env, value, &fd)) return NULL;
  struct sockaddr_vm address = vsock_address(0, 0);
  socklen_t length = sizeof address;
  if (getsockname(fd, (struct sockaddr *)&address, &length) < 0) return throw_errno(env, errno);
  if (length != sizeof address || address.svm_family != AF_VSOCK) return throw_errno(env, EAFNOSUPPORT);
  return make_number(env, address.svm_port);
}

/*
 * placeholder(): an AF_UNIX socket that is connected to nothing. node:net takes such a descriptor as a stream; then
 * replace() puts the vsock connection under the same number.
 */
static napi_value placeholder(napi_env env, napi_callback_info info) {
  (void)info;
  return make_descriptor(env, socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

/*
 * replace(from, to): `to` now names what `from` named, and `from` is closed. The file behind `from` must not block, or
 * the first read without data would stop the event loop: flags belong to the open file, not to the number.
 */
static napi_value replace(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int from, to, flags;
  if (!take_arguments(env, info, 2, values) || !take_descriptor(env, values[0], &from) ||
      !take_descriptor(env, values[1], &to)) {
    return NULL;
  }
  if (fcntl(to, F_GETFD) < 0 || (flags = fcntl(from, F_GETFL)) < 0 ||
      fcntl(from, F_SETFL, flags | O_NONBLOCK) < 0 || dup3(from, to, O_CLOEXEC) < 0) {
    return throw_errno(env, errno);
  }
  close(from);
  return make_undefined(env);
}

/* close(descriptor) */
static napi_value close_descriptor(napi_env env, napi_callback_info info) {
  napi_value value;
  int fd;
  if (!take_arguments(env, info, 1, &value) || !take_descriptor(env, value, &fd)) return NULL;
  /* Linux closes the descriptor even where it reports EINTR: a second close could hit another file of that number. */
  if (close(fd) < 0 && errno != EINTR) return throw_errno(env, errno);
  return make_undefined(env);
}

/*
 * A watch calls back whenever its descriptor is ready. Its memory is freed when both owners have released it: libuv
 * (after uv_close's callback) and the JavaScript handle (after its finalizer).
 */
struct watch {
  uv_poll_t poll;
  napi_env env;
  napi_ref callback;
  napi_ref handle; /* keeps the JavaScript handle alive while the watch is on */
  napi_async_cleanup_hook_handle hook;
  int owners;
};
static const napi_type_tag WATCH_TAG = {0x6f1d2b7c3e584a90, 0x8a4c91d05be7f263};

static void release_watch(struct watch *watch) {
  if (--watch->owners == 0) free(watch);
}

static void watch_closed(uv_handle_t *handle) {
  struct watch *watch = handle->data;
  napi_remove_async_cleanup_hook(watch->hook);
  release_watch(watch);
}

static void stop_watch(struct watch *watch) {
  if (uv_is_closing((uv_handle_t *)&watch->poll)) return;
  napi_delete_reference(watch->env, watch->callback);
  napi_delete_reference(watch->env, watch->handle);
  uv_close((uv_handle_t *)&watch->poll, watch_closed);
}

static void stop_watch_at_exit(napi_async_cleanup_hook_handle hook, void *data) {
  (void)hook;
  stop_watch(data);
}

static void finalize_watch(node_api_basic_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  release_watch(data);
}

static void watch_ready(uv_poll_t *poll, int status, int events) {
  (void)status;
  (void)events;
  struct watch *watch = poll->data;
  napi_env env = watch->env;
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  napi_value callback, global, error;
  if (napi_get_reference_value(env, watch->callback, &callback) == napi_ok &&
      napi_get_global(env, &global) == napi_ok &&
      napi_make_callback(env, NULL, global, callback, 0, NULL, NULL) == napi_pending_exception &&
      napi_get_and_clear_last_exception(env, &error) == napi_ok) {
    napi_fatal_exception(env, error);
  }
  napi_close_handle_scope(env, scope);
}

/* watch(descriptor, writable, callback): handle. The callback gets no arguments. */
static napi_value start_watch(napi_env env, napi_callback_info info) {
  napi_value values[3], handle = NULL;
  int fd;
  bool writable;
  napi_valuetype type;
  uv_loop_t *loop;
  if (!take_arguments(env, info, 3, values) || !take_descriptor(env, values[0], &fd)) return NULL;
  if (napi_get_value_bool(env, values[1], &writable) != napi_ok ||
      napi_typeof(env, values[2], &type) != napi_ok || type != napi_function) {
    return throw_misuse(env, "expected a boolean and a function");
  }
  struct watch *watch = calloc(1, sizeof *watch);
  if (watch == NULL) return throw_errno(env, ENOMEM);
  int error = napi_get_uv_event_loop(env, &loop) == napi_ok ? uv_poll_init(loop, &watch->poll, fd) : -EINVAL;
  if (error != 0) {
    free(watch);
    return throw_errno(env, -error);
  }
  watch->env = env;
  watch->poll.data = watch;
  watch->owners = 1;
  if (napi_add_async_cleanup_hook(env, stop_watch_at_exit, watch, &watch->hook) != napi_ok ||
      napi_create_reference(env, values[2], 1, &watch->callback) != napi_ok ||
      napi_create_object(env, &handle) != napi_ok || napi_type_tag_object(env, handle, &WATCH_TAG) != napi_ok ||
      napi_wrap(env, handle, watch, finalize_watch, NULL, NULL) != napi_ok ||
      napi_create_reference(env, handle, 1, &watch->handle) != napi_ok) {
    napi_fatal_error("holdfast", NAPI_AUTO_LENGTH, "out of memory", NAPI_AUTO_LENGTH);
  }
  watch->owners = 2;
  error = uv_poll_start(&watch->poll, writable ? UV_WRITABLE : UV_READABLE, watch_ready);
  if (error != 0) {
    stop_watch(watch);
    return throw_errno(env, -error);
  }
  return handle;
}

/* unwatch(handle): ends a watch, after which no callback comes; twice is harmless */
static napi_value end_watch(napi_env env, napi_callback_info info) {
  napi_value value;
  bool ours = false;
  void *data = NULL;
  if (!take_arguments(env, info, 1, &value)) return NULL;
  if (napi_check_object_type_tag(env, value, &WATCH_TAG, &ours) != napi_ok || !ours ||
      napi_unwrap(env, value, &data) != napi_ok) {
    return throw_misuse(env, "expected a handle of watch()");
  }
  stop_watch(data);
  return make_undefined(env);
}

/* openNsm(): descriptor */
static napi_value open_nsm(napi_env env, napi_callback_info info) {
  (void)info;
  return make_descriptor(env, open("/dev/nsm", O_RDWR | O_CLOEXEC));
}

struct exchange {
  napi_async_work work;
  napi_deferred deferred;
  int fd;
  int error;
  struct nsm_message message;
  uint8_t request[NSM_MAX_REQUEST];
  uint8_t response[NSM_MAX_RESPONSE];
};

static void run_exchange(napi_env env, void *data) {
  (void)env;
  struct exchange *exchange = data;
  exchange->message.request.address = (uint64_t)(uintptr_t)exchange->request;
  exchange->message.response.address = (uint64_t)(uintptr_t)exchange->response;
  exchange->message.response.length = sizeof exchange->response;
  int result;
  do {
    result = ioctl(exchange->fd, NSM_EXCHANGE, &exchange->message);
  } while (result < 0 && errno == EINTR);
  exchange->error = result < 0 ? errno : 0;
}

static void free_exchange(struct exchange *exchange) {
  explicit_bzero(exchange, sizeof *exchange);
  free(exchange);
}

static void end_exchange(napi_env env, napi_status status, void *data) {
  struct exchange *exchange = data;
  void *bytes = NULL;
  napi_value buffer, response = NULL;
  size_t length = (size_t)exchange->message.response.length;
  int error = status == napi_ok ? exchange->error : ECANCELED;
  if (error == 0 && length > sizeof exchange->response) error = EMSGSIZE;
  if (error == 0 && (napi_create_arraybuffer(env, length, &bytes, &buffer) != napi_ok ||
                     napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &response) != napi_ok)) {
    error = ENOMEM;
  }
  if (error == 0) {
    if (length > 0) memcpy(bytes, exchange->response, length);
    napi_resolve_deferred(env, exchange->deferred, response);
  } else {
    napi_reject_deferred(env, exchange->deferred, make_error(env, error));
  }
  napi_delete_async_work(env, exchange->work);
  free_exchange(exchange);
}

/* exchangeNsm(descriptor, request: Uint8Array): Promise<Uint8Array>, request and response in CBOR, unparsed here */
static napi_value exchange_nsm(napi_env env, napi_callback_info info) {
  napi_value values[2], name, promise = NULL;
  int fd;
  size_t length = 0;
  if (!take_arguments(env, info, 2, values) || !take_descriptor(env, values[0], &fd)) return NULL;
  const uint8_t *bytes = take_byte_array(env, values[1], &length);
  if (bytes == NULL) return NULL;
  if (length == 0 || length > NSM_MAX_REQUEST) return throw_errno(env, EMSGSIZE);
  struct exchange *exchange = calloc(1, sizeof *exchange);
  if (exchange == NULL) return throw_errno(env, ENOMEM);
  exchange->fd = fd;
  memcpy(exchange->request, bytes, length);
  exchange->message.request.length = length;
  if (napi_create_string_utf8(env, "holdfast:nsm", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_promise(env, &exchange->deferred, &promise) != napi_ok ||
      napi_create_async_work(env, NULL, name, run_exchange, end_exchange, exchange, &exchange->work) != napi_ok) {
    free_exchange(exchange);
    return throw_errno(env, ENOMEM);
  }
  if (napi_queue_async_work(env, exchange->work) != napi_ok) {
    napi_delete_async_work(env, exchange->work);
    free_exchange(exchange);
    return throw_errno(env, ENOMEM);
  }
  return promise;
}

/*
 * notify(address, message): one datagram to a socket of the Unix domain, for sd_notify(3). An address that begins with @
 * is abstract: it has no file, and its name is not ended by a zero byte.
 */
static napi_value notify(napi_env env, napi_callback_info info) {
  napi_value values[2];
  struct sockaddr_un to;
  char message[MAX_NOTICE + 1];
  size_t path, length;
  memset(&to, 0, sizeof to);
  to.sun_family = AF_UNIX;
  if (!take_arguments(env, info, 2, values) || !take_text(env, values[0], to.sun_path, sizeof to.sun_path, &path) ||
      !take_text(env, values[1], message, sizeof message, &length)) {
    return NULL;
  }
  bool is_abstract = to.sun_path[0] == '@';
  if (is_abstract) to.sun_path[0] = '\0';
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path + (is_abstract ? 0 : 1));
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return throw_errno(env, errno);
  ssize_t sent = sendto(fd, message, length, MSG_NOSIGNAL, (const struct sockaddr *)&to, size);
  int error = errno;
  close(fd);
  return sent < 0 ? throw_errno(env, error) : make_undefined(env);
}

/* forbidDumps(): no core file, no debugger, and /proc/self/mem is closed to everybody but root */
static napi_value forbid_dumps(napi_env env, napi_callback_info info) {
  (void)info;
  const struct rlimit none = {0, 0};
  if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return throw_errno(env, errno);
  return make_undefined(env);
}

/*
 * forbidExec(): no other program in this process, ever. Init's filter still permits one, with init's own arguments:
 * the start of Node itself.
 */
static napi_value forbid_exec(napi_env env, napi_callback_info info) {
  (void)info;
  static struct filter filter;
  emit_start(&filter, FILTER_ARCHITECTURE);
  emit_call(&filter, SYS_execve, SECCOMP_RET_KILL_PROCESS);
  emit_call(&filter, SYS_execveat, SECCOMP_RET_KILL_PROCESS);
  emit_return(&filter, SECCOMP_RET_ALLOW);
  if (!install_filter(&filter)) return throw_errno(env, errno);
  return make_undefined(env);
}

/*
 * requireNoSwap(): throws EPERM where the machine has swap. Locking all memory instead would end the process: V8 gives
 * freed pages back by madvise(MADV_DONTNEED), which the kernel refuses for locked ones, and V8 takes a refusal for a
 * fatal error.
 */
static napi_value require_no_swap(napi_env env, napi_callback_info info) {
  (void)info;
  struct sysinfo machine;
  if (sysinfo(&machine) < 0) return throw_errno(env, errno);
  if (machine.totalswap != 0) return throw_errno(env, EPERM);
  return make_undefined(env);
}

/* exit(code): ends the process now. No handler runs, and no thread that is still busy is waited for. */
static napi_value exit_now(napi_env env, napi_callback_info info) {
  napi_value value;
  uint32_t code;
  if (!take_arguments(env, info, 1, &value) || !take_number(env, value, 255, &code)) return NULL;
  _exit((int)code);
}

NAPI_MODULE_INIT() {
  static const struct exported EXPORTS[] = {
      {"localCid", local_cid},       {"startConnect", start_connect}, {"finishConnect", finish_connect},
      {"listen", listen_vsock},      {"accept", accept_vsock},        {"localPort", local_port},
      {"placeholder", placeholder},  {"replace", replace},            {"close", close_descriptor},
      {"watch", start_watch},        {"unwatch", end_watch},          {"openNsm", open_nsm},
      {"exchangeNsm", exchange_nsm}, {"forbidDumps", forbid_dumps},   {"forbidExec", forbid_exec},   {"requireNoSwap", require_no_swap},
      {"exit", exit_now},            {"notify", notify},
  };
  if (!export_functions(env, exports, EXPORTS, sizeof EXPORTS / sizeof EXPORTS[0]) || !export_keys(env, exports) ||
      !export_digest_keys(env, exports) || !export_groups(env, exports)) {
    return NULL;
  }
  return exports;
}
