/*
 * Tries system calls under the filter that init gives to Node: one child for each line of standard input, which holds a
 * number and six arguments. Prints for each what became of it: 0, the number of an error, or -signal. Number -1 is a call
 * by the i386 convention, -2 a thread, -3 execve by the pointers that the filter names, -4 the same when the program has given that up.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../shared/native/init/node-filter.h"

static char *const NODE_ARGUMENTS[] = {"/app/node", NULL};
static char *const NODE_ENVIRONMENT[] = {NULL};

static void *do_nothing(void *argument) { return argument; }

static int call_i386(void) {
#ifdef __x86_64__
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory"); /* getpid */
  return result < 0 ? (int)-result : 0;
#else
  return ENOSYS;
#endif
}

static int start_thread(void) {
  pthread_t thread;
  int error = pthread_create(&thread, NULL, do_nothing, NULL);
  return error != 0 ? error : pthread_join(thread, NULL);
}

static int execute(void) { return execve(NODE_ARGUMENTS[0], NODE_ARGUMENTS, NODE_ENVIRONMENT) < 0 ? errno : 0; }

static int give_up_and_execute(void) {
  static struct filter filter;
  emit_start(&filter, FILTER_ARCHITECTURE);
  emit_call(&filter, SYS_execve, SECCOMP_RET_KILL_PROCESS);
  emit_return(&filter, SECCOMP_RET_ALLOW);
  return install_filter(&filter) ? execute() : errno;
}

static int attempt(const long *words) {
  static struct filter filter;
  make_node_filter(&filter, getpid(), NODE_ARGUMENTS, NODE_ENVIRONMENT);
  if (!install_filter(&filter)) return 255;
  switch (words[0]) {
    case -1:
      return call_i386();
    case -2:
      return start_thread();
    case -3:
      return execute();
    case -4:
      return give_up_and_execute();
    default:
      return syscall(words[0], words[1], words[2], words[3], words[4], words[5], words[6]) < 0 ? errno : 0;
  }
}

int main(void) {
  long words[7];
  while (scanf("%ld %ld %ld %ld %ld %ld %ld", words, words + 1, words + 2, words + 3, words + 4, words + 5,
               words + 6) == 7) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) _exit(attempt(words));
    if (child < 0 || waitpid(child, &status, 0) != child) return 1;
    printf("%d\n", WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status));
  }
  return 0;
}
