/* SPDX-License-Identifier: ISC */
/* The certificates in use, each once, whoever uses it. */
#include "control/command_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "tls/certificate.h"

enum { SOON_DAYS = 14, DAY_S = 24 * 3600 };

/* A certificate and one who uses it; all borrowed from the snapshot. */
struct use {
        X509 *cert;
        const char *file, *service, *as;
        size_t number; /* in the order of the configuration */
};

struct uses {
        struct use *items; /* owned */
        size_t n;
        bool failed;              /* memory was short */
        const char *service, *as; /* whose are being collected */
};

static void add_use(X509 *cert, const char *file, void *arg)
{
        struct uses *all = arg;
        struct use *grown = reallocarray(all->items, all->n + 1, sizeof *grown);
        if (grown == NULL) {
                all->failed = true;
                return;
        }
        all->items = grown;
        grown[all->n] = (struct use){ cert, file, all->service, all->as, all->n };
        all->n++;
}

static void add_uses(struct uses *all, const struct tls_context *context, const char *service,
                     const char *as)
{
        all->service = service;
        all->as = as;
        if (context != NULL)
                tls_context_each_certificate(context, add_use, all);
}

/* Certificates that were read from one file at different times may differ. */
static int compare_certificates(const struct use *a, const struct use *b)
{
        int by_file = strcmp(a->file, b->file);
        return by_file != 0 ? by_file : X509_cmp(a->cert, b->cert);
}

static int compare_uses(const void *a, const void *b)
{
        const struct use *x = a, *y = b;
        int by_certificate = compare_certificates(x, y);
        return by_certificate != 0 ? by_certificate
                                   : (x->number > y->number) - (x->number < y->number);
}

/* --- as JSON ---------------------------------------------------------------------------------- */

static json_t *string(const struct text *t)
{
        return json_stringn(text_str(t), t->len);
}

static json_t *time_of(int64_t seconds)
{
        char text[CLOCK_TEXT_MAX];
        return seconds < INT64_MAX / 1000000 ? json_string(clock_wall_text(seconds * 1000000, text))
                                             : json_null();
}

static json_t *names_of(const struct certificate_facts *f)
{
        json_t *list = json_array();
        for (size_t i = 0; i < f->n_names; i++)
                json_array_append_new(list, string(&f->names[i]));
        return list;
}

static json_t *users_of(const struct use *uses, size_t n)
{
        json_t *list = json_array();
        for (size_t i = 0; i < n; i++)
                json_array_append_new(
                        list, json_pack("{s:s,s:s}", "service", uses[i].service, "as", uses[i].as));
        return list;
}

/* Whole days, downwards: it has less than one left when 0, and none when negative. */
static int64_t days_left(const struct certificate_facts *f, int64_t now)
{
        int64_t left = f->not_after - now;
        return left >= 0 ? left / DAY_S : -1 - (-1 - left) / DAY_S;
}

static const char *state_of(const struct certificate_facts *f, int64_t now)
{
        if (f->not_after <= now)
                return "expired";
        if (f->not_before > now)
                return "not-yet-valid";
        return days_left(f, now) < SOON_DAYS ? "expires-soon" : "valid";
}

/* NULL: memory is short. */
static json_t *describe(const struct use *uses, size_t n)
{
        int64_t now = clock_wall_us() / 1000000;
        OWN(certificate_facts_fini) struct certificate_facts f = { 0 };
        if (!certificate_facts(&f, uses[0].cert))
                return NULL;
        return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:I,s:s,s:o,s:o,s:o}", "file", uses[0].file,
                         "names", names_of(&f), "subject", string(&f.subject), "issuer",
                         string(&f.issuer), "not_before", time_of(f.not_before), "not_after",
                         time_of(f.not_after), "days_left", (json_int_t)days_left(&f, now), "state",
                         state_of(&f, now), "key", string(&f.key), "sha256", string(&f.fingerprint),
                         "used_by", users_of(uses, n));
}

json_t *command_certificates_json(const struct snapshot *snapshot)
{
        struct uses all = { 0 };
        json_t *list = json_array();
        for (size_t i = 0; i < snapshot->n_services; i++) {
                const struct service *s = snapshot->services[i];
                add_uses(&all, s->listen_tls, s->conf->name, "listen");
                add_uses(&all, s->connect_tls, s->conf->name, "connect");
        }
        if (all.n > 0)
                qsort(all.items, all.n, sizeof *all.items, compare_uses);
        for (size_t i = 0, next; i < all.n; i = next) {
                for (next = i + 1; next < all.n; next++)
                        if (compare_certificates(&all.items[i], &all.items[next]) != 0)
                                break;
                if (json_array_append_new(list, describe(&all.items[i], next - i)) < 0)
                        all.failed = true;
        }
        free(all.items);
        if (!all.failed)
                return list;
        json_decref(list);
        return NULL;
}

void command_certificates(struct call *c)
{
        json_t *all = command_certificates_json(call_running(c));
        for (size_t i = 0; i < json_array_size(all); i++)
                reply_json(c->reply, json_incref(json_array_get(all, i)));
        reply_end(c->reply, all != NULL ? NULL : "the daemon is short of memory");
        json_decref(all);
}
