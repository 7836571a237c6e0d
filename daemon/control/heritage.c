/* SPDX-License-Identifier: ISC */
/* Things in a bundle have a member "kind"; those of a kind that is not known are passed over. */
#include "control/heritage.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"

/* --- leaving ---------------------------------------------------------------------------------- */

static void add(struct bundle *b, json_t *about, int *fds, size_t n_fds)
{
        if (about == NULL)
                b->failed = true;
        else
                bundle_add(b, about, fds, n_fds, NULL, 0);
        json_decref(about);
}

void heritage_add_head(struct bundle *b, uint64_t last_number)
{
        add(b, json_pack("{s:s,s:I}", "kind", "head", "last_number", (json_int_t)last_number), NULL,
            0);
}

void heritage_add_listener(struct bundle *b, const struct lsock *l)
{
        OWN_FREE int *copies = calloc(l->n_fds + 1, sizeof *copies);
        if (copies == NULL) {
                b->failed = true;
                return;
        }
        for (size_t i = 0; i < l->n_fds; i++) {
                copies[i] = fcntl(l->fds[i], F_DUPFD_CLOEXEC, 0);
                b->failed = b->failed || copies[i] < 0;
        }
        add(b,
            json_pack("{s:s,s:b,s:s?,s:s?,s:s?,s:I,s:I}", "kind", "listener", "passed", l->passed,
                      "passed_name", l->passed_name, "any_port_of", l->any_port_of, "path",
                      l->unlink_path, "device", (json_int_t)l->unlink_dev, "inode",
                      (json_int_t)l->unlink_ino),
            copies, l->n_fds);
}

void heritage_add_connection(struct bundle *b, struct parcel *p)
{
        size_t n_fds = p->fds[RELAY_UPSTREAM] >= 0 ? 2 : 1;
        if (json_object_set_new(p->about, "kind", json_string("connection")) == 0)
                bundle_add(b, p->about, p->fds, n_fds, p->octets, 2);
        else
                b->failed = true;
        parcel_fini(p);
}

/* --- taking ----------------------------------------------------------------------------------- */

static char *copy_of(const json_t *about, const char *name)
{
        const char *value = json_string_value(json_object_get(about, name));
        return value != NULL ? strdup(value) : NULL;
}

static void take_listener(struct heritage *h, const json_t *about, int *fds, size_t n_fds)
{
        struct lsock **grown = reallocarray(h->socks, h->n_socks + 1, sizeof *grown);
        if (grown != NULL)
                h->socks = grown;
        struct lsock as = {
                .passed = json_is_true(json_object_get(about, "passed")),
                .unlink_dev = (dev_t)json_integer_value(json_object_get(about, "device")),
                .unlink_ino = (ino_t)json_integer_value(json_object_get(about, "inode")),
                .fds = n_fds > 0 ? calloc(n_fds, sizeof(int)) : NULL,
        };
        struct lsock *l = grown != NULL && as.fds != NULL ? lsock_new_as(&as) : NULL;
        if (l == NULL) {
                free(as.fds);
                h->failed = true;
                return;
        }
        for (; l->n_fds < n_fds; l->n_fds++)
                l->fds[l->n_fds] = TAKE_FD(fds[l->n_fds]);
        l->passed_name = copy_of(about, "passed_name");
        l->any_port_of = copy_of(about, "any_port_of");
        l->unlink_path = copy_of(about, "path");
        l->address.len = sizeof l->address.storage;
        if (getsockname(l->fds[0], &l->address.sa, &l->address.len) < 0)
                l->address.len = 0;
        h->socks[h->n_socks++] = l;
}

static bool take_octets(struct parcel *p, const char *octets)
{
        const json_t *lengths = json_object_get(p->about, "octets");
        for (size_t i = 0; i < 2; i++) {
                size_t n = (size_t)json_integer_value(json_array_get(lengths, i));
                if (n > 0)
                        text_addn(&p->octets[i], octets, n);
                octets += n;
        }
        return !p->octets[0].failed && !p->octets[1].failed;
}

static void take_connection(struct heritage *h, json_t *about, int *fds, size_t n_fds,
                            const char *octets)
{
        struct parcel *grown = reallocarray(h->parcels, h->n_parcels + 1, sizeof *grown);
        if (grown == NULL) {
                h->failed = true;
                return;
        }
        h->parcels = grown;
        struct parcel *p = &h->parcels[h->n_parcels++];
        *p = (struct parcel){ .about = json_incref(about), .fds = { -1, -1 } };
        for (size_t i = 0; i < n_fds && i < 2; i++)
                p->fds[i] = TAKE_FD(fds[i]);
        if (take_octets(p, octets))
                return;
        h->failed = true;
        h->n_parcels--;
        parcel_fini(p);
}

static void take(json_t *about, int *fds, size_t n_fds, const char *octets, void *arg)
{
        struct heritage *h = arg;
        const char *kind = json_string_value(json_object_get(about, "kind"));
        if (kind == NULL)
                return;
        if (strcmp(kind, "head") == 0)
                h->last_number =
                        (uint64_t)json_integer_value(json_object_get(about, "last_number"));
        else if (strcmp(kind, "listener") == 0)
                take_listener(h, about, fds, n_fds);
        else if (strcmp(kind, "connection") == 0)
                take_connection(h, about, fds, n_fds, octets);
}

const char *heritage_read(struct heritage *h, int lines, int socks)
{
        const char *wrong = bundle_read(lines, socks, take, h);
        return wrong == NULL && h->failed ? "memory is short" : wrong;
}

void heritage_fini(struct heritage *h)
{
        for (size_t i = 0; i < h->n_socks; i++)
                lsock_unref(h->socks[i]);
        free(TAKE(h->socks));
        for (size_t i = 0; i < h->n_parcels; i++)
                parcel_fini(&h->parcels[i]);
        free(TAKE(h->parcels));
        h->n_socks = h->n_parcels = 0;
}
