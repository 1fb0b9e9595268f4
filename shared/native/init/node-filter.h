#ifndef HOLDFAST_NODE_FILTER_H
#define HOLDFAST_NODE_FILTER_H

#include <sys/types.h>

#include "../filter.h"

/*
 * Node's filter, for the process `self`. It is an allow-list: sockets of AF_VSOCK and AF_UNIX alone, threads but no
 * processes, no io_uring (its requests would pass by every filter), no memfd, signals to itself alone. One program may
 * be started, by these very pointers to its path (the first argument), arguments and environment; Node gives that up as
 * its first act (forbidExec).
 */
void make_node_filter(struct filter *filter, pid_t self, char *const arguments[], char *const environment[]);

#endif
