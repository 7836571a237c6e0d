/* SPDX-License-Identifier: ISC */
#include "base/pulse.h"

#include "base/clock.h"

bool pulse_awake(struct pulse *p)
{
        if (p->wish_us == 0 && p->until_us == 0)
                return false;
        int64_t now = clock_us();
        if (p->wish_us > 0 && now + p->wish_us > p->until_us)
                p->until_us = now + p->wish_us;
        p->wish_us = 0;
        if (p->alive > 0 && now < p->until_us)
                return true;
        p->until_us = 0;
        return false;
}
