/* SPDX-License-Identifier: ISC */
#include "tls/record_bio.h"

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>

#include "tls/records.h"

/* "Empty" is said once for each short read: whoever asks again does so for a reason. */
static bool nothing_to_read(struct record_bio *b)
{
        bool empty = b->empty && !b->ending;
        b->empty = false;
        b->yielded = !empty && b->reads == 0;
        return empty || b->yielded;
}

static int read_octets(BIO *bio, char *buf, int size)
{
        struct record_bio *b = BIO_get_data(bio);
        BIO_clear_retry_flags(bio);
        if (nothing_to_read(b)) {
                BIO_set_retry_read(bio);
                return -1;
        }
        if (b->reads != RECORD_BIO_NO_LIMIT)
                b->reads--;
        ssize_t n = recv(b->fd, buf, (size_t)size, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                BIO_set_retry_read(bio);
        else if (n < 0)
                b->error = errno;
        b->eof = n == 0;
        b->empty = n > 0 && n < size;
        return (int)n;
}

static int write_octets(BIO *bio, const char *octets, int n)
{
        struct record_bio *b = BIO_get_data(bio);
        BIO_clear_retry_flags(bio);
        if (b->batch != NULL) {
                if (batch_add(b->batch, octets, (size_t)n))
                        return n;
                b->error = ENOBUFS;
                return -1;
        }
        ssize_t k = send(b->fd, octets, (size_t)n, MSG_NOSIGNAL);
        if (k < 0 && (errno == EAGAIN || errno == EINTR))
                BIO_set_retry_write(bio);
        else if (k < 0)
                b->error = errno;
        return (int)k;
}

static long control(BIO *bio, int what, long num, void *ptr)
{
        (void)num;
        (void)ptr;
        const struct record_bio *b = BIO_get_data(bio);
        switch (what) {
        case BIO_CTRL_FLUSH:
                return 1;
        case BIO_CTRL_EOF:
                return b->eof;
        case BIO_C_GET_FD: /* libevent looks whether it is the one it was given */
                return b->fd;
        default:
                return 0;
        }
}

static BIO_METHOD *method;

static void make_method(void)
{
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
        if (method == NULL)
                return;
        BIO_meth_set_read(method, read_octets);
        BIO_meth_set_write(method, write_octets);
        BIO_meth_set_ctrl(method, control);
}

bool record_bio_attach(struct record_bio *b, SSL *ssl, int fd)
{
        static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
        *b = (struct record_bio){ .fd = fd, .reads = RECORD_BIO_NO_LIMIT };
        if (CRYPTO_THREAD_run_once(&once, make_method) != 1 || method == NULL)
                return false;
        BIO *bio = BIO_new(method);
        if (bio == NULL)
                return false;
        BIO_set_data(bio, b);
        BIO_set_init(bio, 1);
        SSL_set_bio(ssl, bio, bio);
        return true;
}

void record_bio_move(struct record_bio *to, const struct record_bio *from, SSL *ssl)
{
        *to = *from;
        BIO_set_data(SSL_get_rbio(ssl), to);
}
