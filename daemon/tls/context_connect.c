/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "tls/context_internal.h"
#include "tls/error.h"
#include "tls/keypair.h"
#include "tls/profile.h"
#include "tls/verify.h"

static bool load_certificate(struct tls_context *c, const struct config_connect_tls *conf,
                             struct diag *diag)
{
        char why[TLS_ERROR_MAX];
        struct keypair pair;
        if (conf->certificate == NULL)
                return true;
        if (!keypair_load(&pair, (struct keypair_file){ conf->certificate, &conf->certificate_at },
                          (struct keypair_file){ conf->key, &conf->key_at }, diag))
                return false;
        bool ok = keypair_use(c->ctx, &pair);
        if (!ok)
                diag_error(diag, &conf->certificate_at, "certificate %s: %s", conf->certificate,
                           tls_error_text(why));
        ok = ok && tls_context_presents(c, pair.cert, conf->certificate);
        keypair_fini(&pair);
        return ok;
}

static bool fill(struct tls_context *c, const struct config_connect_tls *conf, struct diag *diag)
{
        const struct profile profile = PROFILE_OF(conf);
        SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_verify(c->ctx, conf->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
        bool ok = profile_check(&profile, diag) && profile_apply(c->ctx, &profile);
        ok = verify_trust(c->ctx, &conf->ca, diag) && ok;
        ok = load_certificate(c, conf, diag) && ok;
        return alpn_init(&c->alpn, &conf->alpn, diag) && alpn_ask(c->ctx, &c->alpn) && ok;
}

struct tls_context *tls_context_new_connect(const struct config_connect_tls *conf,
                                            struct diag *diag)
{
        size_t mistakes = diag_errors(diag);
        struct tls_context *c = calloc(1, sizeof *c);
        if (c != NULL) {
                ref_init(&c->ref);
                c->connects = true;
                c->verify = conf->verify;
                c->ktls = tls_context_wish(conf->ktls, &conf->ktls_at, diag);
                c->ctx = SSL_CTX_new(TLS_client_method());
                if (conf->server_name != NULL)
                        c->server_name = strdup(conf->server_name);
        }
        bool whole = c != NULL && c->ctx != NULL &&
                     (c->server_name != NULL || conf->server_name == NULL);
        if (whole && fill(c, conf, diag))
                return c;
        char why[TLS_ERROR_MAX];
        if (diag_errors(diag) == mistakes)
                diag_error(diag, &conf->at, "connect-tls: %s",
                           whole ? tls_error_text(why) : "out of memory");
        tls_context_unref(c);
        return NULL;
}
