/* SPDX-License-Identifier: ISC */
/* Answers of the daemon for people. */
#ifndef CTL_SHOW_H
#define CTL_SHOW_H

#include <jansson.h>

/* One line of the answer to that command, onto standard output; number counts them from 0. */
void show_line(const char *command, json_t *line, size_t number);

#endif
