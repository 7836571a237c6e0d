/* SPDX-License-Identifier: ISC */
#include "matrix.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct cell {
        const struct promise *promise;
        int version;
        enum stream_tls_role role;
        enum rig_kind kind;
        char name[200];
};

static void run(void **state)
{
        const struct cell *c = *state;
        struct rig r;
        rig_open(&r, c->version, c->role, c->kind, NULL, NULL);
        if ((c->promise->needs & BEFORE_HANDSHAKE) == 0)
                rig_shake(&r);
        c->promise->test(&r);
        rig_close(&r);
}

enum { CELLS = 16 }; /* of a promise, at most */

static const char *const kinds[] = {
        [RIG_BUFFERED] = "buffered",
        [RIG_DIRECT] = "direct",
        [RIG_KTLS] = "ktls",
        [RIG_NO_KTLS] = "direct, without ktls",
};

/* What the kernel has here: see test_ktls.c. Where nobody says so it is nothing. */
static const char *kernel_has(int version)
{
        return getenv(version == TLS1_2_VERSION ? "KTLS_TLS12" : "KTLS_TLS13");
}

/* Where it is said, it is what there is to test: the rest is tested elsewhere, and faster. */
static bool fits_kind(const struct cell *c)
{
        int needs = c->promise->needs;
        const char *has = kernel_has(c->version);
        bool both = has != NULL && atoi(has) == KTLS_BOTH;
        if (c->kind == RIG_KTLS && (!both || (needs & NOT_KTLS)))
                return false;
        if (c->kind == RIG_NO_KTLS && both)
                return false;
        if (c->kind < RIG_KTLS && has != NULL)
                return false;
        if ((needs & ONLY_KTLS) && c->kind != RIG_KTLS)
                return false;
        return (needs & (c->kind != RIG_BUFFERED ? ONLY_BUFFERED : ONLY_DIRECT)) == 0;
}

static bool applies(const struct cell *c)
{
        int needs = c->promise->needs;
        if ((needs & ONLY_TLS12) && c->version != TLS1_2_VERSION)
                return false;
        if ((needs & ONLY_TLS13) && c->version != TLS1_3_VERSION)
                return false;
        if ((needs & ONLY_ACCEPT) && c->role != STREAM_TLS_ACCEPT)
                return false;
        if ((needs & ONLY_CONNECT) && c->role != STREAM_TLS_CONNECT)
                return false;
        return fits_kind(c);
}

static size_t fill(struct cell *cells, const struct promise *p)
{
        size_t n = 0;
        for (unsigned i = 0; i < CELLS; i++) {
                struct cell *c = &cells[n];
                *c = (struct cell){ .promise = p,
                                    .version = i & 8 ? TLS1_3_VERSION : TLS1_2_VERSION,
                                    .role = i & 4 ? STREAM_TLS_CONNECT : STREAM_TLS_ACCEPT,
                                    .kind = (enum rig_kind)(i & 3) };
                snprintf(c->name, sizeof c->name, "%s [TLS 1.%d, %s, %s]", p->text,
                         c->version - TLS1_VERSION,
                         c->role == STREAM_TLS_ACCEPT ? "accept" : "connect", kinds[c->kind]);
                if (applies(c))
                        n++;
        }
        return n;
}

int matrix_run(const char *name, const struct promise *promises, size_t n)
{
        signal(SIGPIPE, SIG_IGN);
        struct cell *cells = calloc(n * CELLS + 1, sizeof *cells);
        struct CMUnitTest *tests = calloc(n * CELLS + 1, sizeof *tests);
        size_t count = 0;
        for (size_t i = 0; i < n; i++)
                count += fill(&cells[count], &promises[i]);
        for (size_t i = 0; i < count; i++)
                tests[i] = (struct CMUnitTest){ .name = cells[i].name,
                                                .test_func = run,
                                                .initial_state = &cells[i] };
        int failed = _cmocka_run_group_tests(name, tests, count, NULL, NULL);
        free(tests);
        free(cells);
        return failed;
}
