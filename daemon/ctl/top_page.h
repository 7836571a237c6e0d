/* SPDX-License-Identifier: ISC */
/* What top shows as lines of a screen of a given size: nothing but ASCII. */
#ifndef CTL_TOP_PAGE_H
#define CTL_TOP_PAGE_H

#include "base/text.h"
#include "ctl/top_model.h"

/* What the screen knows besides. */
struct top_view {
        const char *version, *problem; /* of the daemon; problem NULL: it answers. Borrowed */
        int64_t pid, uptime_ms;
        size_t first;        /* of the shown connections: how far it was scrolled */
        bool paused, typing; /* typing: the filter is being typed */
        bool help;
};

enum top_look { TOP_PLAIN, TOP_TITLE, TOP_MARKED, TOP_ALARM };

struct top_line {
        struct text text; /* no wider than the screen */
        enum top_look look;
};

struct top_page {
        struct top_line *lines; /* one for each row */
        size_t n;
        size_t room; /* connections that fit on it, 0 if there is no room for any */
};

/* Returns false when memory is short; *p is to be released in any case. */
bool top_page_draw(struct top_page *p, const struct top_model *m, const struct top_view *v,
                   size_t rows, size_t columns);
void top_page_fini(struct top_page *p);

#endif
