/* SPDX-License-Identifier: ISC */
/* What top shows, without a screen: services and connections as they were at the last poll, how
 * fast they were since the one before, in which order, and which of them. */
#ifndef CTL_TOP_MODEL_H
#define CTL_TOP_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

enum { TOP_FILTER_MAX = 40 }; /* octets, with its NUL */

enum top_sort {
        TOP_BY_RATE, /* both directions */
        TOP_BY_UP,   /* octets a second from the client */
        TOP_BY_DOWN,
        TOP_BY_MOVED, /* all octets so far */
        TOP_BY_AGE,
        TOP_BY_SERVICE,
        TOP_BY_CLIENT,
        TOP_BY_UPSTREAM,
        TOP_BY_ID,
};

struct top_session {
        json_t *line; /* held; the strings are its */
        const char *service, *client, *upstream, *state;
        int64_t id, age_ms, up, down; /* octets so far */
        int64_t up_rate, down_rate;   /* octets a second */
        bool half_closed;
};

struct top_service {
        json_t *line; /* held */
        const char *name, *state;
        int64_t open, half_closed, up_rate, down_rate; /* rates of connections that are open */
};

struct top_sessions {
        struct top_session *items; /* by id */
        size_t n;
};

struct top_model {
        struct top_sessions now, before;
        struct top_service *services; /* in the order of the configuration */
        size_t n_services;
        const struct top_session **shown; /* those that fit the filter, in order */
        size_t n_shown;
        int64_t polled_ms, interval_ms;          /* interval 0: there was no poll before */
        int64_t up_rate, down_rate, half_closed; /* of all */
        enum top_sort sort;
        bool reverse, half_closed_only;
        char filter[TOP_FILTER_MAX];
        bool failed; /* memory is short: something is missing */
};

void top_model_init(struct top_model *m);
void top_model_fini(struct top_model *m);

/* A poll: begin, a line of the answers to "services" and "sessions" after the other, end. Lines
 * that are not objects are passed over. at_ms: when, on a clock that does not jump. */
void top_model_begin(struct top_model *m, int64_t at_ms);
void top_model_add_service(struct top_model *m, json_t *line);
void top_model_add_session(struct top_model *m, json_t *line);
void top_model_end(struct top_model *m);

/* What is shown follows at once. The same order once more turns it around. */
void top_model_sort(struct top_model *m, enum top_sort sort);
void top_model_turn_around(struct top_model *m);
void top_model_half_closed_only(struct top_model *m, bool only);
/* Those of which service, client, upstream, state or number contains it, whatever the case. */
void top_model_filter(struct top_model *m, const char *text);

#endif
