/* SPDX-License-Identifier: ISC */
/* top on a terminal, by way of ncurses. */
#ifndef CTL_TOP_SCREEN_H
#define CTL_TOP_SCREEN_H

#include "ctl/top.h"

/* Returns an exit status, after saying on standard error what was wrong. */
int top_screen_run(struct top *t);

#endif
