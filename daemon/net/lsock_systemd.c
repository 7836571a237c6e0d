/* SPDX-License-Identifier: ISC */
/* Adopting listening sockets that systemd passes (sd_listen_fds(3)). */
#include "net/lsock_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/own.h"
#include "base/text.h"
#include "net/lsock_set.h"

/* The first descriptor that is passed. */
#define PASSED_FIRST 3

static bool env_number(const char *name, int64_t *out)
{
        const char *s = getenv(name);
        return s != NULL && text_to_count(s, out) == NULL;
}

/* How many descriptors were passed to this process and not to its parent. */
static int passed_count(void)
{
        int64_t pid, n;
        if (!env_number("LISTEN_PID", &pid) || pid != getpid() || !env_number("LISTEN_FDS", &n))
                return 0;
        int most = (int)sysconf(_SC_OPEN_MAX) - PASSED_FIRST;
        return n <= most ? (int)n : 0;
}

/* The name of the passed descriptor number i; *rest begins as LISTEN_FDNAMES (changed). Where names
 * are missing they are "unknown", as in sd_listen_fds_with_names(3). */
static const char *next_name(char **rest)
{
        const char *name = strsep(rest, ":");
        return name != NULL ? name : "unknown";
}

static int socket_option(int fd, int option)
{
        int value = -1;
        socklen_t len = sizeof value;
        return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 ? value : -1;
}

static bool check(struct lsock_request *r, int fd)
{
        int family = socket_option(fd, SO_DOMAIN);
        if (family < 0)
                return lsock_wrong(r, "what systemd passed as descriptor %d is no socket: %s", fd,
                                   strerror(errno));
        if (socket_option(fd, SO_TYPE) != SOCK_STREAM)
                return lsock_wrong(r,
                                   "what systemd passed as descriptor %d is not a stream socket "
                                   "(ListenStream= makes one)",
                                   fd);
        if (socket_option(fd, SO_ACCEPTCONN) != 1)
                return lsock_wrong(r,
                                   "what systemd passed as descriptor %d does not listen "
                                   "(Accept=no is needed in the .socket unit)",
                                   fd);
        if (family != AF_INET && family != AF_INET6 && family != AF_UNIX)
                return lsock_wrong(r,
                                   "what systemd passed as descriptor %d is neither TCP nor a "
                                   "Unix socket",
                                   fd);
        return true;
}

/* The passed descriptor stays open for as long as we run, and we use a copy: the next configuration
 * may name it again. systemd keeps the socket listening anyway. */
static bool adopt(struct lsock_request *r, int passed)
{
        struct sockaddress address = { .len = sizeof address.storage };
        if (!check(r, passed))
                return false;
        if (getsockname(passed, &address.sa, &address.len) == 0) {
                struct lsock *running =
                        lsock_set_take(r->settings->running, &address, r->settings->service);
                if (running != NULL)
                        return lsock_append(r, running) || lsock_wrong(r, "memory is short");
        }
        OWN_FD int fd = fcntl(passed, F_DUPFD_CLOEXEC, PASSED_FIRST);
        int flags = fd >= 0 ? fcntl(fd, F_GETFL) : -1;
        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
                return lsock_wrong(r, "descriptor %d: %s", passed, strerror(errno));
        struct lsock *l = lsock_append_new(r, &fd);
        int error = l == NULL ? ENOMEM : lsock_learn_address(l);
        if (error == 0) {
                l->passed = true;
                l->passed_name = strdup(r->addr->host);
                error = l->passed_name == NULL
                                ? ENOMEM
                                : lsock_set_inherited(l->fds[0], &l->address, r->settings);
        }
        return error == 0 || lsock_wrong(r, "descriptor %d: %s", passed, strerror(error));
}

/* Those that systemd passed to the process whose successor this is. */
static bool adopt_kept(struct lsock_request *r)
{
        struct lsock *kept;
        while ((kept = lsock_set_take_passed(r->settings->running, r->addr->host)) != NULL)
                if (!lsock_append(r, kept))
                        return lsock_wrong(r, "memory is short");
        return true;
}

static bool none_of_that_name(struct lsock_request *r, const struct text *names)
{
        if (names->len == 0)
                return lsock_wrong(r, "systemd passed no sockets (LISTEN_FDS): is this started by "
                                      "its .socket unit?");
        return lsock_wrong(r, "systemd passed no socket of this FileDescriptorName; it passed%s",
                           text_str(names));
}

bool lsock_open_systemd(struct lsock_request *r)
{
        OWN(text_fini) struct text seen = { 0 };
        const char *listed = getenv("LISTEN_FDNAMES");
        OWN_FREE char *names = listed != NULL ? strdup(listed) : NULL;
        char *rest = names;
        int n = passed_count();
        for (int i = 0; i < n; i++) {
                const char *name = next_name(&rest);
                fcntl(PASSED_FIRST + i, F_SETFD, FD_CLOEXEC);
                text_addf(&seen, "%s \"%s\"", i > 0 ? "," : "", name);
                if (strcmp(name, r->addr->host) == 0 && !adopt(r, PASSED_FIRST + i))
                        return false;
        }
        if (r->n == 0 && !adopt_kept(r))
                return false;
        return r->n > 0 || none_of_that_name(r, &seen);
}
