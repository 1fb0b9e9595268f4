/*
 * The least that a relay can do: the kernel moves the bytes through pipes (splice(2)), a thread for each direction, no
 * deadline, no policy, no cap. splice-relay SOCKET-PATH TCP-PORT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PIPE_BYTES (1 << 20)

struct way {
  int from, to;
};

static void *move(void *data) {
  struct way way = *(struct way *)data;
  int ends[2];
  free(data);
  if (pipe2(ends, O_CLOEXEC) == 0) {
    fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
    for (ssize_t in; (in = splice(way.from, NULL, ends[1], NULL, PIPE_BYTES, SPLICE_F_MOVE)) > 0;) {
      for (ssize_t out; in > 0; in -= out) {
        out = splice(ends[0], NULL, way.to, NULL, (size_t)in, SPLICE_F_MOVE);
        if (out <= 0) goto end;
      }
    }
  end:
    close(ends[0]);
    close(ends[1]);
  }
  shutdown(way.to, SHUT_WR);
  return NULL;
}

static struct way *make_way(int from, int to) {
  struct way *way = malloc(sizeof *way);
  if (way == NULL) abort();
  *way = (struct way){from, to};
  return way;
}

static int port;

static void *serve(void *data) {
  int near = (int)(long)data, far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  struct sockaddr_in target = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  pthread_t back;
  setsockopt(far, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(far, (struct sockaddr *)&target, sizeof target) == 0 &&
      pthread_create(&back, NULL, move, make_way(far, near)) == 0) {
    move(make_way(near, far));
    pthread_join(back, NULL);
  }
  close(near);
  close(far);
  return NULL;
}

int main(int argc, char **argv) {
  struct sockaddr_un path = {.sun_family = AF_UNIX};
  if (argc != 3 || strlen(argv[1]) >= sizeof path.sun_path) return 2;
  strcpy(path.sun_path, argv[1]);
  port = atoi(argv[2]);
  signal(SIGPIPE, SIG_IGN);
  pthread_attr_t detached;
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&detached, 65536);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, (struct sockaddr *)&path, sizeof path) < 0 || listen(listener, 4096) < 0) return 1;
  for (;;) {
    pthread_t thread;
    int near = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (near >= 0 && pthread_create(&thread, &detached, serve, (void *)(long)near) != 0) close(near);
  }
}
