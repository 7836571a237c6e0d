/* SPDX-License-Identifier: ISC */
/* spliced(8): options → load → build → drop privileges, enter the sandbox → run. */
#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/log_journal.h"
#include "base/memory.h"
#include "base/own.h"
#include "config.h"
#include "config/config.h"
#include "control/daemon.h"
#include "control/given.h"
#include "control/privileges.h"
#include "control/sandbox.h"
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

static struct snapshot *build(const struct given *given, struct config **conf, struct diag *diag)
{
        if (!given_open_log(given, *conf, diag))
                return NULL;
        struct snapshot *snapshot = make(conf, SNAPSHOT_ALL, diag);
        if (snapshot != NULL && !privileges_drop(snapshot->conf, diag)) {
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

static bool run(const struct given *given, struct config **conf, struct diag *diag)
{
        privileges_raise_descriptors();
        struct snapshot *snapshot = build(given, conf, diag);
        if (snapshot != NULL && !sandbox_enter(snapshot->conf, diag))
                snapshot_unref(TAKE(snapshot));
        tell(diag);
        if (snapshot == NULL)
                return false;
        return daemon_run(snapshot, given) == EXIT_SUCCESS;
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
        if (fine && options.what == OPTIONS_RUN) {
                fine = run(&options.given, &conf, diag);
        } else {
                fine = fine && check(&conf, options.what == OPTIONS_DUMP, diag);
                tell(diag);
        }
        config_free(conf);
        diag_free(diag);
        return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
