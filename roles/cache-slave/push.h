/*
 * Hearing the master's bell (app/license_bell.h): one WebSocket that is kept open and
 * opened again, with a growing pause, when it ends. When there is none, polling carries on as if
 * there were no push at all.
 */
#ifndef LSYS_ROLES_CACHE_SLAVE_PUSH_H
#define LSYS_ROLES_CACHE_SLAVE_PUSH_H

#include <stdbool.h>

#include "app/role.h"
#include "base/attributes.h"
#include "net/tls_context.h"
#include "roles/cache-slave/credential.h"

struct push;

struct push_options {
    struct role_context *context;
    const char *master_url;         /* http(s)://HOST:PORT; copied */
    struct tls_client_context *tls; /* for https; borrowed until push_close or push_trust */
    struct credential *credential;  /* what to show; borrowed until push_close */
    void (*on_bell)(void *owner);   /* something changed at the master */
    void *owner;
};

/* NULL when the URL has no stream to hear: the slave polls. */
struct push *push_open(const struct push_options *options);

/* Begins to connect, the first time it is called: when the first pull is over, and has made the
 * session that is shown here, too. NULL is harmless. */
void push_begin(struct push *push);

/* Whom to trust from now on, for connections to come. NULL as a push is harmless. */
void push_trust(struct push *push, struct tls_client_context *tls);

/* True while the master can be heard. */
bool push_is_connected(const struct push *push);

/* Ends it; no callback comes any more. NULL is harmless. */
void push_close(struct push *push);

#endif
