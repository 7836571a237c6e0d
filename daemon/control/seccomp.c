/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "control/seccomp.h"

#ifdef HAVE_SECCOMP

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>
#include <seccomp.h>

#include "base/own.h"
#include "control/seccomp_refused.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

static const char *const calls[] = {
#define CALL(name) #name,
#include "control/seccomp_calls.def"
#undef CALL
};

/* A call of which some arguments are needed: argument & mask must be value. Several rows of one
 * call: any of them. */
struct row {
        const char *call;
        unsigned argument;
        uint64_t mask, value;
};

enum { WRITE_AND_RUN = PROT_WRITE | PROT_EXEC };
#ifdef __s390__
enum { CLONE_FLAGS = 1 };
#else
enum { CLONE_FLAGS = 0 };
#endif
#define WHOLE UINT64_C(0xffffffff)

static const struct row rows[] = {
        { "socket", 0, WHOLE, AF_UNIX },
        { "socket", 0, WHOLE, AF_INET },
        { "socket", 0, WHOLE, AF_INET6 },
        /* Memory is written or run; what has been written is not run later. */
        { "mmap", 2, WRITE_AND_RUN, 0 },
        { "mmap", 2, WRITE_AND_RUN, PROT_WRITE },
        { "mmap", 2, WRITE_AND_RUN, PROT_EXEC },
        { "mmap2", 2, WRITE_AND_RUN, 0 },
        { "mmap2", 2, WRITE_AND_RUN, PROT_WRITE },
        { "mmap2", 2, WRITE_AND_RUN, PROT_EXEC },
        { "mprotect", 2, PROT_EXEC, 0 },
        /* Threads, not processes. */
        { "clone", CLONE_FLAGS, CLONE_THREAD, CLONE_THREAD },
        /* Limits are looked at, not changed. */
        { "prlimit64", 2, UINT64_MAX, 0 },
        { "prctl", 0, WHOLE, PR_SET_NAME },
        { "prctl", 0, WHOLE, PR_GET_NAME }, /* libsystemd, of Debian 13, for its address on a bus */
        { "prctl", 0, WHOLE, PR_GET_DUMPABLE },
        { "prctl", 0, WHOLE, PR_SET_VMA },
        /* How much waits in a socket or a pipe, which interface a name is; what standard output
         * is. */
        { "ioctl", 1, WHOLE, FIONREAD },
        { "ioctl", 1, WHOLE, FIONBIO },
        { "ioctl", 1, WHOLE, SIOCOUTQ },
        { "ioctl", 1, WHOLE, SIOCOUTQNSD },
        { "ioctl", 1, WHOLE, SIOCGIFINDEX },
        { "ioctl", 1, WHOLE, SIOCGIFNAME },
        { "ioctl", 1, WHOLE, TCGETS },
        { "ioctl", 1, WHOLE, TIOCGWINSZ },
};

static int allow(scmp_filter_ctx filter, const char *name, unsigned n, const struct scmp_arg_cmp *a)
{
        int number = seccomp_syscall_resolve_name(name);
        if (number == __NR_SCMP_ERROR)
                return 0; /* no such call here */
        int error = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, n, a);
        /* Numbers below zero are those of other architectures; a sanitizer's row is wider. */
        return error == -EDOM || error == -EEXIST ? 0 : error;
}

/* A signal to ourselves is how abort(3) ends a process. */
static int allow_own_end(scmp_filter_ctx filter)
{
        const struct scmp_arg_cmp own = { .arg = 0,
                                          .op = SCMP_CMP_EQ,
                                          .datum_a = (scmp_datum_t)getpid() };
        int error = allow(filter, "tgkill", 1, &own);
        return error != 0 ? error : allow(filter, "kill", 1, &own);
}

static int fill(scmp_filter_ctx filter)
{
        int error = 0;
        for (size_t i = 0; error == 0 && i < COUNTOF(calls); i++)
                error = allow(filter, calls[i], 0, NULL);
        for (size_t i = 0; error == 0 && i < COUNTOF(rows); i++) {
                const struct scmp_arg_cmp only =
                        SCMP_CMP(rows[i].argument, SCMP_CMP_MASKED_EQ, rows[i].mask, rows[i].value);
                error = allow(filter, rows[i].call, 1, &only);
        }
        /* What its threads are cannot be seen in the arguments of this one: the C library does
         * without. */
        if (error == 0)
                error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
        return error != 0 ? error : allow_own_end(filter);
}

static int load(bool strict)
{
        uint32_t otherwise = SCMP_ACT_ERRNO(EPERM);
        if (strict)
                otherwise = SCMP_ACT_KILL_PROCESS;
        else if (seccomp_refused_catch())
                otherwise = SCMP_ACT_TRAP;
        scmp_filter_ctx filter = seccomp_init(otherwise);
        if (filter == NULL)
                return -ENOMEM;
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree; older ones have a list */
        int error = fill(filter);
        if (error == 0)
                error = seccomp_load(filter);
        seccomp_release(filter);
        return error;
}

const char *seccomp_enter(bool strict)
{
        switch (-load(strict)) {
        case 0:
                return NULL;
        case ENOMEM:
                return "calls are not confined: out of memory";
        default:
                return "calls are not confined, since there is no seccomp";
        }
}

#else

const char *seccomp_enter(bool strict)
{
        (void)strict;
        return "calls are not confined, since this spliced was built without libseccomp";
}

#endif
