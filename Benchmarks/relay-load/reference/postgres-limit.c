/* As little as can be done between a program and PostgreSQL to store appends as the relay does: one
 * connection, one transaction a group, sent in one go (libpq's pipeline), statements prepared, values
 * in binary. No sockets to devices, no hashes, no signatures, nothing judged, nobody told.
 *
 *   BEGIN . move the ends of LOGS logs, each if it is where it should be . add EACH batches to each . COMMIT
 *
 *   cc -O2 -I"$(pg_config --includedir)" postgres-limit.c -lpq -o postgres-limit
 *   postgres-limit CONNECTION LOGS EACH SECONDS          prints one line of JSON
 */
#include <libpq-fe.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ENTRY = 258, HEAD = 176, NAME = 32, BYTEA = 17, INT8 = 20, MOST = 1 << 20 };

static PGconn *connection;

static void die(const char *what) {
    fprintf(stderr, "postgres-limit: %s: %s", what, PQerrorMessage(connection));
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void run(const char *text) {
    PGresult *result = PQexec(connection, text);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        die(text);
    PQclear(result);
}

/* A one-dimensional array in PostgreSQL's binary form. */
struct array {
    char *bytes;
    size_t size;
};

static void put(struct array *a, const void *bytes, size_t count) {
    memcpy(a->bytes + a->size, bytes, count);
    a->size += count;
}

static void put32(struct array *a, uint32_t value) {
    value = __builtin_bswap32(value);
    put(a, &value, 4);
}

static void begin(struct array *a, uint32_t type, size_t count, size_t width) {
    if (!a->bytes) a->bytes = malloc(20 + count * (4 + width));
    a->size = 0;
    put32(a, 1), put32(a, 0), put32(a, type), put32(a, (uint32_t)count), put32(a, 1);
}

static void number(struct array *a, uint64_t value) {
    put32(a, 8);
    value = __builtin_bswap64(value);
    put(a, &value, 8);
}

static void bytes(struct array *a, const void *value, size_t count) {
    put32(a, (uint32_t)count);
    put(a, value, count);
}

static void name(char *out, uint64_t log) {
    memset(out, 7, NAME);
    log *= 0x9E3779B97F4A7C15u; /* spread over the index, as hashes are */
    memcpy(out, &log, 8);
}

static void send(const char *statement, int count, struct array *values) {
    const char *pointers[8];
    int lengths[8], formats[8];
    for (int i = 0; i < count; i++)
        pointers[i] = values[i].bytes, lengths[i] = (int)values[i].size, formats[i] = 1;
    if (!PQsendQueryPrepared(connection, statement, count, pointers, lengths, formats, 1))
        die("send");
}

/* Takes one statement's answer. */
static void take(ExecStatusType wanted) {
    PGresult *result = PQgetResult(connection);
    if (PQresultStatus(result) != wanted) die("answer");
    PQclear(result);
    if (wanted != PGRES_PIPELINE_SYNC)
        while ((result = PQgetResult(connection))) PQclear(result);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    if (argc != 5) return fprintf(stderr, "usage: postgres-limit CONNECTION LOGS EACH SECONDS\n"), 64;
    long logs = atol(argv[2]), each = atol(argv[3]);
    double seconds = atof(argv[4]);
    connection = PQconnectdb(argv[1]);
    if (PQstatus(connection) != CONNECTION_OK) die("connect");
    run("DROP SCHEMA IF EXISTS least CASCADE; CREATE SCHEMA least; SET search_path = least");
    run("CREATE TABLE logs (log bytea PRIMARY KEY, number bigint NOT NULL UNIQUE,"
        " end_offset bigint NOT NULL DEFAULT 0, byte_count bigint NOT NULL DEFAULT 0, head bytea)"
        " WITH (fillfactor = 50)");
    run("CREATE TABLE batches (number bigint, end_offset bigint, first_offset bigint NOT NULL,"
        " entries bytea NOT NULL, head bytea NOT NULL, PRIMARY KEY (number, end_offset))");
    run("ALTER TABLE batches ALTER COLUMN entries SET STORAGE EXTERNAL");
    for (long log = 0; log < logs; log++) {
        char text[200], id[NAME], hex[2 * NAME + 1];
        name(id, log);
        for (int i = 0; i < NAME; i++) sprintf(hex + 2 * i, "%02x", (unsigned char)id[i]);
        sprintf(text, "INSERT INTO logs VALUES ('\\x%s', %ld)", hex, log);
        run(text);
    }
    const char *texts[][2] = {
        {"begin", "BEGIN"},
        {"move",
         "WITH m AS (SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[],"
         " $5::bytea[]) AS m (log, expected, end_offset, byte_count, head)), moved AS ("
         " UPDATE logs SET end_offset = m.end_offset, byte_count = m.byte_count, head = m.head"
         " FROM m WHERE logs.log = m.log AND logs.end_offset = m.expected RETURNING 1)"
         " SELECT 1 / CASE WHEN (SELECT count(*) FROM moved) = cardinality($1::bytea[])"
         " THEN 1 ELSE 0 END"},
        {"add",
         "INSERT INTO batches SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[],"
         " $4::bytea[], $5::bytea[])"},
        {"commit", "COMMIT"},
    };
    for (int i = 0; i < 4; i++) {
        PGresult *result = PQprepare(connection, texts[i][0], texts[i][1], 0, NULL);
        if (PQresultStatus(result) != PGRES_COMMAND_OK) die("prepare");
        PQclear(result);
    }
    static char entry[ENTRY], head[HEAD];
    static double times[MOST];
    memset(entry, 0x5e, ENTRY), memset(head, 0xa7, HEAD);
    struct array move[5] = {0}, add[5] = {0};
    const uint32_t moves[] = {BYTEA, INT8, INT8, INT8, BYTEA}, adds[] = {INT8, INT8, INT8, BYTEA, BYTEA};
    long groups = 0;
    double began = now(), end = began;
    while (end - began < seconds && groups < MOST) {
        double start = end;
        for (int i = 0; i < 5; i++) {
            begin(&move[i], moves[i], logs, ENTRY);
            begin(&add[i], adds[i], logs * each, ENTRY);
        }
        for (long log = 0; log < logs; log++) {
            char id[NAME];
            name(id, log);
            uint64_t from = (uint64_t)groups * each;
            bytes(&move[0], id, NAME);
            number(&move[1], from), number(&move[2], from + each);
            number(&move[3], (from + each) * 256);
            bytes(&move[4], head, HEAD);
            for (long i = 0; i < each; i++) {
                number(&add[0], log), number(&add[1], from + i + 1), number(&add[2], from + i);
                bytes(&add[3], entry, ENTRY), bytes(&add[4], head, HEAD);
            }
        }
        if (!PQenterPipelineMode(connection)) die("pipeline");
        send("begin", 0, NULL), send("move", 5, move), send("add", 5, add), send("commit", 0, NULL);
        if (!PQpipelineSync(connection)) die("sync");
        take(PGRES_COMMAND_OK), take(PGRES_TUPLES_OK), take(PGRES_COMMAND_OK), take(PGRES_COMMAND_OK);
        take(PGRES_PIPELINE_SYNC);
        if (!PQexitPipelineMode(connection)) die("exit");
        end = now();
        times[groups++] = end - start;
    }
    qsort(times, groups, sizeof *times, ascending);
    printf("{\"per_second\": %.0f, \"p50_us\": %.0f, \"p99_us\": %.0f, \"groups_per_second\": %.0f}\n",
           groups * logs * each / (end - began), times[groups / 2] * 1e6,
           times[(long)(groups * 0.99)] * 1e6, groups / (end - began));
    PQfinish(connection);
    return 0;
}
