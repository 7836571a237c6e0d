/* SPDX-License-Identifier: ISC */
/* What a daemon reads and writes once it runs: directories, from its configuration and from what
 * its libraries are known to read. Nothing is opened here. */
#ifndef CONTROL_SANDBOX_PATHS_H
#define CONTROL_SANDBOX_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

/* What is done there, in it and below it. */
enum sandbox_use {
        SANDBOX_READ = 1,    /* files read, directories listed */
        SANDBOX_LOG = 2,     /* a log file made and appended to */
        SANDBOX_SOCKETS = 4, /* Unix sockets made, renamed and removed */
};

struct sandbox_path {
        char *path;       /* real: absolute, without symbolic links; owned */
        unsigned uses;    /* of enum sandbox_use */
        char *named;      /* the path as it was given; owned */
        char *wanted_by;  /* the directive; owned */
        struct origin at; /* its file is borrowed from the configuration */
};

/* Start with {0}. When memory is short `failed` is set, and something is missing. */
struct sandbox_paths {
        struct sandbox_path *items;
        size_t n;
        bool failed;
};

/* What a configuration names. What is not there is left out: whoever opens it will say so. */
void sandbox_paths_of_config(struct sandbox_paths *p, const struct config *conf);
/* What libraries read: names and addresses, time zones, authorities that are trusted by default. */
void sandbox_paths_of_system(struct sandbox_paths *p);
/* These, to be read, as far as they are there. False: memory is short. */
bool sandbox_paths_add(struct sandbox_paths *p, const char *const paths[], size_t n);
void sandbox_paths_fini(struct sandbox_paths *p);

/* Whether all that is done there may be done according to p. */
bool sandbox_paths_cover(const struct sandbox_paths *p, const struct sandbox_path *wanted);

#endif
