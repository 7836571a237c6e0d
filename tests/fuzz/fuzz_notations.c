/* SPDX-License-Identifier: ISC */
/* Quantities and addresses: any text is one or is refused, and what is written reads back. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/addr.h"
#include "base/own.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

typedef const char *read_fn(const char *s, int64_t *out);
typedef const char *write_fn(int64_t value, char buf[static TEXT_QUANTITY_MAX]);

static void reads_back(const char *text, read_fn *read, write_fn *write)
{
        char buf[TEXT_QUANTITY_MAX];
        int64_t value = -1, again = -1;
        if (read(text, &value) != NULL)
                return;
        assert(value >= 0);
        assert(read(write(value, buf), &again) == NULL);
        assert(again == value);
}

static void address(const char *text, enum addr_use use)
{
        struct addr a, again;
        struct sockaddress socket, socket_again;
        char buf[SOCKADDRESS_TEXT_MAX], buf_again[SOCKADDRESS_TEXT_MAX];
        if (addr_parse(text, use, &a) != NULL)
                return;
        assert(strcmp(a.text, text) == 0);
        /* A long abstract name may need more room, quoted, than there is: not for reading back. */
        if (addr_literal(&a, &socket) && socket.sa.sa_family != AF_UNIX) {
                assert(addr_parse(sockaddress_text(&socket, buf), use, &again) == NULL);
                assert(addr_literal(&again, &socket_again));
                assert(strcmp(buf, sockaddress_text(&socket_again, buf_again)) == 0);
                addr_fini(&again);
        }
        addr_fini(&a);
}

/* Whatever a peer says, its printable form is UTF-8 without control characters. */
static void printable(const char *text)
{
        struct text t = { 0 };
        text_add_printable(&t, text, strlen(text));
        json_t *string = json_string(text_str(&t));
        assert(string != NULL);
        json_decref(string);
        for (const char *p = text_str(&t); *p != '\0'; p++)
                assert((unsigned char)*p >= ' ' && *p != 0x7f);
        text_fini(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
        OWN_FREE char *text = strndup((const char *)data, n);
        int64_t count;
        reads_back(text, text_to_duration, text_from_duration);
        reads_back(text, text_to_size, text_from_size);
        reads_back(text, text_to_rate, text_from_rate);
        assert(text_to_count(text, &count) != NULL || count >= 0);
        address(text, ADDR_FOR_LISTEN);
        address(text, ADDR_FOR_CONNECT);
        printable(text);
        return 0;
}
