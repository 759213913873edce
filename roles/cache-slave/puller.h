/*
 * The calls of a slave to its master: a session if there is none (credential.h), then one page of
 * the feed at a time, with a deadline for both.
 *
 *     puller_ask --> [ making a session ] --> [ asking for a page ] --> on_pulled
 *          |             ^          |             ^     |
 *          |             |          +-- refused --|-----|---------------> on_pulled
 *          +-------------|------------------------+     |
 *                        +------- 401, the first -------+
 */
#ifndef LSYS_ROLES_CACHE_SLAVE_PULLER_H
#define LSYS_ROLES_CACHE_SLAVE_PULLER_H

#include <stdint.h>

#include "app/role.h"
#include "base/attributes.h"
#include "base/status.h"
#include "net/tls_context.h"
#include "roles/cache-slave/credential.h"
#include "roles/cache-slave/pulled.h"
#include "verifier/fingerprint.h"

struct puller;

struct puller_options {
    struct role_context *context;
    const char *master_url; /* http(s)://HOST:PORT */
    const struct fingerprint *fingerprint;
    void (*on_pulled)(void *owner, const struct pulled *pulled);
    void *owner;
};

/* STATUS_CONFIG for a URL that is none, and the errors of https_client_open. Everything is
 * copied. */
struct puller *puller_open(const struct puller_options *options, struct status *status) MUST_CHECK;

/* Cancels a call that runs. NULL is harmless. */
void puller_close(struct puller *puller);

/* Reads the files of https_options anew, for calls to come; on failure the old ones stay. Then
 * puller_tls is another one. */
bool puller_reload(struct puller *puller, const struct options *fresh,
                   struct status *status) MUST_CHECK;

/* For another connection to the same master: whom to trust (until puller_reload), and what to show
 * it. Both live as long as the puller. */
struct tls_client_context *puller_tls(const struct puller *puller);
struct credential *puller_credential(struct puller *puller);

/* The master's URL as configured. */
const char *puller_master(const struct puller *puller);

/* Asks for the page after `since` of `stream` ("" for none); with `etag` (not "") an unchanged
 * master answers 304. on_pulled comes once, from a later turn of the loop. Not to be called while a
 * call runs. */
void puller_ask(struct puller *puller, int64_t since, const char *stream, const char *etag,
                int64_t timeout_ms);

/* Gives up a call that runs; on_pulled does not come. */
void puller_cancel(struct puller *puller);

#endif
