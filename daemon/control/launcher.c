/* SPDX-License-Identifier: ISC */
#include "control/launcher.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own.h"

struct launcher {
        int fd; /* to the process beside; it ends when this is closed */
};

/* What it answers: a process, or the errno of the attempt. */
struct answer {
        pid_t pid;
        int error;
};

/* Stopping, reloading, reopening is the daemon's, even when everybody is told. */
static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE, SIGCHLD };

static void set_signals(void (*to)(int))
{
        sigset_t none;
        for (size_t i = 0; i < COUNTOF(ignored); i++)
                signal(ignored[i], to);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
}

/* --- descriptors over a socket ---------------------------------------------------------------- */

union control {
        char octets[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
};

static bool send_fd(int to, int fd)
{
        char octet = 0;
        struct iovec iov = { &octet, 1 };
        union control control = { 0 };
        struct msghdr message = { .msg_iov = &iov,
                                  .msg_iovlen = 1,
                                  .msg_control = control.octets,
                                  .msg_controllen = sizeof control.octets };
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
        return sendmsg(to, &message, MSG_NOSIGNAL) == 1;
}

/* -1: there is nobody any more. */
static int receive_fd(int from)
{
        char octet;
        struct iovec iov = { &octet, 1 };
        union control control;
        struct msghdr message = { .msg_iov = &iov,
                                  .msg_iovlen = 1,
                                  .msg_control = control.octets,
                                  .msg_controllen = sizeof control.octets };
        int fd = -1;
        ssize_t n;
        do
                n = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        const struct cmsghdr *c = n == 1 ? CMSG_FIRSTHDR(&message) : NULL;
        if (c != NULL && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof fd))
                memcpy(&fd, CMSG_DATA(c), sizeof fd);
        return fd;
}

/* --- the process beside ----------------------------------------------------------------------- */

static void close_all_but(int fd)
{
        const unsigned kept = (unsigned)fd, first = STDERR_FILENO + 1;
        if (kept > first)
                syscall(SYS_close_range, first, kept - 1, 0);
        syscall(SYS_close_range, kept + 1, ~0U, 0);
}

static void answer_with(int to, struct answer answer)
{
        (void)!write(to, &answer, sizeof answer); /* who does not listen does not care */
}

static void serve(int fd, launcher_run_fn *run, void *arg)
{
        int passed;
        while ((passed = receive_fd(fd)) >= 0) {
                pid_t pid = fork();
                if (pid == 0) {
                        close(fd);
                        set_signals(SIG_DFL);
                        run(passed, arg);
                        _exit(EXIT_FAILURE);
                }
                answer_with(fd, (struct answer){ pid, pid < 0 ? errno : 0 });
                close(passed);
        }
}

static pid_t fork_beside(const int ends[2], launcher_prepare_fn *prepare, launcher_run_fn *run,
                         void *arg)
{
        pid_t pid = fork();
        if (pid != 0)
                return pid;
        prctl(PR_SET_NAME, "spliced-launch", 0, 0, 0);
        set_signals(SIG_IGN); /* SIGCHLD too: who has ended is not waited for */
        close_all_but(ends[1]);
        if (prepare(arg))
                serve(ends[1], run, arg);
        _exit(EXIT_SUCCESS);
}

/* --- the daemon's side ------------------------------------------------------------------------ */

struct launcher *launcher_new(launcher_prepare_fn *prepare, launcher_run_fn *run, void *arg)
{
        int ends[2];
        struct launcher *l = malloc(sizeof *l);
        if (l == NULL)
                return NULL;
        l->fd = -1;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
                launcher_free(l);
                return NULL;
        }
        l->fd = ends[0];
        pid_t pid = fork_beside(ends, prepare, run, arg);
        own_close(&ends[1]);
        if (pid > 0)
                return l;
        launcher_free(l);
        return NULL;
}

pid_t launcher_start(struct launcher *l, int fd)
{
        struct answer answer;
        if (!send_fd(l->fd, fd))
                return -1;
        ssize_t n = read(l->fd, &answer, sizeof answer);
        if (n == (ssize_t)sizeof answer && answer.pid > 0)
                return answer.pid;
        if (n >= 0)
                errno = n == (ssize_t)sizeof answer ? answer.error : EPIPE;
        return -1;
}

void launcher_free(struct launcher *l)
{
        if (l == NULL)
                return;
        own_close(&l->fd);
        free(l);
}
