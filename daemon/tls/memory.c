/* SPDX-License-Identifier: ISC */
#include "tls/memory.h"

#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <openssl/crypto.h>

enum {
        /* A message of a handshake is collected in 21,848 octets, a record in 16,600 or so. */
        BLOCK = 24 * 1024,
        SMALLEST = 12 * 1024, /* of what is given a block */
        /* And this, of which a handshake has two; a session, which stays, is 7,624. */
        BIO_BUFFER = 4096,
        BLOCKS = 64 * 1024,
        WORDS = BLOCKS / 64,
        RUN = 8, /* free ones in a row: for fewer the call costs more than they are worth */
};

/* One for the process, as malloc(3) is. A block is taken and freed a few times in a handshake. */
static struct {
        pthread_mutex_t lock;
        unsigned char *blocks; /* NULL: there are none */
        uint64_t used[WORDS];
        uint64_t touched[WORDS]; /* used once, and not given back since */
        size_t lowest;           /* word in which one may be free */
        size_t end;              /* of those touched */
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER };

static uint64_t bit_of(size_t block)
{
        return UINT64_C(1) << block % 64;
}

static bool is_spare(size_t block)
{
        return (pool.touched[block / 64] & ~pool.used[block / 64] & bit_of(block)) != 0;
}

static void give_run_back(size_t from, size_t to)
{
        madvise(pool.blocks + from * BLOCK, (to - from) * BLOCK, MADV_DONTNEED);
        for (size_t i = from; i < to; i++)
                pool.touched[i / 64] &= ~bit_of(i);
}

static void *take(void)
{
        size_t w = pool.lowest;
        while (w < WORDS && pool.used[w] == UINT64_MAX)
                w++;
        pool.lowest = w;
        if (w == WORDS)
                return NULL;
        size_t block = w * 64 + (size_t)__builtin_ctzll(~pool.used[w]);
        pool.used[w] |= bit_of(block);
        pool.touched[w] |= bit_of(block);
        if (block >= pool.end)
                pool.end = block + 1;
        return pool.blocks + block * BLOCK;
}

static void put_back(size_t block)
{
        pool.used[block / 64] &= ~bit_of(block);
        if (block / 64 < pool.lowest)
                pool.lowest = block / 64;
}

static bool is_block(const void *p)
{
        return (uintptr_t)p - (uintptr_t)pool.blocks < (size_t)BLOCKS * BLOCK;
}

/* --- what OpenSSL calls ----------------------------------------------------------------------- */

static void *allocate(size_t n, const char *file, int line)
{
        (void)file;
        (void)line;
        void *p = NULL;
        if (n == 0)
                return NULL;
        if ((n >= SMALLEST && n <= BLOCK) || n == BIO_BUFFER) {
                pthread_mutex_lock(&pool.lock);
                p = take();
                pthread_mutex_unlock(&pool.lock);
        }
        return p != NULL ? p : malloc(n);
}

/* Keys are read: what is freed here was part of one, perhaps. */
static _Thread_local bool wiping;

void tls_memory_wipe(bool on)
{
        wiping = on;
}

static void release(void *p, const char *file, int line)
{
        (void)file;
        (void)line;
        if (p != NULL && wiping)
                OPENSSL_cleanse(p, is_block(p) ? BLOCK : malloc_usable_size(p));
        if (p == NULL || !is_block(p)) {
                free(p);
                return;
        }
        pthread_mutex_lock(&pool.lock);
        put_back((size_t)((unsigned char *)p - pool.blocks) / BLOCK);
        pthread_mutex_unlock(&pool.lock);
}

static void *reallocate(void *p, size_t n, const char *file, int line)
{
        if (p == NULL)
                return allocate(n, file, line);
        if (n == 0) {
                release(p, file, line);
                return NULL;
        }
        if (!is_block(p) && !wiping)
                return realloc(p, n);
        size_t has = is_block(p) ? BLOCK : malloc_usable_size(p);
        if (n <= has)
                return p;
        void *moved = malloc(n);
        if (moved != NULL) {
                memcpy(moved, p, has);
                release(p, file, line);
        }
        return moved;
}

/* The client's list of ciphers is a few hundred octets; with nothing to hold it takes 32. */
void tls_memory_trim(SSL *ssl)
{
        STACK_OF(SSL_CIPHER) *offered = SSL_get_client_ciphers(ssl);
        if (offered != NULL) {
                sk_SSL_CIPHER_zero(offered);
                sk_SSL_CIPHER_reserve(offered, 0);
        }
        SSL_certs_clear(ssl);
}

void tls_memory_give_back(void)
{
        pthread_mutex_lock(&pool.lock);
        size_t begins = 0, end = 0;
        for (size_t i = 0; i < pool.end; i++) {
                if (is_spare(i))
                        continue;
                if (i - begins >= RUN)
                        give_run_back(begins, i);
                begins = i + 1;
                end = i + 1;
        }
        if (pool.end - begins >= RUN)
                give_run_back(begins, pool.end);
        else
                end = pool.end;
        pool.end = end;
        pthread_mutex_unlock(&pool.lock);
}

void tls_memory_init(void)
{
        const size_t size = (size_t)BLOCKS * BLOCK;
        if (pool.blocks != NULL)
                return;
        void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED)
                return;
        /* A huge page would be held by the last of its blocks. */
        madvise(p, size, MADV_NOHUGEPAGE);
        pool.blocks = p;
        if (CRYPTO_set_mem_functions(allocate, reallocate, release) == 1)
                return;
        pool.blocks = NULL;
        munmap(p, size);
}
