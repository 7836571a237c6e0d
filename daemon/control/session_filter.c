/* SPDX-License-Identifier: ISC */
#include "control/session_filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "conn/conn.h"

const char *session_filter_address(struct session_filter *f, const char *s)
{
        if (strncmp(s, "unix:", 5) == 0) {
                f->path = strdup(s);
                return f->path != NULL ? NULL : "is too much for the memory that is left";
        }
        f->by_range = true;
        return cidr_parse(s, &f->range);
}

void session_filter_fini(struct session_filter *f)
{
        free(TAKE(f->service));
        free(TAKE(f->path));
}

static bool is_with(const struct session_filter *f, const struct sockaddress *a)
{
        char text[SOCKADDRESS_TEXT_MAX];
        if (f->by_range)
                return cidr_has(&f->range, a);
        return a->len > 0 && strcmp(sockaddress_text(a, text), f->path) == 0;
}

static bool fits_address(const struct session_filter *f, const struct conn *c)
{
        struct sockaddress client, upstream;
        if (!f->by_range && f->path == NULL)
                return true;
        conn_client_address(c, &client);
        conn_upstream_address(c, &upstream);
        return is_with(f, &client) || is_with(f, &upstream);
}

bool session_filter_fits(const struct session_filter *f, const struct conn *c)
{
        if (f->service != NULL && strcmp(c->service->conf->name, f->service) != 0)
                return false;
        return conn_age_ms(c) >= f->older_ms && (!f->half_closed || conn_is_half_closed(c)) &&
               fits_address(f, c);
}
