/* SPDX-License-Identifier: ISC */
#include "config/check.h"

#include <string.h>

#include "base/text.h"

/* The longest name ALPN can carry (RFC 7301, 3.1: its length is one octet). */
#define ALPN_MAX 255

/* What a TLS block says about versions, whichever of the two it is. */
struct versions {
        const char *block;
        int profile, min, max;
        const struct origin *min_at, *max_at, *profile_at, *block_at;
};

static const char *version_name(int version)
{
        return version == CONFIG_TLS_VERSION_1_2 ? "TLSv1.2" : "TLSv1.3";
}

/* The place to point at: the directive that was written, of those that make the mistake. */
static const struct origin *first_set(const struct versions *v)
{
        const struct origin *const places[] = { v->max_at, v->min_at, v->profile_at };
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
                if (places[i]->file != NULL)
                        return places[i];
        }
        return v->block_at;
}

static void check_versions(const struct config_service *s, const struct versions *v,
                           struct diag *diag)
{
        bool modern = v->profile == CONFIG_TLS_PROFILE_MODERN;
        bool given = v->min != CONFIG_TLS_VERSION_DEFAULT;
        int min = given ? v->min : modern ? CONFIG_TLS_VERSION_1_3 : CONFIG_TLS_VERSION_1_2;
        if (v->max == CONFIG_TLS_VERSION_DEFAULT || min <= v->max)
                return;
        diag_error(diag, first_set(v), "%s of service \"%s\": max-version %s is below %s%s",
                   v->block, s->name, version_name(v->max),
                   given ? "min-version " : "the profile's oldest, ", version_name(min));
}

static void check_alpn(const struct config_service *s, const char *block,
                       const struct string_list *alpn, struct diag *diag)
{
        for (size_t i = 0; i < alpn->n; i++) {
                if (strlen(alpn->items[i]) > ALPN_MAX)
                        diag_error(
                                diag, &alpn->at[i],
                                "%s of service \"%s\": the name in alpn is longer than %d octets",
                                block, s->name, ALPN_MAX);
        }
}

static void check_listen_tls(const struct config_service *s, struct diag *diag)
{
        const struct config_listen_tls *t = &s->listen_tls;
        if (!t->present)
                return;
        const struct versions v = { "listen-tls",       t->profile,
                                    t->min_version,     t->max_version,
                                    &t->min_version_at, &t->max_version_at,
                                    &t->profile_at,     &t->at };
        check_versions(s, &v, diag);
        check_alpn(s, "listen-tls", &t->alpn, diag);
        if (t->key.n > 0 && t->certificate.n > 0 && t->key.n != t->certificate.n)
                diag_error(
                        diag, &t->key_at,
                        "listen-tls of service \"%s\": %zu keys for %zu certificates: give one for "
                        "each, in the same order, or none if each is in its certificate's file",
                        s->name, t->key.n, t->certificate.n);
}

/* Whether the upstream's certificate can be checked against something: a host does, a path not. */
static void check_verified_name(const struct config_service *s, struct diag *diag)
{
        const struct config_connect_tls *t = &s->connect_tls;
        for (size_t i = 0; i < s->connect.n; i++) {
                const struct addr *a = &s->connect.items[i];
                if (a->kind == ADDR_UNIX && t->verify && t->server_name_at.file == NULL)
                        diag_error(
                                diag, &s->connect.at[i],
                                "connect \"%s\" in service \"%s\" has no host name to verify the "
                                "certificate for: connect-tls needs a server-name, or "
                                "verify = false",
                                a->text, s->name);
        }
}

static void check_connect_tls(const struct config_service *s, struct diag *diag)
{
        const struct config_connect_tls *t = &s->connect_tls;
        if (!t->present)
                return;
        const struct versions v = { "connect-tls",      t->profile,
                                    t->min_version,     t->max_version,
                                    &t->min_version_at, &t->max_version_at,
                                    &t->profile_at,     &t->at };
        check_versions(s, &v, diag);
        check_alpn(s, "connect-tls", &t->alpn, diag);
        check_verified_name(s, diag);
        if (t->key_at.file != NULL && t->certificate_at.file == NULL)
                diag_error(diag, &t->key_at,
                           "connect-tls of service \"%s\" has a key, but no certificate", s->name);
}

/* A built-in is the upstream itself: nothing beside it, no TLS towards it. */
static void check_builtin(const struct config_service *s, struct diag *diag)
{
        for (size_t i = 0; i < s->connect.n; i++) {
                const struct addr *a = &s->connect.items[i];
                if (a->kind != ADDR_BUILTIN)
                        continue;
                if (s->connect.n > 1)
                        diag_error(diag, &s->connect.at[i],
                                   "connect in service \"%s\": the built-in \"%s\" stands alone, "
                                   "without other addresses",
                                   s->name, a->text);
                if (s->connect_tls.present)
                        diag_error(
                                diag, &s->connect_tls.at,
                                "connect-tls of service \"%s\": the built-in \"%s\" is inside this "
                                "process, there is no TLS towards it",
                                s->name, a->text);
                return;
        }
}

static const char *nth_target(size_t i, void *arg)
{
        static const char *const targets[] = { "auto", "stderr", "syslog", "journal", NULL };
        (void)arg;
        return targets[i];
}

/* A word that is none of these would become the name of a file somewhere. */
static void check_log_target(const struct config_log *log, struct diag *diag)
{
        if (log->target == NULL || *log->target == '/')
                return;
        for (size_t i = 0; nth_target(i, NULL) != NULL; i++) {
                if (strcmp(log->target, nth_target(i, NULL)) == 0)
                        return;
        }
        const char *near = text_nearest(log->target, nth_target, NULL);
        diag_error(diag, &log->target_at,
                   "target in log: \"%s\" is not \"auto\", \"stderr\", \"syslog\", \"journal\" or "
                   "the absolute path of a file%s%s%s",
                   log->target, near != NULL ? ": did you mean \"" : "", near != NULL ? near : "",
                   near != NULL ? "\"?" : "");
}

static void check_sandbox(const struct config *c, struct diag *diag)
{
        if (c->sandbox == CONFIG_SANDBOX_OFF && c->sandbox_ports == CONFIG_SANDBOX_PORTS_CONFIGURED)
                diag_warning(
                        diag, &c->sandbox_ports_at,
                        "sandbox-ports = \"configured\" restricts nothing: sandbox is \"off\"");
}

void check_config(const struct config *c, struct diag *diag)
{
        check_sandbox(c, diag);
        check_log_target(&c->log, diag);
        check_listen(c, diag);
        for (size_t i = 0; i < c->n_services; i++) {
                const struct config_service *s = c->services[i];
                check_listen_tls(s, diag);
                check_connect_tls(s, diag);
                check_builtin(s, diag);
        }
}
