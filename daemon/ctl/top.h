/* SPDX-License-Identifier: ISC */
/* The live view: asks the daemon each second, shows it, and obeys keys. */
#ifndef CTL_TOP_H
#define CTL_TOP_H

#include <stdbool.h>

#include "base/text.h"
#include "ctl/top_model.h"
#include "ctl/top_page.h"

struct top {
        const char *path; /* of the control socket; borrowed */
        struct top_model model;
        struct top_view view;
        struct text version, problem;
        bool over;
};

void top_init(struct top *t, const char *path);
void top_fini(struct top *t);
/* Ask anew. Where the daemon does not answer what there was stays, and the view says why. */
void top_poll(struct top *t);

/* What a key means to top: a character, or one of these. */
enum top_key {
        TOP_KEY_NONE = 256,
        TOP_KEY_UP,
        TOP_KEY_DOWN,
        TOP_KEY_PAGE_UP,
        TOP_KEY_PAGE_DOWN,
        TOP_KEY_HOME,
        TOP_KEY_END,
        TOP_KEY_BACKSPACE,
        TOP_KEY_ENTER,
        TOP_KEY_ESCAPE,
};
/* room: how many connections are on the screen. */
void top_key(struct top *t, int key, size_t room);

/* From the first screen to the last. Returns an exit status. */
int top_run(const char *path);

#endif
