/*
 * How a role connects to NATS, read from its options: the row `nats.urls` and the table
 * nats_options.
 */
#ifndef LSYS_APP_NATS_LOGIN_H
#define LSYS_APP_NATS_LOGIN_H

#include <stdbool.h>

#include "app/options.h"
#include "base/attributes.h"
#include "base/buffer.h"
#include "base/status.h"
#include "bus/bus.h"

/* Longest list of URLs, and longest secret (a .creds file is below 2 KiB). */
#define NATS_LOGIN_TEXT_BYTES 8192

/* The value of nats.urls that means the broker in the same process. */
#define NATS_EMBEDDED "embedded"

struct nats_login {
    struct bus_options bus; /* points into the buffers below; for bus_create, which copies */
    struct buffer urls;
    struct buffer secret;
};

/* Reads everything. `client_name` is what the server's connection list shows; it is not copied.
 * Where nats.urls is "embedded", `embedded_url` is used in its place (NULL: that is STATUS_CONFIG).
 * More than one kind of credential is STATUS_CONFIG. The caller gives `out` to nats_login_wipe in
 * any case. */
bool nats_login_read(const struct options *options, const char *client_name,
                     const char *embedded_url, struct nats_login *out,
                     struct status *status) MUST_CHECK;

/* Overwrites and frees the secrets. */
void nats_login_wipe(struct nats_login *login);

#endif
