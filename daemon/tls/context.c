/* SPDX-License-Identifier: ISC */
#include "tls/context.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "tls/context_internal.h"
#include "tls/verify.h"

struct tls_context *tls_context_ref(struct tls_context *c)
{
        ref_get(&c->ref);
        return c;
}

void tls_context_unref(struct tls_context *c)
{
        if (c == NULL || !ref_put(&c->ref))
                return;
        for (size_t i = 0; i < c->n_sets; i++)
                SSL_CTX_free(c->sets[i]);
        free(c->sets);
        for (size_t i = 0; i < c->n_presented; i++) {
                X509_free(c->presented[i].cert);
                free(c->presented[i].file);
        }
        free(c->presented);
        SSL_CTX_free(c->ctx);
        names_fini(&c->names);
        alpn_fini(&c->alpn);
        free(c->server_name);
        free(c);
}

bool tls_context_presents(struct tls_context *c, X509 *cert, const char *file)
{
        struct tls_presented *grown = reallocarray(c->presented, c->n_presented + 1, sizeof *grown);
        if (grown == NULL)
                return false;
        c->presented = grown;
        struct tls_presented *p = &grown[c->n_presented];
        p->file = strdup(file);
        if (p->file == NULL)
                return false;
        p->cert = cert;
        X509_up_ref(cert);
        c->n_presented++;
        return true;
}

void tls_context_each_certificate(const struct tls_context *c, tls_certificate_fn *fn, void *arg)
{
        for (size_t i = 0; i < c->n_presented; i++)
                fn(c->presented[i].cert, c->presented[i].file, arg);
}

enum ktls_wish tls_context_wish(int directive, const struct origin *at, struct diag *diag)
{
        static const enum ktls_wish wishes[] = {
                [CONFIG_KTLS_OFF] = KTLS_NEVER,
                [CONFIG_KTLS_AUTO] = KTLS_SAFELY,
                [CONFIG_KTLS_ON] = KTLS_ALWAYS,
        };
        enum ktls_wish wish = wishes[directive];
        const char *why = wish != KTLS_NEVER ? ktls_unavailable() : NULL;
        if (why == NULL)
                return wish;
        if (wish == KTLS_ALWAYS)
                diag_warning(diag, at, "ktls: %s; OpenSSL does it all", why);
        return KTLS_NEVER;
}

enum ktls_wish tls_context_ktls(const struct tls_context *c)
{
        return c->ktls;
}

/* SSL_CTX_set_tlsext_ticket_key_cb(3) has the size of keys for the default callback; asked for
 * nothing, SSL_CTX_get_tlsext_ticket_keys() says it. */
bool tls_context_keep_tickets(struct tls_context *c, struct tls_context *before)
{
        enum { KEYS_MOST = 256 };
        unsigned char keys[KEYS_MOST];
        if (c == before)
                return true;
        long size = SSL_CTX_get_tlsext_ticket_keys(c->ctx, NULL, 0);
        if (size <= 0 || size > KEYS_MOST)
                return false;
        bool kept = SSL_CTX_get_tlsext_ticket_keys(before->ctx, keys, size) == 1 &&
                    SSL_CTX_set_tlsext_ticket_keys(c->ctx, keys, size) == 1;
        OPENSSL_cleanse(keys, sizeof keys);
        return kept;
}

SSL *tls_context_ssl(struct tls_context *c, const char *host)
{
        SSL *ssl = SSL_new(c->ctx);
        if (ssl == NULL || !c->connects)
                return ssl;
        const char *name = c->server_name != NULL ? c->server_name : host;
        if (verify_expect(ssl, name, c->verify))
                return ssl;
        SSL_free(ssl);
        return NULL;
}
