/* SPDX-License-Identifier: ISC */
#include "tls/error.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>

#include "base/own.h"

/* Alerts OpenSSL 3.0 has no name for (RFC 8446, 6.2). */
static const char *alert_name(int alert)
{
        switch (alert) {
        case SSL_AD_MISSING_EXTENSION:
                return "missing extension";
        case SSL_AD_CERTIFICATE_REQUIRED:
                return "certificate required";
        case SSL_AD_INAPPROPRIATE_FALLBACK:
                return "inappropriate fallback";
        default:
                return SSL_alert_desc_string_long(alert);
        }
}

/* What OpenSSL says in its own words, and people ask about. */
static const char *clearer(int reason)
{
        switch (reason) {
        case SSL_R_HTTP_REQUEST:
        case SSL_R_HTTPS_PROXY_REQUEST:
                return "the peer speaks plain HTTP, not TLS";
        case SSL_R_WRONG_VERSION_NUMBER:
                return "the peer does not speak TLS (wrong version number)";
        default:
                return NULL;
        }
}

static const char *ssl_text(int reason, char buf[static TLS_ERROR_MAX])
{
        int alert = reason - SSL_AD_REASON_OFFSET;
        if (alert >= 0 && alert <= UINT8_MAX) {
                const char *name = alert_name(alert);
                if (strcmp(name, "unknown") == 0)
                        snprintf(buf, TLS_ERROR_MAX, "peer sent alert: number %d", alert);
                else
                        snprintf(buf, TLS_ERROR_MAX, "peer sent alert: %s", name);
                return buf;
        }
        return clearer(reason);
}

const char *tls_error_code_text(unsigned long code, char buf[static TLS_ERROR_MAX])
{
        const char *said = NULL;
        if (code == 0)
                said = "unknown error";
        else if (ERR_SYSTEM_ERROR(code))
                said = strerror(ERR_GET_REASON(code));
        else if (ERR_GET_LIB(code) == ERR_LIB_SSL)
                said = ssl_text(ERR_GET_REASON(code), buf);
        if (said == NULL)
                said = ERR_reason_error_string(code);
        if (said == NULL)
                snprintf(buf, TLS_ERROR_MAX, "error %08lX", code);
        else if (said != buf)
                snprintf(buf, TLS_ERROR_MAX, "%s", said);
        return buf;
}

/* "SSL lib", "PEM lib": only the way the error came up, nothing of what it is. */
static bool says_nothing(unsigned long code)
{
        if (ERR_SYSTEM_ERROR(code))
                return false;
        unsigned flags = ERR_RFLAG_COMMON | ERR_RFLAG_FATAL;
        return ((unsigned)ERR_GET_REASON(code) & flags) == ERR_RFLAG_COMMON;
}

static void append(char buf[static TLS_ERROR_MAX], const char *text)
{
        size_t len = strlen(buf);
        if (strstr(buf, text) == NULL)
                snprintf(buf + len, TLS_ERROR_MAX - len, "%s%s", len > 0 ? "; " : "", text);
}

const char *tls_error_text(char buf[static TLS_ERROR_MAX])
{
        char one[TLS_ERROR_MAX];
        unsigned long code, last = 0;
        buf[0] = '\0';
        /* The oldest entry comes from deepest down, where the mistake was seen. */
        while ((code = ERR_get_error()) != 0) {
                last = code;
                if (!says_nothing(code))
                        append(buf, tls_error_code_text(code, one));
        }
        return buf[0] != '\0' ? buf : tls_error_code_text(last, buf);
}
