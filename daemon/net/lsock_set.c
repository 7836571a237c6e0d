/* SPDX-License-Identifier: ISC */
#include "net/lsock_set.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct lsock_kept {
        struct lsock *sock;
        bool taken;
};

static int compare(const struct sockaddress *a, const struct sockaddress *b)
{
        uint8_t x[sizeof *a], y[sizeof *b];
        size_t n = sockaddress_packed_size(a), m = sockaddress_packed_size(b);
        if (n != m)
                return n < m ? -1 : 1;
        sockaddress_pack(a, x);
        sockaddress_pack(b, y);
        return memcmp(x, y, n);
}

static int compare_kept(const void *a, const void *b)
{
        const struct lsock_kept *x = a, *y = b;
        return compare(&x->sock->address, &y->sock->address);
}

static int compare_with_address(const void *address, const void *kept)
{
        return compare(address, &((const struct lsock_kept *)kept)->sock->address);
}

bool lsock_set_init(struct lsock_set *set, struct lsock *const *socks, size_t n)
{
        *set = (struct lsock_set){ .items = calloc(n + 1, sizeof *set->items) };
        if (set->items == NULL)
                return false;
        for (; set->n < n; set->n++)
                set->items[set->n].sock = socks[set->n];
        qsort(set->items, n, sizeof *set->items, compare_kept);
        return true;
}

void lsock_set_fini(struct lsock_set *set)
{
        free(set->items);
        *set = (struct lsock_set){ 0 };
}

static struct lsock_kept *of_any_port(struct lsock_set *set, const struct sockaddress *a,
                                      const char *service)
{
        for (size_t i = 0; i < set->n; i++) {
                struct lsock *l = set->items[i].sock;
                struct sockaddress without = l->address;
                if (set->items[i].taken || l->any_port_of == NULL ||
                    strcmp(l->any_port_of, service) != 0)
                        continue;
                sockaddress_set_port(&without, 0);
                if (sockaddress_equal(&without, a))
                        return &set->items[i];
        }
        return NULL;
}

/* A path that somebody has removed, or put another socket at, leads nowhere. */
static bool can_be_reached(const struct lsock *l)
{
        struct stat st;
        return l->unlink_path == NULL || (lstat(l->unlink_path, &st) == 0 &&
                                          st.st_dev == l->unlink_dev && st.st_ino == l->unlink_ino);
}

struct lsock *lsock_set_take(struct lsock_set *set, const struct sockaddress *a,
                             const char *service)
{
        if (set == NULL || set->n == 0)
                return NULL;
        struct lsock_kept *k =
                sockaddress_port(a) != 0 || a->sa.sa_family == AF_UNIX
                        ? bsearch(a, set->items, set->n, sizeof *set->items, compare_with_address)
                        : of_any_port(set, a, service);
        if (k == NULL || k->taken || !can_be_reached(k->sock))
                return NULL;
        k->taken = true;
        return lsock_ref(k->sock);
}

struct lsock *lsock_set_take_passed(struct lsock_set *set, const char *name)
{
        for (size_t i = 0; set != NULL && i < set->n; i++) {
                struct lsock_kept *k = &set->items[i];
                if (k->taken || k->sock->passed_name == NULL ||
                    strcmp(k->sock->passed_name, name) != 0)
                        continue;
                k->taken = true;
                return lsock_ref(k->sock);
        }
        return NULL;
}
