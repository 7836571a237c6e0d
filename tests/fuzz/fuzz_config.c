/* SPDX-License-Identifier: ISC */
/* Any text is a configuration or has mistakes; what is in effect can be printed and read back. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/own.h"
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Other files are none of the fuzzer's business. */
static bool includes_files(const char *text)
{
        for (const char *p = text; (p = strstr(p, "include")) != NULL; p++) {
                if (p == text || p[-1] != '#')
                        return true;
        }
        return false;
}

/* Returns the configuration in effect, to be freed; NULL where text has mistakes, which were told.
 */
static char *effect_of(const char *text)
{
        char *dumped = NULL;
        size_t size = 0;
        FILE *to = open_memstream(&dumped, &size);
        struct diag *diag = diag_new();
        struct config *conf = config_read_text(text, "fuzz", diag);
        assert((conf == NULL) == (diag_errors(diag) > 0));
        if (conf != NULL)
                config_dump(conf, to);
        else
                diag_print(diag, to);
        fclose(to);
        assert(size > 0); /* an effect or a message */
        if (conf == NULL)
                free(TAKE(dumped));
        config_free(conf);
        diag_free(diag);
        return dumped;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
        OWN_FREE char *text = strndup((const char *)data, n);
        if (includes_files(text))
                return 0;
        OWN_FREE char *first = effect_of(text);
        if (first == NULL)
                return 0;
        /* Only the origins, which are told too, may differ, and that once. */
        OWN_FREE char *second = effect_of(first);
        assert(second != NULL);
        OWN_FREE char *third = effect_of(second);
        assert(third != NULL && strcmp(second, third) == 0);
        return 0;
}
