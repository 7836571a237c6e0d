/* SPDX-License-Identifier: ISC */
#include "files.h"

#include <stdio.h>

static const struct {
        const char *file;
        struct cert_spec spec;
} certs[FILES_N] = {
        [EC_A] = { "ec-a", { .subject = "ec-a", .names = "DNS:a.example,DNS:b.example" } },
        [RSA_A] = { "rsa-a",
                    { .key = "RSA", .subject = "rsa-a", .names = "DNS:A.example,IP:127.0.0.1" } },
        [EC_WILD] = { "ec-wild", { .subject = "ec-wild", .names = "DNS:*.example.net" } },
        [RSA_WWW] = { "rsa-www",
                      { .key = "RSA", .subject = "rsa-www", .names = "DNS:www.example.net" } },
        [PLAIN] = { "plain", { .subject = "plain.example" } },
        [OLD] = { "old", { .valid_from = -7200, .valid_to = -3600 } },
        [EARLY] = { "early", { .valid_from = 3600 } },
};
struct cert files_certs[FILES_N];

const char *files_path(const char *name, const char *ending)
{
        char whole[64];
        snprintf(whole, sizeof whole, "%s%s", name, ending);
        return cert_path(whole);
}

int files_make(void **state)
{
        (void)state;
        for (int i = 0; i < FILES_N; i++) {
                char name[64];
                const struct cert *one = &files_certs[i];
                files_certs[i] = cert_make(certs[i].spec);
                snprintf(name, sizeof name, "%s.pem", certs[i].file);
                cert_write_both(name, one);
                snprintf(name, sizeof name, "%s.crt", certs[i].file);
                cert_write(name, &one, 1);
                snprintf(name, sizeof name, "%s.key", certs[i].file);
                cert_write_key(name, one, NULL);
        }
        return 0;
}

int files_free(void **state)
{
        (void)state;
        for (int i = 0; i < FILES_N; i++)
                cert_free(&files_certs[i]);
        return 0;
}
