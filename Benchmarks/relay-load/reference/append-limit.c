// The limit that a relay's append path is held against: as little as can be done between a socket
// and a synced file, on the same two cores.
//
//   loop thread     reads requests, checks that each fits the end of its log, takes its CRC and
//                   copies it into the group that gathers; sends acks
//   sync thread     takes the group, one pwrite and one fdatasync to a file of zeros, hands the
//                   acks back
//
// There is no WebSocket, no signature, no hash chain, no allocation for each request and one log
// for each connection. So it isn't a relay; it is what a relay can't beat.
//
//   request   length:u32  offset:u64  payload[length]        little-endian
//   ack       offset:u64                                     the next offset
//
//   append-limit serve FILE MEGABYTES        prints its port, serves until it is killed
//   append-limit load PORT CONNECTIONS WINDOW BYTES SECONDS  prints one JSON object
//   append-limit fanserve | append-limit fanload PORT READERS BYTES SECONDS
//                                            the same for fan-out: what one connection sends, all
//                                            others are sent, nothing is stored
//
// cc -O2 -pthread append-limit.c -o append-limit
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 12, INPUT = 256 << 10, GROUP = 8 << 20, MAXCONN = 16384 };

static void fail(const char *what) {
    fprintf(stderr, "append-limit: error: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *room(size_t n) {
    void *p = calloc(1, n);
    if (!p) fail("memory");
    return p;
}

static void unblock(int fd) {
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (fcntl(fd, F_SETFL, O_NONBLOCK)) fail("fcntl");
}

// ---- what both servers share ----

typedef struct {
    int fd, wants_write;
    uint64_t end;           // the log's reserved end
    uint32_t have;          // bytes in `in`
    size_t out_len, out_cap;
    uint8_t *in, *out;
} Conn;

static int poller, listener;
static Conn *conns[MAXCONN];
static int conn_count;

static void watch(int fd, uint32_t index, uint32_t events, int op) {
    struct epoll_event e = {.events = events, .data.u32 = index};
    if (epoll_ctl(poller, op, fd, &e)) fail("epoll_ctl");
}

static void listen_any(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (void *)&a, sizeof a) || listen(listener, 4096)) fail("listen");
    getsockname(listener, (void *)&a, &n);
    printf("%d\n", ntohs(a.sin_port));
    fflush(stdout);
    poller = epoll_create1(0);
    watch(listener, MAXCONN, EPOLLIN, EPOLL_CTL_ADD);
}

static void accept_one(void) {
    int fd = accept(listener, 0, 0);
    if (fd < 0) return;
    if (conn_count == MAXCONN) {
        close(fd);
        return;
    }
    unblock(fd);
    Conn *c = room(sizeof *c);
    c->fd = fd;
    c->in = room(INPUT);
    conns[conn_count] = c;
    watch(fd, (uint32_t)conn_count++, EPOLLIN, EPOLL_CTL_ADD);
}

static void flush(Conn *c, uint32_t index) {
    size_t sent = 0;
    while (sent < c->out_len) {
        ssize_t n = send(c->fd, c->out + sent, c->out_len - sent, MSG_NOSIGNAL);
        if (n <= 0) break;
        sent += (size_t)n;
    }
    memmove(c->out, c->out + sent, c->out_len - sent);
    c->out_len -= sent;
    int wants = c->out_len > 0;
    if (wants == c->wants_write || c->fd < 0) return;
    c->wants_write = wants;
    watch(c->fd, index, EPOLLIN | (wants ? EPOLLOUT : 0), EPOLL_CTL_MOD);
}

static void push(Conn *c, const void *bytes, size_t n) {
    if (c->out_len + n > c->out_cap) {
        c->out_cap = (c->out_len + n) * 2;
        c->out = realloc(c->out, c->out_cap);
        if (!c->out) fail("memory");
    }
    memcpy(c->out + c->out_len, bytes, n);
    c->out_len += n;
}

static int fill(Conn *c) {
    ssize_t n = recv(c->fd, c->in + c->have, INPUT - c->have, 0);
    if (n > 0) c->have += (uint32_t)n;
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        close(c->fd);
        c->fd = -1;
        return 0;
    }
    return n > 0;
}

// ---- append ----

typedef struct {
    uint32_t conn, acked;
    uint64_t end;
} Pending;

typedef struct {
    size_t bytes, count;
    uint8_t *data;
    Pending *pending;
} Group;

static Group groups[2];
static Group *gathering = &groups[0], *syncing;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static int synced, file;
static off_t file_at, file_size;
static uint32_t crc_table[8][256];

static void crc_prepare(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = c & 1 ? c >> 1 ^ 0x82F63B78u : c >> 1;
        crc_table[0][i] = c;
    }
    for (int t = 1; t < 8; t++)
        for (int i = 0; i < 256; i++)
            crc_table[t][i] = crc_table[t - 1][i] >> 8 ^ crc_table[0][crc_table[t - 1][i] & 255];
}

// CRC-32C by the eight tables of Kounavis and Berry, so that it runs on any processor.
static uint32_t crc32c(const uint8_t *p, size_t n) {
    uint32_t c = ~0u;
    for (; n >= 8; n -= 8, p += 8) {
        uint32_t a, b;
        memcpy(&a, p, 4);
        memcpy(&b, p + 4, 4);
        a ^= c;
        c = crc_table[7][a & 255] ^ crc_table[6][a >> 8 & 255] ^ crc_table[5][a >> 16 & 255]
            ^ crc_table[4][a >> 24] ^ crc_table[3][b & 255] ^ crc_table[2][b >> 8 & 255]
            ^ crc_table[1][b >> 16 & 255] ^ crc_table[0][b >> 24];
    }
    for (; n; n--, p++) c = c >> 8 ^ crc_table[0][(c ^ *p) & 255];
    return ~c;
}

static _Noreturn void *sync_thread(void *unused) {
    (void)unused;
    for (;;) {
        pthread_mutex_lock(&lock);
        while (syncing || !gathering->count) pthread_cond_wait(&wake, &lock);
        syncing = gathering;
        gathering = gathering == &groups[0] ? &groups[1] : &groups[0];
        pthread_mutex_unlock(&lock);
        if (file_at + (off_t)syncing->bytes > file_size) file_at = 0;
        if (pwrite(file, syncing->data, syncing->bytes, file_at) != (ssize_t)syncing->bytes) fail("pwrite");
        if (fdatasync(file)) fail("fdatasync");
        file_at += (off_t)syncing->bytes;
        uint64_t one = 1;
        if (write(synced, &one, 8) != 8) fail("eventfd");
    }
}

static void take_requests(Conn *c, uint32_t index) {
    uint32_t at = 0;
    pthread_mutex_lock(&lock);
    while (c->have - at >= HEADER) {
        uint32_t length;
        uint64_t offset;
        memcpy(&length, c->in + at, 4);
        memcpy(&offset, c->in + at + 4, 8);
        if (length > INPUT - HEADER || offset != c->end) {
            shutdown(c->fd, SHUT_RDWR);
            break;
        }
        if (c->have - at < HEADER + length) break;
        Group *g = gathering;
        if (g->bytes + HEADER + 8 + length > GROUP) break;  // The rest waits for the sync.
        uint32_t crc = crc32c(c->in + at, HEADER + length);
        memcpy(g->data + g->bytes, &crc, 4);
        memcpy(g->data + g->bytes + 4, &index, 4);
        memcpy(g->data + g->bytes + 8, c->in + at, HEADER + length);
        g->bytes += HEADER + 8 + length;
        c->end++;
        g->pending[g->count++] = (Pending){.conn = index, .end = c->end};
        at += HEADER + length;
    }
    if (gathering->count && !syncing) pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
    memmove(c->in, c->in + at, c->have - at);
    c->have -= at;
}

static void ack_group(void) {
    uint64_t n;
    if (read(synced, &n, 8) != 8) return;
    for (size_t i = 0; i < syncing->count; i++) {
        Pending *p = &syncing->pending[i];
        if (conns[p->conn]->fd >= 0) push(conns[p->conn], &p->end, 8);
    }
    for (size_t i = 0; i < syncing->count; i++) {
        uint32_t index = syncing->pending[i].conn;
        if (conns[index]->fd >= 0 && conns[index]->out_len) flush(conns[index], index);
    }
    pthread_mutex_lock(&lock);
    int was_full = syncing->bytes > GROUP / 2;
    syncing->bytes = syncing->count = 0;
    syncing = 0;
    if (gathering->count) pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
    for (int i = 0; was_full && i < conn_count; i++)
        if (conns[i]->fd >= 0 && conns[i]->have) take_requests(conns[i], (uint32_t)i);
}

static _Noreturn int serve(const char *path, long megabytes) {
    file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (file < 0) fail(path);
    uint8_t *zeros = room(1 << 20);
    for (long i = 0; i < megabytes; i++)
        if (write(file, zeros, 1 << 20) != 1 << 20) fail(path);
    if (fsync(file)) fail(path);
    file_size = megabytes << 20;
    crc_prepare();
    for (int i = 0; i < 2; i++) {
        groups[i].data = room(GROUP);
        groups[i].pending = room(sizeof(Pending) * (GROUP / HEADER));
    }
    synced = eventfd(0, EFD_NONBLOCK);
    listen_any();
    watch(synced, MAXCONN + 1, EPOLLIN, EPOLL_CTL_ADD);
    pthread_t thread;
    pthread_create(&thread, 0, sync_thread, 0);
    struct epoll_event events[256];
    for (;;) {
        int n = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < n; i++) {
            uint32_t index = events[i].data.u32;
            if (index == MAXCONN) accept_one();
            else if (index == MAXCONN + 1) ack_group();
            else if (conns[index]->fd >= 0) {
                if (events[i].events & EPOLLOUT) flush(conns[index], index);
                if (events[i].events & ~(uint32_t)EPOLLOUT && fill(conns[index]))
                    take_requests(conns[index], index);
            }
        }
    }
}

// ---- fan-out: whatever one connection sends goes to all others ----

static _Noreturn int fan_serve(void) {
    listen_any();
    struct epoll_event events[256];
    for (;;) {
        int n = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < n; i++) {
            uint32_t index = events[i].data.u32;
            if (index == MAXCONN) {
                accept_one();
                continue;
            }
            Conn *c = conns[index];
            if (c->fd < 0) continue;
            if (events[i].events & EPOLLOUT) flush(c, index);
            if (!(events[i].events & ~(uint32_t)EPOLLOUT) || !fill(c)) continue;
            for (int j = 0; j < conn_count; j++) {
                if ((uint32_t)j == index || conns[j]->fd < 0) continue;
                push(conns[j], c->in, c->have);
                flush(conns[j], (uint32_t)j);
            }
            c->have = 0;
        }
    }
}

// ---- load ----

static int dial(int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (void *)&a, sizeof a)) fail("connect");
    unblock(fd);
    return fd;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void report(const char *scenario, int connections, int window, int bytes, size_t count,
                   double seconds, double *latencies, size_t samples) {
    qsort(latencies, samples, sizeof *latencies, compare);
    double p50 = samples ? latencies[samples / 2] : 0;
    double p99 = samples ? latencies[(size_t)((double)samples * .99)] : 0;
    double p999 = samples ? latencies[(size_t)((double)samples * .999)] : 0;
    printf("{\"scenario\":\"%s\",\"connections\":%d,\"window\":%d,\"payload\":%d,\"operations\":%zu,"
           "\"seconds\":%.3f,\"per_second\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f,\"p999_us\":%.0f}\n",
           scenario, connections, window, bytes, count, seconds, (double)count / seconds, p50 * 1e6,
           p99 * 1e6, p999 * 1e6);
}

typedef struct {
    int fd;
    uint64_t sent, acked;
    size_t queued, out_at;      // bytes of whole requests in `out`, and how far they are sent
    uint8_t *out, ack[8];
    uint32_t ack_have;
    double *sent_at;
} Client;

static void client_send(Client *c, int window, int bytes, int stop) {
    size_t size = HEADER + (size_t)bytes;
    if (c->out_at == c->queued) c->queued = c->out_at = 0;
    double t = 0;
    while (!stop && c->sent - c->acked < (uint64_t)window && c->queued + size <= size * 64) {
        if (t == 0) t = now();
        uint32_t length = (uint32_t)bytes;
        uint8_t *p = c->out + c->queued;
        memcpy(p, &length, 4);
        memcpy(p + 4, &c->sent, 8);
        c->sent_at[c->sent % 64] = t;
        c->sent++;
        c->queued += size;
    }
    while (c->out_at < c->queued) {
        ssize_t n = send(c->fd, c->out + c->out_at, c->queued - c->out_at, MSG_NOSIGNAL);
        if (n <= 0) return;
        c->out_at += (size_t)n;
    }
}

static int load(int port, int connections, int window, int bytes, double seconds) {
    if (window > 64 || connections > MAXCONN) return 2;
    poller = epoll_create1(0);
    Client *clients = room(sizeof *clients * (size_t)connections);
    size_t capacity = 16 << 20, count = 0;
    double *latencies = malloc(sizeof *latencies * capacity);
    for (int i = 0; i < connections; i++) {
        Client *c = &clients[i];
        c->fd = dial(port);
        c->out = room((HEADER + (size_t)bytes) * 64);
        memset(c->out, 0x5E, (HEADER + (size_t)bytes) * 64);
        c->sent_at = room(64 * sizeof(double));
        watch(c->fd, (uint32_t)i, EPOLLIN, EPOLL_CTL_ADD);
    }
    double start = now();
    for (int i = 0; i < connections; i++) client_send(&clients[i], window, bytes, 0);
    uint8_t buffer[64 << 10];
    struct epoll_event events[256];
    while (now() - start < seconds) {
        int n = epoll_wait(poller, events, 256, 100);
        for (int j = 0; j < n; j++) {
            Client *c = &clients[events[j].data.u32];
            ssize_t got = recv(c->fd, buffer, sizeof buffer, 0);
            if (got == 0) fail("closed");
            double t = now();
            for (ssize_t k = 0; k < got; k++) {
                c->ack[c->ack_have++] = buffer[k];
                if (c->ack_have < 8) continue;
                c->ack_have = 0;
                if (count < capacity) latencies[count++] = t - c->sent_at[c->acked % 64];
                c->acked++;
            }
            client_send(c, window, bytes, 0);
        }
    }
    report("append", connections, window, bytes, count, now() - start, latencies, count);
    return 0;
}

static int fan_load(int port, int readers, int bytes, double seconds) {
    poller = epoll_create1(0);
    int *fds = room(sizeof(int) * (size_t)readers);
    for (int i = 0; i < readers; i++) watch(fds[i] = dial(port), (uint32_t)i, EPOLLIN, EPOLL_CTL_ADD);
    int writer = dial(port);
    usleep(300000);
    size_t delivered = 0, sent = 0, block = (size_t)bytes * 64, at = 0;
    uint8_t *out = room(block), *in = room(1 << 20);
    struct epoll_event events[1024];
    double start = now(), unused;
    while (now() - start < seconds) {
        // The writer stays at most 512 messages before the average reader.
        while (sent * (size_t)readers <= delivered + (512 - 64) * (size_t)bytes * (size_t)readers) {
            ssize_t n = send(writer, out + at, block - at, MSG_NOSIGNAL);
            if (n <= 0) break;
            sent += (size_t)n;
            at = (at + (size_t)n) % block;
        }
        int n = epoll_wait(poller, events, 1024, 20);
        for (int j = 0; j < n; j++) {
            ssize_t got = recv(fds[events[j].data.u32], in, 1 << 20, 0);
            if (got > 0) delivered += (size_t)got;
        }
    }
    report("fanout", readers, 64, bytes, delivered / (size_t)bytes, now() - start, &unused, 0);
    return 0;
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (argc == 4 && !strcmp(argv[1], "serve")) return serve(argv[2], atol(argv[3]));
    if (argc == 2 && !strcmp(argv[1], "fanserve")) return fan_serve();
    if (argc == 7 && !strcmp(argv[1], "load"))
        return load(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]), atoi(argv[5]), atof(argv[6]));
    if (argc == 6 && !strcmp(argv[1], "fanload"))
        return fan_load(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]), atof(argv[5]));
    fprintf(stderr, "append-limit serve FILE MEGABYTES | load PORT CONNECTIONS WINDOW BYTES SECONDS |"
                    " fanserve | fanload PORT READERS BYTES SECONDS\n");
    return 2;
}
