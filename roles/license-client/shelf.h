/*
 * The licenses that were verified and are in use: those of the live servers and the one followed
 * last. A heartbeat names its license by the digest of the token only; here it is found again.
 */
#ifndef LSYS_ROLES_LICENSE_CLIENT_SHELF_H
#define LSYS_ROLES_LICENSE_CLIENT_SHELF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "rules/client_state.h"
#include "verifier/license.h"

/* One for each live server, the one followed last, and the newcomer. */
#define SHELF_LICENSES (CLIENT_SERVERS_MAX + 2)

struct shelf_item {
    struct license *license;      /* NULL: the place is free */
    char *token;                  /* as it came */
    char line[SHA256_TEXT_BYTES]; /* license_serial_line */
    uint64_t used;                /* rises with each use */
};

struct shelf {
    struct shelf_item items[SHELF_LICENSES];
    const struct shelf_item *kept; /* of these, never replaced: the one followed last; or NULL */
    uint64_t uses;
};

/* The license whose token has this digest, or NULL ("" finds nothing). */
struct shelf_item *shelf_find(struct shelf *shelf, const char *token_sha256);

/* Puts a verified license there, with a copy of its token, in place of the one used longest ago.
 * The license belongs to the shelf from now on. Items stay valid until SHELF_LICENSES - 1 others
 * were used. */
struct shelf_item *shelf_put(struct shelf *shelf, struct license *license, struct bytes token);

/* Frees all licenses; the shelf is empty afterwards. */
void shelf_clear(struct shelf *shelf);

#endif
