/* Filters of system calls (seccomp(2)), in the making. Every rule ends in a return, so rules follow one another. */
#ifndef HOLDFAST_FILTER_H
#define HOLDFAST_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#if defined(__x86_64__)
#define FILTER_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FILTER_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "no system-call filter for this architecture"
#endif

#define MAX_FILTER 1024
struct filter {
  unsigned short length;
  struct sock_filter code[MAX_FILTER];
};

void emit(struct filter *filter, uint16_t code, uint32_t value, uint8_t if_true, uint8_t if_false);
void emit_return(struct filter *filter, uint32_t action);

/* The number of the call into the accumulator; calls of other conventions than this file's end the process. */
void emit_start(struct filter *filter, uint32_t architecture);

/* What becomes of a call. */
void emit_call(struct filter *filter, uint32_t number, uint32_t action);

/* The process and all its threads, from now on. There is no way back. */
bool install_filter(const struct filter *filter);

#endif
