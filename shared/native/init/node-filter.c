#define _GNU_SOURCE
#include "node-filter.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <linux/sched.h>
#include <linux/vm_sockets.h>

/* Calls that Node makes, found by tracing a node through its whole life, and those that its C library falls back on. */
static const uint16_t ALLOWED_CALLS[] = {
    /* memory */
    SYS_brk, SYS_madvise, SYS_membarrier, SYS_mlock, SYS_mmap, SYS_mprotect, SYS_mremap, SYS_munlock,
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

/* Calls that only an attacker in control of the program makes: they end it at once, and the parent is told signal 31.
 * All calls that are neither here nor allowed fail with ENOSYS, which programs can handle. */
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

/* Loads one word of an argument; the kernel takes only the lower one of what C calls an int. */
static void emit_argument(struct filter *filter, unsigned index, bool upper) {
  _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "where the upper word is");
  const size_t word = offsetof(struct seccomp_data, args) + 8 * (size_t)index + (upper ? 4 : 0);
  emit(filter, BPF_LD | BPF_W | BPF_ABS, (uint32_t)word, 0, 0);
}

static void emit_allow_if(struct filter *filter, uint32_t value) {
  emit(filter, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
  emit_return(filter, SECCOMP_RET_ALLOW);
}

/* Rules on the arguments of one call go between emit_if_call and emit_end; the action without a match comes last. */
static unsigned short emit_if_call(struct filter *filter, uint32_t number) {
  emit(filter, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 0);
  return filter->length;
}

static void emit_end(struct filter *filter, unsigned short start, uint32_t otherwise) {
  emit_return(filter, otherwise);
  if (filter->length - start > UINT8_MAX) abort();
  filter->code[start - 1].jf = (uint8_t)(filter->length - start);
}

/* Allows a call where one argument is one of `values`. */
static void emit_choice(struct filter *filter, uint32_t number, unsigned argument, const uint32_t *values,
                        size_t count, uint32_t otherwise) {
  unsigned short start = emit_if_call(filter, number);
  emit_argument(filter, argument, false);
  for (size_t index = 0; index < count; index++) emit_allow_if(filter, values[index]);
  emit_end(filter, start, otherwise);
}

/* Allows a call where one argument has none of `bits`. */
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

void make_node_filter(struct filter *filter, pid_t self, char *const arguments[], char *const environment[]) {
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

  /* Filters cannot see the flags of clone3. Where it is missing, the C library makes threads by clone. */
  emit_call(filter, SYS_clone3, refuse_with(ENOSYS));
  start = emit_if_call(filter, SYS_clone);
  emit_argument(filter, 0, false);
  emit(filter, BPF_ALU | BPF_AND | BPF_K, thread, 0, 0);
  emit_allow_if(filter, thread);
  emit_end(filter, start, SECCOMP_RET_KILL_PROCESS);

  start = emit_if_call(filter, SYS_execve);
  emit_pointer(filter, 0, arguments[0]);
  emit_pointer(filter, 1, arguments);
  emit_pointer(filter, 2, environment);
  emit_end(filter, start, SECCOMP_RET_ALLOW);

  /* MSG_OOB is unused here, and its code in AF_UNIX has had flaws by which processes left a sandbox. */
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
