/*
 * Keys of single slaves: made by the admin API or `lsys licenses key add`, shown once, stored as
 * digests. The first machine that uses one registers its fingerprint; from then on the key works
 * from that machine only, where machines are the same while at least half of the registered
 * components are there.
 */
#ifndef LSYS_ROLES_CACHE_MASTER_SLAVE_KEYS_H
#define LSYS_ROLES_CACHE_MASTER_SLAVE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "codec/json_writer.h"
#include "rules/rate_limit.h"
#include "verifier/fingerprint.h"
#include "verifier/secret.h"

struct store;

/* Slaves of one master; each request compares with them all, in constant time. */
#define SLAVE_KEYS_MAX 1000

/* A name is part of a URL and of log lines: letters, digits, '-', '_' and '.'. */
#define SLAVE_KEY_NAME_BYTES 65

/* What a key may be used for. */
enum slave_key_scope {
    SLAVE_KEY_READ = 1,  /* look at licenses */
    SLAVE_KEY_SYNC = 2,  /* pull the feed */
    SLAVE_KEY_ADMIN = 4, /* change licenses and keys */
};
#define SLAVE_KEY_ALL (SLAVE_KEY_READ | SLAVE_KEY_SYNC | SLAVE_KEY_ADMIN)

struct slave_key {
    char name[SLAVE_KEY_NAME_BYTES];
    struct secret_digest digest;
    unsigned scopes;
    struct fingerprint_demand machine; /* count 0: no machine has used it yet */
    int64_t created_at_ms;
    struct rate_limit limit;
    int64_t refusals;         /* from other machines, not told yet */
    int64_t refusals_told_ms; /* monotonic; 0: none was told */
};

struct slave_keys;

/* Reads the keys of the store, which is borrowed. `per_second` is the rate of each. */
struct slave_keys *slave_keys_open(struct store *store, int64_t per_second,
                                   struct status *status) MUST_CHECK;
void slave_keys_close(struct slave_keys *keys);

/* The key that the credential is, or NULL. */
struct slave_key *slave_keys_find(struct slave_keys *keys, struct bytes presented);

/* The key of that name, or NULL. */
struct slave_key *slave_keys_named(struct slave_keys *keys, const char *name);

enum slave_key_machine {
    SLAVE_KEY_MACHINE_FITS,
    SLAVE_KEY_MACHINE_UNKNOWN, /* the request names no machine */
    SLAVE_KEY_MACHINE_DIFFERS, /* written to the audit log, once a minute at most */
};

/* Compares the machine of a request (digests, separated by commas) with the key's. A key without
 * one is bound to it, which is written down before it counts. */
enum slave_key_machine slave_keys_check_machine(struct slave_keys *keys, struct slave_key *key,
                                                struct bytes fingerprint);

/* Makes a key; `secret` (initialised) gets it in clear, to be shown once and wiped. STATUS_BUSY
 * when the name is taken, STATUS_USAGE when it is not fit, STATUS_TOO_LARGE when there are too
 * many. */
bool slave_keys_add(struct slave_keys *keys, const char *name, unsigned scopes, const char *actor,
                    struct buffer *secret, struct status *status) MUST_CHECK;

/* Removes a key: it stops working at once. STATUS_NOT_FOUND. */
bool slave_keys_remove(struct slave_keys *keys, const char *name, const char *actor,
                       struct status *status) MUST_CHECK;

/* Writes an array of all keys without their secrets. */
void slave_keys_write(const struct slave_keys *keys, struct json_writer *json);

/* Reads "read", "sync" or "admin"; 0 for anything else. */
unsigned slave_key_scope_find(const char *name);

/* Writes the member "scopes", an array of those names. */
void slave_key_write_scopes(unsigned scopes, struct json_writer *json);

#endif
