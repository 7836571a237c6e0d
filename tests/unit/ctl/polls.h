/* SPDX-License-Identifier: ISC */
/* Polls of a daemon that is made up. */
#ifndef TESTS_CTL_POLLS_H
#define TESTS_CTL_POLLS_H

#include "ctl/top_model.h"

struct seen {
        int64_t id, age_ms, up, down;
        const char *service, *client, *upstream;
        bool half_closed, connecting;
};

/* What is left out: service "web", client "127.0.0.1:1", upstream "10.0.0.1:80". The services web,
 * ssh and idle are there. */
void poll_seen(struct top_model *m, int64_t at_ms, const struct seen *seen, size_t n);
#define POLL(m, at_ms, ...)                                       \
        poll_seen(m, at_ms, (const struct seen[]){ __VA_ARGS__ }, \
                  sizeof((const struct seen[]){ __VA_ARGS__ }) / sizeof(struct seen))

#endif
