/* SPDX-License-Identifier: ISC */
#include "tls/certificate.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "base/own.h"

int64_t certificate_seconds(const ASN1_TIME *t)
{
        struct tm tm = { 0 };
        return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : INT64_MAX;
}

static void add_name(struct text *t, const X509_NAME *name)
{
        BIO *out = BIO_new(BIO_s_mem());
        char *text = NULL;
        if (out == NULL ||
            X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0)
                t->failed = true;
        else
                text_add_printable(t, text, (size_t)BIO_get_mem_data(out, &text));
        BIO_free(out);
}

static void add_fingerprint(struct text *t, const X509 *cert)
{
        unsigned char sum[EVP_MAX_MD_SIZE];
        unsigned n = 0;
        if (X509_digest(cert, EVP_sha256(), sum, &n) != 1)
                t->failed = true;
        for (unsigned i = 0; i < n; i++)
                text_addf(t, "%02x", sum[i]);
}

/* --- the key ---------------------------------------------------------------------------------- */

/* NIST's name of a curve where it has one: P-256. */
static void add_curve(struct text *t, const EVP_PKEY *key)
{
        char curve[64];
        size_t n;
        if (EVP_PKEY_get_group_name(key, curve, sizeof curve, &n) != 1) {
                text_addf(t, "EC %d", EVP_PKEY_get_bits(key));
                return;
        }
        const char *nist = EC_curve_nid2nist(OBJ_txt2nid(curve));
        text_addf(t, "EC %s", nist != NULL ? nist : curve);
}

static void add_key(struct text *t, X509 *cert)
{
        const EVP_PKEY *key = X509_get0_pubkey(cert);
        const char *type = key != NULL ? EVP_PKEY_get0_type_name(key) : NULL;
        if (type == NULL)
                text_add(t, "unknown");
        else if (strcmp(type, "EC") == 0)
                add_curve(t, key);
        else if (strncmp(type, "RSA", 3) == 0)
                text_addf(t, "%s %d", type, EVP_PKEY_get_bits(key));
        else
                text_add(t, type);
}

/* --- its names -------------------------------------------------------------------------------- */

static void add_alternative(struct text *t, const GENERAL_NAME *name)
{
        char text[INET6_ADDRSTRLEN];
        const ASN1_STRING *s = name->type == GEN_IPADD ? name->d.iPAddress : name->d.dNSName;
        const unsigned char *octets = ASN1_STRING_get0_data(s);
        int n = ASN1_STRING_length(s);
        if (name->type == GEN_DNS)
                text_add_printable(t, (const char *)octets, (size_t)n);
        else if ((n == 4 || n == 16) &&
                 inet_ntop(n == 4 ? AF_INET : AF_INET6, octets, text, sizeof text) != NULL)
                text_add(t, text);
        else
                text_add(t, "an address of another kind");
}

static bool add_alternatives(struct certificate_facts *out, const GENERAL_NAMES *all)
{
        int n = all != NULL ? sk_GENERAL_NAME_num(all) : 0;
        out->names = calloc((size_t)n + 1, sizeof *out->names);
        if (out->names == NULL)
                return false;
        for (int i = 0; i < n; i++) {
                const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
                if (name->type == GEN_DNS || name->type == GEN_IPADD)
                        add_alternative(&out->names[out->n_names++], name);
        }
        return true;
}

/* --- all of it -------------------------------------------------------------------------------- */

bool certificate_facts(struct certificate_facts *out, X509 *cert)
{
        *out = (struct certificate_facts){
                .not_before = certificate_seconds(X509_get0_notBefore(cert)),
                .not_after = certificate_seconds(X509_get0_notAfter(cert)),
        };
        GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
        bool ok = add_alternatives(out, all);
        GENERAL_NAMES_free(all);
        add_name(&out->subject, X509_get_subject_name(cert));
        add_name(&out->issuer, X509_get_issuer_name(cert));
        add_key(&out->key, cert);
        add_fingerprint(&out->fingerprint, cert);
        return ok && !out->subject.failed && !out->issuer.failed && !out->key.failed &&
               !out->fingerprint.failed;
}

void certificate_facts_fini(struct certificate_facts *f)
{
        for (size_t i = 0; i < f->n_names; i++)
                text_fini(&f->names[i]);
        free(f->names);
        text_fini(&f->subject);
        text_fini(&f->issuer);
        text_fini(&f->key);
        text_fini(&f->fingerprint);
        *f = (struct certificate_facts){ 0 };
}
