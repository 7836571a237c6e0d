/* SPDX-License-Identifier: ISC */
#include "worker/budget.h"

#include <dirent.h>
#include <limits.h>
#include <stddef.h>
#include <sys/resource.h>

enum {
        EACH_WORKER =
                12,  /* its loop, mailbox, hang-up watch and reserve; sockets to name servers */
        BESIDES = 8, /* a log being reopened, a library's file; workers may overshoot by one */
        CONNECTION = 2,
};

static unsigned open_now(void)
{
        unsigned n = 0;
        DIR *dir = opendir("/proc/self/fd");
        if (dir == NULL)
                return 64; /* no /proc: more than there will be */
        while (readdir(dir) != NULL)
                n++;
        closedir(dir);
        return n - 3; /* ".", ".." and the one that was read */
}

bool budget_init(struct budget *b, unsigned workers, unsigned long *short_of)
{
        struct rlimit limit = { .rlim_cur = 1024 };
        getrlimit(RLIMIT_NOFILE, &limit);
        unsigned long ours = open_now() + BESIDES + (unsigned long)EACH_WORKER * workers;
        unsigned long most = limit.rlim_cur < INT_MAX ? limit.rlim_cur : INT_MAX;
        *short_of = ours + CONNECTION;
        atomic_init(&b->left, most > ours ? (int)(most - ours) : 0);
        return most >= *short_of;
}
