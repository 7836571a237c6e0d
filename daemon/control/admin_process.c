/* SPDX-License-Identifier: ISC */
#include "control/admin_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/own.h"

/* Field 22 of stat(5): ticks after the system's start. */
static int64_t started_ticks(void)
{
        char buf[1024];
        OWN_FD int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
        ssize_t n = fd >= 0 ? read(fd, buf, sizeof buf - 1) : -1;
        if (n <= 0)
                return -1;
        buf[n] = '\0';
        const char *s = strrchr(buf, ')'); /* the name may hold anything */
        for (int field = 2; s != NULL && field < 22; field++)
                s = strchr(s + 1, ' ');
        return s != NULL ? strtoll(s, NULL, 10) : -1;
}

static int64_t started(void)
{
        struct timespec since_boot;
        int64_t ticks = started_ticks(), now = clock_wall_us();
        if (ticks < 0 || clock_gettime(CLOCK_BOOTTIME, &since_boot) < 0)
                return now;
        int64_t up_us = (int64_t)since_boot.tv_sec * 1000000 + since_boot.tv_nsec / 1000;
        int64_t age_us = up_us - ticks * 1000000 / sysconf(_SC_CLK_TCK);
        return age_us > 0 ? now - age_us : now;
}

void admin_process_init(struct admin_process *p)
{
        *p = (struct admin_process){
                .statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC),
                .fds = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                .started_wall_us = started(),
        };
}

void admin_process_fini(struct admin_process *p)
{
        own_close(&p->statm);
        own_close(&p->fds);
}

static void look_at_memory(int statm, struct admin_usage *u)
{
        char buf[128];
        ssize_t n = statm >= 0 ? pread(statm, buf, sizeof buf - 1, 0) : -1;
        int64_t size, resident, page = sysconf(_SC_PAGESIZE);
        if (n <= 0)
                return;
        buf[n] = '\0';
        if (sscanf(buf, "%" SCNd64 " %" SCNd64, &size, &resident) != 2)
                return;
        u->address_space = size * page;
        u->resident = resident * page;
}

static int64_t count_entries(int directory)
{
        int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
        int64_t n = 0;
        if (dir == NULL) {
                own_close(&fd);
                return -1;
        }
        while (readdir(dir) != NULL)
                n++;
        closedir(dir);
        return n - 3; /* "." and "..", and the one that was opened to look */
}

/* Since Linux 6.2 the directory's size says it; before that they are counted. */
static int64_t descriptors(int directory)
{
        struct stat st;
        if (directory < 0)
                return -1;
        if (fstat(directory, &st) == 0 && st.st_size > 0)
                return st.st_size;
        return count_entries(directory);
}

static int64_t us_of(struct timeval t)
{
        return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

struct admin_usage admin_process_usage(const struct admin_process *p)
{
        struct admin_usage u = { -1, -1, -1, descriptors(p->fds), -1 };
        struct rusage used;
        struct rlimit limit;
        if (getrusage(RUSAGE_SELF, &used) == 0)
                u.cpu_us = us_of(used.ru_utime) + us_of(used.ru_stime);
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
                u.fds_most = (int64_t)limit.rlim_cur;
        look_at_memory(p->statm, &u);
        return u;
}
