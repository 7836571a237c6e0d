/* SPDX-License-Identifier: ISC */
#include "net/lsock.h"

#include <errno.h>
#include <limits.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "base/text.h"
#include "net/lsock_gate.h"
#include "net/lsock_internal.h"

bool lsock_wrong(struct lsock_request *r, const char *format, ...)
{
        OWN(text_fini) struct text why = { 0 };
        va_list args;
        va_start(args, format);
        text_addv(&why, format, args);
        va_end(args);
        diag_error(r->diag, r->at, "listen %s: %s", r->addr->text, text_str(&why));
        return false;
}

bool lsock_append(struct lsock_request *r, struct lsock *l)
{
        struct lsock **grown = reallocarray(r->socks, r->n + 1, sizeof *grown);
        if (grown == NULL) {
                lsock_unref(l);
                return false;
        }
        r->socks = grown;
        r->socks[r->n++] = l;
        return true;
}

struct lsock *lsock_append_new(struct lsock_request *r, int *fd)
{
        struct lsock *l = calloc(1, sizeof *l);
        if (l == NULL)
                return NULL;
        ref_init(&l->ref);
        if (lsock_add(l, fd))
                return lsock_append(r, l) ? l : NULL;
        lsock_unref(l);
        return NULL;
}

bool lsock_add(struct lsock *l, int *fd)
{
        int *grown = reallocarray(l->fds, l->n_fds + 1, sizeof *grown);
        if (grown == NULL)
                return false;
        l->fds = grown;
        l->fds[l->n_fds++] = TAKE_FD(*fd);
        return true;
}

int lsock_learn_address(struct lsock *l)
{
        l->address.len = sizeof l->address.storage;
        if (getsockname(l->fds[0], &l->address.sa, &l->address.len) == 0)
                return 0;
        l->address.len = 0;
        return errno;
}

int lsock_set_inherited(int fd, const struct sockaddress *a, const struct lsock_settings *settings)
{
        return sockopt_listen(fd, sockopts_for(settings->options, a));
}

int lsock_listen(int fd, const struct lsock_settings *settings)
{
        if (settings->tries)
                return 0;
        /* The kernel cuts it to net.core.somaxconn, which SOMAXCONN only guesses. */
        int backlog = settings->backlog > 0 ? settings->backlog : INT_MAX;
        return listen(fd, backlog) == 0 ? 0 : errno;
}

static bool open_all(struct lsock_request *r)
{
        switch (r->addr->kind) {
        case ADDR_HOST:
                return lsock_open_host(r);
        case ADDR_UNIX:
                return lsock_open_unix(r);
        case ADDR_SYSTEMD:
                return lsock_open_systemd(r);
        case ADDR_BUILTIN:
                break;
        }
        return lsock_wrong(r, "this is nothing to listen on");
}

static void drop_all(struct lsock_request *r)
{
        for (size_t i = 0; i < r->n; i++)
                lsock_unref(r->socks[i]);
        free(r->socks);
}

bool lsock_open(const struct addr *a, const struct lsock_settings *settings, struct diag *diag,
                const struct origin *at, struct lsock ***socks, size_t *n)
{
        struct lsock_request r = {
                .addr = a,
                .settings = settings,
                .diag = diag,
                .at = at,
        };
        if (!open_all(&r)) {
                drop_all(&r);
                return false;
        }
        struct lsock **grown = reallocarray(*socks, *n + r.n, sizeof *grown);
        if (grown == NULL) {
                lsock_wrong(&r, "memory is short");
                drop_all(&r);
                return false;
        }
        memcpy(grown + *n, r.socks, r.n * sizeof *grown);
        *socks = grown;
        *n += r.n;
        free(r.socks);
        return true;
}

/* A filter that takes no packet; connections that were accepted before have none. */
void lsock_shut(const struct lsock *l)
{
        struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
        const struct sock_fprog filter = { .len = 1, .filter = &nothing };
        if (l->passed || l->address.sa.sa_family == AF_UNIX)
                return;
        for (size_t i = 0; i < l->n_fds; i++)
                setsockopt(l->fds[i], SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

/* The file may be somebody else's by now: a daemon that replaced us, or an administrator. Our
 * socket, while it is open, keeps its inode number from being given to another. */
static void remove_path(const struct lsock *l)
{
        struct stat st;
        if (lstat(l->unlink_path, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_dev == l->unlink_dev &&
            st.st_ino == l->unlink_ino)
                unlink(l->unlink_path);
}

void lsock_close(struct lsock *l)
{
        int saved = errno;
        if (l->unlink_path != NULL)
                remove_path(l);
        for (size_t i = 0; i < l->n_fds; i++)
                own_close(&l->fds[i]);
        free(TAKE(l->unlink_path));
        errno = saved;
}

void lsock_leave(struct lsock *l)
{
        free(TAKE(l->unlink_path));
        lsock_close(l);
}

struct lsock *lsock_new_as(const struct lsock *as)
{
        struct lsock *l = malloc(sizeof *l);
        if (l == NULL)
                return NULL;
        *l = *as;
        ref_init(&l->ref);
        return l;
}

struct lsock *lsock_ref(struct lsock *l)
{
        ref_get(&l->ref);
        return l;
}

void lsock_unref(struct lsock *l)
{
        if (l == NULL || !ref_put(&l->ref))
                return;
        lsock_close(l);
        free(l->any_port_of);
        free(l->passed_name);
        free(l->fds);
        free(l);
}

static int retune_unix(const struct lsock *l, const struct lsock_settings *set)
{
        if (l->unlink_path == NULL)
                return 0;
        int error = lsock_set_owner(l->unlink_path, set);
        return error != 0 ? error : lsock_set_mode(l->unlink_path, set);
}

int lsock_retune(const struct lsock *l, const struct lsock_settings *settings)
{
        int error = retune_unix(l, settings);
        bool listens = !l->passed && lsock_gate(l) != LSOCK_REFUSING;
        for (size_t i = 0; i < l->n_fds && error == 0 && listens; i++)
                error = lsock_listen(l->fds[i], settings);
        return error;
}
