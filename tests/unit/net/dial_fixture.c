/* SPDX-License-Identifier: ISC */
#include "dial_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/own.h"
#include "net/stream.h"

static int tcp_bound(struct sockaddr_in *bound)
{
        *bound = (struct sockaddr_in){ .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t len = sizeof *bound;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (struct sockaddr *)bound, len), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)bound, &len), 0);
        return fd;
}

int tcp_refusing(void)
{
        struct sockaddr_in bound;
        return tcp_bound(&bound);
}

int tcp_listener(int backlog)
{
        int fd = tcp_refusing();
        assert_int_equal(listen(fd, backlog), 0);
        return fd;
}

uint16_t tcp_port(int fd)
{
        struct sockaddr_in bound;
        socklen_t len = sizeof bound;
        assert_int_equal(getsockname(fd, (struct sockaddr *)&bound, &len), 0);
        return ntohs(bound.sin_port);
}

/* A backlog of 0 takes one connection; it stays after its client has gone. */
int tcp_black_hole(void)
{
        struct sockaddr_in bound;
        int fd = tcp_bound(&bound);
        assert_int_equal(listen(fd, 0), 0);
        OWN_FD int filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(filler, (struct sockaddr *)&bound, sizeof bound), 0);
        return fd;
}

void unix_place_init(struct unix_place *p, int backlog)
{
        *p = (struct unix_place){ .dir = "/tmp/dial.XXXXXX", .listener = -1 };
        assert_non_null(mkdtemp(p->dir));
        snprintf(p->path, sizeof p->path, "%s/socket", p->dir);
        struct sockaddr_un at = { .sun_family = AF_UNIX };
        strncpy(at.sun_path, p->path, sizeof at.sun_path - 1);
        p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(p->listener >= 0);
        assert_int_equal(bind(p->listener, (struct sockaddr *)&at, sizeof at), 0);
        assert_int_equal(listen(p->listener, backlog), 0);
}

void unix_place_fill(struct unix_place *p)
{
        struct sockaddr_un at = { .sun_family = AF_UNIX };
        strncpy(at.sun_path, p->path, sizeof at.sun_path - 1);
        for (;;) {
                assert_true(p->n_fillers < COUNTOF(p->fillers));
                int *fd = &p->fillers[p->n_fillers++];
                *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
                assert_true(*fd >= 0);
                if (connect(*fd, (struct sockaddr *)&at, sizeof at) == 0)
                        continue;
                assert_int_equal(errno, EAGAIN);
                return;
        }
}

void unix_place_fini(struct unix_place *p)
{
        own_close(&p->listener);
        while (p->n_fillers > 0)
                own_close(&p->fillers[--p->n_fillers]);
        unlink(p->path);
        rmdir(p->dir);
}

void targets_add(struct targets *t, const char *format, ...)
{
        char text[128];
        va_list args;
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        struct addr *a = calloc(1, sizeof *a);
        assert_non_null(a);
        assert_null(addr_parse(text, ADDR_FOR_CONNECT, a));
        t->list = reallocarray(t->list, t->n + 1, sizeof(*t->list));
        t->owned = reallocarray(t->owned, t->n + 1, sizeof(*t->owned));
        assert_non_null(t->list);
        assert_non_null(t->owned);
        t->list[t->n] = t->owned[t->n] = a;
        t->n++;
}

void targets_fini(struct targets *t)
{
        for (size_t i = 0; i < t->n; i++) {
                addr_fini(t->owned[i]);
                free(t->owned[i]);
        }
        free(TAKE(t->owned));
        free(TAKE(t->list));
        t->n = 0;
}

void outcome_set(struct dial_result *result, void *arg)
{
        struct outcome *o = arg;
        assert_false(o->done);
        o->result = *result;
        o->done = true;
}

void outcome_fini(struct outcome *o)
{
        if (o->done)
                dial_attempts_free(o->result.attempts);
        stream_free(o->result.stream, STREAM_CLOSE);
}

size_t attempts_count(const struct dial_attempt *first)
{
        size_t n = 0;
        for (; first != NULL; first = first->next)
                n++;
        return n;
}

const struct dial_attempt *attempt_at(const struct dial_attempt *first, size_t n)
{
        for (; n > 0 && first != NULL; n--)
                first = first->next;
        assert_non_null(first);
        return first;
}

struct sockaddress attempt_address(const struct dial_attempt *a)
{
        struct sockaddress address;
        dial_attempt_address(a, &address);
        return address;
}
