/* SPDX-License-Identifier: ISC */
#include "control/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/own.h"
#include "control/privileges.h"
#include "net/fdpass.h"

enum {
        CHANNEL = 3,        /* where the successor finds it */
        EXIT_NOT_RUN = 127, /* as a shell says it */
};

struct launcher {
        int fd;
        char path[PATH_MAX]; /* of the program; a package that is upgraded puts a new one there */
        char *const *argv;
};

/* What systemd passed is handed over by the predecessor; what it said of a process by its number
 * is now true of this one. */
static void set_environment(void)
{
        char number[16];
        unsetenv("LISTEN_FDS");
        unsetenv("LISTEN_PID");
        unsetenv("LISTEN_FDNAMES");
        snprintf(number, sizeof number, "%d", CHANNEL);
        setenv(LAUNCHER_CHANNEL, number, 1);
        snprintf(number, sizeof number, "%d", (int)getpid());
        if (getenv("WATCHDOG_PID") != NULL)
                setenv("WATCHDOG_PID", number, 1);
}

static void reset_signals(void)
{
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        for (int number = 1; number < NSIG; number++)
                signal(number, SIG_DFL);
}

static _Noreturn void become_successor(const struct launcher *l, int channel)
{
        reset_signals();
        set_environment();
        if (channel == CHANNEL)
                fcntl(channel, F_SETFD, 0);
        else
                dup2(channel, CHANNEL);
        close_range(CHANNEL + 1, ~0U, 0);
        execv(l->path, l->argv);
        fprintf(stderr, "spliced: %s cannot be started: %s\n", l->path, strerror(errno));
        _exit(EXIT_NOT_RUN);
}

/* By way of a process that ends at once: whoever adopts orphans is its parent, for good. */
static void launch(const struct launcher *l, int channel)
{
        pid_t between = fork();
        if (between == 0) {
                if (fork() == 0)
                        become_successor(l, channel);
                _exit(0);
        }
        if (between > 0)
                waitpid(between, NULL, 0);
}

static _Noreturn void serve(const struct launcher *l)
{
        for (;;) {
                int fds[FDPASS_MOST];
                size_t n_fds;
                char octet;
                ssize_t n = fdpass_receive(l->fd, &octet, 1, fds, &n_fds);
                if (n <= 0)
                        _exit(0);
                if (n_fds == 1)
                        launch(l, fds[0]);
                while (n_fds > 0)
                        close(fds[--n_fds]);
        }
}

/* Signals that this daemon takes are not meant for it, but those that end it are. */
static _Noreturn void be_launcher(struct launcher *l, const struct config *conf)
{
        struct diag *diag = diag_new();
        if (diag == NULL || !privileges_drop(conf, diag))
                _exit(1); /* our parent cannot either, and says why */
        signal(SIGHUP, SIG_IGN);
        signal(SIGUSR1, SIG_IGN);
        signal(SIGUSR2, SIG_IGN);
        prctl(PR_SET_NAME, "spliced-launch");
        if (l->fd != CHANNEL) {
                dup3(l->fd, CHANNEL, O_CLOEXEC);
                l->fd = CHANNEL;
        }
        close_range(CHANNEL + 1, ~0U, 0);
        serve(l);
}

int launcher_new(char *const *argv, const struct config *conf)
{
        struct launcher l = { .argv = argv };
        int ends[2];
        ssize_t n = readlink("/proc/self/exe", l.path, sizeof l.path - 1);
        if (n < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return -1;
        l.fd = ends[1];
        pid_t pid = fork();
        if (pid == 0)
                be_launcher(&l, conf);
        int saved = errno;
        close(ends[1]);
        if (pid < 0) {
                close(ends[0]);
                errno = saved;
                return -1;
        }
        return ends[0];
}

int launcher_launch(int launcher, int *channel)
{
        OWN_FD int fd = TAKE_FD(*channel);
        return fdpass_send(launcher, "l", 1, &fd, 1);
}
