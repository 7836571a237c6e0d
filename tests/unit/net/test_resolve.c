/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/own.h"
#include "net/resolve.h"
#include "net_fixture.h"

static const struct dns_row rows[] = {
        { .name = "both.test",
          .a = { "192.0.2.1", "192.0.2.2" },
          .aaaa = { "2001:db8::1" },
          .a_ttl = 60,
          .aaaa_ttl = 60 },
        { .name = "four.test", .a = { "192.0.2.4" }, .a_ttl = 60 },
        { .name = "six.test", .aaaa = { "2001:db8::6" }, .aaaa_ttl = 60 },
        { .name = "empty.test" },
        { .name = "failing.test", .rcode = DNS_SERVFAIL },
        { .name = "refused.test", .rcode = DNS_REFUSED },
        { .name = "silent.test", .silent = true },
        { .name = "zero.test", .a = { "192.0.2.9" } },
        { .name = "a-short.test",
          .a = { "192.0.2.1" },
          .aaaa = { "2001:db8::1" },
          .a_ttl = 1,
          .aaaa_ttl = 300 },
        { .name = "aaaa-short.test",
          .a = { "192.0.2.1" },
          .aaaa = { "2001:db8::1" },
          .a_ttl = 300,
          .aaaa_ttl = 1 },
        { .name = "cname-short.test",
          .cname = "real.test",
          .cname_ttl = 1,
          .a = { "192.0.2.1" },
          .a_ttl = 300 },
};

static struct net_fixture f;

static int set_up(void **state)
{
        (void)state;
        net_fixture_init(&f, rows, COUNTOF(rows));
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        net_fixture_fini(&f);
        return 0;
}

/* What became of one question. */
struct answer {
        bool done;
        unsigned times;
        struct addrset *set;
        const char *error;
        int64_t at_ms;
        struct resolve_query *query;
        /* What to do when it comes. */
        struct resolve_query **cancel;
        bool free_resolver;
};

static void on_done(struct addrset *set, const char *error, void *arg)
{
        struct answer *a = arg;
        addrset_free(a->set);
        a->set = set;
        a->error = error;
        a->done = true;
        a->times++;
        a->at_ms = clock_ms();
        a->query = NULL;
        if (a->cancel != NULL)
                resolve_cancel(TAKE(*a->cancel));
        if (a->free_resolver)
                resolver_free(TAKE(f.resolver));
}

static void fini(struct answer *a)
{
        addrset_free(TAKE(a->set));
}

static void start(struct answer *a, const char *host, uint16_t port)
{
        struct resolve_query *q = resolve_start(f.resolver, host, port, on_done, a);
        if (q != NULL)
                a->query = q;
}

static void ask(struct answer *a, const char *host)
{
        a->done = false;
        start(a, host, 80);
        net_run_until(f.base, &a->done);
}

static bool has(const struct addrset *set, const char *text)
{
        char buf[SOCKADDRESS_TEXT_MAX];
        for (size_t i = 0; set != NULL && i < set->n; i++) {
                if (strcmp(sockaddress_text(&set->addresses[i], buf), text) == 0)
                        return true;
        }
        return false;
}

static void literals_are_answered_at_once(void **state)
{
        (void)state;
        static const struct {
                const char *host, *text;
        } table[] = {
                { "127.0.0.1", "127.0.0.1:8080" },
                { "192.0.2.77", "192.0.2.77:8080" },
                { "::1", "[::1]:8080" },
                { "2001:db8::a", "[2001:db8::a]:8080" },
        };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                OWN(fini) struct answer a = { 0 };
                start(&a, table[i].host, 8080);
                assert_true(a.done);
                assert_null(a.query);
                assert_int_equal(a.set->n, 1);
                assert_true(has(a.set, table[i].text));
        }
        OWN(fini) struct answer scoped = { 0 };
        start(&scoped, "fe80::1%lo", 1);
        assert_true(scoped.done);
        assert_int_equal(scoped.set->addresses[0].in6.sin6_scope_id, 1);
        assert_int_equal(dns_server_asked(f.dns, NULL, DNS_A), 0);
}

static void localhost_needs_no_name_server(void **state)
{
        (void)state;
        OWN(fini) struct answer a = { 0 };
        ask(&a, "localhost");
        assert_true(has(a.set, "127.0.0.1:80") || has(a.set, "[::1]:80"));
        assert_int_equal(dns_server_asked(f.dns, NULL, DNS_A), 0);
        assert_int_equal(dns_server_asked(f.dns, NULL, DNS_AAAA), 0);
}

static void both_families_are_found(void **state)
{
        (void)state;
        OWN(fini) struct answer both = { 0 }, four = { 0 }, six = { 0 };
        ask(&both, "both.test");
        assert_int_equal(both.set->n, 3);
        assert_true(has(both.set, "192.0.2.1:80"));
        assert_true(has(both.set, "192.0.2.2:80"));
        assert_true(has(both.set, "[2001:db8::1]:80"));
        ask(&four, "four.test");
        assert_int_equal(four.set->n, 1);
        assert_true(has(four.set, "192.0.2.4:80"));
        ask(&six, "six.test");
        assert_int_equal(six.set->n, 1);
        assert_true(has(six.set, "[2001:db8::6]:80"));
}

static void failures_are_told_in_words(void **state)
{
        (void)state;
        static const struct {
                const char *host, *error, *old_cares_error;
        } table[] = {
                { .host = "nowhere.test", .error = "no such name" },
                { .host = "empty.test", .error = "the name has no address" },
                { .host = "failing.test",
                  .error = "the name server failed",
                  .old_cares_error = "no name server could answer" },
                { .host = "refused.test",
                  .error = "the name server refused to answer",
                  .old_cares_error = "no name server could answer" },
                { .host = "silent.test", .error = "the name server did not answer in time" },
                { .host = "two..dots", .error = "not a possible name" },
        };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                OWN(fini) struct answer a = { 0 };
                ask(&a, table[i].host);
                assert_null(a.set);
                if (table[i].old_cares_error == NULL ||
                    strcmp(a.error, table[i].old_cares_error) != 0)
                        assert_string_equal(a.error, table[i].error);
                assert_int_equal(a.times, 1);
        }
}

static void a_remembered_name_is_not_asked_for_again(void **state)
{
        (void)state;
        static const char *const names[] = { "four.test", "zero.test" /* the least is 1 s */ };
        for (size_t i = 0; i < COUNTOF(names); i++) {
                OWN(fini) struct answer first = { 0 }, again = { 0 };
                ask(&first, names[i]);
                start(&again, names[i], 443);
                assert_true(again.done);
                assert_null(again.query);
                assert_int_equal(again.set->n, 1);
                assert_int_equal(ntohs(again.set->addresses[0].in.sin_port), 443);
                assert_int_equal(dns_server_asked(f.dns, names[i], DNS_A), 1);
        }
}

static void nap(void)
{
        event_base_loopexit(f.base, &(struct timeval){ .tv_usec = 20000 });
        event_base_dispatch(f.base);
}

/* Ask for it until the name server is asked again. Returns for how long it was not. */
static int64_t remembered_ms(const char *host)
{
        OWN(fini) struct answer a = { 0 };
        int64_t began = clock_ms(); /* before the answer came: what is measured is not too short */
        ask(&a, host);
        while (dns_server_asked(f.dns, host, DNS_A) < 2) {
                nap();
                assert_true(clock_ms() - began < 60000);
                ask(&a, host);
        }
        return clock_ms() - began;
}

static void the_smallest_ttl_counts(void **state)
{
        (void)state;
        static const char *const names[] = { "a-short.test", "aaaa-short.test",
                                             "cname-short.test" };
        for (size_t i = 0; i < COUNTOF(names); i++)
                assert_true(remembered_ms(names[i]) >= 1000);
}

static void failures_are_soon_forgotten(void **state)
{
        (void)state;
        static const struct dns_row back[] = {
                { .name = "nowhere.test", .a = { "192.0.2.1" }, .a_ttl = 60 }
        };
        OWN(fini) struct answer a = { 0 }, b = { 0 };
        ask(&a, "nowhere.test");
        assert_string_equal(a.error, "no such name");
        dns_server_set_rows(f.dns, back, COUNTOF(back));
        start(&b, "nowhere.test", 80);
        assert_true(b.done);
        assert_string_equal(b.error, "no such name");
        while (b.set == NULL) {
                nap();
                ask(&b, "nowhere.test");
        }
        assert_true(has(b.set, "192.0.2.1:80"));
        assert_int_equal(dns_server_asked(f.dns, "nowhere.test", DNS_A), 2);
}

static void who_asks_for_the_same_name_shares_a_lookup(void **state)
{
        (void)state;
        OWN(fini) struct answer a = { 0 }, b = { 0 }, c = { 0 };
        start(&a, "both.test", 1);
        start(&b, "BOTH.test", 2);
        start(&c, "both.test", 3);
        assert_false(a.done || b.done || c.done);
        net_run_until(f.base, &c.done);
        assert_true(a.done && b.done);
        assert_true(has(a.set, "192.0.2.1:1") && has(a.set, "[2001:db8::1]:1"));
        assert_true(has(b.set, "192.0.2.1:2") && has(b.set, "[2001:db8::1]:2"));
        assert_true(has(c.set, "192.0.2.1:3") && has(c.set, "[2001:db8::1]:3"));
        assert_int_equal(dns_server_asked(f.dns, NULL, DNS_A), 1);
        assert_int_equal(dns_server_asked(f.dns, NULL, DNS_AAAA), 1);
}

static void tick(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        ++*(unsigned *)arg;
}

static void a_silent_server_does_not_stop_the_loop(void **state)
{
        (void)state;
        unsigned ticks = 0;
        struct event *ticker = event_new(f.base, -1, EV_PERSIST, tick, &ticks);
        event_add(ticker, &(struct timeval){ .tv_usec = 5000 });
        OWN(fini) struct answer silent = { 0 }, other = { 0 };
        int64_t began = clock_ms();
        start(&silent, "silent.test", 80);
        ask(&other, "four.test");
        assert_true(has(other.set, "192.0.2.4:80"));
        assert_false(silent.done);
        net_run_until(f.base, &silent.done);
        assert_string_equal(silent.error, "the name server did not answer in time");
        assert_true(clock_ms() - began >= 200);
        assert_true(ticks >= 5);
        assert_int_equal(dns_server_asked(f.dns, "silent.test", DNS_A), 2);
        event_free(ticker);
}

static void cancelled_is_not_told(void **state)
{
        (void)state;
        resolve_cancel(NULL);
        OWN(fini) struct answer gone = { 0 }, kept = { 0 }, late = { 0 };
        start(&gone, "four.test", 1);
        start(&kept, "four.test", 2);
        resolve_cancel(TAKE(gone.query));
        net_run_until(f.base, &kept.done);
        assert_false(gone.done);
        assert_true(has(kept.set, "192.0.2.4:2"));

        /* The lookup goes on without anybody, and is remembered. */
        start(&gone, "six.test", 1);
        resolve_cancel(TAKE(gone.query));
        start(&late, "both.test", 1);
        net_run_until(f.base, &late.done);
        while (dns_server_asked(f.dns, "six.test", DNS_AAAA) == 0)
                nap();
        ask(&late, "six.test");
        assert_false(gone.done);
        assert_int_equal(dns_server_asked(f.dns, "six.test", DNS_AAAA), 1);
}

static void an_answer_may_cancel_another(void **state)
{
        (void)state;
        OWN(fini) struct answer first = { 0 }, second = { 0 }, third = { 0 };
        start(&first, "four.test", 1);
        start(&second, "four.test", 2);
        start(&third, "four.test", 3);
        first.cancel = &second.query; /* it has its answer already, but was not told */
        net_run_until(f.base, &third.done);
        assert_true(first.done);
        assert_false(second.done);
}

static void freeing_while_asking_is_silent(void **state)
{
        (void)state;
        OWN(fini) struct answer a = { 0 }, b = { 0 }, c = { 0 };
        start(&a, "silent.test", 1);
        start(&b, "silent.test", 2);
        start(&c, "four.test", 3);
        nap();
        start(&c, "six.test", 3);
        resolver_free(TAKE(f.resolver));
        net_run_ready(f.base);
        assert_false(a.done || b.done);
        assert_int_equal(c.times, 1);
}

static void an_answer_may_free_the_resolver(void **state)
{
        (void)state;
        OWN(fini) struct answer first = { .free_resolver = true }, second = { 0 }, other = { 0 };
        start(&other, "silent.test", 1);
        start(&first, "four.test", 1);
        start(&second, "four.test", 2);
        net_run_until(f.base, &first.done);
        net_run_ready(f.base);
        assert_null(f.resolver);
        assert_false(second.done || other.done);
}

static void the_systems_own_settings_make_a_resolver(void **state)
{
        (void)state;
        resolver_free(TAKE(f.resolver));
        f.resolver = resolver_new(f.base);
        assert_non_null(f.resolver);
        OWN(fini) struct answer a = { 0 };
        ask(&a, "localhost");
        assert_non_null(a.set);
        resolver_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(literals_are_answered_at_once),
                TEST(localhost_needs_no_name_server),
                TEST(both_families_are_found),
                TEST(failures_are_told_in_words),
                TEST(a_remembered_name_is_not_asked_for_again),
                TEST(the_smallest_ttl_counts),
                TEST(failures_are_soon_forgotten),
                TEST(who_asks_for_the_same_name_shares_a_lookup),
                TEST(a_silent_server_does_not_stop_the_loop),
                TEST(cancelled_is_not_told),
                TEST(an_answer_may_cancel_another),
                TEST(freeing_while_asking_is_silent),
                TEST(an_answer_may_free_the_resolver),
                TEST(the_systems_own_settings_make_a_resolver),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
