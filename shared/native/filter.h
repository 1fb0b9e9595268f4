/* A builder of system call filters (seccomp(2)). Every rule ends in a return, so rules follow one another. */
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

/* Loads the number of the call into the accumulator; calls of another architecture end the process. */
void emit_start(struct filter *filter, uint32_t architecture);

/* Adds the action for one call. */
void emit_call(struct filter *filter, uint32_t number, uint32_t action);

/* Puts the process and all its threads under the filter, for good. */
bool install_filter(const struct filter *filter);

#endif
