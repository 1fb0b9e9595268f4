/*
 * Load on a proxy, and the target behind it, in one process of two threads: what is counted is what has arrived. Node
 * only reads the results, so that it is not what is measured.
 *
 * load                       prints the target's TCP port, then answers each line of its input with one line of JSON:
 *   flow  ADDRESS PREAMBLE STREAMS SIZE up|both MS      bytes a second by writes of SIZE
 *   fresh ADDRESS PREAMBLE SLOTS DELAY_MS MS            a connection for each question; the target answers after DELAY
 *   held  ADDRESS PREAMBLE SLOTS DELAY_MS MS            connections that stay open and ask again and again
 *   idle  ADDRESS PREAMBLE SLOTS MS                     opened, asked once, then left open until the next line
 * ADDRESS is unix:PATH or tcp:PORT; PREAMBLE is what a connection says first, in hex, or -.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MAX_SLOTS 4096
#define QUESTION 64 /* Bytes of a question and of its answer; the first says what the target does with the connection. */
#define BUFFER (1 << 18)
#define WARM_UP_MS 300 /* And one more for each connection. */
#define RETRY_US 500

static _Atomic uint64_t arrived;
static _Atomic uint64_t delay_us;

static uint64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static void watch(int epoll, int operation, int fd, uint32_t events, void *data) {
  struct epoll_event event = {.events = events, .data = {.ptr = data}};
  if (epoll_ctl(epoll, operation, fd, &event) < 0) perror("epoll_ctl"), abort();
}

/* ---- the target: E answers each question, D takes everything, B takes everything and sends as much as is taken ---- */

struct guest {
  int fd;
  char mode;
  uint32_t size, asked;
  uint64_t due;
  struct guest *next; /* Answers wait in line: the delay is the same for all. */
};
static struct guest *first_due, **last_due = &first_due;
static char zeros[BUFFER];

static void drop_guest(struct guest *guest) {
  close(guest->fd);
  guest->fd = -1;
  if (guest->due == 0) free(guest);
}

static bool flood(int fd, uint32_t size) {
  for (int turn = 0; turn < 64; turn++) {
    ssize_t sent = send(fd, zeros, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
  }
  return true;
}

static void serve_guest(int epoll, struct guest *guest, uint32_t events) {
  static char buffer[BUFFER];
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
    ssize_t count = recv(guest->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN)) return drop_guest(guest);
    if (count > 0 && guest->mode == 0) {
      guest->mode = buffer[0];
      if (guest->mode == 'B') {
        memcpy(&guest->size, buffer + 4, sizeof guest->size); /* The first write of a test is a whole question. */
        watch(epoll, EPOLL_CTL_MOD, guest->fd, EPOLLIN | EPOLLOUT, guest);
      }
    }
    if (count > 0) atomic_fetch_add_explicit(&arrived, (uint64_t)count, memory_order_relaxed);
    if (count > 0 && guest->mode == 'E' && (guest->asked += (uint32_t)count) >= QUESTION && guest->due == 0) {
      guest->asked -= QUESTION;
      guest->due = now_us() + atomic_load(&delay_us);
      guest->next = NULL;
      *last_due = guest;
      last_due = &guest->next;
    }
  }
  if ((events & EPOLLOUT) && guest->fd >= 0 && !flood(guest->fd, guest->size)) drop_guest(guest);
}

static void answer_due(void) {
  uint64_t now = now_us();
  while (first_due != NULL && first_due->due <= now) {
    struct guest *guest = first_due;
    first_due = guest->next;
    if (first_due == NULL) last_due = &first_due;
    guest->due = 0;
    if (guest->fd < 0) free(guest);
    else if (send(guest->fd, zeros, QUESTION, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) drop_guest(guest);
  }
}

static void *run_target(void *data) {
  int listener = (int)(long)data, epoll = epoll_create1(EPOLL_CLOEXEC), on = 1;
  struct epoll_event events[256];
  watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, NULL);
  for (;;) {
    int count = epoll_wait(epoll, events, 256, first_due == NULL ? -1 : atomic_load(&delay_us) == 0 ? 0 : 1);
    for (int index = 0; index < count; index++) {
      if (events[index].data.ptr != NULL) {
        serve_guest(epoll, events[index].data.ptr, events[index].events);
        continue;
      }
      int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) continue;
      struct guest *guest = calloc(1, sizeof *guest);
      guest->fd = fd;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN, guest);
    }
    answer_due();
  }
  return NULL;
}

/* ---- the clients ---- */

struct slot {
  int fd;
  bool asking;
  uint64_t since, answers, moved;
  uint32_t got;
};
struct job {
  struct sockaddr_storage address;
  socklen_t length;
  uint8_t preamble[64];
  size_t preamble_bytes;
  int slots;
};
static struct slot slots[MAX_SLOTS];
static uint32_t *latencies;
static size_t latency_count, latency_room;

static void note_latency(uint64_t microseconds) {
  if (latency_count == latency_room) {
    latency_room = latency_room == 0 ? 65536 : latency_room * 2;
    latencies = realloc(latencies, latency_room * sizeof *latencies);
    if (latencies == NULL) abort();
  }
  latencies[latency_count++] = (uint32_t)microseconds;
}

/* Connects; a full backlog of a Unix socket answers at once, where vsock and TCP would wait: false then. */
static bool dial(const struct job *job, int *fd) {
  int on = 1;
  *fd = socket(job->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (*fd < 0) perror("socket"), abort();
  if (connect(*fd, (const struct sockaddr *)&job->address, job->length) < 0 && errno != EINPROGRESS) {
    close(*fd);
    *fd = -1;
    return false;
  }
  if (job->address.ss_family == AF_INET) {
    int flags = fcntl(*fd, F_GETFL);
    fcntl(*fd, F_SETFL, flags & ~O_NONBLOCK);
    setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  return job->preamble_bytes == 0 ||
         send(*fd, job->preamble, job->preamble_bytes, MSG_NOSIGNAL) == (ssize_t)job->preamble_bytes;
}

/* A whole question in one write; `size` tells the target how to send. */
static bool ask(int fd, char mode, uint32_t size) {
  char question[QUESTION] = {mode};
  memcpy(question + 4, &size, sizeof size);
  return send(fd, question, sizeof question, MSG_NOSIGNAL) == (ssize_t)sizeof question;
}

static void open_all(const struct job *job, int epoll, uint32_t events) {
  for (int index = 0; index < job->slots; index++) {
    slots[index] = (struct slot){.fd = -1};
    for (int tries = 0; !dial(job, &slots[index].fd) && tries < 10000; tries++) {
      if (slots[index].fd >= 0) close(slots[index].fd);
      usleep(RETRY_US);
    }
    if (slots[index].fd < 0) fputs("cannot connect\n", stderr), exit(1);
    watch(epoll, EPOLL_CTL_ADD, slots[index].fd, events, &slots[index]);
  }
}

static void close_all(const struct job *job) {
  for (int index = 0; index < job->slots; index++) {
    if (slots[index].fd >= 0) close(slots[index].fd);
  }
}

static double own_cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void drop_slot(struct slot *slot) {
  close(slot->fd);
  slot->fd = -1;
}

static void run_flow(const struct job *job, uint32_t size, bool both, uint64_t ms) {
  static char buffer[BUFFER];
  struct epoll_event events[256];
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  open_all(job, epoll, EPOLLIN | EPOLLOUT);
  for (int index = 0; index < job->slots; index++) ask(slots[index].fd, both ? 'B' : 'D', size);
  uint64_t up0 = atomic_load(&arrived), total0 = up0, down = 0, down0 = 0, start = now_us(), begin = 0;
  double cpu0 = own_cpu();
  uint64_t warm_up_us = (WARM_UP_MS + (uint64_t)job->slots) * 1000, end = start + warm_up_us + ms * 1000;
  for (uint64_t now = start; now < end; now = now_us()) {
    if (begin == 0 && now >= start + warm_up_us) {
      begin = now;
      up0 = atomic_load(&arrived);
      down0 = down;
    }
    int count = epoll_wait(epoll, events, 256, 10);
    for (int index = 0; index < count; index++) {
      struct slot *slot = events[index].data.ptr;
      if (events[index].events & EPOLLIN) {
        ssize_t got = recv(slot->fd, buffer, sizeof buffer, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN)) {
          drop_slot(slot);
          continue;
        }
        if (got > 0) down += (uint64_t)got;
      }
      for (int turn = 0; (events[index].events & EPOLLOUT) && turn < 64; turn++) {
        ssize_t sent = send(slot->fd, zeros, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) slot->moved += (uint64_t)sent;
        if (sent < 0 && errno != EAGAIN) drop_slot(slot);
        if (sent < (ssize_t)size) break;
      }
    }
  }
  double seconds = (double)(now_us() - begin) / 1e6;
  uint64_t up = atomic_load(&arrived);
  int moving = 0; /* What nobody forwards stays in a buffer of the kernel, which takes 212,992 bytes. */
  for (int index = 0; index < job->slots; index++) moving += slots[index].fd >= 0 && slots[index].moved > 250000;
  printf("{\"upPerSecond\":%.0f,\"downPerSecond\":%.0f,\"bytes\":%llu,\"moving\":%d,\"cpuSeconds\":%.2f}\n",
         (double)(up - up0) / seconds, (double)(down - down0) / seconds,
         (unsigned long long)(up - total0 + down), moving, own_cpu() - cpu0);
  close_all(job);
  close(epoll);
}

static int compare(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/* Opens a slot's connection and asks; one that cannot be opened now is tried again later. */
static void begin_slot(const struct job *job, int epoll, struct slot *slot, uint64_t now) {
  if (slot->since == 0) slot->since = now;
  slot->got = 0;
  if (slot->fd < 0) {
    if (!dial(job, &slot->fd)) {
      if (slot->fd >= 0) drop_slot(slot);
      return;
    }
    watch(epoll, EPOLL_CTL_ADD, slot->fd, EPOLLIN, slot);
  }
  slot->asking = ask(slot->fd, 'E', 0);
  if (!slot->asking) drop_slot(slot);
}

static void run_questions(const struct job *job, bool fresh, uint64_t ms) {
  char buffer[4096];
  struct epoll_event events[256];
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  uint64_t start = now_us(), end = start + ms * 1000, failures = 0;
  latency_count = 0;
  for (int index = 0; index < job->slots; index++) slots[index] = (struct slot){.fd = -1};
  for (uint64_t now = start, looked = 0; now < end; now = now_us()) {
    bool waiting = false;
    for (int index = 0; now - looked >= RETRY_US && index < job->slots; index++) {
      if (!slots[index].asking) begin_slot(job, epoll, &slots[index], now);
      waiting = waiting || !slots[index].asking;
    }
    if (now - looked >= RETRY_US) looked = now;
    int count = epoll_wait(epoll, events, 256, 1);
    now = now_us();
    for (int index = 0; index < count; index++) {
      struct slot *slot = events[index].data.ptr;
      ssize_t got = recv(slot->fd, buffer, sizeof buffer, MSG_DONTWAIT);
      if (got < 0 && errno == EAGAIN) continue;
      if (got > 0 && (slot->got += (uint32_t)got) < QUESTION) continue;
      if (got > 0) {
        note_latency(now - slot->since);
        slot->answers++;
      } else {
        failures++;
      }
      slot->asking = false;
      slot->since = 0;
      if (fresh || got <= 0) drop_slot(slot);
      begin_slot(job, epoll, slot, now_us());
    }
  }
  double seconds = (double)(now_us() - start) / 1e6;
  int served = 0;
  for (int index = 0; index < job->slots; index++) served += slots[index].answers > 0;
  qsort(latencies, latency_count, sizeof *latencies, compare);
  printf("{\"perSecond\":%.1f,\"p50\":%.3f,\"p99\":%.3f,\"served\":%d,\"failures\":%llu}\n",
         (double)latency_count / seconds, latency_count == 0 ? 0 : latencies[latency_count / 2] / 1e3,
         latency_count == 0 ? 0 : latencies[latency_count * 99 / 100] / 1e3, served, (unsigned long long)failures);
  close_all(job);
  close(epoll);
}

static void run_idle(const struct job *job, uint64_t ms) {
  char buffer[4096];
  struct epoll_event events[256];
  int epoll = epoll_create1(EPOLL_CLOEXEC), answered = 0;
  open_all(job, epoll, EPOLLIN);
  for (int index = 0; index < job->slots; index++) ask(slots[index].fd, 'E', 0);
  for (uint64_t end = now_us() + ms * 1000; answered < job->slots && now_us() < end;) {
    int count = epoll_wait(epoll, events, 256, 10);
    for (int index = 0; index < count; index++) {
      struct slot *slot = events[index].data.ptr;
      ssize_t got = recv(slot->fd, buffer, sizeof buffer, MSG_DONTWAIT);
      if (got > 0 && (slot->got += (uint32_t)got) >= QUESTION) answered++;
      if (got == 0 || (got < 0 && errno != EAGAIN)) drop_slot(slot);
    }
  }
  printf("{\"served\":%d}\n", answered);
  fflush(stdout);
  getchar(); /* The next line, which only ends this one. */
  close_all(job);
  close(epoll);
}

static bool parse_job(struct job *job, char *address, const char *preamble, const char *count) {
  memset(job, 0, sizeof *job);
  if (strncmp(address, "unix:", 5) == 0) {
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    if (strlen(address + 5) >= sizeof path.sun_path) return false;
    strcpy(path.sun_path, address + 5);
    memcpy(&job->address, &path, sizeof path);
    job->length = sizeof path;
  } else {
    struct sockaddr_in port = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(address + 4))};
    port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(&job->address, &port, sizeof port);
    job->length = sizeof port;
  }
  unsigned byte;
  for (const char *hex = preamble; sscanf(hex, "%2x", &byte) == 1; hex += 2) {
    if (job->preamble_bytes == sizeof job->preamble) return false;
    job->preamble[job->preamble_bytes++] = (uint8_t)byte;
  }
  job->slots = atoi(count);
  return job->slots > 0 && job->slots <= MAX_SLOTS;
}

int main(void) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGPIPE, SIG_IGN);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t length = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  pthread_t target;
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0 ||
      getsockname(listener, (struct sockaddr *)&address, &length) < 0 ||
      pthread_create(&target, NULL, run_target, (void *)(long)listener) != 0) {
    perror("load");
    return 1;
  }
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  char line[512], verb[16], where[256], preamble[129], a[16], b[16], c[16], d[16];
  while (fgets(line, sizeof line, stdin) != NULL) {
    struct job job;
    int words = sscanf(line, "%15s %255s %128s %15s %15s %15s %15s", verb, where, preamble, a, b, c, d);
    if (words < 5 || !parse_job(&job, where, preamble, a)) return 2;
    if (strcmp(verb, "flow") == 0 && words == 7 && atoi(b) > 0 && atoi(b) <= BUFFER) {
      run_flow(&job, (uint32_t)atoi(b), strcmp(c, "both") == 0, (uint64_t)atoi(d));
    } else if (strcmp(verb, "idle") == 0 && words == 5) {
      run_idle(&job, (uint64_t)atoi(b));
    } else if (words == 6) {
      atomic_store(&delay_us, (uint64_t)atoi(b) * 1000);
      run_questions(&job, strcmp(verb, "fresh") == 0, (uint64_t)atoi(c));
    } else {
      return 2;
    }
    fflush(stdout);
  }
  return 0;
}
