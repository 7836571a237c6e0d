/* SPDX-License-Identifier: ISC */
#include "tls/alpn.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_OCTETS = 255, LIST_MAX_OCTETS = 65535 };

static bool check(const struct string_list *names, struct diag *diag)
{
        size_t total = 0, mistakes = diag_errors(diag);
        for (size_t i = 0; i < names->n; i++) {
                size_t len = strlen(names->items[i]);
                if (len == 0 || len > NAME_MAX_OCTETS)
                        diag_error(diag, &names->at[i],
                                   "alpn: a protocol's name has 1 to %d octets, not %zu",
                                   NAME_MAX_OCTETS, len);
                total += len + 1;
        }
        if (total > LIST_MAX_OCTETS)
                diag_error(diag, &names->at[0], "alpn: all names together are too long");
        return diag_errors(diag) == mistakes;
}

bool alpn_init(struct alpn *out, const struct string_list *names, struct diag *diag)
{
        *out = (struct alpn){ 0 };
        if (names->n == 0)
                return true;
        if (!check(names, diag))
                return false;
        size_t len = 0;
        for (size_t i = 0; i < names->n; i++)
                len += strlen(names->items[i]) + 1;
        unsigned char *p = malloc(len);
        if (p == NULL) {
                diag_error(diag, &names->at[0], "alpn: out of memory");
                return false;
        }
        *out = (struct alpn){ .wire = p, .len = (unsigned)len };
        for (size_t i = 0; i < names->n; i++) {
                size_t n = strlen(names->items[i]);
                *p++ = (unsigned char)n;
                memcpy(p, names->items[i], n);
                p += n;
        }
        return true;
}

void alpn_fini(struct alpn *a)
{
        free(a->wire);
        *a = (struct alpn){ 0 };
}

static int choose(SSL *ssl, const unsigned char **out, unsigned char *outlen,
                  const unsigned char *asked, unsigned asked_len, void *arg)
{
        (void)ssl;
        const struct alpn *a = arg;
        unsigned char *chosen;
        if (SSL_select_next_proto(&chosen, outlen, a->wire, a->len, asked, asked_len) !=
            OPENSSL_NPN_NEGOTIATED)
                return SSL_TLSEXT_ERR_ALERT_FATAL;
        *out = chosen;
        return SSL_TLSEXT_ERR_OK;
}

void alpn_serve(SSL_CTX *ctx, struct alpn *a)
{
        if (a->len > 0)
                SSL_CTX_set_alpn_select_cb(ctx, choose, a);
}

bool alpn_ask(SSL_CTX *ctx, const struct alpn *a)
{
        return a->len == 0 || SSL_CTX_set_alpn_protos(ctx, a->wire, a->len) == 0;
}
