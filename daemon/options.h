/* SPDX-License-Identifier: ISC */
/* The command line of spliced(8). */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>

#include "control/given.h"

enum options_do { OPTIONS_RUN, OPTIONS_CHECK, OPTIONS_DUMP, OPTIONS_VERSION, OPTIONS_HELP };

struct options {
        enum options_do what;
        struct given given; /* file: the default when neither -c nor -e is there */
};

/* false: a mistake, told on standard error. Strings are borrowed from argv. */
bool options_parse(int argc, char **argv, struct options *out);
void options_help(void);

#endif
