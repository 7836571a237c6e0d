/* SPDX-License-Identifier: ISC */
#include "control/channel.h"

#include <errno.h>
#include <string.h>

#include "base/own.h"

enum { MESSAGE_MAX = 4096 };

int channel_say(int channel, json_t *about, struct bundle *bundle)
{
        OWN_FREE char *text = about != NULL ? json_dumps(about, JSON_COMPACT) : NULL;
        json_decref(about);
        if (text == NULL)
                return ENOMEM;
        int fds[] = { bundle != NULL ? bundle->lines : -1, bundle != NULL ? bundle->take : -1 };
        int error = fdpass_send(channel, text, strlen(text), fds, bundle != NULL ? 2 : 0);
        if (bundle != NULL && error == 0) {
                own_close(&bundle->lines);
                own_close(&bundle->take);
        }
        return error;
}

json_t *channel_hear(int channel, int *lines, int *take)
{
        char text[MESSAGE_MAX];
        int fds[FDPASS_MOST];
        size_t n_fds;
        ssize_t n = fdpass_receive(channel, text, sizeof text, fds, &n_fds);
        *lines = *take = -1;
        if (n_fds == 2) {
                *lines = TAKE_FD(fds[0]);
                *take = TAKE_FD(fds[1]);
        }
        while (n_fds > 0)
                own_close(&fds[--n_fds]);
        return n > 0 ? json_loadb(text, (size_t)n, 0, NULL) : NULL;
}
