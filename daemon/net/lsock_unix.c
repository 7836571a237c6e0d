/* SPDX-License-Identifier: ISC */
/* Listening on a Unix stream socket: an abstract name, a new path, or a stale path. */
#include "net/lsock_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "base/text.h"
#include "net/lsock_set.h"

/* How often to try a path at which something comes and goes. */
#define BIND_TRIES 8

static int new_socket(void)
{
        return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static bool no_memory(struct lsock_request *r)
{
        return lsock_wrong(r, "memory is short");
}

/* The directory a path is in; the text borrows nothing. */
static char *directory_of(const char *path)
{
        OWN_FREE char *copy = strdup(path);
        return copy != NULL ? strdup(dirname(copy)) : NULL;
}

static bool explain_bind(struct lsock_request *r, const char *path, int error)
{
        OWN_FREE char *directory = directory_of(path);
        const char *where = directory != NULL ? directory : path;
        switch (error) {
        case ENOENT:
                return lsock_wrong(r, "the directory %s does not exist", where);
        case ENOTDIR:
                return lsock_wrong(r, "%s is not a directory", where);
        case EACCES:
                return lsock_wrong(r, "this user (uid %u) may not make files in %s",
                                   (unsigned)geteuid(), where);
        default:
                return lsock_wrong(r, "%s", strerror(error));
        }
}

/* --- who may connect ------------------------------------------------------------------------- */

int lsock_set_owner(const char *path, const struct lsock_settings *set)
{
        if (set->uid == (uid_t)-1 && set->gid == (gid_t)-1)
                return 0;
        return lchown(path, set->uid, set->gid) == 0 ? 0 : errno;
}

int lsock_set_mode(const char *path, const struct lsock_settings *set)
{
        return set->mode == (mode_t)-1 || chmod(path, set->mode) == 0 ? 0 : errno;
}

/* Between bind(2) and listen(2): nobody can connect before it is decided who may. */
static bool set_permissions(struct lsock_request *r, const char *path)
{
        const struct lsock_settings *set = r->settings;
        int error = lsock_set_owner(path, set);
        if (error != 0)
                return lsock_wrong(r, "its owner cannot be changed: %s", strerror(error));
        error = lsock_set_mode(path, set);
        if (error != 0)
                return lsock_wrong(r, "its mode cannot be set to %04o: %s", (unsigned)set->mode,
                                   strerror(error));
        return true;
}

static bool permissions_and_listen(struct lsock_request *r, int fd, const char *path)
{
        if (!set_permissions(r, path))
                return false;
        int error = lsock_listen(fd, r->settings);
        return error == 0 || lsock_wrong(r, "%s", strerror(error));
}

/* --- a path where something is already ------------------------------------------------------- */

enum occupant { OCCUPANT_GONE, OCCUPANT_STALE, OCCUPANT_KEEPS };

/* Who is at the path? Fills *st. OCCUPANT_KEEPS: a mistake, which has been told. */
static enum occupant probe(struct lsock_request *r, const struct sockaddress *a, struct stat *st)
{
        if (lstat(r->addr->host, st) < 0) {
                if (errno == ENOENT)
                        return OCCUPANT_GONE;
                lsock_wrong(r, "%s", strerror(errno));
                return OCCUPANT_KEEPS;
        }
        if (!S_ISSOCK(st->st_mode)) {
                lsock_wrong(r, "there is a file that is not a socket; it is left alone");
                return OCCUPANT_KEEPS;
        }
        OWN_FD int fd = new_socket();
        int error = fd < 0 || connect(fd, &a->sa, a->len) < 0 ? errno : 0;
        if (fd >= 0 && error == ECONNREFUSED)
                return OCCUPANT_STALE;
        if (fd >= 0 && error == ENOENT)
                return OCCUPANT_GONE;
        /* EAGAIN: its queue is full. EPROTOTYPE: it is no stream. Alive both. */
        if (fd >= 0 && (error == 0 || error == EAGAIN || error == EPROTOTYPE))
                lsock_wrong(r, "in use by another process (\"ss -xlp src %s\" shows which)",
                            r->addr->host);
        else
                lsock_wrong(r, "there is a socket, and whether it is in use cannot be told: %s",
                            strerror(error));
        return OCCUPANT_KEEPS;
}

/* A name beside path for the new socket until it takes the place of the old one. Where path leaves
 * no room for it, the directory is reached by its descriptor. Both are owned by the caller. */
static char *name_beside(const char *path, int *directory_fd)
{
        struct text name = { 0 };
        struct sockaddr_un *un;
        text_addf(&name, "%s.%ld", path, (long)getpid());
        if (name.len < sizeof un->sun_path)
                return text_take(&name);
        text_fini(&name);
        OWN_FREE char *directory = directory_of(path);
        if (directory == NULL)
                return NULL;
        *directory_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        text_addf(&name, "/proc/self/fd/%d/.spliced.%ld", *directory_fd, (long)getpid());
        return text_take(&name);
}

/* Put the socket at beside in the place of the stale one at path, in one step: there is never a
 * moment without a socket. If it is another by now than the one that was found stale, it stays. */
static bool take_place(struct lsock_request *r, const char *beside, const struct stat *stale)
{
        const char *path = r->addr->host;
        struct stat old;
        if (renameat2(AT_FDCWD, beside, AT_FDCWD, path, RENAME_EXCHANGE) < 0) {
                /* Some file systems cannot exchange; only the last look before is lost. */
                if (errno == EINVAL && rename(beside, path) == 0)
                        return true;
                return lsock_wrong(r, "the stale socket there cannot be replaced: %s",
                                   strerror(errno));
        }
        if (lstat(beside, &old) < 0 || old.st_dev != stale->st_dev || old.st_ino != stale->st_ino) {
                renameat2(AT_FDCWD, beside, AT_FDCWD, path, RENAME_EXCHANGE);
                return lsock_wrong(r, "in use by another process, which has just begun");
        }
        unlink(beside);
        return true;
}

static bool replace_stale(struct lsock_request *r, const struct stat *stale, int *fd)
{
        OWN_FD int directory = -1;
        OWN_FREE char *beside = name_beside(r->addr->host, &directory);
        struct sockaddress a = { .un.sun_family = AF_UNIX, .len = sizeof a.un };
        if (beside == NULL)
                return no_memory(r);
        memcpy(a.un.sun_path, beside, strlen(beside));
        unlink(beside); /* of a process of our number that did not come to its end */
        OWN_FD int s = new_socket();
        if (s < 0 || bind(s, &a.sa, a.len) < 0)
                return explain_bind(r, r->addr->host, errno);
        if (permissions_and_listen(r, s, beside) && take_place(r, beside, stale)) {
                *fd = TAKE_FD(s);
                return true;
        }
        unlink(beside);
        return false;
}

/* --- the two kinds --------------------------------------------------------------------------- */

static bool make_path(struct lsock_request *r, const struct sockaddress *a, int *fd)
{
        struct stat st;
        OWN_FD int s = new_socket();
        if (s < 0)
                return lsock_wrong(r, "%s", strerror(errno));
        for (int tries = 0; bind(s, &a->sa, a->len) < 0; tries++) {
                if (errno != EADDRINUSE || tries == BIND_TRIES)
                        return explain_bind(r, r->addr->host, errno);
                enum occupant occupant = probe(r, a, &st);
                if (occupant == OCCUPANT_STALE)
                        return replace_stale(r, &st, fd);
                if (occupant == OCCUPANT_KEEPS)
                        return false;
        }
        if (!permissions_and_listen(r, s, r->addr->host)) {
                unlink(r->addr->host);
                return false;
        }
        *fd = TAKE_FD(s);
        return true;
}

/* Whether a path could be made, without making it. */
static bool try_path(struct lsock_request *r, const struct sockaddress *a)
{
        struct stat st;
        OWN_FREE char *directory = directory_of(r->addr->host);
        if (directory == NULL)
                return no_memory(r);
        if (access(directory, W_OK | X_OK) < 0)
                return explain_bind(r, r->addr->host, errno);
        return probe(r, a, &st) != OCCUPANT_KEEPS;
}

static bool make_abstract(struct lsock_request *r, const struct sockaddress *a, int *fd)
{
        const struct lsock_settings *set = r->settings;
        OWN_FD int s = new_socket();
        if (s < 0)
                return lsock_wrong(r, "%s", strerror(errno));
        if (bind(s, &a->sa, a->len) < 0)
                return errno == EADDRINUSE ? lsock_wrong(r, "in use by another process")
                                           : lsock_wrong(r, "%s", strerror(errno));
        int error = lsock_listen(s, set);
        if (error != 0)
                return lsock_wrong(r, "%s", strerror(error));
        if (set->mode != (mode_t)-1 || set->uid != (uid_t)-1 || set->gid != (gid_t)-1)
                diag_warning(r->diag, r->at,
                             "listen %s: an abstract name has no mode, owner and group: everybody "
                             "on this machine may connect",
                             r->addr->text);
        *fd = TAKE_FD(s);
        return true;
}

bool lsock_open_unix(struct lsock_request *r)
{
        struct sockaddress a;
        struct stat st;
        OWN_FD int fd = -1;
        addr_literal(r->addr, &a);
        struct lsock *running = lsock_set_take(r->settings->running, &a, r->settings->service);
        if (running != NULL)
                return lsock_append(r, running) || no_memory(r);
        bool abstract = r->addr->host[0] == '@';
        if (r->settings->tries && !abstract)
                return try_path(r, &a);
        if (!(abstract ? make_abstract(r, &a, &fd) : make_path(r, &a, &fd)))
                return false;
        OWN_FREE char *path = abstract ? NULL : strdup(r->addr->host);
        struct lsock *l = !abstract && path == NULL ? NULL : lsock_append_new(r, &fd);
        if (l == NULL) {
                if (!abstract)
                        unlink(r->addr->host);
                return no_memory(r);
        }
        /* Not what getsockname(2) says: a socket that replaced another was bound beside it. */
        l->address = a;
        if (!abstract && lstat(path, &st) == 0) {
                l->unlink_path = TAKE(path);
                l->unlink_dev = st.st_dev;
                l->unlink_ino = st.st_ino;
        }
        return true;
}
