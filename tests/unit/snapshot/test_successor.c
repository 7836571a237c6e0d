/* SPDX-License-Identifier: ISC */
/* A snapshot in the place of another: what it keeps of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "../tls/cert.h"
#include "base/own.h"
#include "made.h"

/* After running; must be fine. */
static struct snapshot *succeed(const struct snapshot *running, const char *text)
{
        struct made m = make_after(running, text);
        if (m.snapshot == NULL)
                fail_msg("%s\nsays:\n%s", text, m.said);
        free(m.said);
        return m.snapshot;
}

static int try_to_connect(const struct sockaddress *a)
{
        OWN_FD int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        return connect(fd, &a->sa, a->len) == 0 ? 0 : errno;
}

static void sockets_are_kept_by_address(void **state)
{
        (void)state;
        struct snapshot *a = must_make(
                "workers = 3\n"
                "services: { x: { listen = [\"127.0.0.1:0\", \"[::1]:0\"]; connect = \"echo\" }\n"
                "y: { listen = \"127.0.0.1:0\"; connect = \"echo\" } }");
        size_t before = open_descriptors();
        /* Another number of workers is for a restart. */
        struct snapshot *b =
                succeed(a, "workers = 7\n"
                           "services: { y: { listen = \"127.0.0.1:0\"; connect = \"discard\" }\n"
                           "x: { listen = [\"[::1]:0\", \"127.0.0.1:0\"]; connect = \"echo\" } }");
        assert_int_equal(b->n_workers, 3);
        assert_int_equal(open_descriptors(), before);
        assert_ptr_equal(snapshot_service(b, "y")->socks[0], snapshot_service(a, "y")->socks[0]);
        assert_ptr_equal(snapshot_service(b, "x")->socks[0], snapshot_service(a, "x")->socks[1]);
        assert_ptr_equal(snapshot_service(b, "x")->socks[1], snapshot_service(a, "x")->socks[0]);
        snapshot_close_sockets(a, b);
        snapshot_unref(a);
        assert_int_equal(open_descriptors(), before);
        snapshot_unref(b);
        assert_int_equal(open_descriptors(), before - 9);
}

static void what_is_left_is_closed_and_no_more(void **state)
{
        (void)state;
        struct snapshot *a =
                must_make("services: { x: { listen = \"127.0.0.1:0\"; connect = \"echo\" }\n"
                          "y: { listen = \"127.0.0.1:0\"; connect = \"echo\" } }");
        struct sockaddress x = snapshot_service(a, "x")->socks[0]->address;
        struct sockaddress y = snapshot_service(a, "y")->socks[0]->address;
        struct snapshot *b =
                succeed(a, "services: { x: { listen = \"127.0.0.1:0\"; connect = \"echo\" } }");
        snapshot_close_sockets(a, b);
        assert_int_equal(try_to_connect(&x), 0);
        assert_int_equal(try_to_connect(&y), ECONNREFUSED);
        snapshot_unref(a);
        snapshot_unref(b);
        assert_int_equal(try_to_connect(&x), ECONNREFUSED);
}

/* Port 0 is the service's own; a port that is written down is whoever's it is now. */
static void any_port_does_not_change_hands(void **state)
{
        (void)state;
        struct snapshot *a =
                must_make("services: { x: { listen = \"127.0.0.1:0\"; connect = \"echo\" } }");
        struct lsock *kept = a->services[0]->socks[0];
        struct snapshot *b =
                succeed(a, "services: { z: { listen = \"127.0.0.1:0\"; connect = \"echo\" } }");
        assert_ptr_not_equal(b->services[0]->socks[0], kept);
        char text[256], address[SOCKADDRESS_TEXT_MAX];
        snprintf(text, sizeof text, "services: { z: { listen = \"%s\"; connect = \"echo\" } }",
                 sockaddress_text(&kept->address, address));
        struct snapshot *c = succeed(a, text);
        assert_ptr_equal(c->services[0]->socks[0], kept);
        snapshot_unref(a);
        snapshot_unref(b);
        snapshot_unref(c);
}

static void an_address_is_kept_once(void **state)
{
        (void)state;
        struct snapshot *a =
                must_make("services: { x: { listen = \"127.0.0.1:0\"; connect = \"echo\" } }");
        char text[256], address[SOCKADDRESS_TEXT_MAX];
        unsigned port = sockaddress_port(&a->services[0]->socks[0]->address);
        sockaddress_text(&a->services[0]->socks[0]->address, address);
        snprintf(text, sizeof text,
                 "services: { x: { listen = \"%s\"; connect = \"echo\" }\n"
                 "y: { listen = \"localhost:%u\"; connect = \"echo\"; } }",
                 address, port);
        struct made m = make_after(a, text);
        assert_null(m.snapshot);
        assert_non_null(strstr(m.said, "another program or service listens there"));
        made_fini(&m);
        assert_int_equal(try_to_connect(&a->services[0]->socks[0]->address), 0);
        snapshot_unref(a);
}

static void counts_and_turns_go_on(void **state)
{
        (void)state;
#define TEXT(all, one)                                \
        "max-connections = " #all "\n"                \
        "services: { x: { listen = \"127.0.0.1:0\"\n" \
        "max-connections = " #one "\n"                \
        "connect = [\"127.0.0.1:1\", \"127.0.0.1:2\"] } }"
        struct snapshot *a = must_make(TEXT(3, 2));
        struct service *x = a->services[0];
        const struct addr *order[2];
        assert_true(tally_enter(&x->counts->tally));
        upstream_order(&x->upstream, order);
        assert_int_equal(order[0]->port, 1);
        struct snapshot *b = succeed(a, TEXT(30, 20));
        assert_ptr_equal(b->services[0]->counts, x->counts);
        assert_ptr_equal(b->counts, a->counts);
        upstream_order(&b->services[0]->upstream, order);
        assert_int_equal(order[0]->port, 2);
        /* Until it is published what runs is as it was. */
        assert_int_equal(x->counts->tally.limit, 2);
        struct diag *diag = diag_new();
        snapshot_publish(b, diag);
        assert_int_equal(diag_errors(diag), 0);
        assert_int_equal(x->counts->tally.limit, 20);
        assert_int_equal(a->counts->tally.limit, 30);
        diag_free(diag);
        snapshot_unref(a);
        tally_leave(&b->services[0]->counts->tally);
        snapshot_unref(b);
}

static void a_mistake_leaves_nothing_behind(void **state)
{
        (void)state;
        struct snapshot *a =
                must_make("services: { x: { listen = \"127.0.0.1:0\"; connect = \"echo\" } }");
        size_t before = open_descriptors();
        struct made m =
                make_after(a, "services: { x: { listen = \"127.0.0.1:0\"; connect = \"echo\" }\n"
                              "y: { listen = \"127.0.0.1:0\"; connect = \"echo\" }\n"
                              "z: { listen = \"192.0.2.1:1\"; connect = \"echo\" } }");
        assert_null(m.snapshot);
        assert_int_equal(m.errors, 1);
        made_fini(&m);
        assert_int_equal(open_descriptors(), before);
        assert_int_equal(try_to_connect(&a->services[0]->socks[0]->address), 0);
        snapshot_unref(a);
}

/* Returns what could not be used. */
static size_t renewed(const struct snapshot *running, struct snapshot **made)
{
        struct diag *unusable = diag_new(), *diag = diag_new();
        *made = snapshot_renew(running, unusable, diag);
        assert_int_equal(diag_errors(diag), 0);
        assert_non_null(*made);
        size_t n = diag_errors(unusable);
        diag_free(unusable);
        diag_free(diag);
        return n;
}

static void certificates_are_read_again_or_stay(void **state)
{
        (void)state;
        struct cert cert = cert_make((struct cert_spec){ .names = "DNS:localhost" });
        struct snapshot *a =
                must_make("services: { x: { listen = \"127.0.0.1:0\"; connect = \"echo\"\n"
                          "listen-tls: { certificate = \"%s\"; } } }",
                          cert_write_both("c.pem", &cert));
        cert_free(&cert);
        struct snapshot *b, *c;
        assert_int_equal(renewed(a, &b), 0);
        assert_ptr_not_equal(b->services[0]->listen_tls, a->services[0]->listen_tls);
        assert_ptr_equal(b->services[0]->socks[0], a->services[0]->socks[0]);
        assert_ptr_equal(b->conf, a->conf);
        cert_write_text("c.pem", "rubbish");
        assert_int_equal(renewed(b, &c), 1);
        assert_ptr_equal(c->services[0]->listen_tls, b->services[0]->listen_tls);
        snapshot_unref(a);
        snapshot_unref(b);
        snapshot_unref(c);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(sockets_are_kept_by_address),
                cmocka_unit_test(what_is_left_is_closed_and_no_more),
                cmocka_unit_test(any_port_does_not_change_hands),
                cmocka_unit_test(an_address_is_kept_once),
                cmocka_unit_test(counts_and_turns_go_on),
                cmocka_unit_test(a_mistake_leaves_nothing_behind),
                cmocka_unit_test(certificates_are_read_again_or_stay),
        };
        return cmocka_run_group_tests_name("snapshot/successor", tests, NULL, NULL);
}
