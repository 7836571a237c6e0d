/* SPDX-License-Identifier: ISC */
#include "tls/keypair.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/own.h"
#include "tls/error.h"
#include "tls/memory.h"

/* A file as it is read: keys are in it, so nothing of it stays in memory that was freed. */
struct pem {
        char *text;
        size_t len, cap;
        BIO *bio; /* over text */
};

static void pem_fini(struct pem *p)
{
        BIO_free(p->bio);
        OPENSSL_clear_free(p->text, p->cap);
        *p = (struct pem){ 0 };
}

/* realloc(3) would leave a copy behind. */
static bool make_room(struct pem *p)
{
        enum { SOME = 16384, MOST = 16 * 1024 * 1024 };
        size_t more = p->cap == 0 ? SOME : 2 * p->cap;
        if (p->len < p->cap)
                return true;
        if (more > MOST) {
                errno = EFBIG;
                return false;
        }
        char *grown = OPENSSL_clear_realloc(p->text, p->cap, more);
        if (grown == NULL) {
                errno = ENOMEM;
                return false;
        }
        p->text = grown;
        p->cap = more;
        return true;
}

static bool read_all(struct pem *p, const char *path)
{
        ssize_t n;
        OWN_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return false;
        do {
                if (!make_room(p))
                        return false;
                n = read(fd, p->text + p->len, p->cap - p->len);
                p->len += n > 0 ? (size_t)n : 0;
        } while (n > 0 || (n < 0 && errno == EINTR));
        return n == 0;
}

static bool open_file(struct pem *p, const char *what, struct keypair_file file, struct diag *diag)
{
        *p = (struct pem){ 0 };
        if (read_all(p, file.path)) {
                errno = ENOMEM;
                p->bio = BIO_new_mem_buf(p->text, (int)p->len);
        }
        if (p->bio != NULL)
                return true;
        diag_error(diag, file.at, "%s %s: %s", what, file.path, strerror(errno));
        pem_fini(p);
        return false;
}

static bool nothing_more(void)
{
        unsigned long last = ERR_peek_last_error();
        return ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
}

/* --- certificates ----------------------------------------------------------------------------- */

/* There is nobody to ask: the daemon starts at boot. */
static int refuse_password(char *buf, int size, int writing, void *arg)
{
        (void)buf;
        (void)size;
        (void)writing;
        *(bool *)arg = true;
        return -1;
}

static X509 *next_certificate(BIO *in)
{
        bool asked = false;
        ERR_clear_error();
        return PEM_read_bio_X509(in, NULL, refuse_password, &asked);
}

/* Reads the certificate, then its chain until the file ends. Returns what stopped it, NULL at the
 * end. */
static const char *read_certificates(struct keypair *out, BIO *in, char buf[static TLS_ERROR_MAX])
{
        out->cert = next_certificate(in);
        if (out->cert == NULL && nothing_more())
                return "there is no certificate in it (PEM begins with -----BEGIN "
                       "CERTIFICATE-----)";
        X509 *above = NULL;
        if (out->cert != NULL)
                out->chain = sk_X509_new_null();
        while (out->chain != NULL && (above = next_certificate(in)) != NULL)
                if (sk_X509_push(out->chain, above) <= 0) {
                        X509_free(above);
                        break;
                }
        bool complete = out->chain != NULL && above == NULL && nothing_more();
        return complete ? NULL : tls_error_text(buf);
}

static void warn_of_dates(const X509 *cert, struct keypair_file file, struct diag *diag)
{
        struct tm tm;
        char when[32] = "?";
        bool early = X509_cmp_current_time(X509_get0_notBefore(cert)) > 0;
        bool late = X509_cmp_current_time(X509_get0_notAfter(cert)) < 0;
        if (!early && !late)
                return;
        if (ASN1_TIME_to_tm(early ? X509_get0_notBefore(cert) : X509_get0_notAfter(cert), &tm) == 1)
                strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S UTC", &tm);
        diag_warning(diag, file.at, "certificate %s %s %s", file.path,
                     early ? "is not valid before" : "expired on", when);
}

static bool load_certificates(struct keypair *out, struct keypair_file file, struct diag *diag)
{
        char buf[TLS_ERROR_MAX];
        OWN(pem_fini) struct pem pem;
        if (!open_file(&pem, "certificate", file, diag))
                return false;
        const char *wrong = read_certificates(out, pem.bio, buf);
        ERR_clear_error();
        if (wrong != NULL)
                diag_error(diag, file.at, "certificate %s: %s", file.path, wrong);
        else
                warn_of_dates(out->cert, file, diag);
        return wrong == NULL;
}

/* --- the key ---------------------------------------------------------------------------------- */

/* OpenSSL's own words for "nothing here that I could decode" are "unsupported". */
static bool has_key_block(BIO *in)
{
        bool found = false;
        char *name, *header;
        unsigned char *data;
        long len;
        if (BIO_reset(in) <= 0) /* the beginning, of memory */
                return false;
        while (!found && PEM_read_bio(in, &name, &header, &data, &len) == 1) {
                size_t n = strlen(name), tail = strlen(PEM_STRING_PKCS8INF);
                found = n >= tail && strcmp(name + n - tail, PEM_STRING_PKCS8INF) == 0;
                OPENSSL_free(name);
                OPENSSL_free(header);
                OPENSSL_clear_free(data, (size_t)len);
        }
        return found;
}

static void tell_key_mistake(BIO *in, struct keypair_file file, bool own_file, bool encrypted,
                             struct diag *diag)
{
        char why[TLS_ERROR_MAX];
        tls_error_text(why);
        if (encrypted)
                diag_error(diag, file.at,
                           "key %s is encrypted, and there is nobody to ask for its password; "
                           "\"openssl pkey -in %s -out FILE\" writes it in clear",
                           file.path, file.path);
        else if (has_key_block(in))
                diag_error(diag, file.at, "key %s: %s", file.path, why);
        else
                diag_error(diag, file.at, "key %s: there is no private key in it%s", file.path,
                           own_file ? "" : ", and no key directive names another file");
        ERR_clear_error();
}

static bool load_key(struct keypair *out, struct keypair_file file, bool own_file,
                     struct diag *diag)
{
        bool encrypted = false;
        OWN(pem_fini) struct pem pem;
        if (!open_file(&pem, "key", file, diag))
                return false;
        ERR_clear_error();
        tls_memory_wipe(true);
        out->key = PEM_read_bio_PrivateKey(pem.bio, NULL, refuse_password, &encrypted);
        tls_memory_wipe(false);
        if (out->key == NULL)
                tell_key_mistake(pem.bio, file, own_file, encrypted, diag);
        ERR_clear_error();
        return out->key != NULL;
}

/* A common slip: the chain is there, but begins at its other end. Returns 0, or which certificate
 * of the file (counted from 1) the key belongs to. */
static int place_in_chain(const struct keypair *k)
{
        for (int i = 0; i < sk_X509_num(k->chain); i++)
                if (X509_check_private_key(sk_X509_value(k->chain, i), k->key) == 1)
                        return i + 2;
        return 0;
}

static bool belongs(const struct keypair *k, struct keypair_file cert, struct keypair_file key,
                    struct diag *diag)
{
        if (X509_check_private_key(k->cert, k->key) == 1)
                return true;
        int place = place_in_chain(k);
        if (place > 0)
                diag_error(diag, key.at,
                           "key %s belongs to certificate number %d in %s: it must be the first",
                           key.path, place, cert.path);
        else
                diag_error(diag, key.at, "key %s does not belong to certificate %s", key.path,
                           cert.path);
        ERR_clear_error();
        return false;
}

/* --- both ------------------------------------------------------------------------------------- */

bool keypair_load(struct keypair *out, struct keypair_file cert, struct keypair_file key,
                  struct diag *diag)
{
        bool own_file = key.path != NULL;
        if (!own_file)
                key = cert;
        *out = (struct keypair){ 0 };
        bool have_cert = load_certificates(out, cert, diag);
        /* One file that cannot be opened is one mistake. */
        bool have_key = (have_cert || own_file) && load_key(out, key, own_file, diag);
        if (have_cert && have_key && belongs(out, cert, key, diag))
                return true;
        keypair_fini(out);
        return false;
}

void keypair_fini(struct keypair *k)
{
        X509_free(k->cert);
        sk_X509_pop_free(k->chain, X509_free);
        EVP_PKEY_free(k->key);
        *k = (struct keypair){ 0 };
}

bool keypair_use(SSL_CTX *ctx, const struct keypair *k)
{
        ERR_clear_error();
        return SSL_CTX_use_cert_and_key(ctx, k->cert, k->key, k->chain, 1) == 1;
}
