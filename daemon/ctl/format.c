/* SPDX-License-Identifier: ISC */
#include "ctl/format.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

const char *format_age(int64_t ms, char buf[static TEXT_QUANTITY_MAX])
{
        int64_t s = ms / 1000;
        if (s < 60)
                snprintf(buf, TEXT_QUANTITY_MAX, "%" PRId64 ".%" PRId64 "s", s, ms % 1000 / 100);
        else if (s < 3600)
                snprintf(buf, TEXT_QUANTITY_MAX, "%" PRId64 "m%02" PRId64 "s", s / 60, s % 60);
        else if (s < 86400)
                snprintf(buf, TEXT_QUANTITY_MAX, "%" PRId64 "h%02" PRId64 "m", s / 3600,
                         s / 60 % 60);
        else
                snprintf(buf, TEXT_QUANTITY_MAX, "%" PRId64 "d%02" PRId64 "h", s / 86400,
                         s / 3600 % 24);
        return buf;
}

const char *format_octets(int64_t n, char buf[static TEXT_QUANTITY_MAX])
{
        static const char units[] = " kMGTPE";
        size_t unit = 0;
        double value = (double)n;
        for (; value >= 1000 && unit + 2 < sizeof units; unit++)
                value /= 1024;
        if (unit == 0)
                snprintf(buf, TEXT_QUANTITY_MAX, "%" PRId64, n);
        else
                snprintf(buf, TEXT_QUANTITY_MAX, "%.1f%c", value, units[unit]);
        return buf;
}
