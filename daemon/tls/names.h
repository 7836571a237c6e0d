/* SPDX-License-Identifier: ISC */
/* Which certificates a name gets: exact names before wildcards, and of each key type the first. */
#ifndef TLS_NAMES_H
#define TLS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509.h>

/* The names a certificate is for: DNS names of subjectAltName, or the common name where there are
 * none. In lower case, without a dot at the end. */
struct name_list {
        char **items;
        size_t n;
};
/* Returns false when memory is short, with *out empty. */
bool name_list_of(struct name_list *out, const X509 *cert);
void name_list_fini(struct name_list *l);

/* The label before the first dot replaced by "*" (into buf), or NULL where there is none to
 * replace.
 */
#define NAME_MAX_LEN 255
const char *name_wildcard(const char *name, char buf[static NAME_MAX_LEN + 1]);

/* A sorted table from name to set. */
struct named {
        char *name; /* owned; "*.example.com" for a wildcard */
        size_t set;
};
struct names {
        struct named *items;
        size_t n;
};
/* Takes a copy of name. Returns false when memory is short. Call names_sort() after the last. */
bool names_add(struct names *t, const char *name, size_t set);
void names_sort(struct names *t);
/* The set of a name (as a client asks for it, any case): exact, else by wildcard; otherwise none.
 */
bool names_find(const struct names *t, const char *name, size_t *set);
void names_fini(struct names *t);

#endif
