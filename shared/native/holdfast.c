/*
 * The part of Holdfast that JavaScript cannot reach. Compiled twice from this one file:
 *
 *   holdfast.node   a Node-API addon: AF_VSOCK sockets, readiness of a descriptor, the NSM's ioctl, process hardening
 *   init            with -DHOLDFAST_INIT: the first process of the enclave image (second half of the file)
 *
 * Nothing here keeps state of its own, and nothing blocks the event loop: sockets are non-blocking, the ioctl runs on
 * libuv's thread pool. Errors are thrown (or reject) as an Error whose `code` is the name of the errno.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/vm_sockets.h>

/* vsock(7): an address whose unused bytes are zero, as the kernel demands. */
static struct sockaddr_vm vsock_address(uint32_t cid, uint32_t port) {
  struct sockaddr_vm address;
  memset(&address, 0, sizeof address);
  address.svm_family = AF_VSOCK;
  address.svm_cid = cid;
  address.svm_port = port;
  return address;
}

/* Starts a connection that fails with ETIMEDOUT by itself; the descriptor, or -1 with errno set. */
static int vsock_start_connect(uint32_t cid, uint32_t port, uint32_t timeout_ms) {
  int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  struct timeval timeout = {.tv_sec = (time_t)(timeout_ms / 1000),
                            .tv_usec = (suseconds_t)((timeout_ms % 1000) * 1000)};
  struct sockaddr_vm address = vsock_address(cid, port);
  if (setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &timeout, sizeof timeout) == 0 &&
      (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EINPROGRESS)) {
    return fd;
  }
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

/* 1 connected, 0 still under way, -1 failed with errno set. */
static int vsock_finish_connect(int fd, int wait_ms) {
  struct pollfd waiting = {.fd = fd, .events = POLLOUT, .revents = 0};
  int ready = poll(&waiting, 1, wait_ms);
  if (ready <= 0) return ready;
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) return -1;
  if (error == 0) return 1;
  errno = error;
  return -1;
}

/* A filter of system calls (seccomp(2)), in the making. Every rule ends in a return, so rules follow one another. */
#define MAX_FILTER 1024
struct filter {
  unsigned short length;
  struct sock_filter code[MAX_FILTER];
};

static void emit(struct filter *filter, uint16_t code, uint32_t value, uint8_t if_true, uint8_t if_false) {
  if (filter->length == MAX_FILTER) abort();
  filter->code[filter->length++] = (struct sock_filter){.code = code, .jt = if_true, .jf = if_false, .k = value};
}

static void emit_return(struct filter *filter, uint32_t action) { emit(filter, BPF_RET | BPF_K, action, 0, 0); }

/* The number of the call into the accumulator; calls of other conventions than this file's end the process. */
static void emit_start(struct filter *filter, uint32_t architecture) {
  filter->length = 0;
  emit(filter, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
  emit(filter, BPF_JMP | BPF_JEQ | BPF_K, architecture, 1, 0);
  emit_return(filter, SECCOMP_RET_KILL_PROCESS);
  emit(filter, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
  emit(filter, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1); /* x32: the same calls by other numbers */
  emit_return(filter, SECCOMP_RET_KILL_PROCESS);
}

/* What becomes of a call. */
static void emit_call(struct filter *filter, uint32_t number, uint32_t action) {
  emit(filter, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
  emit_return(filter, action);
}

/* The process and all its threads, from now on. There is no way back. */
static bool install_filter(const struct filter *filter) {
  const struct sock_fprog program = {.len = filter->length, .filter = (struct sock_filter *)(uintptr_t)filter->code};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

#if defined(__x86_64__)
#define FILTER_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FILTER_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "no system-call filter for this architecture"
#endif

#ifndef HOLDFAST_INIT

#define NAPI_VERSION 9
#include <stddef.h>
#include <sys/un.h>

#include <node_api.h>
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

static napi_value make_error(napi_env env, int error) {
  napi_value code = NULL, message = NULL, result = NULL;
  napi_create_string_utf8(env, uv_err_name(-error), NAPI_AUTO_LENGTH, &code);
  napi_create_string_utf8(env, uv_strerror(-error), NAPI_AUTO_LENGTH, &message);
  napi_create_error(env, code, message, &result);
  return result;
}

static napi_value throw_errno(napi_env env, int error) {
  napi_throw(env, make_error(env, error));
  return NULL;
}

static napi_value throw_range(napi_env env) {
  napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "not a whole number in range");
  return NULL;
}

static napi_value throw_misuse(napi_env env, const char *message) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_VALUE", message);
  return NULL;
}

/* Exactly `count` arguments, or a TypeError. */
static bool take_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values) {
  size_t given = count;
  if (napi_get_cb_info(env, info, &given, values, NULL, NULL) == napi_ok && given == count) return true;
  throw_misuse(env, "wrong number of arguments");
  return false;
}

/* A whole number from 0 to max: fractions, NaN and strings are misuse, not something to round. */
static bool take_number(napi_env env, napi_value value, uint32_t max, uint32_t *result) {
  double number = -1;
  if (napi_get_value_double(env, value, &number) == napi_ok && number >= 0 && number <= (double)max) {
    *result = (uint32_t)number;
    if ((double)*result == number) return true;
  }
  throw_range(env);
  return false;
}

static bool take_descriptor(napi_env env, napi_value value, int *result) {
  uint32_t number;
  if (!take_number(env, value, INT32_MAX, &number)) return false;
  *result = (int)number;
  return true;
}

/* A string of 1 to size - 1 bytes of UTF-8, all of it: one that was cut could mean something else. */
static bool take_text(napi_env env, napi_value value, char *text, size_t size, size_t *length) {
  if (napi_get_value_string_utf8(env, value, NULL, 0, length) == napi_ok && *length > 0 && *length < size &&
      napi_get_value_string_utf8(env, value, text, size, length) == napi_ok) {
    return true;
  }
  throw_misuse(env, "not a string, empty or too long");
  return false;
}

static napi_value make_number(napi_env env, uint32_t number) {
  napi_value result = NULL;
  napi_create_uint32(env, number, &result);
  return result;
}

static napi_value make_descriptor(napi_env env, int fd) {
  return fd < 0 ? throw_errno(env, errno) : make_number(env, (uint32_t)fd);
}

static napi_value make_undefined(napi_env env) {
  napi_value result = NULL;
  napi_get_undefined(env, &result);
  return result;
}

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

/* finishConnect(descriptor): whether it is connected; false while still under way */
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

/* accept(descriptor): {descriptor, cid, port} of the peer as the kernel knows it, or null when nobody waits */
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
  /* After EINTR Linux has closed it all the same, and a second close could hit somebody else's descriptor. */
  if (close(fd) < 0 && errno != EINTR) return throw_errno(env, errno);
  return make_undefined(env);
}

/*
 * A watch calls back whenever its descriptor is ready. It is freed when both its owners have let go: libuv (after
 * uv_close's callback) and the JavaScript handle (after its finalizer).
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

/* watch(descriptor, writable, callback): handle. The callback has no arguments: ask the descriptor what is the matter. */
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

/* unwatch(handle): no callback comes after it; twice is harmless */
static napi_value end_watch(napi_env env, napi_callback_info info) {
  napi_value value;
  bool ours = false;
  void *data = NULL;
  if (!take_arguments(env, info, 1, &value)) return NULL;
  if (napi_check_object_type_tag(env, value, &WATCH_TAG, &ours) != napi_ok || !ours ||
      napi_unwrap(env, value, &data) != napi_ok) {
    return throw_misuse(env, "not a watch");
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

/* exchangeNsm(descriptor, request: Uint8Array): Promise<Uint8Array>, both of them CBOR that is not looked at here */
static napi_value exchange_nsm(napi_env env, napi_callback_info info) {
  napi_value values[2], name, promise = NULL;
  int fd;
  bool typed = false;
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void *bytes = NULL;
  if (!take_arguments(env, info, 2, values) || !take_descriptor(env, values[0], &fd)) return NULL;
  if (napi_is_typedarray(env, values[1], &typed) != napi_ok || !typed ||
      napi_get_typedarray_info(env, values[1], &type, &length, &bytes, NULL, NULL) != napi_ok ||
      type != napi_uint8_array) {
    return throw_misuse(env, "the request is not a Uint8Array");
  }
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
 * forbidExec(): no other program in this process, ever. Under init's filter one may still be started, with init's own
 * arguments: that is how Node comes to run at all.
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

/* lockMemory(): what is touched from now on is never swapped out */
static napi_value lock_memory(napi_env env, napi_callback_info info) {
  (void)info;
  if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0) return throw_errno(env, errno);
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
  static const struct {
    const char *name;
    napi_callback function;
  } EXPORTS[] = {
      {"localCid", local_cid},       {"startConnect", start_connect}, {"finishConnect", finish_connect},
      {"listen", listen_vsock},      {"accept", accept_vsock},        {"localPort", local_port},
      {"placeholder", placeholder},  {"replace", replace},            {"close", close_descriptor},
      {"watch", start_watch},        {"unwatch", end_watch},          {"openNsm", open_nsm},
      {"exchangeNsm", exchange_nsm}, {"forbidDumps", forbid_dumps},   {"forbidExec", forbid_exec},   {"lockMemory", lock_memory},
      {"exit", exit_now},            {"notify", notify},
  };
  for (size_t index = 0; index < sizeof EXPORTS / sizeof EXPORTS[0]; index++) {
    napi_value function;
    if (napi_create_function(env, EXPORTS[index].name, NAPI_AUTO_LENGTH, EXPORTS[index].function, NULL, &function) !=
            napi_ok ||
        napi_set_named_property(env, exports, EXPORTS[index].name, function) != napi_ok) {
      return NULL;
    }
  }
  return exports;
}

#else /* HOLDFAST_INIT */

/*
 * The first process of the enclave. It makes the machine ready, starts Node without privileges, and when Node ends, for
 * whatever reason, tells the parent and switches the machine off. Anything that goes wrong before is final: the parent
 * gets its name, and there is no second way. No argument and no environment variable from outside is looked at.
 */
#include <signal.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/random.h>

#define PARENT_CID 3
#define HEARTBEAT_PORT 9000 /* nitro-cli's: it waits there for the byte, and sends it back */
#define HEARTBEAT 0xB7
#define EXIT_PORT 7003 /* shared/transport/transport.ts: PARENT_PORT.exit */
#define DEADLINE_MS 10000
#define REPORT_DEADLINE_MS 2000
#define MAX_REASON 64
#define MAX_CMDLINE 4096 /* COMMAND_LINE_SIZE is 2048 on x86-64 and arm64 */
#define REASON_FD 3 /* Node writes the code of a final error there: enclave/platform/exit-reason.ts */
#define SEED_BYTES 64
#define USER 1000

static char *const NODE_ARGUMENTS[] = {
    "/app/node",
    "--permission",
    "--allow-addons",
    "--allow-fs-read=/app",
    "--allow-fs-read=/sys",
    "--disable-warning=SecurityWarning", /* of --allow-addons: ours is measured like everything else here */
    "--disable-proto=throw",
    "--disallow-code-generation-from-strings",
    "--max-semi-space-size=4", /* MiB: a busy node takes a third less memory for a few percent of its speed */
    "/app/main.mjs",
    NULL,
};
static char *const NODE_ENVIRONMENT[] = {"HOME=/", "TZ=UTC", "NODE_ENV=production", NULL};

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for one event until the deadline. */
static bool wait_until(int fd, short events, int64_t deadline) {
  struct pollfd waiting = {.fd = fd, .events = events, .revents = 0};
  int64_t left = deadline - now_ms();
  return left > 0 && poll(&waiting, 1, (int)left) == 1;
}

static int dial_parent(uint32_t port, int64_t deadline) {
  int64_t left = deadline - now_ms();
  int fd = left > 0 ? vsock_start_connect(PARENT_CID, port, (uint32_t)left) : -1;
  if (fd < 0) return -1;
  if (vsock_finish_connect(fd, (int)left) == 1) return fd;
  close(fd);
  return -1;
}

static bool send_bytes(int fd, const void *bytes, size_t length, int64_t deadline) {
  return wait_until(fd, POLLOUT, deadline) && send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length;
}

/* One line to the parent, and the machine is off. The line holds numbers and a name, never anything that Node saw. */
static _Noreturn void power_off(int exit_code, int signal, const char *reason) {
  char line[MAX_REASON + 64];
  int length = snprintf(line, sizeof line, "holdfast-exit/1 exit=%d signal=%d reason=%s\n", exit_code, signal, reason);
  fputs(line, stdout);
  fflush(stdout);
  int64_t deadline = now_ms() + REPORT_DEADLINE_MS;
  int fd = dial_parent(EXIT_PORT, deadline);
  if (fd >= 0 && length > 0 && send_bytes(fd, line, (size_t)length, deadline)) {
    shutdown(fd, SHUT_WR);
    wait_until(fd, POLLIN | POLLRDHUP, deadline); /* The parent closes when it has read the line. */
  }
  sync();
  reboot(RB_AUTOBOOT); /* An enclave that reboots is gone; power-off would need ACPI. */
  for (;;) pause();
}

static _Noreturn void refuse(const char *reason) { power_off(1, 0, reason); }

static void mount_all(void) {
  static const struct {
    const char *type, *target, *options;
    unsigned long flags;
  } MOUNTS[] = {
      {"devtmpfs", "/dev", "mode=0755", MS_NOSUID | MS_NOEXEC},
      {"proc", "/proc", "hidepid=2", MS_NOSUID | MS_NODEV | MS_NOEXEC},
      {"sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY},
  };
  for (size_t index = 0; index < sizeof MOUNTS / sizeof MOUNTS[0]; index++) {
    if (mount(MOUNTS[index].type, MOUNTS[index].target, MOUNTS[index].type, MOUNTS[index].flags,
              MOUNTS[index].options) < 0 &&
        errno != EBUSY) { /* The kernel may have mounted /dev already. */
      refuse("INIT_MOUNT");
    }
  }
}

/* Where the kernel ends and its command line begins is not measured: both are hashed as one string, and an image packed
 * anew can have the first words in the kernel's file, with the same PCRs. So the words are compared with those that init
 * was compiled for; init is measured. The hypervisor adds its own words behind them, such as virtio_mmio.device= for each
 * device; which those are AWS does not say, and whoever packs an image has no part in them. They may not say any of
 * ours again. */
static void check_command_line(void) {
  static const char EXPECTED[] = HOLDFAST_CMDLINE;
  static char words[] = HOLDFAST_CMDLINE, line[MAX_CMDLINE];
  int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
  const size_t expected = sizeof EXPECTED - 1;
  if (length < (ssize_t)expected || length == (ssize_t)sizeof line - 1) refuse("INIT_CMDLINE");
  close(fd);
  line[length] = '\0';
  if (memcmp(line, EXPECTED, expected) != 0 || strchr(" \n", line[expected]) == NULL) refuse("INIT_CMDLINE");
  char *rest = NULL, *added = strtok_r(line + expected, " \n", &rest);
  for (char *keep = NULL, *word = strtok_r(words, " ", &keep); word != NULL; word = strtok_r(NULL, " ", &keep)) {
    word[strcspn(word, "=")] = '\0';
  }
  for (; added != NULL; added = strtok_r(NULL, " \n", &rest)) {
    added[strcspn(added, "=")] = '\0';
    for (const char *word = words; word < words + expected; word += strcspn(EXPECTED + (word - words), " ") + 1) {
      if (strcmp(word, added) == 0) refuse("INIT_CMDLINE");
    }
    if (strcmp(added, "init") == 0 || strcmp(added, "rdinit") == 0) refuse("INIT_CMDLINE");
  }
}

static void open_console(void) {
  int null = open("/dev/null", O_RDONLY), console = open("/dev/console", O_WRONLY);
  if (null < 0) refuse("INIT_CONSOLE");
  dup2(null, STDIN_FILENO);
  dup2(console < 0 ? null : console, STDOUT_FILENO);
  dup2(STDOUT_FILENO, STDERR_FILENO);
  for (int fd = 3; fd < 16; fd++) close(fd);
}

/* P40: the kernel's hardware source is the NSM, or nothing starts; and its bytes are in the pool before any key is. */
static void seed_from_nsm(void) {
  static const char NAME[] = "nsm-hwrng";
  struct { /* random(4): struct rand_pool_info with room for its bytes */
    int entropy_count;
    int size;
    uint8_t bytes[SEED_BYTES];
  } seed;
  char current[sizeof NAME + 1] = {0};
  int fd = open("/sys/class/misc/hw_random/rng_current", O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, current, sizeof current);
  if (length != (ssize_t)sizeof NAME || memcmp(current, "nsm-hwrng\n", sizeof NAME) != 0) refuse("INIT_ENTROPY");
  close(fd);
  int source = open("/dev/hwrng", O_RDONLY | O_CLOEXEC), pool = open("/dev/random", O_WRONLY | O_CLOEXEC);
  if (source < 0 || pool < 0) refuse("INIT_ENTROPY");
  for (size_t have = 0; have < SEED_BYTES;) {
    length = read(source, seed.bytes + have, SEED_BYTES - have);
    if (length <= 0) refuse("INIT_ENTROPY");
    have += (size_t)length;
  }
  seed.entropy_count = 8 * SEED_BYTES;
  seed.size = SEED_BYTES;
  if (ioctl(pool, RNDADDENTROPY, &seed) < 0) refuse("INIT_ENTROPY");
  explicit_bzero(&seed, sizeof seed);
  close(source);
  close(pool);
}

static void send_heartbeat(void) {
  int64_t deadline = now_ms() + DEADLINE_MS;
  uint8_t beat = HEARTBEAT, answer = 0;
  int fd = dial_parent(HEARTBEAT_PORT, deadline);
  if (fd < 0 || !send_bytes(fd, &beat, 1, deadline) || !wait_until(fd, POLLIN, deadline) ||
      recv(fd, &answer, 1, 0) != 1 || answer != HEARTBEAT) {
    refuse("INIT_HEARTBEAT");
  }
  close(fd);
}

/* What Node may use: /dev/nsm and /dev/vsock are its own, the rest of the machine is to be read at most. */
static void hand_over_devices(void) {
  if (chown("/dev/nsm", USER, USER) < 0 || chmod("/dev/nsm", 0600) < 0 || chown("/dev/vsock", USER, USER) < 0 ||
      chmod("/dev/vsock", 0600) < 0) {
    refuse("INIT_DEVICE");
  }
  if (mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID, NULL) < 0) refuse("INIT_READ_ONLY");
}

static bool limit(int resource, rlim_t value) {
  const struct rlimit both = {value, value};
  return setrlimit((__rlimit_resource_t)resource, &both) == 0;
}

/* No privileges but one: the kernel wants it for vsock ports below 1024. */
static bool drop_privileges(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct kept[2];
  memset(kept, 0, sizeof kept);
  kept[0].effective = kept[0].permitted = kept[0].inheritable = 1u << CAP_NET_BIND_SERVICE;
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
    if (capability != CAP_NET_BIND_SERVICE && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) return false;
  }
  return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 && syscall(SYS_setgroups, 0, NULL) == 0 &&
         setresgid(USER, USER, USER) == 0 && setresuid(USER, USER, USER) == 0 &&
         syscall(SYS_capset, &header, kept) == 0 &&
         prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) == 0 &&
         prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

/* What Node makes use of: seen by tracing it through a node's whole life, and those that its C library falls back on. */
static const uint16_t ALLOWED_CALLS[] = {
    /* memory */
    SYS_brk, SYS_madvise, SYS_membarrier, SYS_mlock, SYS_mlockall, SYS_mmap, SYS_mprotect, SYS_mremap, SYS_munlock,
    SYS_munmap, SYS_pkey_alloc, SYS_pkey_free, SYS_pkey_mprotect,
    /* files, as far as there are any: the root is read-only */
    SYS_close, SYS_dup3, SYS_faccessat, SYS_faccessat2, SYS_fcntl, SYS_fstat, SYS_getcwd, SYS_getdents64, SYS_lseek,
    SYS_newfstatat, SYS_openat, SYS_pread64, SYS_read, SYS_readlinkat, SYS_readv, SYS_statx, SYS_write, SYS_writev,
    /* waiting */
    SYS_clock_getres, SYS_clock_gettime, SYS_clock_nanosleep, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait,
    SYS_epoll_pwait2, SYS_eventfd2, SYS_futex, SYS_gettimeofday, SYS_nanosleep, SYS_pipe2, SYS_ppoll,
    SYS_restart_syscall, SYS_sched_yield,
    /* sockets that are there */
    SYS_accept4, SYS_bind, SYS_connect, SYS_getpeername, SYS_getsockname, SYS_getsockopt, SYS_listen, SYS_setsockopt,
    SYS_shutdown,
    /* itself */
    SYS_capget, SYS_exit, SYS_exit_group, SYS_getcpu, SYS_getegid, SYS_geteuid, SYS_getgid, SYS_getpid, SYS_getppid,
    SYS_getrandom, SYS_getrusage, SYS_gettid, SYS_getuid, SYS_prlimit64, SYS_rseq, SYS_rt_sigaction,
    SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sched_getaffinity, SYS_sched_getparam, SYS_sched_getscheduler,
    SYS_set_robust_list, SYS_set_tid_address, SYS_sigaltstack, SYS_sysinfo, SYS_uname,
#ifdef __x86_64__
    SYS_access, SYS_arch_prctl, SYS_epoll_wait, SYS_poll, SYS_readlink, SYS_time,
#endif
};

/* What no fault of a program asks for, only somebody who has taken it over: it ends at once, and the parent hears of
 * signal 31. Everything that is neither here nor allowed "is not implemented", which programs can live with. */
static const uint16_t DEADLY_CALLS[] = {
    SYS_acct, SYS_add_key, SYS_bpf, SYS_chroot, SYS_clock_settime, SYS_delete_module, SYS_execveat, SYS_finit_module,
    SYS_fsconfig, SYS_fsmount, SYS_fsopen, SYS_fspick, SYS_init_module, SYS_kcmp, SYS_kexec_load, SYS_keyctl,
    SYS_mount, SYS_mount_setattr, SYS_move_mount, SYS_name_to_handle_at, SYS_open_by_handle_at, SYS_open_tree,
    SYS_perf_event_open, SYS_personality, SYS_pidfd_getfd, SYS_pidfd_open, SYS_pivot_root, SYS_process_madvise,
    SYS_process_vm_readv, SYS_process_vm_writev, SYS_ptrace, SYS_quotactl, SYS_reboot, SYS_request_key,
    SYS_sethostname, SYS_setns, SYS_settimeofday, SYS_swapoff, SYS_swapon, SYS_syslog, SYS_umount2, SYS_unshare,
    SYS_userfaultfd,
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
#ifdef __x86_64__
    SYS_fork, SYS_ioperm, SYS_iopl, SYS_modify_ldt, SYS_vfork,
#endif
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* One word of an argument; the kernel takes only the lower one of what C calls an int. */
static void emit_argument(struct filter *filter, unsigned index, bool upper) {
  _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "where the upper word is");
  const size_t word = offsetof(struct seccomp_data, args) + 8 * (size_t)index + (upper ? 4 : 0);
  emit(filter, BPF_LD | BPF_W | BPF_ABS, (uint32_t)word, 0, 0);
}

static void emit_allow_if(struct filter *filter, uint32_t value) {
  emit(filter, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
  emit_return(filter, SECCOMP_RET_ALLOW);
}

/* Rules on the arguments of one call go between emit_if_call and emit_end; they end with what is done otherwise. */
static unsigned short emit_if_call(struct filter *filter, uint32_t number) {
  emit(filter, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 0);
  return filter->length;
}

static void emit_end(struct filter *filter, unsigned short start, uint32_t otherwise) {
  emit_return(filter, otherwise);
  if (filter->length - start > UINT8_MAX) abort();
  filter->code[start - 1].jf = (uint8_t)(filter->length - start);
}

/* One argument of the call has to be one of these. */
static void emit_choice(struct filter *filter, uint32_t number, unsigned argument, const uint32_t *values,
                        size_t count, uint32_t otherwise) {
  unsigned short start = emit_if_call(filter, number);
  emit_argument(filter, argument, false);
  for (size_t index = 0; index < count; index++) emit_allow_if(filter, values[index]);
  emit_end(filter, start, otherwise);
}

/* One argument of the call may have none of these bits. */
static void emit_without(struct filter *filter, uint32_t number, unsigned argument, uint32_t bits,
                         uint32_t otherwise) {
  unsigned short start = emit_if_call(filter, number);
  emit_argument(filter, argument, false);
  emit(filter, BPF_JMP | BPF_JSET | BPF_K, bits, 1, 0);
  emit_return(filter, SECCOMP_RET_ALLOW);
  emit_end(filter, start, otherwise);
}

static void emit_pointer(struct filter *filter, unsigned argument, const void *pointer) {
  for (int upper = 0; upper < 2; upper++) {
    emit_argument(filter, argument, upper == 1);
    emit(filter, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)((uint64_t)(uintptr_t)pointer >> (32 * upper)), 1, 0);
    emit_return(filter, SECCOMP_RET_KILL_PROCESS);
  }
}

static uint32_t refuse_with(int error) { return SECCOMP_RET_ERRNO | (uint32_t)error; }

/*
 * Node's filter, for the process `self`. It is an allow-list: sockets of AF_VSOCK and AF_UNIX alone, threads but no
 * processes, no io_uring (its requests would pass by every filter), no memfd, signals to itself alone. One program may
 * be started, by init's own pointers; Node gives that up as its first act (forbidExec).
 */
static void make_node_filter(struct filter *filter, pid_t self) {
  static const uint32_t FAMILIES[] = {AF_UNIX, AF_VSOCK};
  static const uint32_t CONTROLS[] = {
      0x5401 /* TCGETS */, 0x5413 /* TIOCGWINSZ */, 0x541B /* FIONREAD */,
      0x5421 /* FIONBIO */, 0x5451 /* FIOCLEX */, IOCTL_VM_SOCKETS_GET_LOCAL_CID,
      0xC0200A00 /* of /dev/nsm */,
  };
  static const uint32_t PROCESS_OPTIONS[] = {PR_SET_NAME, PR_SET_DUMPABLE, PR_SET_VMA, PR_SET_NO_NEW_PRIVS};
  static const uint32_t FILTER_OPERATIONS[] = {SECCOMP_SET_MODE_FILTER};
  const uint32_t own[] = {(uint32_t)self};
  const uint32_t thread = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;

  emit_start(filter, FILTER_ARCHITECTURE);
  for (size_t index = 0; index < COUNT(ALLOWED_CALLS); index++) {
    emit_call(filter, ALLOWED_CALLS[index], SECCOMP_RET_ALLOW);
  }
  for (size_t index = 0; index < COUNT(DEADLY_CALLS); index++) {
    emit_call(filter, DEADLY_CALLS[index], SECCOMP_RET_KILL_PROCESS);
  }

  unsigned short start = emit_if_call(filter, SYS_socket);
  emit_argument(filter, 1, false);
  emit(filter, BPF_ALU | BPF_AND | BPF_K, ~(uint32_t)(SOCK_NONBLOCK | SOCK_CLOEXEC), 0, 0);
  emit(filter, BPF_JMP | BPF_JEQ | BPF_K, SOCK_STREAM, 1, 0);
  emit_return(filter, refuse_with(EAFNOSUPPORT));
  emit_argument(filter, 0, false);
  for (size_t index = 0; index < COUNT(FAMILIES); index++) emit_allow_if(filter, FAMILIES[index]);
  emit_end(filter, start, refuse_with(EAFNOSUPPORT));

  /* The C library makes threads by clone when it is told that there is no clone3, whose flags no filter can see. */
  emit_call(filter, SYS_clone3, refuse_with(ENOSYS));
  start = emit_if_call(filter, SYS_clone);
  emit_argument(filter, 0, false);
  emit(filter, BPF_ALU | BPF_AND | BPF_K, thread, 0, 0);
  emit_allow_if(filter, thread);
  emit_end(filter, start, SECCOMP_RET_KILL_PROCESS);

  start = emit_if_call(filter, SYS_execve);
  emit_pointer(filter, 0, NODE_ARGUMENTS[0]);
  emit_pointer(filter, 1, NODE_ARGUMENTS);
  emit_pointer(filter, 2, NODE_ENVIRONMENT);
  emit_end(filter, start, SECCOMP_RET_ALLOW);

  /* Nobody here uses it, and it is the corner of AF_UNIX in which kernels have let sandboxes out. */
  emit_without(filter, SYS_sendto, 3, MSG_OOB, refuse_with(EOPNOTSUPP));
  emit_without(filter, SYS_sendmsg, 2, MSG_OOB, refuse_with(EOPNOTSUPP));
  emit_without(filter, SYS_recvfrom, 3, MSG_OOB, refuse_with(EOPNOTSUPP));
  emit_without(filter, SYS_recvmsg, 2, MSG_OOB, refuse_with(EOPNOTSUPP));

  emit_choice(filter, SYS_ioctl, 1, CONTROLS, COUNT(CONTROLS), refuse_with(ENOTTY));
  emit_choice(filter, SYS_prctl, 0, PROCESS_OPTIONS, COUNT(PROCESS_OPTIONS), refuse_with(EINVAL));
  emit_choice(filter, SYS_seccomp, 0, FILTER_OPERATIONS, COUNT(FILTER_OPERATIONS), refuse_with(EINVAL));
  emit_choice(filter, SYS_kill, 0, own, COUNT(own), refuse_with(EPERM));
  emit_choice(filter, SYS_tgkill, 0, own, COUNT(own), refuse_with(EPERM));
  emit_return(filter, refuse_with(ENOSYS));
}

static _Noreturn void run_node(int reason) {
  static struct filter filter;
  const char *failed = "INIT_PRIVILEGES";
  if (dup2(reason, REASON_FD) == REASON_FD && limit(RLIMIT_CORE, 0) && limit(RLIMIT_MEMLOCK, RLIM_INFINITY) &&
      limit(RLIMIT_NOFILE, 65536) && drop_privileges()) {
    make_node_filter(&filter, getpid());
    failed = install_filter(&filter) ? "INIT_EXEC" : "INIT_FILTER";
    if (strcmp(failed, "INIT_EXEC") == 0) execve(NODE_ARGUMENTS[0], NODE_ARGUMENTS, NODE_ENVIRONMENT);
  }
  ssize_t ignored = write(REASON_FD, failed, strlen(failed));
  (void)ignored;
  _exit(127);
}

/* The name that Node left, if it is one: anything else could be data. */
static void read_reason(int fd, char reason[MAX_REASON + 1]) {
  ssize_t length = read(fd, reason, MAX_REASON);
  size_t end = length < 0 ? 0 : (size_t)length;
  for (size_t index = 0; index < end; index++) {
    char letter = reason[index];
    if (!((letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') || letter == '_')) end = 0;
  }
  if (end == 0) {
    memcpy(reason, "NONE", 4);
    end = 4;
  }
  reason[end] = '\0';
}

int main(void) {
  int reason[2], status = 0;
  char name[MAX_REASON + 1];
  if (getpid() != 1) return 2;
  umask(077);
  mount_all();
  open_console();
  check_command_line();
  /* The last file of the last ramdisk. Out of memory the kernel boots with what it has unpacked so far, and how much
   * memory there is, the parent decides. */
  if (access("/unpacked", F_OK) < 0) refuse("INIT_MEMORY");
  seed_from_nsm();
  send_heartbeat();
  hand_over_devices();
  if (pipe2(reason, O_CLOEXEC | O_NONBLOCK) < 0) refuse("INIT_PIPE");
  pid_t node = fork();
  if (node < 0) refuse("INIT_FORK");
  if (node == 0) run_node(reason[1]);
  for (pid_t ended = 0; ended != node;) {
    ended = wait(&status);
    if (ended < 0 && errno != EINTR) refuse("INIT_WAIT");
  }
  read_reason(reason[0], name);
  power_off(WIFEXITED(status) ? WEXITSTATUS(status) : 0, WIFSIGNALED(status) ? WTERMSIG(status) : 0, name);
}

#endif
