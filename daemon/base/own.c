/* SPDX-License-Identifier: ISC */
#include "base/own.h"

#include <errno.h>

void own_close(int *fd)
{
        int saved = errno;
        if (*fd >= 0)
                close(*fd);
        *fd = -1;
        errno = saved;
}
