/* SPDX-License-Identifier: ISC */
#include "tls/verify.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "tls/error.h"
#include "tls/names.h"

static bool trust_one(SSL_CTX *ctx, const char *path, const struct origin *at, struct diag *diag)
{
        char why[TLS_ERROR_MAX];
        struct stat st;
        if (stat(path, &st) < 0) {
                diag_error(diag, at, "ca %s: %s", path, strerror(errno));
                return false;
        }
        ERR_clear_error();
        int ok = S_ISDIR(st.st_mode) ? SSL_CTX_load_verify_dir(ctx, path)
                                     : SSL_CTX_load_verify_file(ctx, path);
        if (ok != 1)
                diag_error(diag, at, "ca %s: %s", path, tls_error_text(why));
        return ok == 1;
}

bool verify_trust(SSL_CTX *ctx, const struct string_list *ca, struct diag *diag)
{
        bool ok = true;
        for (size_t i = 0; i < ca->n; i++)
                ok = trust_one(ctx, ca->items[i], &ca->at[i], diag) && ok;
        if (ca->n == 0)
                return SSL_CTX_set_default_verify_paths(ctx) == 1;
        /* Whoever is named in the configuration is trusted, whether or not somebody signed it. */
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
        return ok;
}

static bool is_address(const char *name)
{
        struct in6_addr any;
        return inet_pton(AF_INET, name, &any) == 1 || inet_pton(AF_INET6, name, &any) == 1;
}

/* As the names in certificates are: no dot at the end, and an address without its interface. */
static bool normal_form(const char *name, char out[static NAME_MAX_LEN + 1])
{
        size_t len = strchr(name, ':') != NULL ? strcspn(name, "%") : strlen(name);
        if (len > 0 && name[len - 1] == '.')
                len--;
        if (len == 0 || len > NAME_MAX_LEN)
                return false;
        snprintf(out, NAME_MAX_LEN + 1, "%.*s", (int)len, name);
        return true;
}

static bool expect_certificate_for(SSL *ssl, const char *name)
{
        SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        if (is_address(name))
                return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
        return SSL_set1_host(ssl, name) == 1;
}

bool verify_expect(SSL *ssl, const char *name, bool verify)
{
        char expected[NAME_MAX_LEN + 1];
        if (name == NULL || !normal_form(name, expected))
                return !verify;
        /* A path or the name of an abstract socket: nothing a certificate could be for, so it will
         * not verify; nothing to ask for either. */
        bool host = expected[0] != '/' && expected[0] != '@';
        if (host && !is_address(expected) && SSL_set_tlsext_host_name(ssl, expected) != 1)
                return false;
        return !verify || expect_certificate_for(ssl, expected);
}
