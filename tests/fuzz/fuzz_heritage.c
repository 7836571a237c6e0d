/* SPDX-License-Identifier: ISC */
/* What a predecessor left behind, or what has become of it: read as far as it makes sense, and what
 * was read of a connection says the same when it is written and read again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn/parcel_members.h"
#include "control/heritage.h"
#include "net/fdpass.h"
#include "tls/stream_ktls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SOCKETS = 3 };

static void must(bool condition)
{
        if (!condition)
                abort();
}

static json_t *again_leg(const json_t *value)
{
        struct stream_state leg;
        struct stream_ktls_state kernel;
        bool is_ktls = parcel_leg_is_ktls(value);
        parcel_unpack_leg(value, &leg);
        parcel_unpack_ktls(value, &kernel);
        json_t *again = parcel_pack_leg(&leg, is_ktls ? &kernel : NULL);
        stream_state_fini(&leg);
        stream_ktls_state_fini(&kernel);
        return again;
}

static json_t *again_relay(const json_t *value)
{
        struct relay_state relay;
        parcel_unpack_relay(value, &relay);
        return parcel_pack_relay(&relay);
}

static json_t *again_address(const json_t *value)
{
        struct sockaddress address;
        parcel_unpack_address(value, &address);
        return parcel_pack_address(&address);
}

static void check(const json_t *value, json_t *(*again)(const json_t *))
{
        json_t *once = again(value), *twice = again(once);
        must(once != NULL && json_equal(once, twice));
        json_decref(once);
        json_decref(twice);
}

static void check_parcel(const struct parcel *p)
{
        const json_t *legs = json_object_get(p->about, "legs");
        check(json_array_get(legs, 0), again_leg);
        check(json_array_get(legs, 1), again_leg);
        check(json_object_get(p->about, "relay"), again_relay);
        check(json_object_get(p->about, "client"), again_address);
        check(json_object_get(p->about, "listen"), again_address);
}

/* The end of a queue in which some sockets wait, and behind them nothing more. */
static int queue_of_sockets(void)
{
        int ends[2], fds[SOCKETS];
        must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
        for (int i = 0; i < SOCKETS; i++)
                must((fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) >= 0);
        must(fdpass_send(ends[1], "", 1, fds, SOCKETS) == 0);
        for (int i = 0; i < SOCKETS; i++)
                close(fds[i]);
        close(ends[1]);
        return ends[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct heritage h = { 0 };
        int lines = memfd_create("heritage", MFD_CLOEXEC);
        int take = queue_of_sockets();
        must(lines >= 0 && write(lines, data, size) == (ssize_t)size);
        heritage_read(&h, lines, take);
        for (size_t i = 0; i < h.n_parcels; i++)
                check_parcel(&h.parcels[i]);
        heritage_fini(&h);
        close(take);
        close(lines);
        return 0;
}
