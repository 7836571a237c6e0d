/* SPDX-License-Identifier: ISC */
#include "tls/info.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/x509.h>

static char *copy(const char *s)
{
        return s != NULL ? strdup(s) : NULL;
}

/* Not strndup(3), which looks for a NUL: these octets need not have one after them. */
static char *copy_octets(const void *octets, size_t n)
{
        char *s = malloc(n + 1);
        if (s == NULL)
                return NULL;
        memcpy(s, octets, n);
        s[n] = '\0';
        return s;
}

static char *alpn_of(const SSL *ssl)
{
        const unsigned char *name;
        unsigned len;
        SSL_get0_alpn_selected(ssl, &name, &len);
        return len > 0 ? copy_octets(name, len) : NULL;
}

static char *subject_of(const X509 *cert)
{
        BIO *out = BIO_new(BIO_s_mem());
        char *text = NULL, *s = NULL;
        if (out != NULL &&
            X509_NAME_print_ex(out, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253) >= 0) {
                long len = BIO_get_mem_data(out, &text);
                s = len > 0 ? copy_octets(text, (size_t)len) : NULL;
        }
        BIO_free(out);
        return s;
}

const char *tls_info_group(SSL *ssl)
{
        long group = SSL_get_negotiated_group(ssl);
        return group != NID_undef ? SSL_group_to_name(ssl, (int)group) : NULL;
}

void tls_info_fill(struct tls_info *out, SSL *ssl)
{
        *out = (struct tls_info){ 0 };
        out->sni = copy(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
        const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
        if (cipher == NULL || SSL_in_before(ssl))
                return;
        out->version = copy(SSL_get_version(ssl));
        out->cipher = copy(SSL_CIPHER_get_name(cipher));
        out->group = copy(tls_info_group(ssl));
        out->alpn = alpn_of(ssl);
        out->resumed = SSL_session_reused(ssl) == 1;
        X509 *peer = SSL_get0_peer_certificate(ssl);
        if (peer != NULL)
                out->peer = subject_of(peer);
}

void tls_info_fini(struct tls_info *info)
{
        free(info->version);
        free(info->cipher);
        free(info->group);
        free(info->sni);
        free(info->alpn);
        free(info->peer);
        *info = (struct tls_info){ 0 };
}
