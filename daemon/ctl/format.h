/* SPDX-License-Identifier: ISC */
/* Quantities in a few characters, for tables. */
#ifndef CTL_FORMAT_H
#define CTL_FORMAT_H

#include <stdint.h>

#include "base/text.h"

/* "2.5s" "3m07s" "5h12m" "9d03h": seconds are enough for what is older. */
const char *format_age(int64_t ms, char buf[static TEXT_QUANTITY_MAX]);
/* "812" "1.4k" "12.0M": at most 6 characters. k = 1024. */
const char *format_octets(int64_t n, char buf[static TEXT_QUANTITY_MAX]);

#endif
