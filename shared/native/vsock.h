/* AF_VSOCK for the addon, where Node waits for events, and for init, which waits itself. */
#ifndef HOLDFAST_VSOCK_H
#define HOLDFAST_VSOCK_H

#include <stdint.h>
#include <sys/socket.h>

#include <linux/vm_sockets.h>

/* Makes an address (vsock(7)) whose unused bytes are zero, as the kernel demands. */
struct sockaddr_vm vsock_address(uint32_t cid, uint32_t port);

/* Starts a connection that fails with ETIMEDOUT by itself; the descriptor, or -1 with errno set. */
int vsock_start_connect(uint32_t cid, uint32_t port, uint32_t timeout_ms);

/* Waits for a connection: 1 connected, 0 still under way, -1 failed with errno set. */
int vsock_finish_connect(int fd, int wait_ms);

#endif
