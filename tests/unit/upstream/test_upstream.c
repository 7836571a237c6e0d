/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "base/text.h"
#include "upstream/upstream.h"

/* A service that connects to `connect`, as written in a configuration. */
struct fixture {
        struct config *conf;
        struct upstream upstream;
};

static void fixture_init(struct fixture *f, const char *balance, const char *connect)
{
        struct text text = { 0 };
        text_addf(&text, "services: { a: { listen = \"127.0.0.1:1\"; connect = %s; %s } }", connect,
                  balance);
        struct diag *diag = diag_new();
        f->conf = config_read_text(text_str(&text), "t", diag);
        assert_non_null(f->conf);
        upstream_init(&f->upstream, f->conf->services[0], NULL);
        diag_free(diag);
        text_fini(&text);
}

static void fixture_fini(struct fixture *f)
{
        config_free(f->conf);
}

static const char four[] = "[\"a:1\", \"b:1\", \"c:1\", \"d:1\"]";
static const char round_robin[] = "balance = \"round-robin\"", first[] = "balance = \"first\"";

/* The initials of the hosts, in the order to try. */
static const char *order_of(struct upstream *u, char out[static 8])
{
        const struct addr *order[8] = { 0 };
        size_t n = u->targets->n;
        assert_in_range(n, 1, 7);
        upstream_order(u, order);
        for (size_t i = 0; i < n; i++)
                out[i] = order[i]->host[0];
        assert_null(order[n]);
        out[n] = '\0';
        return out;
}

static void the_order_to_try(void **state)
{
        (void)state;
        static const struct {
                const char *promise, *balance, *connect, *orders[6];
        } table[] = {
                { "first: always from the first, the others are spares",
                  first,
                  four,
                  { "abcd", "abcd", "abcd" } },
                { "round-robin: each in turn, and from there round",
                  round_robin,
                  four,
                  { "abcd", "bcda", "cdab", "dabc", "abcd", "bcda" } },
                { "round-robin is what nobody asked for",
                  "",
                  "[\"a:1\", \"b:1\"]",
                  { "ab", "ba" } },
                { "one is always the one", round_robin, "\"a:1\"", { "a", "a", "a" } },
                { "one is the first as well", first, "\"a:1\"", { "a", "a" } },
        };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                struct fixture f;
                fixture_init(&f, table[i].balance, table[i].connect);
                for (size_t j = 0; j < COUNTOF(table[i].orders) && table[i].orders[j] != NULL;
                     j++) {
                        char got[8];
                        if (strcmp(order_of(&f.upstream, got), table[i].orders[j]) != 0)
                                fail_msg("%s: the %zuth time %s", table[i].promise, j, got);
                }
                fixture_fini(&f);
        }
}

/* After four thousand million connections as well: the count runs over, nobody is left out. */
static void the_turn_survives_its_overflow(void **state)
{
        (void)state;
        struct fixture f;
        char got[8];
        fixture_init(&f, round_robin, "[\"a:1\", \"b:1\", \"c:1\"]");
        atomic_store(&f.upstream.turn, UINT32_MAX - 1);
        assert_string_equal(order_of(&f.upstream, got), "cab");
        assert_string_equal(order_of(&f.upstream, got), "abc");
        assert_string_equal(order_of(&f.upstream, got), "abc");
        assert_string_equal(order_of(&f.upstream, got), "bca");
        fixture_fini(&f);
}

enum { THREADS = 4, TURNS = 10000 };

struct taker {
        struct upstream *upstream;
        unsigned began_with[4];
};

static void *take_turns(void *arg)
{
        struct taker *t = arg;
        for (int i = 0; i < TURNS; i++) {
                const struct addr *order[4];
                upstream_order(t->upstream, order);
                t->began_with[order[0]->host[0] - 'a']++;
        }
        return NULL;
}

static void workers_share_the_turns(void **state)
{
        (void)state;
        struct fixture f;
        pthread_t threads[THREADS];
        struct taker takers[THREADS];
        fixture_init(&f, round_robin, four);
        for (int i = 0; i < THREADS; i++) {
                takers[i] = (struct taker){ .upstream = &f.upstream };
                assert_int_equal(pthread_create(&threads[i], NULL, take_turns, &takers[i]), 0);
        }
        unsigned sums[4] = { 0 };
        for (int i = 0; i < THREADS; i++) {
                pthread_join(threads[i], NULL);
                for (int j = 0; j < 4; j++)
                        sums[j] += takers[i].began_with[j];
        }
        for (int j = 0; j < 4; j++)
                assert_int_equal(sums[j], THREADS * TURNS / 4);
        fixture_fini(&f);
}

static void a_built_in_is_told_from_targets(void **state)
{
        (void)state;
        static const struct {
                const char *connect, *builtin;
        } table[] = {
                { "\"echo\"", "echo" },         { "\"discard\"", "discard" },
                { "\"chargen\"", "chargen" },   { "\"daytime\"", "daytime" },
                { "\"echo:7\"", NULL },         { "\"unix:/run/echo\"", NULL },
                { "[\"a:1\", \"b:1\"]", NULL },
        };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                struct fixture f;
                fixture_init(&f, "", table[i].connect);
                const char *builtin = upstream_builtin(&f.upstream);
                if (table[i].builtin == NULL)
                        assert_null(builtin);
                else
                        assert_string_equal(builtin, table[i].builtin);
                fixture_fini(&f);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_order_to_try),
                cmocka_unit_test(the_turn_survives_its_overflow),
                cmocka_unit_test(workers_share_the_turns),
                cmocka_unit_test(a_built_in_is_told_from_targets),
        };
        return cmocka_run_group_tests_name("upstream/upstream", tests, NULL, NULL);
}
