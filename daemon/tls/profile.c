/* SPDX-License-Identifier: ISC */
#include "tls/profile.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

/* Mozilla's lists, in their order: the client's preference decides (all of them are good), so that
 * a telephone without AES instructions gets ChaCha20. Both profiles have the same suites and
 * groups; "modern" has no TLS 1.2, its ciphers are there for who sets min-version. */
static const char CIPHERSUITES[] =
        "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
static const char CIPHERS[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                              "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                              "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
                              "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"
                              "DHE-RSA-CHACHA20-POLY1305";
static const char GROUPS[] = "X25519:P-256:P-384";

static const char *text_or(const struct profile_text *t, const char *otherwise)
{
        return t->text != NULL ? t->text : otherwise;
}

/* --- names nobody knows ----------------------------------------------------------------------- */

/* OpenSSL takes a list with a name it does not know as if that name were not there, as long as one
 * is left: each is tried alone. */
typedef bool known_fn(SSL_CTX *scratch, const char *name);

static bool known_cipher(SSL_CTX *scratch, const char *name)
{
        if (*name == '@') /* @STRENGTH, @SECLEVEL=n: part of the notation */
                return true;
        /* What is taken out of the list may be unknown for a good reason: it was taken out of
         * OpenSSL before. */
        if (*name == '!' || *name == '-')
                return true;
        return SSL_CTX_set_cipher_list(scratch, *name == '+' ? name + 1 : name) == 1;
}

static bool known_ciphersuite(SSL_CTX *scratch, const char *name)
{
        if (SSL_CTX_set_ciphersuites(scratch, name) != 1)
                return false;
        STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(scratch);
        for (int i = 0; i < sk_SSL_CIPHER_num(all); i++)
                if (strcmp(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(all, i)), name) == 0)
                        return true;
        return false;
}

/* OpenSSL's macro casts const away. */
static bool set_groups(SSL_CTX *ctx, const char *list)
{
        return SSL_CTX_set1_groups_list(ctx, (void *)(uintptr_t)list) == 1;
}

static bool known_group(SSL_CTX *scratch, const char *name)
{
        return set_groups(scratch, name);
}

static bool all_known(SSL_CTX *scratch, const struct profile_text *list, const char *what,
                      const char *separators, known_fn *known, struct diag *diag)
{
        bool ok = true, any = false;
        const char *p = list->text;
        while (p != NULL && *p != '\0') {
                char name[128];
                size_t n = strcspn(p, separators);
                snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1),
                         p);
                any = any || n > 0;
                if (n > 0 && (n >= sizeof name || !known(scratch, name))) {
                        diag_error(diag, list->at, "%s: OpenSSL knows no \"%s\"", what, name);
                        ok = false;
                }
                p += n + strspn(p + n, separators);
        }
        if (list->text != NULL && !any)
                diag_error(diag, list->at, "%s: there is none", what);
        ERR_clear_error();
        return ok && (any || list->text == NULL);
}

/* Known names may still leave nothing: "ALL:!ALL". */
static bool leaves_some(SSL_CTX *scratch, const struct profile_text *ciphers, struct diag *diag)
{
        if (ciphers->text == NULL || SSL_CTX_set_cipher_list(scratch, ciphers->text) == 1)
                return true;
        ERR_clear_error();
        diag_error(diag, ciphers->at, "ciphers: \"%s\" leaves none", ciphers->text);
        return false;
}

bool profile_check(const struct profile *p, struct diag *diag)
{
        SSL_CTX *scratch = SSL_CTX_new(TLS_method());
        if (scratch == NULL) {
                diag_error(diag, NULL, "out of memory");
                return false;
        }
        bool ok = all_known(scratch, &p->ciphers, "ciphers", ":,; ", known_cipher, diag) &&
                  leaves_some(scratch, &p->ciphers, diag);
        ok = all_known(scratch, &p->ciphersuites, "ciphersuites", ":", known_ciphersuite, diag) &&
             ok;
        ok = all_known(scratch, &p->groups, "groups", ":", known_group, diag) && ok;
        SSL_CTX_free(scratch);
        return ok;
}

/* --- making it so ----------------------------------------------------------------------------- */

static int oldest(const struct profile *p)
{
        if (p->min_version == CONFIG_TLS_VERSION_1_3)
                return TLS1_3_VERSION;
        if (p->min_version == CONFIG_TLS_VERSION_1_2)
                return TLS1_2_VERSION;
        return p->profile == CONFIG_TLS_PROFILE_MODERN ? TLS1_3_VERSION : TLS1_2_VERSION;
}

static int newest(const struct profile *p)
{
        return p->max_version == CONFIG_TLS_VERSION_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

bool profile_apply(SSL_CTX *ctx, const struct profile *p)
{
        ERR_clear_error();
        SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
        SSL_CTX_clear_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
        /* Not SSL_MODE_ENABLE_PARTIAL_WRITE: libevent goes on with the next piece of its buffer
         * after a write that took less than the whole piece, and the rest would be lost. */
        SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
        return SSL_CTX_set_min_proto_version(ctx, oldest(p)) == 1 &&
               SSL_CTX_set_max_proto_version(ctx, newest(p)) == 1 &&
               SSL_CTX_set_cipher_list(ctx, text_or(&p->ciphers, CIPHERS)) == 1 &&
               SSL_CTX_set_ciphersuites(ctx, text_or(&p->ciphersuites, CIPHERSUITES)) == 1 &&
               set_groups(ctx, text_or(&p->groups, GROUPS));
}
