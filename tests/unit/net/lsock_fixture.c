/* SPDX-License-Identifier: ISC */
#include "lsock_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

const struct lsock_settings usual = { .mode = (mode_t)-1, .uid = (uid_t)-1, .gid = (gid_t)-1 };
static const struct origin here = { "x.conf", 3 };

struct opened open_with(const char *text, const struct lsock_settings *settings)
{
        struct opened o = { 0 };
        struct addr a;
        size_t said_n;
        const char *wrong = addr_parse(text, ADDR_FOR_LISTEN, &a);
        if (wrong != NULL)
                fail_msg("\"%s\" %s", text, wrong);
        struct diag *d = diag_new();
        o.ok = lsock_open(&a, settings, d, &here, &o.socks, &o.n);
        assert_int_equal(o.ok, diag_errors(d) == 0);
        FILE *to = open_memstream(&o.said, &said_n);
        diag_print(d, to);
        fclose(to);
        diag_free(d);
        addr_fini(&a);
        if (!o.ok)
                assert_int_equal(o.n, 0);
        return o;
}

struct opened open_usual(const char *text)
{
        return open_with(text, &usual);
}

void opened_fini(struct opened *o)
{
        for (size_t i = 0; i < o->n; i++)
                lsock_unref(o->socks[i]);
        free(o->socks);
        free(o->said);
        *o = (struct opened){ 0 };
}

int option(int fd, int level, int name)
{
        int value = -1;
        socklen_t len = sizeof value;
        assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
        return value;
}

void assert_says(const struct opened *o, const char *part)
{
        if (strstr(o->said, part) == NULL)
                fail_msg("not in what was said: \"%s\"\n%s", part, o->said);
}

int dial(const struct sockaddress *a)
{
        OWN_FD int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        return connect(fd, &a->sa, a->len) == 0 ? TAKE_FD(fd) : -1;
}

void assert_serves(const struct lsock *l)
{
        OWN_FD int client = dial(&l->address);
        if (client < 0)
                fail_msg("connect: %s", strerror(errno));
        struct pollfd ready = { .fd = l->fds[0], .events = POLLIN };
        assert_int_equal(poll(&ready, 1, 10000), 1);
        OWN_FD int server = accept(l->fds[0], NULL, NULL);
        assert_true(server >= 0);
}

int make_place(void **state)
{
        struct place *p = calloc(1, sizeof *p);
        snprintf(p->dir, sizeof p->dir, "/tmp/spliced-lsock-XXXXXX");
        if (mkdtemp(p->dir) == NULL)
                return -1;
        snprintf(p->address, sizeof p->address, "unix:%s/s", p->dir);
        p->path = p->address + strlen("unix:");
        *state = p;
        return 0;
}

int leave_place(void **state)
{
        struct place *p = *state;
        unlink(p->path);
        int gone = rmdir(p->dir);
        free(p);
        return gone;
}
