/* SPDX-License-Identifier: ISC */
/* spliced(8): options → load → build → drop privileges, enter the sandbox → run. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/log_journal.h"
#include "base/memory.h"
#include "base/own.h"
#include "config.h"
#include "config/config.h"
#include "control/daemon.h"
#include "control/given.h"
#include "control/launcher.h"
#include "control/predecessor.h"
#include "control/privileges.h"
#include "control/sandbox.h"
#include "control/store.h"
#include "options.h"
#include "snapshot/snapshot.h"
#include "tls/memory.h"

enum { EXIT_USAGE = 2 };

/* A user who does not exist is one more mistake, told with the others. */
static struct snapshot *make(struct config **conf, enum snapshot_scope scope, struct diag *diag)
{
        privileges_check(*conf, diag);
        return snapshot_new(conf, scope, NULL, diag);
}

static struct snapshot *make_after(struct config **conf, struct predecessor *predecessor,
                                   struct diag *diag)
{
        privileges_check(*conf, diag);
        return snapshot_new_after(conf, predecessor_sockets(predecessor), diag);
}

/* -t, -T: everything but the sockets, which a running daemon may hold. */
static bool check(struct config **conf, bool dump, struct diag *diag)
{
        struct snapshot *snapshot = make(conf, SNAPSHOT_KEYS, diag);
        if (snapshot == NULL)
                return false;
        if (dump)
                config_dump(snapshot->conf, stdout);
        snapshot_unref(snapshot);
        return true;
}

static void start_launcher(struct daemon_start *how, const struct config *conf, char *const *argv,
                           struct diag *diag)
{
        how->launcher = launcher_new(argv, conf);
        if (how->launcher < 0)
                diag_warning(diag, NULL, "there will be no upgrade without a restart: %s",
                             strerror(errno));
}

static struct snapshot *build(struct daemon_start *how, struct config **conf, char *const *argv,
                              struct diag *diag)
{
        if (!given_open_log(how->given, *conf, diag))
                return NULL;
        start_launcher(how, *conf, argv, diag);
        struct snapshot *snapshot = make_after(conf, how->predecessor, diag);
        if (snapshot != NULL &&
            !(privileges_drop(snapshot->conf, diag) && sandbox_enter(snapshot->conf, diag))) {
                snapshot_unref(snapshot);
                return NULL;
        }
        return snapshot;
}

static void tell_line(enum diag_severity severity, const char *line, void *arg)
{
        const bool *to_journal = arg;
        if (*to_journal)
                fprintf(stderr, "<%d>",
                        log_priority(severity == DIAG_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING));
        fprintf(stderr, "%s\n", line);
}

/* The journal, where it reads our standard error, takes a line's importance from its beginning. */
static void tell(const struct diag *diag)
{
        bool to_journal = log_journal_reads_stderr();
        diag_each(diag, tell_line, &to_journal);
}

static int check_aside(const struct given *given)
{
        struct diag *diag = diag_new();
        struct config *conf = diag != NULL ? given_read(given, diag) : NULL;
        bool fine = conf != NULL && check(&conf, false, diag);
        if (!fine && diag != NULL)
                tell(diag);
        return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* In a process of its own: its copies of the keys are nobody's who lives on. */
static bool would_start(const struct given *given)
{
        int status;
        pid_t pid = fork();
        if (pid == 0)
                _exit(check_aside(given));
        return pid < 0 || waitpid(pid, &status, 0) != pid || status == 0;
}

/* What a predecessor left with the service manager can be taken once only: not by a process that
 * refuses its configuration. */
static bool may_take(const struct given *given, const struct config *conf, struct diag *diag)
{
        if (!store_holds() || (conf != NULL && would_start(given)))
                return conf != NULL;
        diag_error(diag, NULL,
                   "sockets and connections of the process before stay with systemd, and are lost "
                   "unless that tries again (see keep-connections.conf in spliced(8))");
        return false;
}

static bool run(const struct given *given, struct config **conf, char *const *argv,
                struct diag *diag)
{
        struct daemon_start how = { .given = given, .launcher = -1 };
        bool fine = false;
        privileges_raise_descriptors();
        struct snapshot *snapshot = NULL;
        if (may_take(given, *conf, diag) && predecessor_find(&how.predecessor, diag))
                snapshot = build(&how, conf, argv, diag);
        tell(diag);
        if (snapshot != NULL)
                fine = daemon_run(snapshot, &how) == EXIT_SUCCESS;
        else
                predecessor_free(how.predecessor);
        own_close(&how.launcher);
        return fine;
}

int main(int argc, char **argv)
{
        struct options options;
        memory_init();
        tls_memory_init();
        if (!options_parse(argc, argv, &options))
                return EXIT_USAGE;
        if (options.what == OPTIONS_VERSION) {
                puts(PACKAGE_STRING);
                return EXIT_SUCCESS;
        }
        if (options.what == OPTIONS_HELP) {
                options_help();
                return EXIT_SUCCESS;
        }
        struct diag *diag = diag_new();
        if (diag == NULL)
                return EXIT_FAILURE;
        struct config *conf = given_read(&options.given, diag);
        bool fine = conf != NULL;
        if (options.what == OPTIONS_RUN) {
                fine = run(&options.given, &conf, argv, diag);
        } else {
                fine = fine && check(&conf, options.what == OPTIONS_DUMP, diag);
                tell(diag);
        }
        config_free(conf);
        diag_free(diag);
        return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
