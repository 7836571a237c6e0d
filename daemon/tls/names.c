/* SPDX-License-Identifier: ISC */
#include "tls/names.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

/* Lower case, no dot at the end. Returns false for what cannot be a name: empty, too long, or with
 * a NUL inside (n says how long it claims to be). */
static bool normal_form(const char *name, size_t n, char out[static NAME_MAX_LEN + 1])
{
        if (n > 0 && name[n - 1] == '.')
                n--;
        if (n == 0 || n > NAME_MAX_LEN || memchr(name, '\0', n) != NULL)
                return false;
        for (size_t i = 0; i < n; i++)
                out[i] = (char)tolower((unsigned char)name[i]);
        out[n] = '\0';
        return true;
}

/* --- of a certificate ------------------------------------------------------------------------- */

static bool append(struct name_list *l, const ASN1_STRING *s)
{
        char name[NAME_MAX_LEN + 1];
        const char *text = (const char *)ASN1_STRING_get0_data(s);
        if (!normal_form(text, (size_t)ASN1_STRING_length(s), name))
                return true; /* nobody can ask for it */
        char **items = reallocarray(l->items, l->n + 1, sizeof *items);
        if (items == NULL)
                return false;
        l->items = items;
        items[l->n] = strdup(name);
        if (items[l->n] == NULL)
                return false;
        l->n++;
        return true;
}

static bool add_alternatives(struct name_list *l, const GENERAL_NAMES *all, bool *any)
{
        for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
                const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);
                if (g->type != GEN_DNS)
                        continue;
                *any = true;
                if (!append(l, g->d.dNSName))
                        return false;
        }
        return true;
}

static bool add_common_name(struct name_list *l, const X509 *cert)
{
        const X509_NAME *subject = X509_get_subject_name(cert);
        int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
        if (at < 0)
                return true;
        return append(l, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

bool name_list_of(struct name_list *out, const X509 *cert)
{
        *out = (struct name_list){ 0 };
        bool any = false;
        GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
        bool ok = add_alternatives(out, all, &any);
        GENERAL_NAMES_free(all);
        if (ok && !any)
                ok = add_common_name(out, cert);
        if (!ok)
                name_list_fini(out);
        return ok;
}

void name_list_fini(struct name_list *l)
{
        for (size_t i = 0; i < l->n; i++)
                free(l->items[i]);
        free(l->items);
        *l = (struct name_list){ 0 };
}

const char *name_wildcard(const char *name, char buf[static NAME_MAX_LEN + 1])
{
        const char *dot = strchr(name, '.');
        if (dot == NULL || dot == name || strlen(dot) >= NAME_MAX_LEN)
                return NULL;
        snprintf(buf, NAME_MAX_LEN + 1, "*%s", dot);
        return buf;
}

/* --- the table -------------------------------------------------------------------------------- */

bool names_add(struct names *t, const char *name, size_t set)
{
        struct named *items = reallocarray(t->items, t->n + 1, sizeof *items);
        if (items == NULL)
                return false;
        t->items = items;
        items[t->n] = (struct named){ .name = strdup(name), .set = set };
        if (items[t->n].name == NULL)
                return false;
        t->n++;
        return true;
}

static int by_name(const void *a, const void *b)
{
        return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

void names_sort(struct names *t)
{
        if (t->n > 0)
                qsort(t->items, t->n, sizeof *t->items, by_name);
}

static const struct named *look_up(const struct names *t, const char *name)
{
        const struct named key = { .name = (char *)(uintptr_t)name };
        return bsearch(&key, t->items, t->n, sizeof key, by_name);
}

bool names_find(const struct names *t, const char *name, size_t *set)
{
        char asked[NAME_MAX_LEN + 1], wild[NAME_MAX_LEN + 1];
        if (t->n == 0 || !normal_form(name, strlen(name), asked))
                return false;
        const struct named *found = look_up(t, asked);
        if (found == NULL && name_wildcard(asked, wild) != NULL)
                found = look_up(t, wild);
        if (found != NULL)
                *set = found->set;
        return found != NULL;
}

void names_fini(struct names *t)
{
        for (size_t i = 0; i < t->n; i++)
                free(t->items[i].name);
        free(t->items);
        *t = (struct names){ 0 };
}
