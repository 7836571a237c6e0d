/* SPDX-License-Identifier: ISC */
/* Several certificates on one socket.
 *
 * Certificates are grouped into sets: for each name any of them is for, the first of each key type.
 * Each set has an SSL_CTX, and OpenSSL picks from it by what the client can verify. The set is
 * chosen by the ClientHello callback, before OpenSSL looks at a ticket: it resumes a session only
 * under the session id context it began with, and each set has its own, so that a session begun
 * under one certificate cannot be resumed under another's name (RFC 6066, section 3), while within
 * a set it can. (The later servername callback would be too late: TLS 1.2 sessions of all sets but
 * the first would never be resumed.) Ticket keys are those of the first SSL_CTX, for all. */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "tls/context_internal.h"
#include "tls/error.h"
#include "tls/keypair.h"
#include "tls/profile.h"
#include "tls/sni.h"

struct builder {
        struct tls_context *c;
        const struct config_listen_tls *conf;
        struct profile profile;
        struct diag *diag;
        struct keypair *pairs; /* those that could be loaded, in the order of the configuration */
        struct name_list *names;
        size_t *place; /* of each in conf->certificate */
        size_t n;
        bool **members; /* [set][pair] */
};

/* --- during the handshake --------------------------------------------------------------------- */

static int choose_set(SSL *ssl, int *alert, void *arg)
{
        const struct tls_context *c = arg;
        const unsigned char *extension;
        char name[SNI_MAX + 1];
        size_t len, set;
        if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &extension, &len) != 1 ||
            !sni_parse(extension, len, name) || !names_find(&c->names, name, &set) ||
            c->sets[set] == SSL_get_SSL_CTX(ssl))
                return SSL_CLIENT_HELLO_SUCCESS;
        if (SSL_set_SSL_CTX(ssl, c->sets[set]) != NULL)
                return SSL_CLIENT_HELLO_SUCCESS;
        *alert = SSL_AD_INTERNAL_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
}

/* The name is acknowledged in any case: without that OpenSSL does not keep it with a TLS 1.2
 * session, and the record of a resumed one would have none. */
static int acknowledge_name(SSL *ssl, int *alert, void *arg)
{
        (void)ssl;
        (void)alert;
        (void)arg;
        return SSL_TLSEXT_ERR_OK;
}

/* --- a set ------------------------------------------------------------------------------------ */

static bool put_certificates(struct builder *b, SSL_CTX *ctx, const bool *member)
{
        char why[TLS_ERROR_MAX];
        for (size_t i = 0; i < b->n; i++) {
                if (!member[i] || keypair_use(ctx, &b->pairs[i]))
                        continue;
                const struct string_list *files = &b->conf->certificate;
                diag_error(b->diag, &files->at[b->place[i]], "certificate %s: %s",
                           files->items[b->place[i]], tls_error_text(why));
                return false;
        }
        return true;
}

static bool set_session_context(const struct builder *b, SSL_CTX *ctx, const bool *member)
{
        unsigned char one[EVP_MAX_MD_SIZE], all[EVP_MAX_MD_SIZE];
        unsigned n = 0;
        EVP_MD_CTX *sum = EVP_MD_CTX_new();
        bool ok = sum != NULL && EVP_DigestInit_ex(sum, EVP_sha256(), NULL) == 1;
        for (size_t i = 0; ok && i < b->n; i++)
                if (member[i])
                        ok = X509_digest(b->pairs[i].cert, EVP_sha256(), one, &n) == 1 &&
                             EVP_DigestUpdate(sum, one, n) == 1;
        ok = ok && EVP_DigestFinal_ex(sum, all, &n) == 1;
        EVP_MD_CTX_free(sum);
        return ok && SSL_CTX_set_session_id_context(ctx, all, n) == 1;
}

static void set_sessions(SSL_CTX *ctx, bool tickets)
{
        /* One ticket, not two: each costs the handshake an encryption and a few hundred octets. */
        SSL_CTX_set_num_tickets(ctx, tickets ? 1 : 0);
        if (!tickets)
                SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
}

static SSL_CTX *set_new(struct builder *b, const bool *member)
{
        SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
        if (ctx == NULL)
                return NULL;
        SSL_CTX_set_dh_auto(ctx, 1);
        SSL_CTX_set_tlsext_servername_callback(ctx, acknowledge_name);
        set_sessions(ctx, b->conf->tickets);
        alpn_serve(ctx, &b->c->alpn);
        if (profile_apply(ctx, &b->profile) && put_certificates(b, ctx, member) &&
            set_session_context(b, ctx, member))
                return ctx;
        SSL_CTX_free(ctx);
        return NULL;
}

/* --- which sets there are --------------------------------------------------------------------- */

static bool is_for(const struct name_list *names, const char *name)
{
        for (size_t i = 0; i < names->n; i++)
                if (strcmp(names->items[i], name) == 0)
                        return true;
        return false;
}

static void add_first_of_type(const struct builder *b, size_t pair, bool *member)
{
        int type = EVP_PKEY_get_base_id(b->pairs[pair].key);
        for (size_t i = 0; i < b->n; i++)
                if (member[i] && EVP_PKEY_get_base_id(b->pairs[i].key) == type)
                        return;
        member[pair] = true;
}

/* Exact names first: a wildcard only adds the key types they lack. */
static void choose_members(const struct builder *b, const char *name, bool *member)
{
        char buf[NAME_MAX_LEN + 1];
        const char *wild = *name != '*' ? name_wildcard(name, buf) : NULL;
        for (size_t i = 0; i < b->n; i++)
                if (is_for(&b->names[i], name))
                        add_first_of_type(b, i, member);
        for (size_t i = 0; wild != NULL && i < b->n; i++)
                if (is_for(&b->names[i], wild))
                        add_first_of_type(b, i, member);
}

/* Finds or makes the set with these members, which it takes. Returns false on failure. */
static bool set_for(struct builder *b, bool *member, size_t *set)
{
        struct tls_context *c = b->c;
        for (*set = 0; *set < c->n_sets; ++*set)
                if (memcmp(b->members[*set], member, b->n * sizeof *member) == 0) {
                        free(member);
                        return true;
                }
        SSL_CTX **sets = reallocarray(c->sets, c->n_sets + 1, sizeof(SSL_CTX *));
        if (sets != NULL)
                c->sets = sets;
        bool **members = reallocarray(b->members, c->n_sets + 1, sizeof *members);
        if (members != NULL)
                b->members = members;
        SSL_CTX *ctx = sets != NULL && members != NULL ? set_new(b, member) : NULL;
        if (ctx == NULL) {
                free(member);
                return false;
        }
        b->members[c->n_sets] = member;
        c->sets[c->n_sets++] = ctx;
        return true;
}

static bool add_name(struct builder *b, const char *name)
{
        size_t set;
        bool *member = calloc(b->n, sizeof *member);
        if (member == NULL)
                return false;
        choose_members(b, name, member);
        return set_for(b, member, &set) && names_add(&b->c->names, name, set);
}

/* The set of a client that asks for no name, or one nobody has: the first certificate's, with the
 * others for its first name. */
static bool add_default(struct builder *b)
{
        size_t set;
        bool *member = calloc(b->n, sizeof *member);
        if (member == NULL)
                return false;
        member[0] = true;
        if (b->names[0].n > 0)
                choose_members(b, b->names[0].items[0], member);
        return set_for(b, member, &set);
}

static bool named_before(const struct builder *b, size_t pair, size_t name)
{
        const char *wanted = b->names[pair].items[name];
        for (size_t i = 0; i < pair; i++)
                if (is_for(&b->names[i], wanted))
                        return true;
        for (size_t i = 0; i < name; i++)
                if (strcmp(b->names[pair].items[i], wanted) == 0)
                        return true;
        return false;
}

static bool build_sets(struct builder *b)
{
        if (!add_default(b))
                return false;
        for (size_t i = 0; i < b->n; i++)
                for (size_t k = 0; k < b->names[i].n; k++)
                        if (!named_before(b, i, k) && !add_name(b, b->names[i].items[k]))
                                return false;
        names_sort(&b->c->names);
        return true;
}

/* --- from the configuration ------------------------------------------------------------------- */

static struct keypair_file key_file(const struct config_listen_tls *conf, size_t i)
{
        if (i >= conf->key.n)
                return (struct keypair_file){ 0 };
        return (struct keypair_file){ conf->key.items[i], &conf->key.at[i] };
}

static bool load_all(struct builder *b)
{
        const struct string_list *files = &b->conf->certificate;
        b->pairs = calloc(files->n + 1, sizeof *b->pairs);
        b->names = calloc(files->n + 1, sizeof *b->names);
        b->place = calloc(files->n + 1, sizeof *b->place);
        if (b->pairs == NULL || b->names == NULL || b->place == NULL)
                return false;
        for (size_t i = 0; i < files->n; i++) {
                const struct keypair_file file = { files->items[i], &files->at[i] };
                if (!keypair_load(&b->pairs[b->n], file, key_file(b->conf, i), b->diag))
                        continue;
                if (!tls_context_presents(b->c, b->pairs[b->n].cert, file.path) ||
                    !name_list_of(&b->names[b->n], b->pairs[b->n].cert)) {
                        keypair_fini(&b->pairs[b->n]);
                        return false;
                }
                b->place[b->n++] = i;
        }
        return b->n == files->n && b->n > 0;
}

static void builder_fini(struct builder *b)
{
        for (size_t i = 0; i < b->n; i++) {
                keypair_fini(&b->pairs[i]);
                name_list_fini(&b->names[i]);
        }
        for (size_t i = 0; b->members != NULL && i < b->c->n_sets; i++)
                free(b->members[i]);
        free(b->members);
        free(b->pairs);
        free(b->names);
        free(b->place);
}

/* All mistakes are looked for, also after the first. */
static bool build(struct builder *b)
{
        bool ok = profile_check(&b->profile, b->diag);
        ok = alpn_init(&b->c->alpn, &b->conf->alpn, b->diag) && ok;
        ok = load_all(b) && ok;
        if (!ok || !build_sets(b))
                return false;
        b->c->ktls = tls_context_wish(b->conf->ktls, &b->conf->ktls_at, b->diag);
        b->c->ctx = b->c->sets[0];
        SSL_CTX_up_ref(b->c->ctx);
        if (b->c->n_sets > 1)
                SSL_CTX_set_client_hello_cb(b->c->ctx, choose_set, b->c);
        return true;
}

struct tls_context *tls_context_new_listen(const struct config_listen_tls *conf, struct diag *diag)
{
        char why[TLS_ERROR_MAX];
        size_t mistakes = diag_errors(diag);
        struct tls_context *c = calloc(1, sizeof *c);
        if (c != NULL)
                ref_init(&c->ref);
        struct builder b = { .c = c, .conf = conf, .diag = diag, .profile = PROFILE_OF(conf) };
        bool ok = c != NULL && build(&b);
        if (!ok && diag_errors(diag) == mistakes)
                diag_error(diag, &conf->at, "listen-tls: %s",
                           ERR_peek_error() != 0 ? tls_error_text(why) : "out of memory");
        if (c != NULL)
                builder_fini(&b);
        if (ok)
                return c;
        tls_context_unref(c);
        return NULL;
}
