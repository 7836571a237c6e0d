/* SPDX-License-Identifier: ISC */
/* The configuration: bytes in, struct config or messages out. No sockets, no OpenSSL.
 *
 * Every directive is one row of a table in config/directives/ (rows.h says what is in a row); the
 * members of the structs below, the parser's entries, the defaults, the range checks, what `-T`
 * prints and the manual's paragraphs all come from these rows. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/diag.h"
#include "base/ref.h"
#include "config/kinds.h" /* the C type and the constants of each kind of value */

/* One struct a table: for each row the value, and where it was set (file NULL: the default). */
#define D(member, kind, ...)       \
        CONFIG_TYPE_##kind member; \
        struct origin member##_at;

struct config_log {
#include "config/directives/log.def"
};

struct config_listen_tls {
        bool present; /* listen-tls: {…} stands in the service; the values may come from defaults */
        struct origin at;
#include "config/directives/listen_tls.def"
};

struct config_connect_tls {
        bool present;
        struct origin at;
#include "config/directives/connect_tls.def"
};

struct config_listen_socket {
        bool present; /* the values hold either way */
        struct origin at;
#include "config/directives/listen_socket.def"
};

struct config_connect_socket {
        bool present; /* as above */
        struct origin at;
#include "config/directives/connect_socket.def"
};

struct config_service {
        char *name;
        struct origin at;
#include "config/directives/service.def"
        struct config_listen_tls listen_tls;
        struct config_connect_tls connect_tls;
        struct config_listen_socket listen_socket;
        struct config_connect_socket connect_socket;
};

struct config {
        struct ref ref;
#include "config/directives/global.def"
        struct config_log log;
        struct config_service **services;
        size_t n_services;
        struct origin services_at;      /* the first services: {…} */
        struct config_service defaults; /* what defaults: {…} says; the services have it already */
        struct string_list files;       /* every file read; origins borrow their names from here */
};
#undef D

/* Read a file, or text given on the command line (named name in messages), with everything it
 * includes; apply defaults; check what can be checked without opening sockets or keys. All mistakes
 * go to diag. Returns NULL when there was one. A reference, the caller's. */
struct config *config_read_path(const char *path, struct diag *diag);
struct config *config_read_text(const char *text, const char *name, struct diag *diag);
struct config *config_ref(struct config *c);
void config_free(struct config *c); /* a reference, the last one all of it; NULL is fine */

/* The effective configuration in its own language, each value with a comment saying where it comes
 * from (`-T`). Reading it gives the same configuration. */
void config_dump(const struct config *c, FILE *to);

#endif
