/*
 * The first process of the enclave. It makes the machine ready, starts Node without privileges, and when Node ends, for
 * whatever reason, tells the parent and switches the machine off. Any error before is final: the parent gets its
 * name, and nothing else is tried. Arguments and environment variables from outside are ignored.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/random.h>

#include "../vsock.h"
#include "node-filter.h"

#define PARENT_CID 3
#define HEARTBEAT_PORT 9000 /* port on which nitro-cli waits for the byte and sends it back */
#define HEARTBEAT 0xB7
#define EXIT_PORT 7003 /* shared/transport/ports.ts: PARENT_PORT.exit */
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
    "--disable-warning=SecurityWarning", /* about --allow-addons: the addon is measured like everything in the image */
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

/* Sends one line to the parent and switches the machine off. The line holds numbers and a name, never data of Node. */
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
  reboot(RB_AUTOBOOT); /* A reboot ends an enclave; power-off would need ACPI. */
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

/* Asserts that the kernel's command line is the one that init was compiled for; init is measured. The boundary between
 * the kernel and its command line is not: both are hashed as one string, and an image packed anew can have the first
 * words in the kernel's file, with the same PCRs. The hypervisor appends words of its own, such as virtio_mmio.device=
 * for each device. AWS does not document them, and whoever packs an image cannot choose them; none may repeat a word of
 * the expected line. */
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

/* Asserts that the kernel's hardware source is the NSM, and adds its bytes to the pool before any key is made. */
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
  uint8_t beat = HEARTBEAT, response = 0;
  int fd = dial_parent(HEARTBEAT_PORT, deadline);
  if (fd < 0 || !send_bytes(fd, &beat, 1, deadline) || !wait_until(fd, POLLIN, deadline) ||
      recv(fd, &response, 1, 0) != 1 || response != HEARTBEAT) {
    refuse("INIT_HEARTBEAT");
  }
  close(fd);
}

/* Gives /dev/nsm and /dev/vsock to Node; the rest of the machine becomes read-only. */
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

/* Drops all privileges but one, which the kernel demands for vsock ports below 1024. */
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

static _Noreturn void run_node(int reason) {
  static struct filter filter;
  const char *failed = "INIT_PRIVILEGES";
  if (dup2(reason, REASON_FD) == REASON_FD && limit(RLIMIT_CORE, 0) && limit(RLIMIT_MEMLOCK, RLIM_INFINITY) &&
      limit(RLIMIT_NOFILE, 65536) && drop_privileges()) {
    make_node_filter(&filter, getpid(), NODE_ARGUMENTS, NODE_ENVIRONMENT);
    failed = install_filter(&filter) ? "INIT_EXEC" : "INIT_FILTER";
    if (strcmp(failed, "INIT_EXEC") == 0) execve(NODE_ARGUMENTS[0], NODE_ARGUMENTS, NODE_ENVIRONMENT);
  }
  ssize_t ignored = write(REASON_FD, failed, strlen(failed));
  (void)ignored;
  _exit(127);
}

/* Reads the name that Node left; anything else than a name could be data and becomes NONE. */
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
  /* /unpacked is the last file of the last ramdisk. Without enough memory, which the parent decides, the kernel boots
   * with the files unpacked so far. */
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
