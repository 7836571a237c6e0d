/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/own.h"
#include "stats/loop_stats.h"
#include "stats/service_stats.h"

enum { WORKERS = 3, ROUNDS = 100000 };

static void a_duration_goes_into_the_first_bucket_that_holds_it(void **state)
{
        (void)state;
        static const struct {
                int64_t us;
                size_t bucket;
        } cases[] = {
                { -5, 0 },
                { 0, 0 },
                { 500, 0 },
                { 501, 1 },
                { 1000, 1 },
                { 1001, 2 },
                { 10000000, 13 },
                { 10000001, HISTOGRAM_BOUNDS },
                { INT64_MAX, HISTOGRAM_BOUNDS },
        };
        for (size_t i = 0; i < COUNTOF(cases); i++) {
                struct histogram h;
                memset(&h, 0, sizeof h);
                histogram_observe(&h, &histogram_brief, cases[i].us);
                assert_int_equal(counter_get(&h.buckets[cases[i].bucket]), 1);
                assert_int_equal(histogram_count(&h), 1);
                assert_int_equal(counter_get(&h.sum_us), cases[i].us > 0 ? cases[i].us : 0);
        }
}

static void bounds_rise(void **state)
{
        (void)state;
        const struct histogram_bounds *all[] = { &histogram_brief, &histogram_lives,
                                                 &histogram_lag };
        for (size_t i = 0; i < COUNTOF(all); i++)
                for (size_t k = 1; k < all[i]->n; k++)
                        assert_true(all[i]->us[k - 1] < all[i]->us[k]);
}

/* --- who counts where ------------------------------------------------------------------------- */

struct thread {
        struct stats_set *set;
        size_t worker;
        pthread_t id;
};

static void *count(void *arg)
{
        const struct thread *t = arg;
        stats_claim(t->set, t->worker);
        for (int i = 0; i < ROUNDS; i++) {
                struct service_stats *s = stats_of(t->set, t->worker);
                counter_add(&s->octets[STATS_UP], 2);
                counter_add(&s->ended[7], 1);
                counter_add(&s->half_closed, 1);
                counter_add(&s->half_closed, UINT64_MAX);
                histogram_observe(&s->life, &histogram_lives, 1);
                handshakes_count(&s->handshakes, HANDSHAKE_CLIENT, "TLSv1.3", "x25519",
                                 HANDSHAKE_FULL);
        }
        return NULL;
}

static void nothing_that_workers_count_at_once_is_lost(void **state)
{
        (void)state;
        struct thread threads[WORKERS];
        struct service_stats total;
        struct stats_set *set = stats_set_new(WORKERS);
        assert_non_null(set);
        for (size_t i = 0; i < WORKERS; i++) {
                threads[i] = (struct thread){ .set = set, .worker = i };
                assert_int_equal(pthread_create(&threads[i].id, NULL, count, &threads[i]), 0);
        }
        stats_total(set, &total); /* while they count */
        for (size_t i = 0; i < WORKERS; i++)
                pthread_join(threads[i].id, NULL);
        stats_total(set, &total);
        assert_int_equal(counter_get(&total.octets[STATS_UP]), 2 * WORKERS * ROUNDS);
        assert_int_equal(counter_get(&total.octets[STATS_DOWN]), 0);
        assert_int_equal(counter_get(&total.ended[7]), WORKERS * ROUNDS);
        assert_int_equal(counter_get(&total.half_closed), 0);
        assert_int_equal(histogram_count(&total.life), WORKERS * ROUNDS);
        assert_int_equal(counter_get(&total.handshakes.n[HANDSHAKE_CLIENT][2][1][HANDSHAKE_FULL]),
                         WORKERS * ROUNDS);
        stats_set_free(set);
}

static void who_has_no_block_counts_nowhere(void **state)
{
        (void)state;
        struct service_stats total;
        struct stats_set *set = stats_set_new(1);
        assert_non_null(set);
        assert_ptr_equal(stats_of(NULL, 0), stats_nowhere());
        assert_ptr_equal(stats_of(set, 0), stats_nowhere());
        stats_claim(set, 1);
        assert_ptr_equal(stats_of(set, 1), stats_nowhere());
        counter_add(&stats_of(set, 0)->octets[STATS_UP], 1);
        stats_total(set, &total);
        assert_int_equal(counter_get(&total.octets[STATS_UP]), 0);
        stats_claim(set, 0);
        assert_ptr_not_equal(stats_of(set, 0), stats_nowhere());
        stats_set_free(set);
        stats_set_free(NULL);
}

static void a_peer_cannot_invent_words(void **state)
{
        (void)state;
        static const struct {
                const char *version, *group, *version_name, *group_name;
        } cases[] = {
                { "TLSv1.3", "x25519", "TLSv1.3", "x25519" },
                { "TLSv1.2", "SecP256r1", "TLSv1.2", "secp256r1" },
                { "TLSv1.3", "X25519MLKEM768", "TLSv1.3", "x25519mlkem768" },
                { NULL, NULL, "none", "none" },
                { "none", "other", "other", "other" },
                { "SSLv3", "\" evil", "other", "other" },
        };
        for (size_t i = 0; i < COUNTOF(cases); i++) {
                struct handshakes h;
                int found = 0;
                memset(&h, 0, sizeof h);
                handshakes_count(&h, HANDSHAKE_UPSTREAM, cases[i].version, cases[i].group,
                                 HANDSHAKE_RESUMED);
                for (int v = 0; v < HANDSHAKE_VERSIONS; v++)
                        for (int g = 0; g < HANDSHAKE_GROUPS; g++) {
                                if (counter_get(
                                            &h.n[HANDSHAKE_UPSTREAM][v][g][HANDSHAKE_RESUMED]) == 0)
                                        continue;
                                assert_string_equal(handshake_version_name(v),
                                                    cases[i].version_name);
                                assert_string_equal(handshake_group_name(g), cases[i].group_name);
                                found++;
                        }
                assert_int_equal(found, 1);
        }
}

/* --- loops ------------------------------------------------------------------------------------ */

static void a_loop_that_does_not_turn_is_noticed(void **state)
{
        (void)state;
        struct loop_stats s;
        memset(&s, 0, sizeof s);
        struct event_base *base = event_base_new();
        assert_false(loop_stats_turns(&s, 1000000)); /* never began */
        struct event *beat = loop_stats_start(&s, base);
        assert_non_null(beat);
        assert_true(loop_stats_turns(&s, 60000000));
        assert_int_equal(histogram_count(&s.lag), 0);
        event_base_loop(base, EVLOOP_ONCE);
        assert_int_equal(histogram_count(&s.lag), 1);
        assert_true(loop_stats_turns(&s, 60000000));
        assert_false(loop_stats_turns(&s, -1));
        event_free(beat);
        event_base_free(base);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_duration_goes_into_the_first_bucket_that_holds_it),
                cmocka_unit_test(bounds_rise),
                cmocka_unit_test(nothing_that_workers_count_at_once_is_lost),
                cmocka_unit_test(who_has_no_block_counts_nowhere),
                cmocka_unit_test(a_peer_cannot_invent_words),
                cmocka_unit_test(a_loop_that_does_not_turn_is_noticed),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
