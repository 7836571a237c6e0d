/* SPDX-License-Identifier: ISC */
#include "sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>

#include <cmocka.h>

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
            somebody[] = "CN=somebody", first[] = "10.0.0.5:22", second[] = "[2001:db8::1]:22",
            refused[] = "Connection refused";

static const struct tls_info client_tls = {
        .version = "TLSv1.3",
        .cipher = "TLS_AES_128_GCM_SHA256",
        .group = x25519,
        .sni = asked,
        .alpn = h2,
        .peer = somebody,
        .resumed = true,
};

static const struct tls_info upstream_tls = {
        .version = "TLSv1.2",
        .cipher = "ECDHE-ECDSA-AES128-GCM-SHA256",
        .group = p256,
        .sni = asked,
        .alpn = h2,
        .peer = somebody,
};

struct record bare_record(void)
{
        return (struct record){
                .id = 1,
                .service = "web",
                .listen = address("0.0.0.0:443"),
                .client = address("192.0.2.7:50000"),
                .local = address("192.0.2.1:443"),
                .started_wall_us = 1769903999123456,
                .duration_ms = 0,
                .connect_ms = -1,
                .handshake_ms = -1,
                .connect_handshake_ms = -1,
                .ended_by = BY_SPLICED,
                .reason = REASON_LIMIT,
        };
}

struct record full_record(void)
{
        static struct dial_attempt attempts[2];
        attempts[0] = (struct dial_attempt){ .target = first,
                                             .address = address(first),
                                             .error = ECONNREFUSED,
                                             .text = refused,
                                             .took_us = 1999 };
        attempts[1] = (struct dial_attempt){ .target = second,
                                             .address = address(second),
                                             .took_us = 20000 };
        struct record r = bare_record();
        r.id = 4711;
        snprintf(r.upstream, sizeof r.upstream, "%s", second);
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
        r.attempts = attempts;
        r.n_attempts = 2;
        return r;
}
