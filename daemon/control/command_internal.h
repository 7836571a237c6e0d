/* SPDX-License-Identifier: ISC */
/* What the commands of the control socket share; each family of them has a file. */
#ifndef CONTROL_COMMAND_INTERNAL_H
#define CONTROL_COMMAND_INTERNAL_H

#include <jansson.h>

#include "control/command.h"

enum {
        CALL_OPTIONS_MAX = 8,
        WORD_SHOWN = 40, /* octets of a word that is quoted */
};

/* One request. The words are borrowed for as long as the command's function runs. */
struct call {
        const struct asker *who;
        const char *operand; /* NULL: none */
        struct {
                const char *name, *value; /* as in commands.def; value "" where it takes none */
        } options[CALL_OPTIONS_MAX];
        size_t n_options;
        struct reply *reply; /* to be ended, now or later */
        const struct command_env *env;
};

/* The value of an option; NULL: it was not given. */
const char *call_option(const struct call *c, const char *name);

static inline const struct snapshot *call_running(const struct call *c)
{
        return reload_running(c->env->reload);
}

#define C(id, name, operand, help) void command_##id(struct call *c);
#define O(command, name, value, help)
#include "control/commands.def"
#undef O
#undef C

#endif
