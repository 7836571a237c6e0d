/* SPDX-License-Identifier: ISC */
/* What is confined is so in a child: there is no way out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "../child.h"
#include "base/addr.h"
#include "base/own.h"
#include "base/text.h"
#include "control/landlock.h"
#include "control/sandbox.h"
#include "control/sandbox_ports.h"

static struct config *configure(const char *text)
{
        struct diag *diag = diag_new();
        struct config *conf = config_read_text(text, "t", diag);
        diag_print(diag, stderr);
        assert_non_null(conf);
        diag_free(diag);
        return conf;
}

static struct sandbox_ports ports_of(const char *text)
{
        struct sandbox_ports p = { 0 };
        struct config *conf = configure(text);
        sandbox_ports_of_config(&p, conf);
        config_free(conf);
        return p;
}

/* --- which ------------------------------------------------------------------------------------ */

#define SERVICE(listen, connect) \
        "services: { a: { listen = [" listen "]; connect = [" connect "]; } }\n"

/* A list of the ports in a set, as "1 22 ". */
static const char *list(const struct sandbox_ports *p, enum sandbox_port_use use, struct text *out)
{
        for (unsigned port = 1; port <= UINT16_MAX; port++)
                if (sandbox_ports_cover(p, use, (uint16_t)port))
                        text_addf(out, "%u ", port);
        return text_str(out);
}

static void test_ports_of_a_configuration(void **state)
{
        (void)state;
        static const struct {
                const char *conf, *bound, *connected;
        } rows[] = {
                { SERVICE("\"127.0.0.1:81\"", "\"10.0.0.1:82\""), "81 ", "82 " },
                { SERVICE("\"*:65535\", \"[::1]:64\"", "\"[::1]:63\", \"10.0.0.1:65535\""),
                  "64 65535 ", "63 65535 " },
                { SERVICE("\"unix:/a\", \"systemd:b\"", "\"unix:@c\""), "", "" },
                { SERVICE("\"127.0.0.1:81\"", "\"echo\""), "81 ", "" },
                { SERVICE("\"127.0.0.1:81\"", "\"name.example:82\""), "81 ", "53 82 " },
                { SERVICE("\"name.example:81\"", "\"echo\""), "81 ", "53 " },
                { "admin = \"127.0.0.1:90\";\n" SERVICE("\"127.0.0.1:81\"", "\"echo\""), "81 90 ",
                  "" },
        };
        for (size_t i = 0; i < COUNTOF(rows); i++) {
                OWN(text_fini) struct text bound = { 0 }, connected = { 0 };
                const struct sandbox_ports p = ports_of(rows[i].conf);
                assert_string_equal(list(&p, SANDBOX_BIND, &bound), rows[i].bound);
                assert_string_equal(list(&p, SANDBOX_CONNECT, &connected), rows[i].connected);
        }
}

static void test_port_0_is_any_to_bind(void **state)
{
        (void)state;
        const struct sandbox_ports p = ports_of(SERVICE("\"127.0.0.1:0\"", "\"10.0.0.1:82\""));
        assert_true(sandbox_ports_cover(&p, SANDBOX_BIND, 1));
        assert_true(sandbox_ports_cover(&p, SANDBOX_BIND, UINT16_MAX));
        assert_false(sandbox_ports_cover(&p, SANDBOX_CONNECT, 1));
}

/* --- another configuration -------------------------------------------------------------------- */

static const char former[] = SERVICE("\"127.0.0.1:81\", \"127.0.0.1:83\"", "\"10.0.0.1:82\"");

static void test_another_configuration(void **state)
{
        (void)state;
        static const struct {
                const char *conf, *said; /* NULL: nothing */
        } rows[] = {
                { former, NULL },
                { SERVICE("\"[::1]:83\"", "\"10.0.0.2:82\""), NULL },
                { SERVICE("\"unix:/a\"", "\"echo\""), NULL },
                { "\n\n" SERVICE("\"127.0.0.1:82\"", "\"echo\""),
                  "t:3: listen \"127.0.0.1:82\": the configuration the daemon was started with "
                  "listens on no port 82, and sandbox-ports keeps it to that; do so\n" },
                { "\n" SERVICE("\"127.0.0.1:81\"", "\"10.0.0.1:81\""),
                  "t:2: connect \"10.0.0.1:81\": the configuration the daemon was started with "
                  "connects to no port 81, and sandbox-ports keeps it to that; do so\n" },
                { "admin = \"127.0.0.1:90\"\n" SERVICE("\"127.0.0.1:81\"", "\"echo\""),
                  "t:1: admin \"127.0.0.1:90\": the configuration the daemon was started with "
                  "listens on no port 90, and sandbox-ports keeps it to that; do so\n" },
                { SERVICE("\"127.0.0.1:81\"", "\"name.example:82\""),
                  "t:1: connect \"name.example:82\": the configuration the daemon was started with "
                  "connects to no port 53, where names are asked for, and sandbox-ports keeps it "
                  "to that; do so\n" },
        };
        const struct sandbox_ports p = ports_of(former);
        for (size_t i = 0; i < COUNTOF(rows); i++) {
                OWN_FREE char *said = NULL;
                size_t n;
                FILE *to = open_memstream(&said, &n);
                struct diag *diag = diag_new();
                struct config *conf = configure(rows[i].conf);
                assert_int_equal(sandbox_ports_check(&p, conf, "do so", diag),
                                 rows[i].said == NULL);
                diag_print(diag, to);
                fclose(to);
                assert_string_equal(said, rows[i].said != NULL ? rows[i].said : "");
                config_free(conf);
                diag_free(diag);
        }
}

/* --- inside ----------------------------------------------------------------------------------- */

static struct sockaddress loopback(uint16_t port)
{
        struct sockaddress a = { .len = sizeof a.in };
        a.in = (struct sockaddr_in){ .sin_family = AF_INET,
                                     .sin_port = htons(port),
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        return a;
}

static int bind_error(uint16_t port)
{
        const struct sockaddress a = loopback(port);
        OWN_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        return bind(fd, &a.sa, a.len) < 0 ? errno : 0;
}

static int connect_error(uint16_t port)
{
        const struct sockaddress a = loopback(port);
        OWN_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        return connect(fd, &a.sa, a.len) < 0 ? errno : 0;
}

/* A socket on a port of the kernel's choice, which nobody else gets meanwhile. */
static int listener(uint16_t *port)
{
        struct sockaddress a = loopback(0);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(fd, &a.sa, a.len), 0);
        assert_int_equal(listen(fd, 1), 0);
        assert_int_equal(getsockname(fd, &a.sa, &a.len), 0);
        *port = sockaddress_port(&a);
        return fd;
}

static void enter(const char *setting, const char *services)
{
        OWN(text_fini) struct text text = { 0 };
        text_addf(&text, "control = \"off\"\nsandbox-ports = \"%s\"\n%s", setting, services);
        struct diag *diag = diag_new();
        struct config *conf = configure(text_str(&text));
        assert_true(sandbox_enter(conf, diag));
        assert_int_equal(diag_errors(diag), 0);
        config_free(conf);
        diag_free(diag);
}

/* EADDRINUSE and success are what was let through; a port that is not let through says EACCES. */
static void has_these_ports(const void *arg)
{
        (void)arg;
        uint16_t bound, connected;
        OWN_FD int a = listener(&bound);
        OWN_FD int b = listener(&connected);
        OWN(text_fini) struct text conf = { 0 };
        text_addf(&conf, SERVICE("\"127.0.0.1:%u\"", "\"127.0.0.1:%u\""), bound, connected);
        assert_int_equal(connect_error(bound), 0);
        assert_int_equal(bind_error(connected), EADDRINUSE);
        enter("configured", text_str(&conf));
        assert_int_equal(connect_error(connected), 0);
        assert_int_equal(connect_error(bound), EACCES);
        assert_int_equal(bind_error(bound), EADDRINUSE);
        assert_int_equal(bind_error(connected), EACCES);
        assert_int_equal(bind_error(0), EACCES);
}

static void binds_any(const void *arg)
{
        (void)arg;
        uint16_t port;
        OWN_FD int fd = listener(&port);
        enter("configured", SERVICE("\"127.0.0.1:0\"", "\"echo\""));
        assert_int_equal(bind_error(0), 0);
        assert_int_equal(bind_error(port), EADDRINUSE);
        assert_int_equal(connect_error(port), EACCES);
}

static void has_all(const void *arg)
{
        (void)arg;
        uint16_t port;
        OWN_FD int fd = listener(&port);
        enter("any", SERVICE("\"127.0.0.1:81\"", "\"10.0.0.1:82\""));
        assert_int_equal(connect_error(port), 0);
        assert_int_equal(bind_error(port), EADDRINUSE);
        assert_int_equal(bind_error(0), 0);
}

static void test_no_other_port_is_had(void **state)
{
        (void)state;
        if (landlock_version() < LANDLOCK_WITH_PORTS || under_valgrind())
                skip();
        assert_int_equal(in_child(has_these_ports, NULL), 0);
        assert_int_equal(in_child(binds_any, NULL), 0);
        assert_int_equal(in_child(has_all, NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ports_of_a_configuration),
                cmocka_unit_test(test_port_0_is_any_to_bind),
                cmocka_unit_test(test_another_configuration),
                cmocka_unit_test(test_no_other_port_is_had),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
