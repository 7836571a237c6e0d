/* SPDX-License-Identifier: ISC */
/* Directories rather than files: a file that is replaced is another one to the kernel, and most
 * files are replaced, not written to. */
#include "control/sandbox_paths.h"

#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/x509.h>

#include "base/own.h"
#include "base/text.h"
#include "config/files.h"

/* Who wants it, for all paths of one value. */
struct want {
        struct sandbox_paths *paths;
        const char *named, *directive;
        struct origin at;
};

static bool is_there_already(struct sandbox_paths *p, const char *path, unsigned uses)
{
        for (size_t i = 0; i < p->n; i++)
                if (p->items[i].uses == uses && strcmp(p->items[i].path, path) == 0)
                        return true;
        return false;
}

static void path_fini(struct sandbox_path *p)
{
        free(p->path);
        free(p->named);
        free(p->wanted_by);
}

static void add_real(const struct want *w, const char *real, unsigned uses)
{
        struct sandbox_paths *p = w->paths;
        if (is_there_already(p, real, uses))
                return;
        struct sandbox_path new = { strdup(real), uses, strdup(w->named), strdup(w->directive),
                                    w->at };
        struct sandbox_path *grown = reallocarray(p->items, p->n + 1, sizeof *grown);
        if (grown != NULL)
                p->items = grown;
        if (grown == NULL || new.path == NULL || new.named == NULL || new.wanted_by == NULL) {
                path_fini(&new);
                p->failed = true;
                return;
        }
        p->items[p->n++] = new;
}

static void add(const struct want *w, const char *path, unsigned uses)
{
        char real[PATH_MAX];
        if (realpath(path, real) != NULL)
                add_real(w, real, uses);
}

static void add_directory_of(const struct want *w, const char *path, unsigned uses)
{
        OWN_FREE char *copy = strdup(path); /* dirname(3) writes into it */
        if (copy != NULL)
                add(w, dirname(copy), uses);
        else
                w->paths->failed = true;
}

static bool is_directory(const char *path)
{
        struct stat st;
        return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Where its name is, and where it is in truth. */
static void add_file(const struct want *w, const char *path)
{
        char real[PATH_MAX];
        add_directory_of(w, path, SANDBOX_READ);
        if (realpath(path, real) != NULL && !is_directory(real))
                add_directory_of(w, real, SANDBOX_READ);
}

/* A directory of authorities is full of links to where they are. */
static void add_authorities(const struct want *w, const char *path)
{
        DIR *dir = opendir(path);
        add(w, path, SANDBOX_READ);
        const struct dirent *e;
        while (dir != NULL && (e = readdir(dir)) != NULL) {
                OWN(text_fini) struct text link = { 0 };
                char real[PATH_MAX];
                text_addf(&link, "%s/%s", path, e->d_name);
                if (e->d_type == DT_LNK && realpath(text_str(&link), real) != NULL)
                        add_directory_of(w, real, SANDBOX_READ);
        }
        if (dir != NULL)
                closedir(dir);
}

/* --- the configuration ------------------------------------------------------------------------ */

static void add_named_file(const char *path, const char *directive, const struct origin *at,
                           void *arg)
{
        const struct want w = { arg, path, directive, *at };
        if (is_directory(path))
                add_authorities(&w, path);
        else
                add_file(&w, path);
}

static void add_log(struct sandbox_paths *p, const struct config *conf)
{
        struct stat st;
        const char *path = conf->log.target;
        const struct want w = { p, path, "log.target", conf->log.target_at };
        if (strchr(path, '/') == NULL)
                return; /* a word */
        if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
                add(&w, path, SANDBOX_LOG); /* a terminal, /dev/null, a pipe: itself */
        else
                add_directory_of(&w, path, SANDBOX_LOG);
}

static void add_listeners(struct sandbox_paths *p, const struct addr_list *list,
                          const char *directive)
{
        for (size_t i = 0; i < list->n; i++) {
                const struct addr *a = &list->items[i];
                const struct want w = { p, a->text, directive, list->at[i] };
                if (a->kind == ADDR_UNIX && a->host[0] != '@')
                        add_directory_of(&w, a->host, SANDBOX_SOCKETS);
        }
}

void sandbox_paths_of_config(struct sandbox_paths *p, const struct config *conf)
{
        for (size_t i = 0; i < conf->files.n; i++) {
                const char *file = conf->files.items[i];
                if (access(file, F_OK) == 0) /* the command line is none */
                        add_file(&(struct want){ p, file, "include", conf->files.at[i] }, file);
        }
        config_each_file_at(conf, add_named_file, p);
        add_log(p, conf);
        for (size_t i = 0; i < conf->n_services; i++)
                add_listeners(p, &conf->services[i]->listen, "listen");
        add_listeners(p, &conf->admin, "admin");
        if (conf->control != NULL && strcmp(conf->control, "off") != 0)
                add_directory_of(&(struct want){ p, conf->control, "control", conf->control_at },
                                 conf->control, SANDBOX_SOCKETS);
}

/* --- the system ------------------------------------------------------------------------------- */

static void add_trusted(const struct want *w, const char *variable, const char *otherwise)
{
        const char *path = getenv(variable);
        if (path == NULL)
                path = otherwise;
        if (is_directory(path))
                add(w, path, SANDBOX_READ); /* where its links lead is in the list below */
        else
                add_file(w, path);
}

static struct want by_nobody(struct sandbox_paths *p)
{
        return (struct want){ .paths = p, .named = "", .directive = "" };
}

bool sandbox_paths_add(struct sandbox_paths *p, const char *const paths[], size_t n)
{
        const struct want w = by_nobody(p);
        for (size_t i = 0; i < n; i++)
                add(&w, paths[i], SANDBOX_READ);
        return !p->failed;
}

void sandbox_paths_of_system(struct sandbox_paths *p)
{
        static const char *const read[] = {
                /* Names, addresses, services, users; resolv.conf, hosts and passwd are replaced
                 * while the daemon runs, so that only their directory can be named. */
                "/etc",
                "/run/systemd/userdb",
                "/usr/share/zoneinfo",
                /* What the C library and OpenSSL load when it is first needed. */
                "/usr/lib",
                "/usr/lib64",
                "/usr/local/lib",
                "/lib",
                "/lib64",
                /* The range of ports, the open descriptors, the number of processors. */
                "/proc/sys/net",
                "/sys/devices/system/cpu",
                /* How OpenSSL and jansson get randomness where the kernel has no call for it; and
                 * what a descriptor is held in reserve with. */
                "/dev/urandom",
                "/dev/null",
                "/usr/share/ca-certificates",
                "/usr/local/share/ca-certificates",
        };
        const struct want w = by_nobody(p);
        sandbox_paths_add(p, read, COUNTOF(read));
        add_file(&w, "/etc/resolv.conf");
        add_trusted(&w, X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
        add_trusted(&w, X509_get_default_cert_file_env(), X509_get_default_cert_file());
}

/* --- what is allowed -------------------------------------------------------------------------- */

static bool is_within(const char *path, const char *directory)
{
        size_t n = strlen(directory);
        if (strcmp(directory, "/") == 0)
                return true;
        return strncmp(path, directory, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

bool sandbox_paths_cover(const struct sandbox_paths *p, const struct sandbox_path *wanted)
{
        unsigned left = wanted->uses;
        for (size_t i = 0; i < p->n; i++)
                if (is_within(wanted->path, p->items[i].path))
                        left &= ~p->items[i].uses;
        return left == 0;
}

void sandbox_paths_fini(struct sandbox_paths *p)
{
        for (size_t i = 0; i < p->n; i++)
                path_fini(&p->items[i]);
        free(p->items);
        *p = (struct sandbox_paths){ 0 };
}
