/* SPDX-License-Identifier: ISC */
#include "config/rows.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "config/config.h"

#define UNSET           NULL
#define REQUIRED        NULL, .required = true
#define RANGE(lo_, hi_) .lo = (lo_), .hi = (hi_)
#define ANY             .lo = NULL, .hi = NULL
#define D(member_, K_, preset_, range_, effect_, help_) \
        { .member = #member_,                           \
          .kind = &kind_##K_,                           \
          .preset = preset_,                            \
          range_,                                       \
          .effect = effect_,                            \
          .help = help_,                                \
          .value = offsetof(struct OWNER, member_),     \
          .at = offsetof(struct OWNER, member_##_at) },

#define OWNER config
static const struct row global_rows[] = {
#include "config/directives/global.def"
};
#undef OWNER
#define OWNER config_log
static const struct row log_rows[] = {
#include "config/directives/log.def"
};
#undef OWNER
#define OWNER config_service
static const struct row service_rows[] = {
#include "config/directives/service.def"
};
#undef OWNER
#define OWNER config_listen_tls
static const struct row listen_tls_rows[] = {
#include "config/directives/listen_tls.def"
};
#undef OWNER
#define OWNER config_connect_tls
static const struct row connect_tls_rows[] = {
#include "config/directives/connect_tls.def"
};
#undef OWNER
#define OWNER config_listen_socket
static const struct row listen_socket_rows[] = {
#include "config/directives/listen_socket.def"
};
#undef OWNER
#define OWNER config_connect_socket
static const struct row connect_socket_rows[] = {
#include "config/directives/connect_socket.def"
};
#undef OWNER

#define ROWS(array) .rows = (array), .n_rows = COUNTOF(array)

static const struct table log_table = { .name = "log", .place = "in log: {…}", ROWS(log_rows) };
static const struct table listen_tls_table = { .name = "listen-tls",
                                               .place = "in listen-tls: {…}",
                                               ROWS(listen_tls_rows) };
static const struct table connect_tls_table = { .name = "connect-tls",
                                                .place = "in connect-tls: {…}",
                                                ROWS(connect_tls_rows) };
static const struct table listen_socket_table = { .name = "listen-socket",
                                                  .place = "in listen-socket: {…}",
                                                  ROWS(listen_socket_rows) };
static const struct table connect_socket_table = { .name = "connect-socket",
                                                   .place = "in connect-socket: {…}",
                                                   ROWS(connect_socket_rows) };

#define HEADED(member)                                                                         \
        .use = BLOCK_ONE, .offset = offsetof(struct config_service, member), .has_head = true, \
        .present = offsetof(struct config_service, member.present),                            \
        .at = offsetof(struct config_service, member.at)
static const struct block service_blocks[] = {
        { .name = "listen-tls", .table = &listen_tls_table, HEADED(listen_tls), .is_switch = true },
        { .name = "connect-tls",
          .table = &connect_tls_table,
          HEADED(connect_tls),
          .is_switch = true },
        { .name = "listen-socket", .table = &listen_socket_table, HEADED(listen_socket) },
        { .name = "connect-socket", .table = &connect_socket_table, HEADED(connect_socket) },
};
const struct table config_service_table = { .name = "service",
                                            .place = "in a service",
                                            ROWS(service_rows),
                                            .blocks = service_blocks,
                                            .n_blocks = COUNTOF(service_blocks) };

static const struct block global_blocks[] = {
        { .name = "include", .use = BLOCK_FILES },
        { .name = "log",
          .use = BLOCK_ONE,
          .table = &log_table,
          .offset = offsetof(struct config, log) },
        { .name = "defaults", .use = BLOCK_DEFAULTS, .table = &config_service_table },
        { .name = "services", .use = BLOCK_NAMED, .table = &config_service_table },
};
const struct table config_global_table = { .name = "global",
                                           .place = "at the top level",
                                           ROWS(global_rows),
                                           .blocks = global_blocks,
                                           .n_blocks = COUNTOF(global_blocks) };

const struct table *const config_tables[] = { &config_global_table,  &log_table,
                                              &config_service_table, &listen_tls_table,
                                              &connect_tls_table,    &listen_socket_table,
                                              &connect_socket_table };
const size_t config_n_tables = COUNTOF(config_tables);

const char *row_name(const struct row *r, char buf[static ROW_NAME_MAX])
{
        assert(strlen(r->member) < ROW_NAME_MAX);
        size_t i = 0;
        for (; r->member[i] != '\0'; i++)
                buf[i] = r->member[i] == '_' ? '-' : r->member[i];
        buf[i] = '\0';
        return buf;
}

const struct row *table_row(const struct table *t, const char *name)
{
        char buf[ROW_NAME_MAX];
        for (size_t i = 0; i < t->n_rows; i++) {
                if (strcmp(row_name(&t->rows[i], buf), name) == 0)
                        return &t->rows[i];
        }
        return NULL;
}

const struct block *table_block(const struct table *t, const char *name)
{
        for (size_t i = 0; i < t->n_blocks; i++) {
                if (strcmp(t->blocks[i].name, name) == 0)
                        return &t->blocks[i];
        }
        return NULL;
}

/* Do something to every row of a table and of the blocks inside; false from fn ends it. */
typedef bool row_fn(const struct row *r, void *object, const void *from);

static bool each_row(const struct table *t, void *object, const void *from, row_fn *fn)
{
        for (size_t i = 0; i < t->n_rows; i++) {
                if (!fn(&t->rows[i], object, from))
                        return false;
        }
        for (size_t i = 0; i < t->n_blocks; i++) {
                const struct block *b = &t->blocks[i];
                if (b->use != BLOCK_ONE)
                        continue;
                const void *inside = from == NULL ? NULL : (const char *)from + b->offset;
                if (!each_row(b->table, block_object(b, object), inside, fn))
                        return false;
        }
        return true;
}

static bool init_row(const struct row *r, void *object, const void *from)
{
        (void)from;
        value_init(r->kind, row_value(r, object));
        return true;
}

static bool fini_row(const struct row *r, void *object, const void *from)
{
        (void)from;
        value_fini(r->kind, row_value(r, object));
        return true;
}

static bool inherit_row(const struct row *r, void *object, const void *from)
{
        const struct origin *at = (const struct origin *)(const void *)((const char *)from + r->at);
        if (row_at(r, object)->file != NULL || at->file == NULL)
                return true;
        *row_at(r, object) = *at;
        return value_copy(r->kind, row_value(r, object), (const char *)from + r->value);
}

static bool preset_row(const struct row *r, void *object, const void *from)
{
        (void)from;
        if (r->preset == NULL || row_at(r, object)->file != NULL)
                return true;
        return value_preset(r->kind, r->preset, row_value(r, object));
}

void table_init(const struct table *t, void *object)
{
        each_row(t, object, NULL, init_row);
}

void table_fini(const struct table *t, void *object)
{
        each_row(t, object, NULL, fini_row);
}

bool table_inherit(const struct table *t, void *object, const void *from)
{
        return each_row(t, object, from, inherit_row);
}

bool table_preset(const struct table *t, void *object)
{
        return each_row(t, object, NULL, preset_row);
}
