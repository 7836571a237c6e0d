/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "tls/ktls.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/own.h"

#ifdef HAVE_KTLS

#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

/* --- what there is ---------------------------------------------------------------------------- */

const char *ktls_unavailable(void)
{
        OWN_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return "no socket to ask the kernel with";
        /* A kernel that can says that this socket is not connected. */
        if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof "tls") == 0 || errno == ENOTCONN)
                return NULL;
        return "the kernel has no TLS (its module tls is not loaded)";
}

/* OpenSSL before 3.2 gives sending away under TLS 1.3, and never receiving. */
static bool is_wanted(const SSL *ssl, enum ktls_wish wish)
{
        const unsigned long gives_both = 0x30200000UL;
        switch (SSL_version(ssl)) {
        case TLS1_2_VERSION:
                return wish != KTLS_NEVER;
        case TLS1_3_VERSION:
                return wish == KTLS_ALWAYS && OpenSSL_version_num() >= gives_both;
        default:
                return false;
        }
}

void ktls_want(SSL *ssl, enum ktls_wish wish)
{
        if (is_wanted(ssl, wish))
                SSL_set_options(ssl, SSL_OP_ENABLE_KTLS);
        else
                SSL_clear_options(ssl, SSL_OP_ENABLE_KTLS);
}

unsigned ktls_directions(SSL *ssl)
{
        unsigned directions = 0;
        if (BIO_get_ktls_send(SSL_get_wbio(ssl)))
                directions |= KTLS_SENDS;
        if (BIO_get_ktls_recv(SSL_get_rbio(ssl)) && !SSL_has_pending(ssl))
                directions |= KTLS_RECEIVES;
        return directions;
}

/* --- records ---------------------------------------------------------------------------------- */

union control {
        char octets[CMSG_SPACE(sizeof(unsigned char))];
        struct cmsghdr align;
};

/* -1: the kernel says nothing of records. */
static int record_type(struct msghdr *m)
{
        struct cmsghdr *c = CMSG_FIRSTHDR(m);
        if (c == NULL || c->cmsg_level != SOL_TLS || c->cmsg_type != TLS_GET_RECORD_TYPE)
                return -1;
        return *CMSG_DATA(c);
}

/* recvmsg(2); *type is -1 where there was no record. */
static ssize_t receive_record(int fd, void *buf, size_t size, int *type, bool *last)
{
        union control control;
        struct iovec v = { .iov_base = buf, .iov_len = size };
        struct msghdr m = { .msg_iov = &v,
                            .msg_iovlen = 1,
                            .msg_control = control.octets,
                            .msg_controllen = sizeof control.octets };
        ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);
        *type = n >= 0 ? record_type(&m) : -1;
        *last = (m.msg_flags & MSG_EOR) != 0;
        return n;
}

static int send_record(int fd, unsigned char type, const void *octets, size_t n)
{
        union control control = { 0 };
        struct iovec v = { .iov_base = (void *)(uintptr_t)octets, .iov_len = n };
        struct msghdr m = { .msg_iov = &v,
                            .msg_iovlen = 1,
                            .msg_control = control.octets,
                            .msg_controllen = CMSG_LEN(sizeof type) };
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_TLS;
        c->cmsg_type = TLS_SET_RECORD_TYPE;
        c->cmsg_len = CMSG_LEN(sizeof type);
        *CMSG_DATA(c) = type;
        ssize_t sent = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0)
                return errno;
        assert((size_t)sent == n); /* the kernel takes a record as a whole */
        return 0;
}

#else /* !HAVE_KTLS */

const char *ktls_unavailable(void)
{
        return "built without kernel TLS";
}

void ktls_want(SSL *ssl, enum ktls_wish wish)
{
        (void)ssl;
        (void)wish;
}

unsigned ktls_directions(SSL *ssl)
{
        (void)ssl;
        return 0;
}

static ssize_t receive_record(int fd, void *buf, size_t size, int *type, bool *last)
{
        *type = -1;
        *last = true;
        return recv(fd, buf, size, MSG_DONTWAIT);
}

static int send_record(int fd, unsigned char type, const void *octets, size_t n)
{
        (void)fd;
        (void)type;
        (void)octets;
        (void)n;
        return EOPNOTSUPP;
}

#endif

/* --- what went wrong -------------------------------------------------------------------------- */

static const struct record_error {
        int error, alert;
        const char *text;
} record_errors[] = {
        { EBADMSG, SSL_AD_BAD_RECORD_MAC, "decryption failed or bad record mac" },
        { EINVAL, SSL_AD_PROTOCOL_VERSION, "wrong version number" },
        { EMSGSIZE, SSL_AD_RECORD_OVERFLOW, "record too long" },
        { EKEYEXPIRED, SSL_AD_INTERNAL_ERROR,
          "the peer changed its keys, which kernel TLS cannot follow" },
        /* To read(2), a record without data: somebody did not use ktls_receive(). */
        { EIO, SSL_AD_UNEXPECTED_MESSAGE, "unexpected record" },
};

static const struct record_error *record_error(int error)
{
        for (size_t i = 0; i < COUNTOF(record_errors); i++)
                if (record_errors[i].error == error)
                        return &record_errors[i];
        return NULL;
}

static int alert_for(int error)
{
        const struct record_error *e = record_error(error);
        return e != NULL ? e->alert : KTLS_NO_ALERT;
}

enum stream_end ktls_cause(int error, char why[static TLS_ERROR_MAX])
{
        const struct record_error *e = record_error(error);
        if (e != NULL) {
                snprintf(why, TLS_ERROR_MAX, "%s", e->text);
                return STREAM_BROKEN;
        }
        snprintf(why, TLS_ERROR_MAX, "%s", strerror(error == EPIPE ? ECONNRESET : error));
        return STREAM_RESET;
}

/* --- receiving -------------------------------------------------------------------------------- */

void ktls_init(struct ktls *k, SSL *ssl)
{
        *k = (struct ktls){ .records = { .tls13 = SSL_version(ssl) == TLS1_3_VERSION,
                                         .accepts = SSL_is_server(ssl) } };
}

static enum ktls_got over(struct ktls_news *news, enum stream_end end, const char *why)
{
        news->end = end;
        snprintf(news->why, sizeof news->why, "%s", why);
        return KTLS_OVER;
}

static enum ktls_got failed(int error, struct ktls_news *news)
{
        news->end = ktls_cause(error, news->why);
        news->alert = alert_for(error);
        return KTLS_OVER;
}

/* There was no record. What splice(2) had been told nobody is told again. */
static enum ktls_got no_record(const struct ktls *k, ssize_t n, int error, struct ktls_news *news)
{
        if (n > 0) {
                news->alert = SSL_AD_UNEXPECTED_MESSAGE;
                return over(news, STREAM_BROKEN, "octets outside of TLS");
        }
        if (k->splice_error != 0)
                return failed(k->splice_error, news);
        if (n == 0)
                return over(news, STREAM_TRUNCATED, "connection closed without close_notify");
        return error == EAGAIN || error == EINTR ? KTLS_AGAIN : failed(error, news);
}

enum ktls_got ktls_receive(struct ktls *k, int fd, void *buf, size_t size, struct ktls_news *news)
{
        int type;
        bool last;
        assert(size >= 2); /* an alert's */
        news->n = 0;
        news->end = STREAM_OPEN;
        news->alert = KTLS_NO_ALERT;
        ssize_t n = receive_record(fd, buf, size, &type, &last);
        if (type < 0)
                return no_record(k, n, errno, news);
        if (k->splice_error == EINVAL) /* that is what it says of a record without data */
                k->splice_error = 0;
        news->end = ktls_record(&k->records, (unsigned)type, buf, (size_t)n, last, news->why);
        news->alert = k->records.alert;
        if (news->end != STREAM_OPEN)
                return KTLS_OVER;
        if (type != SSL3_RT_APPLICATION_DATA || n == 0)
                return KTLS_OTHER;
        news->n = (size_t)n;
        return KTLS_DATA;
}

/* 0 is FIN, or a record of no octets. EINVAL is a record without data, which stays where it is, or
 * something that is no TLS at all, which is said only once. */
bool ktls_splice_ended(struct ktls *k, ssize_t returned, int error)
{
        if (returned >= 0)
                return true;
        if (error == EAGAIN || error == EINTR)
                return false;
        if (k->splice_error == 0)
                k->splice_error = error;
        return true;
}

/* A record without data is EIO, and stays. What is said only once is kept for whoever receives. */
bool ktls_has_unread(struct ktls *k, int fd)
{
        char octet;
        ssize_t n = recv(fd, &octet, sizeof octet, MSG_PEEK | MSG_DONTWAIT);
        if (n >= 0 || k->splice_error != 0 || errno == EIO)
                return true;
        return ktls_splice_ended(k, n, errno);
}

/* --- sending ---------------------------------------------------------------------------------- */

int ktls_close_notify(int fd)
{
        const unsigned char alert[2] = { SSL3_AL_WARNING, SSL_AD_CLOSE_NOTIFY };
        return send_record(fd, SSL3_RT_ALERT, alert, sizeof alert);
}

int ktls_fatal_alert(int fd, int number)
{
        const unsigned char alert[2] = { SSL3_AL_FATAL, (unsigned char)number };
        return send_record(fd, SSL3_RT_ALERT, alert, sizeof alert);
}
