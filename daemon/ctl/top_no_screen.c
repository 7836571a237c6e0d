/* SPDX-License-Identifier: ISC */
#include "ctl/top_screen.h"

#include <stdio.h>
#include <stdlib.h>

int top_screen_run(struct top *t)
{
        (void)t;
        fputs("splicectl: top: this splicectl was built without ncurses\n", stderr);
        return EXIT_FAILURE;
}
