/*
 * The tokens of a NATS deployment in operator mode (nats-io/jwt, version 2): an operator signs
 * accounts (and requests to delete them), an account signs users, each also through signing keys.
 * A token is a JWS in form only: its algorithm is "ed25519-nkey" and the key that it is signed with
 * is its own `iss`, an NKey. So there are two steps:
 *
 *     read   the form is right and `iss` signed it. It proves nothing yet.
 *     check  `iss` was allowed to: the chain up to an operator that is trusted, times, revocations.
 *
 * A limit that a token does not name is 0, as nats-server has it, and not "no limit" (which is -1).
 */
#ifndef LSYS_VERIFIER_NATS_JWT_H
#define LSYS_VERIFIER_NATS_JWT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "verifier/claims.h"
#include "verifier/nats_sharing.h"
#include "verifier/nkey.h"

/* Longest token, as nats-server has it: an account with ten thousand revocations is below it. */
#define NATS_JWT_BYTES_MAX (1024 * 1024)

/* Longest `jti` and its NUL; ours are 52 characters. */
#define NATS_JWT_ID_BYTES 129

/* Longest subject in a permission, and most subjects in one list: a user's token has to fit the
 * control line of CONNECT, 4 KiB, but the template of a scoped key need not. */
#define NATS_SUBJECT_BYTES_MAX 1024
#define NATS_SUBJECTS_MAX      1024

/* Most signing keys of an operator or account, and most revocations of an account. */
#define NATS_SIGNING_KEYS_MAX 256
#define NATS_REVOCATIONS_MAX  16384

/* Most accounts that one token deletes: as many as `lsys nats` lists, within its largest size. */
#define NATS_DELETIONS_MAX 15000

/* No limit, in any of the limits below. */
#define NATS_NO_LIMIT (-1)

/* What all three kinds carry. Times are in seconds since 1970; 0: none. */
struct nats_jwt {
    char id[NATS_JWT_ID_BYTES]; /* jti; "" when there is none; set by signing */
    char name[CLAIM_TEXT_BYTES_MAX + 1];
    char issuer[NKEY_PUBLIC_TEXT_BYTES]; /* set by signing */
    char subject[NKEY_PUBLIC_TEXT_BYTES];
    int64_t issued_at_s;
    int64_t not_before_s;
    int64_t expires_at_s;
};

/* Texts, each owned. */
struct nats_texts {
    char **items;
    size_t count;
};

/* ---- operator ---- */

struct nats_operator {
    struct nats_jwt jwt;
    char system_account[NKEY_PUBLIC_TEXT_BYTES]; /* "" when there is none */
    struct nats_texts signing_keys;
    bool strict_signing_keys; /* accounts and users must be signed by signing keys */
};

/* ---- what a user may do: in its own token, or in the template of a scoped signing key ---- */

/* How a client may connect, as bits; 0: in any way. */
enum nats_connection_type {
    NATS_CONNECTION_STANDARD = 1,
    NATS_CONNECTION_WEBSOCKET = 2,
    NATS_CONNECTION_LEAFNODE = 4,
    NATS_CONNECTION_LEAFNODE_WEBSOCKET = 8,
    NATS_CONNECTION_MQTT = 16,
    NATS_CONNECTION_MQTT_WEBSOCKET = 32,
    NATS_CONNECTION_OTHER = 64 /* one that we do not know */
};

struct nats_rights {
    struct nats_texts publish_allow, publish_deny; /* empty: nothing is said */
    struct nats_texts subscribe_allow, subscribe_deny;
    bool allow_responses;    /* may answer what it received; then only what is allowed is allowed */
    int64_t responses_max;   /* to one request; 0: the server's default, 1; -1: any number */
    int64_t response_ttl_ns; /* 0: the server's default, 2 minutes; -1: for ever */
    int64_t subscriptions;   /* of one connection */
    int64_t data_bytes;
    int64_t payload_bytes;     /* of one message */
    unsigned connection_types; /* enum nats_connection_type */
    bool bearer_token;         /* the token alone lets in, without the key */
    bool has_restrictions; /* limits addresses or times of day, which is for nats-server to check */
};

/* True when nothing is said about subjects and responses: an account's defaults then hold. */
bool nats_rights_are_open(const struct nats_rights *rights);

/* ---- account ---- */

struct nats_account_limits {
    int64_t subscriptions, data_bytes, payload_bytes;
    int64_t imports, exports;
    int64_t connections, leafnodes;
    int64_t memory_storage_bytes, disk_storage_bytes, streams, consumers; /* JetStream */
    bool wildcard_exports;
    bool disallow_bearer;
};

/* Everything unlimited but JetStream, which is off. */
extern const struct nats_account_limits nats_account_limits_default;

struct nats_signing_key {
    char key[NKEY_PUBLIC_TEXT_BYTES];
    bool is_scoped;              /* users that it signs have these rights, and none of their own */
    char *role;                  /* owned; NULL: none */
    struct nats_rights template; /* when it is scoped */
};

struct nats_account {
    struct nats_jwt jwt;
    struct nats_account_limits limits;
    struct nats_signing_key *signing_keys; /* owned */
    size_t signing_key_count;
    struct nats_revocations revocations; /* of users */
    struct nats_rights default_rights;   /* for users whose own rights are open */
    struct nats_export *exports;         /* owned */
    size_t export_count;
    struct nats_import *imports; /* owned */
    size_t import_count;
    bool has_mappings;      /* of subjects, which only nats-server carries out */
    bool has_authorization; /* users are let in by a service, which only nats-server asks */
};

/* ---- user ---- */

struct nats_user {
    struct nats_jwt jwt;
    char issuer_account[NKEY_PUBLIC_TEXT_BYTES]; /* "" when the account itself signed */
    struct nats_rights rights;
};

/* ---- leave to import what is private ---- */

struct nats_activation {
    struct nats_jwt jwt; /* its subject is the importer */
    char *subject;       /* owned */
    enum nats_share_kind kind;
    char issuer_account[NKEY_PUBLIC_TEXT_BYTES]; /* "" when the exporter itself signed */
};

/* ---- a request to delete accounts ---- */

struct nats_deletion {
    struct nats_jwt jwt; /* issued by a key of the operator to itself */
    struct nats_texts accounts;
};

/* ---- reading: form and signature ---- */

/* Each reads a token and verifies the signature of its own issuer. On success the result is the
 * caller's, to be given to the function that frees its content; on failure there is nothing to
 * free. STATUS_MALFORMED, STATUS_BAD_ENCODING, STATUS_BAD_JSON, STATUS_DUPLICATE_MEMBER,
 * STATUS_WRONG_ALGORITHM, STATUS_WRONG_TYPE (another kind of token), STATUS_BAD_CLAIM,
 * STATUS_BAD_SIGNATURE, STATUS_BAD_SIGNATURE_LENGTH, STATUS_TOO_LARGE. */
bool nats_operator_read(struct bytes token, struct nats_operator *out,
                        struct status *status) MUST_CHECK;
bool nats_account_read(struct bytes token, struct nats_account *out,
                       struct status *status) MUST_CHECK;
bool nats_user_read(struct bytes token, struct nats_user *out, struct status *status) MUST_CHECK;
bool nats_deletion_read(struct bytes token, struct nats_deletion *out,
                        struct status *status) MUST_CHECK;
bool nats_activation_read(struct bytes token, struct nats_activation *out,
                          struct status *status) MUST_CHECK;

/* Free what they own, not the structures, which are empty afterwards. */
void nats_operator_free(struct nats_operator *operator);
void nats_account_free(struct nats_account *account);
void nats_user_free(struct nats_user *user);
void nats_deletion_free(struct nats_deletion *deletion);
void nats_activation_free(struct nats_activation *activation);
void nats_export_free(struct nats_export *export);
void nats_import_free(struct nats_import *import);

/* ---- checking: who was allowed to sign, and when ---- */

/* An operator is its own issuer and trusted by being given. `now_s` is wall time in seconds.
 * STATUS_EXPIRED, STATUS_NOT_YET_VALID. */
bool nats_operator_check(const struct nats_operator *operator, int64_t now_s,
                         struct status *status) MUST_CHECK;

/* True when what this key has signed counts as signed by the operator. */
bool nats_operator_may_sign(const struct nats_operator *operator, const char * key);

/* The account was signed by this operator or one of its signing keys. STATUS_UNKNOWN_ISSUER,
 * STATUS_EXPIRED, STATUS_NOT_YET_VALID. */
bool nats_account_check(const struct nats_account *account, const struct nats_operator *operator,
                        int64_t now_s, struct status *status) MUST_CHECK;

/* The public key of the account that the user says to belong to. */
const char *nats_user_account(const struct nats_user *user);

/* The user was signed by this account or one of its signing keys, and is not revoked.
 * `operator` tells whether signing keys must be used. STATUS_UNKNOWN_ISSUER, STATUS_REVOKED,
 * STATUS_EXPIRED, STATUS_NOT_YET_VALID, STATUS_BAD_CLAIM (rights beside those of a scoped key). */
bool nats_user_check(const struct nats_user *user, const struct nats_account *account,
                     const struct nats_operator *operator, int64_t now_s,
                     struct status *status) MUST_CHECK;

/* The request was signed by this operator or one of its signing keys, and spares the system
 * account. STATUS_UNKNOWN_ISSUER, STATUS_BAD_CLAIM, STATUS_FORBIDDEN, STATUS_EXPIRED,
 * STATUS_NOT_YET_VALID. */
bool nats_deletion_check(const struct nats_deletion *deletion, const struct nats_operator *operator,
                         int64_t now_s, struct status *status) MUST_CHECK;

/* The activation was signed by the exporter or one of its signing keys for this importer, and is in
 * its time. What it is for, and whether it is revoked, is checked with the export.
 * STATUS_UNKNOWN_ISSUER, STATUS_BAD_CLAIM, STATUS_EXPIRED, STATUS_NOT_YET_VALID. */
bool nats_activation_check(const struct nats_activation *activation,
                           const struct nats_account *exporter, const char *importer, int64_t now_s,
                           struct status *status) MUST_CHECK;

/* True when tokens for this key that were issued at this time are revoked. */
bool nats_revocations_have(const struct nats_revocations *revocations, const char *key,
                           int64_t issued_at_s);

/* True when the account has revoked tokens for this user that were issued at this time. */
bool nats_account_has_revoked(const struct nats_account *account, const char *user,
                              int64_t issued_at_s);

/* The rights that count for a user that was checked: of the scoped key that signed it, else its
 * own. */
const struct nats_rights *nats_user_rights(const struct nats_user *user,
                                           const struct nats_account *account);

/* ---- building ---- */

/* Adds a copy of the text. */
void nats_texts_add(struct nats_texts *texts, const char *text);

/* Adds a copy of the text before the others; takes a text out, if it is one of them. */
void nats_texts_prepend(struct nats_texts *texts, const char *text);
void nats_texts_remove(struct nats_texts *texts, const char *text);

/* Frees all of them; it is empty afterwards. */
void nats_texts_free(struct nats_texts *texts);

/* True when the text is one of them. */
bool nats_texts_have(const struct nats_texts *texts, const char *text);

/* The public key that signs new users: the newest signing key that has this role, or, for NULL, no
 * role. NULL when there is none. */
const char *nats_account_signer(const struct nats_account *account, const char *role);

/* Adds a signing key, which becomes the newest; its role and template are taken over.
 * STATUS_TOO_LARGE. */
bool nats_account_add_signing_key(struct nats_account *account, struct nats_signing_key *key,
                                  struct status *status) MUST_CHECK;

/* Frees what it owns; it is empty afterwards. */
void nats_signing_key_free(struct nats_signing_key *key);

/* Takes a signing key out: its users are users no more. False when it is none. */
bool nats_account_remove_signing_key(struct nats_account *account, const char *key);

/* Gives the account's next token its time: now, but later than the one before by a second at least,
 * because servers keep the newest and count in seconds. */
void nats_account_renew(struct nats_account *account, int64_t now_s);

/* Revokes the user's tokens that were issued up to `at_s`; the later time counts when it is revoked
 * already. `key` is a user's public key or "*". STATUS_TOO_LARGE. */
bool nats_account_revoke(struct nats_account *account, const char *key, int64_t at_s,
                         struct status *status) MUST_CHECK;

/* The same for any list, of an export's activations. */
bool nats_revocations_add(struct nats_revocations *revocations, const char *key, int64_t at_s,
                          struct status *status) MUST_CHECK;

/* Adds what it takes over; the older one of the same kind and subject (and exporter) goes.
 * STATUS_TOO_LARGE. */
bool nats_account_add_export(struct nats_account *account, struct nats_export *export,
                             struct status *status) MUST_CHECK;
bool nats_account_add_import(struct nats_account *account, struct nats_import *import,
                             struct status *status) MUST_CHECK;

/* Takes out the exports of this subject, or the imports of this subject from this account. False
 * when there is none. */
bool nats_account_remove_export(struct nats_account *account, const char *subject);
bool nats_account_remove_import(struct nats_account *account, const char *exporter,
                                const char *subject);

/* Each fills in issuer and id, signs with the seed and appends the token to `out`. The seed is the
 * text of an operator's key for operators, accounts and deletions, and of an account's for users
 * and activations. STATUS_MALFORMED for another seed, STATUS_TOO_LARGE. */
bool nats_operator_sign(struct nats_operator *operator, struct bytes seed, struct buffer *out,
                        struct status *status) MUST_CHECK;
bool nats_account_sign(struct nats_account *account, struct bytes seed, struct buffer *out,
                       struct status *status) MUST_CHECK;
bool nats_user_sign(struct nats_user *user, struct bytes seed, struct buffer *out,
                    struct status *status) MUST_CHECK;
bool nats_activation_sign(struct nats_activation *activation, struct bytes seed, struct buffer *out,
                          struct status *status) MUST_CHECK;
bool nats_deletion_sign(struct nats_deletion *deletion, struct bytes seed, struct buffer *out,
                        struct status *status) MUST_CHECK;

#endif
