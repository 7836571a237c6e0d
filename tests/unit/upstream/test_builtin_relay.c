/* SPDX-License-Identifier: ISC */
/* The built-ins as the upstream of a relay, with a client behind a real socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/own.h"
#include "net/hangup.h"
#include "net/io.h"
#include "net/stream_plain.h"
#include "relay/relay.h"
#include "upstream/builtin.h"

enum { MUCH = 3 * 1024 * 1024 + 17 };

/* The client, in a process of its own; 0 when it got what it should. */
typedef int client_fn(int fd);

struct ending {
        struct event_base *base;
        bool over;
        struct relay_result result;
        struct relay_stats stats;
};

static void on_over(const struct relay_result *result, void *arg)
{
        struct ending *e = arg;
        e->over = true;
        e->result = *result;
        event_base_loopbreak(e->base);
}

static int start_client(client_fn *fn, int pair[2])
{
        pid_t child = fork();
        if (child == 0) {
                close(pair[0]);
                _exit(fn(pair[1]));
        }
        own_close(&pair[1]);
        return child;
}

/* Join a client and a built-in until it is over; the client must be content. */
static struct ending join(const char *builtin, client_fn *fn, const struct relay_settings *settings)
{
        int pair[2], status;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        pid_t child = start_client(fn, pair);
        fcntl(pair[0], F_SETFL, O_NONBLOCK);
        struct ending e = { .base = event_base_new() };
        struct io *io = io_new(e.base, NULL);
        struct hangup *hangup = hangup_new(e.base);
        struct stream *client = stream_plain_new(e.base, hangup, &pair[0]);
        struct stream *upstream = builtin_new(e.base, builtin);
        struct relay *relay = relay_new(io, client, upstream, settings, on_over, &e);
        relay_start(relay);
        while (!e.over)
                assert_int_equal(event_base_loop(e.base, EVLOOP_ONCE), 0);
        relay_stats(relay, &e.stats);
        relay_free(relay);
        stream_free(client, e.result.close);
        stream_free(upstream, e.result.close);
        hangup_free(hangup);
        io_free(io);
        event_base_free(e.base);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        return e;
}

static const struct relay_settings usual = { .high_water = 128 * 1024 };

static unsigned char octet(size_t i)
{
        return (unsigned char)(i * 31 + i / 509);
}

/* Send as much as goes without reading, which is until everything between is full; then both. */
static int send_until_stuck_then_read(int fd)
{
        OWN_FREE unsigned char *data = malloc(MUCH);
        size_t sent = 0, got = 0;
        short events = POLLOUT;
        for (size_t i = 0; i < MUCH; i++)
                data[i] = octet(i);
        fcntl(fd, F_SETFL, O_NONBLOCK);
        while (got < MUCH) {
                unsigned char buf[10007];
                struct pollfd ready = { .fd = fd, .events = events };
                if (poll(&ready, 1, events == POLLOUT ? 100 : 30000) == 0) {
                        if (events != POLLOUT)
                                return 1;
                        events = POLLIN | POLLOUT;
                }
                if (ready.revents & POLLOUT) {
                        ssize_t n = write(fd, data + sent, MUCH - sent);
                        sent += n > 0 ? (size_t)n : 0;
                }
                if (sent == MUCH && (events & POLLOUT)) {
                        shutdown(fd, SHUT_WR);
                        events = POLLIN;
                }
                ssize_t n = ready.revents & POLLIN ? read(fd, buf, sizeof buf) : -1;
                if (n == 0 || (n > 0 && memcmp(buf, data + got, (size_t)n) != 0))
                        return 2;
                got += n > 0 ? (size_t)n : 0;
        }
        fcntl(fd, F_SETFL, 0);
        return read(fd, data, 1) == 0 ? 0 : 3;
}

static void echo_returns_megabytes_and_the_end(void **state)
{
        (void)state;
        struct ending e = join("echo", send_until_stuck_then_read, &usual);
        assert_int_equal(e.result.outcome, RELAY_ENDED);
        assert_int_equal(e.result.side, RELAY_CLIENT);
        assert_int_equal(e.result.close, STREAM_CLOSE);
        assert_int_equal(e.stats.bytes_up, MUCH);
        assert_int_equal(e.stats.bytes_down, MUCH);
}

static int send_much(int fd)
{
        static const char data[MUCH];
        char end;
        if (send(fd, data, sizeof data, MSG_WAITALL) != (ssize_t)sizeof data)
                return 1;
        shutdown(fd, SHUT_WR);
        return read(fd, &end, 1) == 0 ? 0 : 2;
}

static void discard_takes_megabytes_and_ends(void **state)
{
        (void)state;
        struct ending e = join("discard", send_much, &usual);
        assert_int_equal(e.result.outcome, RELAY_ENDED);
        assert_int_equal(e.stats.bytes_up, MUCH);
        assert_int_equal(e.stats.bytes_down, 0);
}

static int read_much_then_end(int fd)
{
        OWN_FREE char *data = malloc(MUCH);
        if (recv(fd, data, MUCH, MSG_WAITALL) != MUCH)
                return 1;
        for (size_t i = 0; i < MUCH; i++)
                if (i % 74 < 72 && data[i] != (char)(' ' + (i / 74 + i % 74) % 95))
                        return 2;
        shutdown(fd, SHUT_WR);
        ssize_t n;
        while ((n = read(fd, data, MUCH)) > 0)
                continue;
        return n == 0 ? 0 : 3;
}

static void chargen_talks_until_the_client_ends(void **state)
{
        (void)state;
        struct ending e = join("chargen", read_much_then_end, &usual);
        assert_int_equal(e.result.outcome, RELAY_ENDED);
        assert_int_equal(e.result.side, RELAY_CLIENT);
        assert_true(e.stats.bytes_down >= MUCH);
}

static int read_a_line_and_the_end(int fd)
{
        char line[128];
        ssize_t n = recv(fd, line, sizeof line, MSG_WAITALL);
        return n > 20 && line[n - 2] == '\r' && line[n - 1] == '\n' ? 0 : 1;
}

static void daytime_ends_first(void **state)
{
        (void)state;
        struct ending e = join("daytime", read_a_line_and_the_end, &usual);
        assert_int_equal(e.result.outcome, RELAY_ENDED);
        assert_int_equal(e.result.side, RELAY_UPSTREAM);
        assert_int_equal(e.stats.bytes_up, 0);
}

static int send_and_wait(int fd)
{
        char got[8];
        struct pollfd over = { .fd = fd, .events = POLLIN };
        if (write(fd, "ping", 4) != 4 || recv(fd, got, 4, MSG_WAITALL) != 4)
                return 1;
        return poll(&over, 1, 30000) == 1 ? 0 : 2;
}

static void timers_hold_for_a_builtin_too(void **state)
{
        (void)state;
        struct relay_settings settings = usual;
        settings.idle_ms = 50;
        struct ending e = join("echo", send_and_wait, &settings);
        assert_int_equal(e.result.outcome, RELAY_IDLE_TIMEOUT);
        assert_int_equal(e.result.close, STREAM_CLOSE_RESET);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(echo_returns_megabytes_and_the_end),
                cmocka_unit_test(discard_takes_megabytes_and_ends),
                cmocka_unit_test(chargen_talks_until_the_client_ends),
                cmocka_unit_test(daytime_ends_first),
                cmocka_unit_test(timers_hold_for_a_builtin_too),
        };
        alarm(120); /* a test that waits for ever fails */
        return cmocka_run_group_tests_name("upstream/builtin_relay", tests, NULL, NULL);
}
