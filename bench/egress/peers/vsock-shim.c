/*
 * LD_PRELOAD for AWS's vsock-proxy: its AF_VSOCK listener becomes a Unix one at $VSOCK_SHIM_PATH, so that it can run on
 * a machine without vsock beside the others. No AF_VSOCK socket is ever made; what is not the listener is not touched.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <linux/vm_sockets.h>

#define BACKLOG 4096 /* Everybody's here, so that the length of a queue is not what is compared. */

static int listener = -1;

int socket(int domain, int type, int protocol) {
  int (*real)(int, int, int) = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");
  if (domain != AF_VSOCK) return real(domain, type, protocol);
  return listener = real(AF_UNIX, type, 0);
}

int bind(int fd, const struct sockaddr *address, socklen_t length) {
  int (*real)(int, const struct sockaddr *, socklen_t) =
      (int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "bind");
  if (fd != listener) return real(fd, address, length);
  struct sockaddr_un path = {.sun_family = AF_UNIX};
  const char *given = getenv("VSOCK_SHIM_PATH");
  if (given == NULL || strlen(given) >= sizeof path.sun_path) {
    errno = EADDRNOTAVAIL;
    return -1;
  }
  strcpy(path.sun_path, given);
  return real(fd, (const struct sockaddr *)&path, sizeof path);
}

int listen(int fd, int backlog) {
  int (*real)(int, int) = (int (*)(int, int))dlsym(RTLD_NEXT, "listen");
  return real(fd, fd == listener ? BACKLOG : backlog);
}

int accept(int fd, struct sockaddr *address, socklen_t *length) {
  int (*real)(int, struct sockaddr *, socklen_t *) =
      (int (*)(int, struct sockaddr *, socklen_t *))dlsym(RTLD_NEXT, "accept");
  if (fd != listener) return real(fd, address, length);
  int accepted = real(fd, NULL, NULL);
  if (accepted >= 0 && address != NULL && *length >= sizeof(struct sockaddr_vm)) {
    struct sockaddr_vm peer = {.svm_family = AF_VSOCK, .svm_cid = 16, .svm_port = 1};
    memcpy(address, &peer, sizeof peer);
    *length = sizeof peer;
  }
  return accepted;
}
