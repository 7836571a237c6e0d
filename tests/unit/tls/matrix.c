/* SPDX-License-Identifier: ISC */
#include "matrix.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct cell {
        const struct promise *promise;
        int version;
        enum stream_tls_role role;
        char name[200];
};

static void run(void **state)
{
        const struct cell *c = *state;
        struct rig r;
        rig_open(&r, c->version, c->role, NULL, NULL);
        if ((c->promise->needs & BEFORE_HANDSHAKE) == 0)
                rig_shake(&r);
        c->promise->test(&r);
        rig_close(&r);
}

static bool applies(const struct promise *p, int version, enum stream_tls_role role)
{
        if ((p->needs & ONLY_TLS12) && version != TLS1_2_VERSION)
                return false;
        if ((p->needs & ONLY_TLS13) && version != TLS1_3_VERSION)
                return false;
        if ((p->needs & ONLY_ACCEPT) && role != STREAM_TLS_ACCEPT)
                return false;
        return (p->needs & ONLY_CONNECT) == 0 || role == STREAM_TLS_CONNECT;
}

static size_t fill(struct cell *cells, const struct promise *p)
{
        size_t n = 0;
        for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++)
                for (int role = STREAM_TLS_ACCEPT; role <= STREAM_TLS_CONNECT; role++) {
                        if (!applies(p, version, (enum stream_tls_role)role))
                                continue;
                        cells[n] = (struct cell){ .promise = p,
                                                  .version = version,
                                                  .role = (enum stream_tls_role)role };
                        snprintf(cells[n].name, sizeof cells[n].name, "%s [TLS 1.%d, %s]", p->text,
                                 version - TLS1_VERSION,
                                 role == STREAM_TLS_ACCEPT ? "accept" : "connect");
                        n++;
                }
        return n;
}

int matrix_run(const char *name, const struct promise *promises, size_t n)
{
        signal(SIGPIPE, SIG_IGN);
        struct cell *cells = calloc(n * 4, sizeof *cells);
        struct CMUnitTest *tests = calloc(n * 4, sizeof *tests);
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
