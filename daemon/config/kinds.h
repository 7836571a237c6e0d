/* SPDX-License-Identifier: ISC */
/* The kinds of values, as they are kept: for each a C type, for words their constants. */
#ifndef CONFIG_KINDS_H
#define CONFIG_KINDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/diag.h"

struct string_list {
        char **items;
        struct origin *at; /* one each */
        size_t n;
};

struct addr_list {
        struct addr *items;
        struct origin *at; /* one each */
        size_t n;
};

#define CONFIG_TYPE_BOOL          bool
#define CONFIG_TYPE_COUNT         int64_t
#define CONFIG_TYPE_LIMIT         int64_t /* 0: off */
#define CONFIG_TYPE_WORKERS       int64_t /* 0: auto */
#define CONFIG_TYPE_DURATION      int64_t /* milliseconds; 0: off */
#define CONFIG_TYPE_MICROSECONDS  int64_t /* 0: off */
#define CONFIG_TYPE_SIZE          int64_t /* octets */
#define CONFIG_TYPE_MODE          int64_t /* file mode bits; -1: not set */
#define CONFIG_TYPE_STRING        char *  /* NULL: not set */
#define CONFIG_TYPE_FILE          char *  /* absolute path; NULL: not set */
#define CONFIG_TYPE_STRINGS       struct string_list
#define CONFIG_TYPE_FILES         struct string_list /* absolute paths */
#define CONFIG_TYPE_LISTEN_ADDRS  struct addr_list
#define CONFIG_TYPE_CONNECT_ADDRS struct addr_list

/* Words: an int, one of the constants CONFIG_<KIND>_<WORD> made from kinds.def. */
#define CONFIG_TYPE_LOG_LEVEL     int
#define CONFIG_TYPE_LOG_ACCESS    int
#define CONFIG_TYPE_HALF_CLOSE    int
#define CONFIG_TYPE_TRUNCATION    int
#define CONFIG_TYPE_BALANCE       int
#define CONFIG_TYPE_PUMP          int
#define CONFIG_TYPE_KTLS          int
#define CONFIG_TYPE_SANDBOX       int
#define CONFIG_TYPE_SANDBOX_PORTS int
#define CONFIG_TYPE_TLS_PROFILE   int
#define CONFIG_TYPE_TLS_VERSION   int

#define WORDS(K)                enum {
#define WORD(K, constant, word) CONFIG_##K##_##constant,
#define ALIAS(K, constant, word)
#define END(K) \
        }      \
        ;
#include "config/kinds.def"
#undef WORDS
#undef WORD
#undef ALIAS
#undef END

#endif
