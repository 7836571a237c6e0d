/* SPDX-License-Identifier: ISC */
#include "tls/context.h"

#include <stdlib.h>

#include "tls/context_internal.h"
#include "tls/verify.h"

void tls_context_free(struct tls_context *c)
{
        if (c == NULL)
                return;
        for (size_t i = 0; i < c->n_sets; i++)
                SSL_CTX_free(c->sets[i]);
        free(c->sets);
        SSL_CTX_free(c->ctx);
        names_fini(&c->names);
        alpn_fini(&c->alpn);
        free(c->server_name);
        free(c);
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
