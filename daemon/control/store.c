/* SPDX-License-Identifier: ISC */
#include "control/store.h"

#include "config.h"

#ifdef HAVE_SYSTEMD
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "base/own.h"

#define LINES     "spliced-lines"
#define TAKE_FROM "spliced-sockets"

static bool leave_one(int fd, const char *name)
{
        char text[128];
        snprintf(text, sizeof text, "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
        return sd_pid_notify_with_fds(0, 0, text, &fd, 1) > 0;
}

bool store_leave(struct bundle *b)
{
        return leave_one(b->lines, LINES) && leave_one(b->take, TAKE_FROM) &&
               sd_notify_barrier(0, 5 * 1000 * 1000) >= 0;
}

static void forget(const char *name)
{
        sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}

static void free_names(char **names, int n)
{
        for (int i = 0; i < n; i++)
                free(names[i]);
        free(names);
}

bool store_holds(void)
{
        char **names = NULL;
        int n = sd_listen_fds_with_names(0, &names);
        bool found = false;
        for (int i = 0; i < n; i++)
                found = found || strcmp(names[i], LINES) == 0;
        free_names(names, n);
        return found;
}

static void take_if_named(int fd, const char *name, const char *wanted, int *out)
{
        if (strcmp(name, wanted) != 0)
                return;
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        own_close(out);
        *out = fd;
        forget(wanted);
}

/* By their names: sockets of a .socket unit come before them. */
bool store_take(int *lines, int *take)
{
        char **names = NULL;
        int n = sd_listen_fds_with_names(0, &names);
        for (int i = 0; i < n; i++) {
                take_if_named(SD_LISTEN_FDS_START + i, names[i], LINES, lines);
                take_if_named(SD_LISTEN_FDS_START + i, names[i], TAKE_FROM, take);
        }
        free_names(names, n);
        return *lines >= 0 && *take >= 0;
}
#else
bool store_leave(struct bundle *b)
{
        (void)b;
        return false;
}

bool store_holds(void)
{
        return false;
}

bool store_take(int *lines, int *take)
{
        (void)lines, (void)take;
        return false;
}
#endif
