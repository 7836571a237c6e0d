/* SPDX-License-Identifier: ISC */
/* What the commands of the control socket do; the rows are in commands.def. */
#ifndef CONTROL_COMMAND_H
#define CONTROL_COMMAND_H

#include <stdint.h>

#include <jansson.h>

#include "control/gates.h"
#include "control/reload.h"
#include "control/server.h"

struct upgrade;

struct command_env {
        struct reload *reload;
        struct upgrade *upgrade;
        struct gates *gates;
        struct worker *const *workers;
        size_t n_workers;
        int64_t started_wall_us;
};

/* A server_request_fn; arg is the env, borrowed. */
void command_run(const struct asker *who, const char *const *words, size_t n, struct reply *reply,
                 void *env);

/* What the command services shows of one; owned by the caller. NULL: memory is short. */
json_t *command_service_json(const struct service *service);

/* What the command certificates shows: an array, an object a certificate; owned by the caller.
 * NULL: memory is short. */
json_t *command_certificates_json(const struct snapshot *snapshot);

#endif
