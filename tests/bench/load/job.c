/* SPDX-License-Identifier: ISC */
/* What all kinds of work share: the loop, opening links, talking to whoever started this. */
#include "jobs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { OPENING_AT_ONCE = 16 };

void job_turn(struct job *j)
{
        while (j->busy > 0) {
                struct epoll_event e[EVENTS];
                int n = epoll_wait(j->client.ep, e, EVENTS, 1000);
                if (n < 0 && errno != EINTR)
                        fail("client: epoll_wait");
                for (int i = 0; i < n; i++)
                        link_step(e[i].data.ptr);
                errno = ETIMEDOUT;
                if (n == 0 && now_ns() > j->deadline)
                        fail("client");
        }
}

static void stays(struct link *l)
{
        struct job *j = l->client->work;
        j->all[j->there++] = l;
        j->busy--;
}

static struct exchange first_exchange; /* of the links that job_open opens */

static void say_first(struct link *l)
{
        link_exchange(l, &first_exchange);
}

void job_open(struct job *j, unsigned n, const struct exchange *first)
{
        j->client.ready = say_first;
        j->client.exchanged = stays;
        first_exchange = *first;
        struct link **all = realloc(j->all, n * sizeof *all);
        if (all == NULL)
                fail("client: realloc");
        j->all = all;
        while (j->there < n) {
                unsigned more = n - j->there < OPENING_AT_ONCE ? n - j->there : OPENING_AT_ONCE;
                for (unsigned i = 0; i < more; i++) {
                        j->busy++;
                        link_open(&j->client);
                }
                job_turn(j);
        }
}

void job_wait_for_go(struct job *j)
{
        char line[64];
        printf("{\"ready\": true}\n");
        fflush(stdout);
        if (fgets(line, sizeof line, stdin) == NULL)
                _exit(0);
        j->deadline = now_ns() + (uint64_t)(j->at_most * 1e9);
}

void job_report(struct job *j, uint64_t ns)
{
        char line[64];
        printf("{\"seconds\": %.9f, \"done\": %llu, \"p50\": %.2f, \"p90\": %.2f, \"p99\": %.2f, "
               "\"p999\": %.2f, \"full\": %llu, \"resumed\": %llu}\n",
               (double)ns / 1e9, (unsigned long long)j->done, histogram_percentile(&j->took, 50),
               histogram_percentile(&j->took, 90), histogram_percentile(&j->took, 99),
               histogram_percentile(&j->took, 99.9), (unsigned long long)j->client.full,
               (unsigned long long)j->client.resumed);
        fflush(stdout);
        if (fgets(line, sizeof line, stdin) == NULL)
                _exit(0);
}

struct exchange exchange_octet(void)
{
        return (struct exchange){ .header = "E", .header_n = 1, .recv_n = 1, .reply = 'E' };
}
