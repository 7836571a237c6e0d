/* SPDX-License-Identifier: ISC */
#include "tls/shutdown.h"

#include <openssl/err.h>

/* One SSL_shutdown() that succeeded must be the only one: the next would read. */
int tls_put_close_notify(SSL *ssl)
{
        ERR_clear_error();
        if (SSL_in_init(ssl)) { /* half a key update has arrived: it needs its other half first */
                int r = SSL_do_handshake(ssl);
                if (r <= 0)
                        return SSL_get_error(ssl, r);
        }
        int r = SSL_shutdown(ssl);
        return r >= 0 ? SSL_ERROR_NONE : SSL_get_error(ssl, r);
}

void tls_put_alert(SSL *ssl)
{
        char skipped[4096];
        /* There is no call that sends an alert. But to read without anything to read from is an
         * error that OpenSSL tells the peer about: a fatal internal_error, whatever the version. */
        SSL_set0_rbio(ssl, NULL);
        ERR_clear_error();
        while (SSL_read(ssl, skipped, sizeof skipped) > 0)
                continue;
        ERR_clear_error();
}
