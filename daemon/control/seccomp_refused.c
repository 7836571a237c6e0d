/* SPDX-License-Identifier: ISC */
/* The kernel can refuse a call, or tell of it in its own log. To have it in ours the call is made
 * to raise SIGSYS, in the thread that made it and at that moment: the handler puts an error where
 * the call would have put it, and remembers the number. */
#include "config.h"

#include "control/seccomp_refused.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <ucontext.h>
#include <unistd.h>

#include <event2/event.h>

#ifdef HAVE_SECCOMP
#include <seccomp.h>
#endif

#include "base/log.h"
#include "base/own.h"
#include "control/seccomp.h"

#if defined(__x86_64__)
#define RESULT_OF(context) ((context)->uc_mcontext.gregs[REG_RAX])
#elif defined(__i386__)
#define RESULT_OF(context) ((context)->uc_mcontext.gregs[REG_EAX])
#elif defined(__aarch64__)
#define RESULT_OF(context) ((context)->uc_mcontext.regs[0])
#elif defined(__riscv)
#define RESULT_OF(context) ((context)->uc_mcontext.__gregs[REG_A0])
#endif

enum {
        NUMBERS = 1024, /* of calls; what is above is remembered as the last */
        NEWEST = 449,   /* futex_waitv: the newest one in seccomp_calls.def */
};

struct seccomp_watch {
        int fd;
        struct event *event;
};

/* A signal has one handler in a process. */
static struct {
        atomic_uchar calls[NUMBERS]; /* 1: refused, 2: told */
        atomic_int fd;               /* wakes the watch, -1: there is none */
} refused = { .fd = -1 };

#ifdef RESULT_OF

/* Whatever it interrupts: no lock, no memory, errno as it was. */
static void on_refused(int number, siginfo_t *info, void *arg)
{
        (void)number;
        ucontext_t *context = arg;
        int before = errno, call = info->si_syscall;
        unsigned slot = call >= 0 && call < NUMBERS ? (unsigned)call : NUMBERS - 1;
        unsigned char never = 0;
        /* A library that tries what is newer than this program expects to hear that it is not
         * there. */
        RESULT_OF(context) = call > NEWEST ? -ENOSYS : -EPERM;
        if (atomic_compare_exchange_strong(&refused.calls[slot], &never, 1)) {
                const uint64_t one = 1;
                int fd = atomic_load(&refused.fd);
                if (fd >= 0 && write(fd, &one, sizeof one) < 0)
                        atomic_store(&refused.calls[slot], 0); /* the next time */
        }
        errno = before;
}

bool seccomp_refused_catch(void)
{
        struct sigaction action = { .sa_sigaction = on_refused,
                                    .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART };
        sigemptyset(&action.sa_mask);
        return sigaction(SIGSYS, &action, NULL) == 0;
}

#else

bool seccomp_refused_catch(void)
{
        return false;
}

#endif

/* --- telling ---------------------------------------------------------------------------------- */

static char *name_of(unsigned call)
{
#ifdef HAVE_SECCOMP
        return seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)call);
#else
        (void)call;
        return NULL;
#endif
}

static void tell(void)
{
        for (unsigned i = 0; i < NUMBERS; i++) {
                unsigned char is_new = 1;
                if (!atomic_compare_exchange_strong(&refused.calls[i], &is_new, 2))
                        continue;
                OWN_FREE char *name = name_of(i);
                log_warning("sandbox: the call %s (number %u) was refused, and will be; nothing in "
                            "spliced needs it: please report it",
                            name != NULL ? name : "?", i);
        }
}

static void on_news(evutil_socket_t fd, short what, void *arg)
{
        (void)what;
        (void)arg;
        uint64_t count;
        if (read((int)fd, &count, sizeof count) > 0)
                tell();
}

struct seccomp_watch *seccomp_watch_new(struct event_base *base)
{
        struct seccomp_watch *w = calloc(1, sizeof *w);
        if (w == NULL)
                return NULL;
        w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (w->fd >= 0)
                w->event = event_new(base, w->fd, EV_READ | EV_PERSIST, on_news, w);
        if (w->event == NULL || event_add(w->event, NULL) < 0) {
                seccomp_watch_free(w);
                return NULL;
        }
        atomic_store(&refused.fd, w->fd);
        tell(); /* of what came before */
        return w;
}

void seccomp_watch_free(struct seccomp_watch *w)
{
        if (w == NULL)
                return;
        atomic_store(&refused.fd, -1);
        if (w->event != NULL)
                event_free(w->event);
        own_close(&w->fd);
        free(w);
}
