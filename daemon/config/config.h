/* SPDX-License-Identifier: ISC */
/* The configuration: bytes in, struct config or messages out. No sockets, no OpenSSL.
 *
 * Every directive is one row of a table in config/directives/ (see directives/README in rows.h);
 * the members of the structs below, the parser's entries, the defaults, the range checks, what `-T`
 * prints and the manual's paragraphs all come from these rows. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/diag.h"

struct string_list {
        char **items;
        struct origin *at; /* one each */
        size_t n;
};

struct addr_list {
        struct addr *items;
        struct origin *at; /* one each */
        size_t n;
};

/* The C type behind each kind of value. Enumerations are an int: the index of the word in the
 * kind's list of words (directives/kinds.def), named CONFIG_<KIND>_<WORD>. */
#define CONFIG_TYPE_BOOL     bool
#define CONFIG_TYPE_COUNT    int64_t
#define CONFIG_TYPE_DURATION int64_t /* milliseconds; 0: off */
#define CONFIG_TYPE_SIZE     int64_t /* octets */
#define CONFIG_TYPE_STRING   char *  /* NULL: not set */
#define CONFIG_TYPE_FILE \
        char * /* a path, absolute or made so from the directory of its file; NULL: not set */
#define CONFIG_TYPE_MODE    int64_t /* file mode bits; -1: not set */
#define CONFIG_TYPE_STRINGS struct string_list
#define CONFIG_TYPE_FILES   struct string_list
#define CONFIG_TYPE_ADDRS   struct addr_list

/* One struct a table: for each row the value, and where it was set (file NULL: the default). */
#define CONFIG_ENUM(kind, ...) /* in kinds.h */
#include "config/kinds.h"
#define D(member, kind, ...)       \
        CONFIG_TYPE_##kind member; \
        struct origin member##_at;

struct config_log {
#include "config/directives/log.def"
};

struct config_listen_tls {
        bool present; /* listen-tls: {…} stands in the service (or in defaults, with it in the
                         service) */
        struct origin at;
#include "config/directives/listen_tls.def"
};

struct config_connect_tls {
        bool present;
        struct origin at;
#include "config/directives/connect_tls.def"
};

struct config_listen_socket {
        bool present;
        struct origin at;
#include "config/directives/listen_socket.def"
};

struct config_service {
        char *name;
        struct origin at;
#include "config/directives/service.def"
        struct config_listen_tls listen_tls;
        struct config_connect_tls connect_tls;
        struct config_listen_socket listen_socket;
};

struct config {
#include "config/directives/global.def"
        struct config_log log;
        struct config_service **services;
        size_t n_services;
        struct string_list files; /* every file read; origins borrow their names from here */
};
#undef D

/* Read a file, or text given on the command line (named name in messages), with everything it
 * includes; apply defaults; check what can be checked without opening sockets or keys. All mistakes
 * go to diag. Returns NULL when there was one. Owned by the caller. */
struct config *config_read_file(const char *path, struct diag *diag);
struct config *config_read_text(const char *text, const char *name, struct diag *diag);
void config_free(struct config *c);

/* The effective configuration in its own language, each value with a comment saying where it comes
 * from (`-T`). Reading it gives the same configuration. */
void config_dump(const struct config *c, FILE *to);

#endif
