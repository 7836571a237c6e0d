/* SPDX-License-Identifier: ISC */
/* What changes a whole process (its limits, its user, its standard error) is tested in a child.
 * After cmocka.h. */
#ifndef TESTS_CHILD_H
#define TESTS_CHILD_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_SKIPS = 77 };

/* Returns the exit status of fn run in a child, 128 and more for a signal; a failed check there
 * ends it with one that is not 0. */
static inline int in_child(void (*fn)(const void *), const void *arg)
{
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                fn(arg);
                _exit(0);
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* valgrind keeps descriptors of its own, and at the limit loses the connection it has accepted. */
static inline bool under_valgrind(void)
{
        const char *preloaded = getenv("LD_PRELOAD");
        return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
}

#endif
