/*
 * Who may connect to the broker, and how each proves it: with a password, with a bare token, or by
 * signing the broker's nonce with an NKey. Only digests of passwords and tokens are kept.
 */
#ifndef LSYS_BROKER_USERS_H
#define LSYS_BROKER_USERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "broker/permissions.h"
#include "verifier/nkey.h"
#include "verifier/secret.h"

/* A nonce as nats-server sends it: 11 random bytes in base64url, and its NUL. */
#define BROKER_NONCE_BYTES 16

enum broker_user_kind {
    BROKER_USER_PASSWORD,
    BROKER_USER_TOKEN,
    BROKER_USER_NKEY,
    BROKER_USER_JWT /* in operator mode, in no table */
};

struct broker_user {
    enum broker_user_kind kind;
    char *name;                  /* PASSWORD: the user; NKEY, JWT: the public key; TOKEN: NULL */
    struct secret_digest secret; /* PASSWORD, TOKEN */
    struct permissions *permissions; /* NULL: everything is allowed */
};

struct broker_users;

/* What a client presents in CONNECT; members are NULL when absent. */
struct broker_credentials {
    const char *user;
    const char *password;
    const char *token;
    const char *nkey;
    const char *signature; /* base64url, or base64 */
};

/* An empty table: nobody may connect. Never NULL; freed by broker_users_free (NULL is fine). */
struct broker_users *broker_users_new(void);
void broker_users_free(struct broker_users *users);

/* Each adds one user. `permissions` (NULL: everything is allowed) is taken over, also on failure.
 * STATUS_CONFIG for an empty name or secret, a name that is there already, or a malformed NKey. */
bool broker_users_add_password(struct broker_users *users, const char *name, struct bytes password,
                               struct permissions *permissions, struct status *status) MUST_CHECK;
bool broker_users_add_digest(struct broker_users *users, const char *name,
                             const struct secret_digest *digest, struct permissions *permissions,
                             struct status *status) MUST_CHECK;
bool broker_users_add_token(struct broker_users *users, struct bytes token,
                            struct permissions *permissions, struct status *status) MUST_CHECK;
bool broker_users_add_nkey(struct broker_users *users, const char *public_key,
                           struct permissions *permissions, struct status *status) MUST_CHECK;

/* Adds the users of a file, whose format is in roles/broker/README.md. The file must be readable by
 * its owner only. Errors name the file and the user. */
bool broker_users_add_file(struct broker_users *users, const char *path,
                           struct status *status) MUST_CHECK;

/* How many there are, and whether one of them signs (then INFO must carry a nonce). */
size_t broker_users_count(const struct broker_users *users);
bool broker_users_need_nonce(const struct broker_users *users);

/* Returns the user who the credentials prove to be, or NULL. `nonce` is what INFO of this
 * connection said. A wrong password takes as long as an unknown user. The result lives as long as
 * the table. */
const struct broker_user *broker_users_authenticate(const struct broker_users *users,
                                                    const struct broker_credentials *credentials,
                                                    const char *nonce);

/* Reads a signature of the nonce as CONNECT has it: base64url, or base64 with padding. */
bool broker_signature_read(struct bytes text, uint8_t out[SIGNATURE_BYTES]);

/* Returns the user of `users` that is the same as `old` of another table, with the same credential
 * (permissions may differ), or NULL. */
const struct broker_user *broker_users_find_same(const struct broker_users *users,
                                                 const struct broker_user *old);

#endif
