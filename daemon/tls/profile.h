/* SPDX-License-Identifier: ISC */
/* Versions, ciphers and groups: Mozilla's server-side TLS recommendations, version 5.7, and what
 * the configuration changes of them. */
#ifndef TLS_PROFILE_H
#define TLS_PROFILE_H

#include <openssl/ssl.h>

#include "config/config.h"

/* A directive and where it stands; text NULL: as the profile says. */
struct profile_text {
        const char *text;
        const struct origin *at;
};

struct profile {
        int profile, min_version, max_version; /* CONFIG_TLS_… */
        struct profile_text ciphers, ciphersuites, groups;
};

/* From either block of the configuration, which have these directives in common. */
#define PROFILE_OF(conf)                                                                       \
        ((struct profile){ .profile = (conf)->profile,                                         \
                           .min_version = (conf)->min_version,                                 \
                           .max_version = (conf)->max_version,                                 \
                           .ciphers = { (conf)->ciphers, &(conf)->ciphers_at },                \
                           .ciphersuites = { (conf)->ciphersuites, &(conf)->ciphersuites_at }, \
                           .groups = { (conf)->groups, &(conf)->groups_at } })

/* Every name OpenSSL does not know is told. Returns whether profile_apply() will work. */
bool profile_check(const struct profile *p, struct diag *diag);

/* Versions, ciphers, groups, and what is the same for all: no renegotiation, no compression, idle
 * connections give their buffers back. Returns false with OpenSSL's error queue filled. */
bool profile_apply(SSL_CTX *ctx, const struct profile *p);

#endif
