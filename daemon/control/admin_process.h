/* SPDX-License-Identifier: ISC */
/* What the system says of this process. Files are opened once, so that a sandbox may close the
 * rest. */
#ifndef CONTROL_ADMIN_PROCESS_H
#define CONTROL_ADMIN_PROCESS_H

#include <stdint.h>

struct admin_process {
        int statm, fds; /* of /proc/self; -1: not there */
        int64_t started_wall_us;
};

/* Negative: unknown. */
struct admin_usage {
        int64_t cpu_us;
        int64_t resident, address_space; /* octets */
        int64_t fds, fds_most;
};

void admin_process_init(struct admin_process *p);
void admin_process_fini(struct admin_process *p);
struct admin_usage admin_process_usage(const struct admin_process *p);

#endif
