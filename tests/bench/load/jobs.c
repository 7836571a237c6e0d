/* SPDX-License-Identifier: ISC */
#include "jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WARM_BULK = 1024 * 1024, WARM_ROUNDS = 20, WARM_CONNECTS = 200 };

static void finished(struct link *l)
{
        ((struct job *)l->client->work)->busy--;
}

/* --- bulk: each link moves its share of the octets, one way --- */

static struct exchange exchange_bulk(const struct job *j, uint64_t n)
{
        struct exchange x = { .header_n = HEADER, .send_n = j->up ? n : 0 };
        header_make(x.header, j->up ? 'u' : 'd', n);
        x.recv_n = j->up ? 1 : n;
        x.reply = j->up ? 'k' : 0;
        return x;
}

void job_bulk(struct job *j)
{
        struct exchange warm = exchange_bulk(j, WARM_BULK);
        struct exchange work = exchange_bulk(j, j->count / j->links);
        job_open(j, j->links, &warm);
        job_wait_for_go(j);
        j->client.exchanged = finished;
        uint64_t start = now_ns();
        for (unsigned i = 0; i < j->links; i++, j->busy++)
                link_exchange(j->all[i], &work);
        job_turn(j);
        j->done = j->count / j->links * j->links;
        job_report(j, now_ns() - start);
}

/* --- ping-pong: every link always has one question on its way --- */

static void next_message(struct link *l)
{
        struct job *j = l->client->work;
        histogram_add(&j->took, now_ns() - l->began);
        j->done++;
        if (j->started == j->count) {
                j->busy--;
                return;
        }
        j->started++;
        struct exchange x = { .send_n = j->size, .recv_n = j->size };
        link_exchange(l, &x);
}

static void start_messages(struct job *j, uint64_t count)
{
        struct exchange x = { .send_n = j->size, .recv_n = j->size };
        j->started = j->done = 0;
        j->count = count;
        memset(&j->took, 0, sizeof j->took);
        j->client.exchanged = next_message;
        for (unsigned i = 0; i < j->links && j->started < count; i++) {
                j->started++;
                j->busy++;
                link_exchange(j->all[i], &x);
        }
        job_turn(j);
}

void job_pingpong(struct job *j)
{
        struct exchange setup = { .header_n = HEADER, .recv_n = 1, .reply = 'k' };
        uint64_t count = j->count;
        header_make(setup.header, 'p', j->size);
        job_open(j, j->links, &setup);
        start_messages(j, j->links < 100 ? j->links * WARM_ROUNDS : j->links * 2);
        job_wait_for_go(j);
        uint64_t start = now_ns();
        start_messages(j, count);
        job_report(j, now_ns() - start);
}

/* --- connect: connect, an octet each way, end; in TLS with a handshake --- */

static void connect_next(struct job *j)
{
        if (j->started == j->count) {
                j->busy--;
                return;
        }
        j->started++;
        link_open(&j->client);
}

static void say_octet(struct link *l)
{
        struct exchange x = exchange_octet();
        uint64_t began = l->began; /* the whole of it is timed */
        link_exchange(l, &x);
        l->began = began;
}

static void octet_back(struct link *l)
{
        struct job *j = l->client->work;
        histogram_add(&j->took, now_ns() - l->began);
        j->done++;
        link_close(l);
}

static void link_gone(struct link *l)
{
        connect_next(l->client->work);
}

static void start_connects(struct job *j, uint64_t count)
{
        j->started = j->done = 0;
        j->count = count;
        memset(&j->took, 0, sizeof j->took);
        for (unsigned i = 0; i < j->links; i++) {
                j->busy++;
                connect_next(j);
        }
        job_turn(j);
}

void job_connect(struct job *j)
{
        uint64_t count = j->count;
        j->client.ready = say_octet;
        j->client.exchanged = octet_back;
        j->client.closed = link_gone;
        start_connects(j, WARM_CONNECTS);
        job_wait_for_go(j);
        j->client.full = j->client.resumed = 0;
        uint64_t start = now_ns();
        start_connects(j, count);
        job_report(j, now_ns() - start);
}

/* --- hold: links that do nothing; "open N" and "check" on standard input --- */

static void check_all(struct job *j)
{
        struct exchange octet = exchange_octet();
        j->client.exchanged = finished;
        for (unsigned i = 0; i < j->there; i++, j->busy++)
                link_exchange(j->all[i], &octet);
        job_turn(j);
}

void job_hold(struct job *j)
{
        struct exchange octet = exchange_octet();
        char line[64];
        job_open(j, j->links, &octet);
        printf("{\"held\": %u}\n", j->there);
        fflush(stdout);
        while (fgets(line, sizeof line, stdin) != NULL) {
                j->deadline = now_ns() + (uint64_t)(j->at_most * 1e9);
                if (strncmp(line, "open ", 5) == 0)
                        job_open(j, (unsigned)strtoul(line + 5, NULL, 10), &octet);
                else
                        check_all(j);
                printf("{\"held\": %u}\n", j->there);
                fflush(stdout);
        }
}
