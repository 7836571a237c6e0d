/* SPDX-License-Identifier: ISC */
#include "control/given.h"

#include "base/log.h"

struct config *given_read(const struct given *given, struct diag *diag)
{
        if (given->text != NULL)
                return config_read_text(given->text, "command line", diag);
        return config_read_path(given->file, diag);
}

bool given_open_log(const struct given *given, const struct config *conf, struct diag *diag)
{
        enum log_level level = given->verbose ? LOG_LEVEL_DEBUG : (enum log_level)conf->log.level;
        const char *error = log_open(conf->log.target, level);
        if (error != NULL)
                diag_error(diag, &conf->log.target_at, "log.target: %s", error);
        return error == NULL;
}
