/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "control/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/own.h"
#include "base/text.h"
#include "control/landlock.h"
#include "control/privileges.h"
#include "control/sandbox_paths.h"
#include "control/sandbox_ports.h"
#include "control/seccomp.h"

/* A process enters once, and does not come back. */
static struct {
        bool confines_files;
        struct sandbox_paths allowed; /* without origins */
        int proc_self;                /* held open: what is below it stays what the rule is for */
        bool confines_ports;
        struct sandbox_ports ports;
} sandbox = { .proc_self = -1 };

#define RESTART "restart it to have this"

/* --- memory ----------------------------------------------------------------------------------- */

/* Keys are in memory: nobody of the same user reads it, and it is in no dump. */
static void keep_memory_private(void)
{
        const struct rlimit none = { 0, 0 };
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        setrlimit(RLIMIT_CORE, &none);
}

/* --- files ------------------------------------------------------------------------------------ */

/* The kernel makes up a directory of /proc anew after it has forgotten it, unless somebody holds
 * it.
 */
static bool add_own_proc(struct sandbox_paths *p)
{
        static const char *const own[] = { "/proc/self" };
        sandbox.proc_self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
        return sandbox_paths_add(p, own, COUNTOF(own));
}

/* A sanitizer looks at programs, libraries and processes to say what it has found. */
static bool add_for_sanitizers(struct sandbox_paths *p)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        static const char *const read[] = { "/proc", "/usr", "/proc/self/exe" };
        return sandbox_paths_add(p, read, COUNTOF(read));
#else
        (void)p;
        return true;
#endif
}

static void forget_origins(struct sandbox_paths *p)
{
        for (size_t i = 0; i < p->n; i++)
                p->items[i].at = (struct origin){ 0 };
}

/* Returns what is missing, NULL: nothing. */
static const char *confine_files(const struct sandbox_ports *ports)
{
        int error = landlock_enter(&sandbox.allowed, ports);
        sandbox.confines_files = error == 0;
        if (error == 0)
                return NULL;
        return error == ENOSYS || error == EOPNOTSUPP || error == EPERM
                       ? "files are not confined, since there is no Landlock"
                       : strerror(error);
}

static bool gather(const struct config *conf)
{
        sandbox_paths_of_config(&sandbox.allowed, conf);
        sandbox_paths_of_system(&sandbox.allowed);
        bool fine = add_own_proc(&sandbox.allowed) && add_for_sanitizers(&sandbox.allowed);
        forget_origins(&sandbox.allowed);
        return fine && !sandbox.allowed.failed;
}

/* --- ports ------------------------------------------------------------------------------------ */

/* Which the rules are to be for; NULL: there are none. */
static const struct sandbox_ports *gather_ports(const struct config *conf, int version)
{
        sandbox.confines_ports = conf->sandbox_ports == CONFIG_SANDBOX_PORTS_CONFIGURED &&
                                 version >= LANDLOCK_WITH_PORTS;
        if (!sandbox.confines_ports)
                return NULL;
        sandbox_ports_of_config(&sandbox.ports, conf);
        return &sandbox.ports;
}

/* Returns what is missing, NULL: nothing. */
static const char *missing_ports(const struct config *conf)
{
        sandbox.confines_ports = sandbox.confines_ports && sandbox.confines_files;
        if (conf->sandbox_ports == CONFIG_SANDBOX_PORTS_ANY || sandbox.confines_ports)
                return NULL;
        return "TCP ports are not confined, which takes Landlock 4 (Linux 6.7)";
}

/* --- all of it -------------------------------------------------------------------------------- */

/* What is missing, NULL: nothing. */
static void tell(int version, const char *files, const char *ports, const char *calls)
{
        const char *const missing[] = { files, ports, calls };
        OWN(text_fini) struct text line = { 0 };
        for (size_t i = 0; i < COUNTOF(missing); i++)
                if (missing[i] != NULL)
                        text_addf(&line, "%s%s", line.len > 0 ? "; " : "", missing[i]);
        if (line.len > 0)
                log_warning("sandbox: %s", text_str(&line));
        else
                log_info("sandbox: files%s by Landlock %d, calls by seccomp",
                         sandbox.confines_ports ? " and TCP ports" : "", version);
}

bool sandbox_enter(const struct config *conf, struct diag *diag)
{
        if (conf->sandbox == CONFIG_SANDBOX_OFF)
                return true;
        if (!gather(conf)) {
                diag_error(diag, NULL, "sandbox: out of memory");
                return false;
        }
        keep_memory_private();
        privileges_drop_capabilities();
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        int version = landlock_version(); /* no longer to be asked afterwards */
        const char *files = confine_files(gather_ports(conf, version));
        const char *ports = missing_ports(conf);
        tell(version, files, ports, seccomp_enter(conf->sandbox == CONFIG_SANDBOX_STRICT));
        return true;
}

static void check_paths(const struct config *conf, struct diag *diag)
{
        static const char *const done[] = { [SANDBOX_READ] = "read",
                                            [SANDBOX_LOG] = "write a log",
                                            [SANDBOX_SOCKETS] = "make sockets" };
        OWN(sandbox_paths_fini) struct sandbox_paths wanted = { 0 };
        if (!sandbox.confines_files)
                return;
        sandbox_paths_of_config(&wanted, conf);
        for (size_t i = 0; i < wanted.n; i++) {
                const struct sandbox_path *p = &wanted.items[i];
                if (!sandbox_paths_cover(&sandbox.allowed, p))
                        diag_error(diag, &p->at,
                                   "%s \"%s\": the running daemon's sandbox does not let it %s in "
                                   "%s; %s",
                                   p->wanted_by, p->named, done[p->uses], p->path, RESTART);
        }
        if (wanted.failed)
                diag_error(diag, NULL, "out of memory");
}

bool sandbox_check(const struct config *conf, struct diag *diag)
{
        check_paths(conf, diag);
        return !sandbox.confines_ports ||
               sandbox_ports_check(&sandbox.ports, conf, RESTART ", or upgrade it", diag);
}

static void look_for_denied(enum diag_severity severity, const char *line, void *arg)
{
        bool *denied = arg;
        if (severity == DIAG_ERROR && strstr(line, strerror(EACCES)) != NULL)
                *denied = true;
}

static void look_for_told(enum diag_severity severity, const char *line, void *arg)
{
        bool *told = arg;
        if (severity == DIAG_ERROR && strstr(line, RESTART) != NULL)
                *told = true;
}

void sandbox_explain(struct diag *diag)
{
        bool denied = false, told = false;
        if (sandbox.confines_files)
                diag_each(diag, look_for_denied, &denied);
        diag_each(diag, look_for_told, &told);
        if (denied && !told)
                diag_warning(diag, NULL,
                             "permission may have been denied by the running daemon's sandbox, "
                             "which knows the directories it was started with: a restart takes up "
                             "others");
}
