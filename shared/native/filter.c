#define _GNU_SOURCE
#include "filter.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

void emit(struct filter *filter, uint16_t code, uint32_t value, uint8_t if_true, uint8_t if_false) {
  if (filter->length == MAX_FILTER) abort();
  filter->code[filter->length++] = (struct sock_filter){.code = code, .jt = if_true, .jf = if_false, .k = value};
}

void emit_return(struct filter *filter, uint32_t action) { emit(filter, BPF_RET | BPF_K, action, 0, 0); }

void emit_start(struct filter *filter, uint32_t architecture) {
  filter->length = 0;
  emit(filter, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
  emit(filter, BPF_JMP | BPF_JEQ | BPF_K, architecture, 1, 0);
  emit_return(filter, SECCOMP_RET_KILL_PROCESS);
  emit(filter, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
  emit(filter, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1); /* x32: the same calls by other numbers */
  emit_return(filter, SECCOMP_RET_KILL_PROCESS);
}

void emit_call(struct filter *filter, uint32_t number, uint32_t action) {
  emit(filter, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
  emit_return(filter, action);
}

bool install_filter(const struct filter *filter) {
  const struct sock_fprog program = {.len = filter->length, .filter = (struct sock_filter *)(uintptr_t)filter->code};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}
