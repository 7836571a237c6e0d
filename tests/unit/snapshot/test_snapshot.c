/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/tcp.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../tls/cert.h"
#include "base/own.h"
#include "base/text.h"
#include "made.h"

/* A directory for Unix sockets; a test leaves it empty. */
struct place {
        char dir[64];
        char socket[96];
};

static int make_place(void **state)
{
        struct place *p = calloc(1, sizeof *p);
        snprintf(p->dir, sizeof p->dir, "/tmp/spliced-snapshot-XXXXXX");
        if (mkdtemp(p->dir) == NULL)
                return -1;
        snprintf(p->socket, sizeof p->socket, "%s/s", p->dir);
        *state = p;
        return 0;
}

static int leave_place(void **state)
{
        struct place *p = *state;
        int gone = rmdir(p->dir);
        free(p);
        return gone;
}

static bool exists(const char *path)
{
        struct stat st;
        return lstat(path, &st) == 0;
}

/* 0, or why there is no connection. */
static int try_to_connect(const struct sockaddress *a)
{
        OWN_FD int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        return connect(fd, &a->sa, a->len) == 0 ? 0 : errno;
}

/* A socket that has a port of 127.0.0.1 to itself. */
static int hold_a_port(struct sockaddress *a)
{
        *a = (struct sockaddress){ .len = sizeof a->in,
                                   .in = { .sin_family = AF_INET,
                                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(fd, &a->sa, a->len), 0);
        assert_int_equal(listen(fd, 1), 0);
        assert_int_equal(getsockname(fd, &a->sa, &a->len), 0);
        return fd;
}

static void every_address_of_every_service_is_bound(void **state)
{
        struct place *p = *state;
        struct snapshot *s = must_make("services: {\n"
                                       "a: { listen = [\"127.0.0.1:0\", \"unix:%s\"];\n"
                                       "     connect = \"echo\" }\n"
                                       "b: { listen = \"127.0.0.1:0\"; connect = \"discard\" } }",
                                       p->socket);
        assert_int_equal(s->n_services, 2);
        assert_int_equal(s->services[0]->n_socks, 2);
        assert_int_equal(s->services[1]->n_socks, 1);
        for (size_t i = 0; i < s->n_services; i++) {
                const struct service *service = s->services[i];
                assert_ptr_equal(service->conf, s->conf->services[i]);
                for (size_t j = 0; j < service->n_socks; j++)
                        assert_int_equal(try_to_connect(&service->socks[j]->address), 0);
        }
        assert_true(exists(p->socket));
        snapshot_unref(s);
        assert_false(exists(p->socket));
}

static void what_a_service_says_arrives_where_it_is_used(void **state)
{
        (void)state;
        struct snapshot *s =
                must_make("max-connections = 7\n"
                          "services: { a: { listen = \"127.0.0.1:0\"; connect = [\"127.0.0.1:1\", "
                          "\"[::1]:2\"]\n"
                          "max-connections = 3; balance = \"first\"; idle-timeout = \"1s\";\n"
                          "half-close-timeout = \"2s\"; write-timeout = \"3s\"\n"
                          "half-close = \"hold\"; truncation = \"forward\" } }");
        struct service *a = s->services[0];
        assert_int_equal(s->counts->tally.limit, 7);
        assert_int_equal(a->counts->tally.limit, 3);
        assert_int_equal(a->upstream.balance, CONFIG_BALANCE_FIRST);
        assert_int_equal(a->upstream.targets->n, 2);
        assert_int_equal(a->relay.idle_ms, 1000);
        assert_int_equal(a->relay.half_close_ms, 2000);
        assert_int_equal(a->relay.write_ms, 3000);
        assert_int_equal(a->relay.half_close, RELAY_HOLD);
        assert_int_equal(a->relay.truncation, RELAY_TRUNCATION_FORWARD);
        assert_true(a->relay.high_water > 0);
        assert_null(a->listen_tls);
        assert_null(a->connect_tls);
        snapshot_unref(s);
}

static void closing_words_mean_what_they_say(void **state)
{
        (void)state;
        static const struct {
                const char *half_close, *truncation;
                enum relay_half_close as;
                enum relay_truncation cut;
        } table[] = {
                { "propagate", "reset", RELAY_PROPAGATE, RELAY_TRUNCATION_RESET },
                { "hold", "forward", RELAY_HOLD, RELAY_TRUNCATION_FORWARD },
                { "close", "reset", RELAY_CLOSE, RELAY_TRUNCATION_RESET },
        };
        for (size_t i = 0; i < COUNTOF(table); i++) {
                struct snapshot *s =
                        must_make("services: { a: { listen = \"127.0.0.1:0\"; connect = \"echo\"\n"
                                  "half-close = \"%s\"; truncation = \"%s\" } }",
                                  table[i].half_close, table[i].truncation);
                assert_int_equal(s->services[0]->relay.half_close, table[i].as);
                assert_int_equal(s->services[0]->relay.truncation, table[i].cut);
                snapshot_unref(s);
        }
}

static const char *some_certificate(void)
{
        static const char *path;
        if (path == NULL) {
                struct cert c = cert_make((struct cert_spec){ .names = "DNS:localhost" });
                path = cert_write_both("some.pem", &c);
                cert_free(&c);
        }
        return path;
}

static void keys_are_loaded_for_the_legs_that_need_them(void **state)
{
        (void)state;
        struct snapshot *s =
                must_make("services: {\n"
                          "in:  { listen = \"127.0.0.1:0\"; connect = \"echo\"\n"
                          "       listen-tls: { certificate = \"%s\" } }\n"
                          "out: { listen = \"127.0.0.1:0\"; connect = \"127.0.0.1:1\"\n"
                          "       connect-tls: { verify = false } } }",
                          some_certificate());
        assert_non_null(s->services[0]->listen_tls);
        assert_null(s->services[0]->connect_tls);
        assert_null(s->services[1]->listen_tls);
        assert_non_null(s->services[1]->connect_tls);
        snapshot_unref(s);
}

/* Beside a running daemon, whose addresses these are. */
static void for_the_keys_alone_nothing_is_bound(void **state)
{
        struct place *p = *state;
        struct sockaddress taken;
        OWN_FD int other = hold_a_port(&taken);
        size_t before = open_descriptors();
        struct text conf = { 0 };
        text_addf(&conf,
                  "services: { a: { listen = [\"127.0.0.1:%u\", \"unix:%s\"]\n"
                  "connect = \"echo\"; listen-tls: { certificate = \"%s\" } } }",
                  ntohs(taken.in.sin_port), p->socket, some_certificate());
        struct made m = make(SNAPSHOT_KEYS, text_str(&conf));
        assert_string_equal(m.said, "");
        assert_int_equal(m.snapshot->services[0]->n_socks, 0);
        assert_non_null(m.snapshot->services[0]->listen_tls);
        assert_int_equal(open_descriptors(), before);
        assert_false(exists(p->socket));
        made_fini(&m);
        text_fini(&conf);
}

static void every_mistake_is_told_and_nothing_stays_open(void **state)
{
        struct place *p = *state;
        struct sockaddress taken;
        OWN_FD int other = hold_a_port(&taken);
        char certificate[128], busy[64];
        snprintf(certificate, sizeof certificate, "%s/none.pem", p->dir);
        snprintf(busy, sizeof busy, "127.0.0.1:%u", ntohs(taken.in.sin_port));
        size_t before = open_descriptors();
        struct text conf = { 0 };
        text_addf(&conf,
                  "services: {\n"
                  "good: { listen = [\"127.0.0.1:0\", \"unix:%s\"]; connect = \"echo\" }\n"
                  "busy: { connect = \"echo\"\n"
                  "  listen = [\"127.0.0.1:0\",\n"
                  "    \"%s\"] }\n"
                  "keyless: { listen = \"127.0.0.1:0\"; connect = \"echo\"; listen-tls: {\n"
                  "  certificate = \"%s\" } }\n"
                  "ours: { listen = \"unix:%s-2\"; connect = \"echo\"; listen-socket: {\n"
                  "  owner = \"no-such-user\"\n"
                  "  group = \"no-such-group\" } }\n"
                  "}",
                  p->socket, busy, certificate, p->socket);
        struct made m = make(SNAPSHOT_ALL, text_str(&conf));
        assert_null(m.snapshot);
        assert_int_equal(m.errors, 4);
        char part[256];
        snprintf(part, sizeof part, "t:5: listen %s: ", busy);
        assert_non_null(strstr(m.said, part));
        snprintf(part, sizeof part, "t:7: ");
        assert_non_null(strstr(m.said, part));
        assert_non_null(strstr(m.said, certificate));
        assert_non_null(strstr(m.said, "t:9: owner: there is no user \"no-such-user\"\n"
                                       "t:10: group: there is no group \"no-such-group\"\n"));
        assert_int_equal(open_descriptors(), before);
        assert_false(exists(p->socket));
        made_fini(&m);
        text_fini(&conf);
}

static void an_unknown_owner_is_a_mistake_even_when_nothing_is_bound(void **state)
{
        (void)state;
        static const enum snapshot_scope scopes[] = { SNAPSHOT_KEYS, SNAPSHOT_ALL };
        for (size_t i = 0; i < COUNTOF(scopes); i++) {
                struct made m = make(
                        scopes[i], "services: { a: { listen = \"127.0.0.1:0\"; connect = \"echo\"\n"
                                   "listen-socket: { group = \"no-such-group\";\n"
                                   "owner = \"no-such-user\" } } }");
                assert_string_equal(m.said, "t:3: owner: there is no user \"no-such-user\"\n"
                                            "t:2: group: there is no group \"no-such-group\"\n");
                made_fini(&m);
        }
}

/* Only the kernel knows what it offers, so it is asked; beside a running daemon, too. */
static void an_algorithm_the_kernel_has_not_is_a_mistake(void **state)
{
        (void)state;
        static const enum snapshot_scope scopes[] = { SNAPSHOT_KEYS, SNAPSHOT_ALL };
        for (size_t i = 0; i < COUNTOF(scopes); i++) {
                struct made m = make(
                        scopes[i], "services: { a: { listen = \"127.0.0.1:0\"; connect = \"echo\"\n"
                                   "listen-socket: { congestion = \"no-such\" }\n"
                                   "connect-socket: { congestion = \"nor-this\" } } }");
                assert_int_equal(m.errors, 2);
                assert_non_null(strstr(m.said, "t:2: congestion: this kernel does not offer "
                                               "\"no-such\"; it offers "));
                assert_non_null(strstr(m.said, "t:3: congestion: this kernel does not offer "
                                               "\"nor-this\"; it offers "));
                assert_non_null(strstr(m.said, "reno"));
                made_fini(&m);
        }
}

static const char *congestion_of(const struct lsock *l, char name[static 32])
{
        socklen_t len = 31;
        memset(name, 0, 32);
        assert_int_equal(getsockopt(l->fds[0], IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
        return name;
}

static void sockets_get_the_options_of_their_service(void **state)
{
        (void)state;
        char of_system[32], name[32];
        struct snapshot *s = must_make(
                "defaults: { connect-socket: { congestion = \"reno\"; busy-poll = \"20us\" } }\n"
                "services: {\n"
                "a: { listen = \"127.0.0.1:0\"; connect = \"127.0.0.1:1\"\n"
                "  listen-socket: { busy-poll = \"50us\" } }\n"
                "b: { listen = \"127.0.0.1:0\"; connect = \"127.0.0.1:1\"\n"
                "  listen-socket: { congestion = \"system\" }\n"
                "  connect-socket: { congestion = \"auto\"; busy-poll = \"off\" } }\n"
                "c: { listen = \"0.0.0.0:0\"; connect = \"127.0.0.1:1\" } }");
        struct service *const *all = s->services;
        congestion_of(all[1]->socks[0], of_system);
        assert_string_equal(congestion_of(all[0]->socks[0], name), "reno");
        assert_string_equal(congestion_of(all[2]->socks[0], name), of_system);
        assert_string_equal(all[0]->connect_options.elsewhere.congestion, "reno");
        assert_null(all[1]->connect_options.elsewhere.congestion);
        assert_string_equal(all[1]->connect_options.loopback.bulk_congestion, "reno");
        assert_int_equal(all[0]->relay.busy_poll_us, 50);
        assert_int_equal(all[1]->relay.busy_poll_us, 0);
        assert_int_equal(all[2]->relay.busy_poll_us, 20);
        snapshot_unref(s);
}

static void the_owner_gets_the_socket(void **state)
{
        struct place *p = *state;
        const struct passwd *nobody = getpwnam("nobody");
        if (geteuid() != 0 || nobody == NULL) {
                skip();
                return;
        }
        uid_t uid = nobody->pw_uid;
        struct snapshot *s = must_make("services: { a: { listen = \"unix:%s\"; connect = \"echo\"\n"
                                       "listen-socket: { owner = \"nobody\"; mode = \"0600\" } } }",
                                       p->socket);
        struct stat st;
        assert_int_equal(lstat(p->socket, &st), 0);
        assert_int_equal(st.st_uid, uid);
        assert_int_equal(st.st_gid, getegid());
        assert_int_equal(st.st_mode & 0777, 0600);
        snapshot_unref(s);
}

static void closed_sockets_refuse_and_leave_no_path(void **state)
{
        struct place *p = *state;
        size_t before = open_descriptors();
        struct snapshot *s = must_make("services: { a: { listen = [\"127.0.0.1:0\", \"unix:%s\"]\n"
                                       "connect = \"echo\" } }",
                                       p->socket);
        struct sockaddress tcp = s->services[0]->socks[0]->address;
        assert_int_equal(try_to_connect(&tcp), 0);
        snapshot_close_sockets(s, NULL);
        assert_int_equal(try_to_connect(&tcp), ECONNREFUSED);
        assert_false(exists(p->socket));
        assert_int_equal(open_descriptors(), before);
        snapshot_close_sockets(s, NULL);
        snapshot_unref(s);
        assert_int_equal(open_descriptors(), before);
}

static void it_lives_as_long_as_anybody_holds_it(void **state)
{
        struct place *p = *state;
        struct snapshot *s = must_make(
                "services: { a: { listen = \"unix:%s\"; connect = \"echo\" } }", p->socket);
        assert_ptr_equal(snapshot_ref(s), s);
        snapshot_unref(s);
        assert_true(exists(p->socket));
        assert_string_equal(s->services[0]->conf->name, "a");
        snapshot_unref(s);
        assert_false(exists(p->socket));
        snapshot_unref(NULL);
}

#define PLACED(name) cmocka_unit_test_setup_teardown(name, make_place, leave_place)

int main(void)
{
        const struct CMUnitTest tests[] = {
                PLACED(every_address_of_every_service_is_bound),
                cmocka_unit_test(what_a_service_says_arrives_where_it_is_used),
                cmocka_unit_test(closing_words_mean_what_they_say),
                cmocka_unit_test(keys_are_loaded_for_the_legs_that_need_them),
                PLACED(for_the_keys_alone_nothing_is_bound),
                PLACED(every_mistake_is_told_and_nothing_stays_open),
                cmocka_unit_test(an_unknown_owner_is_a_mistake_even_when_nothing_is_bound),
                cmocka_unit_test(an_algorithm_the_kernel_has_not_is_a_mistake),
                cmocka_unit_test(sockets_get_the_options_of_their_service),
                PLACED(the_owner_gets_the_socket),
                PLACED(closed_sockets_refuse_and_leave_no_path),
                PLACED(it_lives_as_long_as_anybody_holds_it),
        };
        return cmocka_run_group_tests_name("snapshot/snapshot", tests, NULL, NULL);
}
