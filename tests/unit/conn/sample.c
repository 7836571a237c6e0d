/* SPDX-License-Identifier: ISC */
#include "sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>

#include <cmocka.h>

#include "net/dial_attempts.h"

struct sockaddress address(const char *text)
{
        struct sockaddress out = { 0 };
        struct addr a;
        assert_null(addr_parse(text, ADDR_FOR_CONNECT, &a));
        assert_true(addr_literal(&a, &out));
        addr_fini(&a);
        return out;
}

static char x25519[] = "X25519", p256[] = "P-256", asked[] = "www.example.com", h2[] = "h2",
            somebody[] = "CN=somebody", tls13[] = "TLSv1.3", tls12[] = "TLSv1.2",
            aes13[] = "TLS_AES_128_GCM_SHA256", aes12[] = "ECDHE-ECDSA-AES128-GCM-SHA256",
            first[] = "10.0.0.5:22", second[] = "[2001:db8::1]:22";

static const struct tls_info client_tls = {
        .version = tls13,
        .cipher = aes13,
        .group = x25519,
        .sni = asked,
        .alpn = h2,
        .peer = somebody,
        .resumed = true,
};

static const struct tls_info upstream_tls = {
        .version = tls12,
        .cipher = aes12,
        .group = p256,
        .sni = asked,
        .alpn = h2,
        .peer = somebody,
};

struct record bare_record(void)
{
        static struct sockaddress listen, client, local;
        listen = address("0.0.0.0:443");
        client = address("192.0.2.7:50000");
        local = address("192.0.2.1:443");
        return (struct record){
                .id = 1,
                .service = "web",
                .listen = &listen,
                .client = &client,
                .local = &local,
                .started_wall_us = 1769903999123456,
                .duration_ms = 0,
                .connect_ms = -1,
                .handshake_ms = -1,
                .connect_handshake_ms = -1,
                .ended_by = BY_SPLICED,
                .reason = REASON_LIMIT,
        };
}

static const struct dial_attempt *two_attempts(void)
{
        static struct dial_attempts made;
        if (made.first != NULL)
                return made.first;
        struct sockaddress a = address(first), b = address(second);
        dial_attempts_add(&made, first, &a, ECONNREFUSED, "Connection refused", 1999);
        dial_attempts_add(&made, second, &b, 0, NULL, 20000);
        return made.first;
}

struct record full_record(void)
{
        struct record r = bare_record();
        r.id = 4711;
        r.upstream = second;
        r.duration_ms = 60000;
        r.connect_ms = 22;
        r.handshake_ms = 3;
        r.connect_handshake_ms = 4;
        r.bytes_up = 5000000000;
        r.bytes_down = 6000000000;
        r.half_closed_ms = 17;
        r.ended_by = BY_UPSTREAM;
        r.reason = REASON_UPSTREAM_RESET;
        r.detail = "Connection reset by peer";
        r.path = "tls";
        r.tls = &client_tls;
        r.connect_tls = &upstream_tls;
        r.attempts = two_attempts();
        return r;
}
