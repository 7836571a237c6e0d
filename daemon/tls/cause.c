/* SPDX-License-Identifier: ISC */
#include "tls/cause.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

/* EPIPE: somebody else took ECONNRESET out of the socket before this write. 0: as with a read that
 * was told nothing. */
static const char *socket_text(int error)
{
        return strerror(error == EPIPE || error == 0 ? ECONNRESET : error);
}

/* libevent empties OpenSSL's queue into a stack: SSL_get_error()'s verdict at the bottom, then the
 * first entries of the queue. The oldest says what happened, but where a library below libssl saw
 * it, libssl's words are the ones people know. Returns 0 when OpenSSL had nothing to say. */
static unsigned long telling_error(struct bufferevent *bev)
{
        unsigned long code, telling = 0;
        while ((code = bufferevent_get_openssl_error(bev)) != 0) {
                if (code == SSL_ERROR_SYSCALL || code == SSL_ERROR_SSL)
                        continue;
                if (ERR_GET_LIB(code) == ERR_LIB_SSL || ERR_GET_LIB(telling) != ERR_LIB_SSL)
                        telling = code;
        }
        return telling;
}

static enum stream_end cause(unsigned long code, int error, char text[static TLS_ERROR_MAX])
{
        if (code != 0 && !ERR_SYSTEM_ERROR(code)) {
                tls_error_code_text(code, text);
                return STREAM_BROKEN;
        }
        snprintf(text, TLS_ERROR_MAX, "%s",
                 socket_text(code != 0 ? (int)ERR_GET_REASON(code) : error));
        return STREAM_RESET;
}

enum stream_end tls_cause_of_error(struct bufferevent *bev, int error,
                                   char text[static TLS_ERROR_MAX])
{
        return cause(telling_error(bev), error, text);
}

/* The same, from OpenSSL's own queue, which is empty afterwards. */
static unsigned long telling_error_of_queue(void)
{
        unsigned long code, telling = 0;
        while ((code = ERR_get_error()) != 0)
                if (telling == 0 ||
                    (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_LIB(telling) != ERR_LIB_SSL))
                        telling = code;
        return telling;
}

enum stream_end tls_cause_of_call(int verdict, int error, char text[static TLS_ERROR_MAX])
{
        unsigned long code = telling_error_of_queue();
        if (verdict != SSL_ERROR_SSL)
                return cause(code, error, text);
        tls_error_code_text(code, text);
        return STREAM_BROKEN;
}

/* The name or address the certificate should have been for. */
static void add_expected(SSL *ssl, char text[static TLS_ERROR_MAX])
{
        X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
        size_t len = strlen(text);
        const char *host = X509_VERIFY_PARAM_get0_host(param, 0);
        char *ip = host == NULL ? X509_VERIFY_PARAM_get1_ip_asc(param) : NULL;
        snprintf(text + len, TLS_ERROR_MAX - len, ": the certificate is not for %s",
                 host != NULL ? host
                 : ip != NULL ? ip
                              : "this peer");
        OPENSSL_free(ip);
}

static const char *verify_text(SSL *ssl, long result, char text[static TLS_ERROR_MAX])
{
        snprintf(text, TLS_ERROR_MAX, "certificate verify failed: %s",
                 X509_verify_cert_error_string(result));
        if (result == X509_V_ERR_HOSTNAME_MISMATCH || result == X509_V_ERR_IP_ADDRESS_MISMATCH)
                add_expected(ssl, text);
        return text;
}

const char *tls_cause_of_handshake(struct bufferevent *bev, SSL *ssl, short what, int error,
                                   char text[static TLS_ERROR_MAX])
{
        unsigned long code = telling_error(bev);
        long verified = SSL_get_verify_result(ssl);
        if (ERR_GET_LIB(code) == ERR_LIB_SSL && verified != X509_V_OK &&
            ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
                return verify_text(ssl, verified, text);
        if (what & BEV_EVENT_EOF)
                return "peer closed during the handshake";
        if (cause(code, error, text) == STREAM_RESET) {
                size_t len = strlen(text);
                snprintf(text + len, TLS_ERROR_MAX - len, " during the handshake");
        }
        return text;
}
