#define _GNU_SOURCE
#include "vsock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

struct sockaddr_vm vsock_address(uint32_t cid, uint32_t port) {
  struct sockaddr_vm address;
  memset(&address, 0, sizeof address);
  address.svm_family = AF_VSOCK;
  address.svm_cid = cid;
  address.svm_port = port;
  return address;
}

int vsock_start_connect(uint32_t cid, uint32_t port, uint32_t timeout_ms) {
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

int vsock_finish_connect(int fd, int wait_ms) {
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
