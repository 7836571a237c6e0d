/* SPDX-License-Identifier: ISC */
/* Values without quotes, and what libconfig's grammar takes them for. */
#ifndef CONFIG_BARE_H
#define CONFIG_BARE_H

#include <stddef.h>

enum bare {
        BARE_NUMBER,    /* 10, -3, 0x1F, 10L */
        BARE_TOO_LARGE, /* libconfig 1.5 keeps the low 32 bits of it, without a word */
        BARE_FRACTION,  /* 1.5, .5, 1.5e3 */
        BARE_TRUTH,     /* true, FALSE */
        BARE_TEXT,      /* nothing: text that needs quotes */
};

/* How long the value goes on that begins at p; 0: none begins there. p ends in NUL. */
size_t bare_length(const char *p);
/* What its n octets are; n > 0. */
enum bare bare_kind(const char *p, size_t n);

#endif
