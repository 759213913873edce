/*
 * What the three kinds of NATS tokens share: their outer form, the claims that all have, and
 * rights. Private to the files nats_jwt*.c.
 */
#ifndef LSYS_VERIFIER_NATS_JWT_FORM_H
#define LSYS_VERIFIER_NATS_JWT_FORM_H

#include "codec/json.h"
#include "codec/json_writer.h"
#include "verifier/nats_jwt.h"

/* The words that differ between the kinds. */
struct nats_jwt_kind {
    const char *type; /* "operator", in `nats.type` */
    enum nkey_kind subject;
    enum nkey_kind issuer;
    const char *what;   /* "the one of an operator", for errors */
    bool may_omit_type; /* nsc leaves it out of generic tokens */
};

/* Verifies the token and reads the claims that all kinds have into `out`. `*body` gets the object
 * `nats`, which lives in the document that is returned; NULL on failure. */
struct json_document *nats_jwt_read(struct bytes token, const struct nats_jwt_kind *kind,
                                    struct nats_jwt *out, const struct json_value **body,
                                    struct status *status) MUST_CHECK;

/* Writes the members of the object `nats` after "type" and "version". */
typedef void nats_jwt_body_writer(struct json_writer *json, const void *claims);

/* Signs and appends; `claims` is passed to `write_body`. */
bool nats_jwt_sign(const struct nats_jwt_kind *kind, struct nats_jwt *jwt, struct bytes seed,
                   nats_jwt_body_writer *write_body, const void *claims, struct buffer *out,
                   struct status *status) MUST_CHECK;

/* `exp` and `nbf`. */
bool nats_jwt_check_times(const struct nats_jwt *jwt, int64_t now_s,
                          struct status *status) MUST_CHECK;

/* Copies the public key that a text value is. STATUS_BAD_CLAIM, naming `what`. */
bool nats_key_read(const struct json_value *value, const char *what, enum nkey_kind kind,
                   char out[NKEY_PUBLIC_TEXT_BYTES], struct status *status) MUST_CHECK;

/* The member of that name: missing or null leaves `out` as it is; else it must be as said. */
bool nats_limit_read(const struct json_value *object, const char *name, int64_t *out,
                     struct status *status) MUST_CHECK;
bool nats_boolean_read(const struct json_value *object, const char *name, bool *out,
                       struct status *status) MUST_CHECK;
bool nats_key_member_read(const struct json_value *object, const char *name, enum nkey_kind kind,
                          char out[NKEY_PUBLIC_TEXT_BYTES], struct status *status) MUST_CHECK;

/* Checks that a member is missing or has the type. */
bool nats_member_is(const struct json_value *object, const char *name, enum json_type type,
                    struct status *status) MUST_CHECK;

/* Writes a member that is an array of texts. */
void nats_texts_write(struct json_writer *json, const char *name, const struct nats_texts *texts);

/* Rights: the members subs, data, payload, pub, sub, resp and so on of `object`. What was read is
 * freed by nats_rights_free also when reading failed. */
bool nats_rights_read(const struct json_value *object, struct nats_rights *out,
                      struct status *status) MUST_CHECK;
void nats_rights_write(struct json_writer *json, const struct nats_rights *rights);
void nats_rights_free(struct nats_rights *rights);

/* Only pub, sub and resp, as an account's defaults have them. */
bool nats_permissions_read(const struct json_value *object, struct nats_rights *out,
                           struct status *status) MUST_CHECK;
void nats_permissions_write(struct json_writer *json, const struct nats_rights *rights);

/* The member "revocations": a map of keys of this kind, or "*", to times. */
bool nats_revocations_read(const struct json_value *object, enum nkey_kind kind,
                           struct nats_revocations *out, struct status *status) MUST_CHECK;
void nats_revocations_write(struct json_writer *json, const struct nats_revocations *list);

/* An account's exports and imports. What was read is freed by nats_sharing_free also when reading
 * failed. */
bool nats_sharing_read(const struct json_value *body, struct nats_account *out,
                       struct status *status) MUST_CHECK;
void nats_sharing_write(struct json_writer *json, const struct nats_account *account);
void nats_sharing_free(struct nats_account *account);

/* Reads "stream" or "service". */
bool nats_share_kind_read(const struct json_value *object, const char *name,
                          enum nats_share_kind *out, struct status *status) MUST_CHECK;
const char *nats_share_kind_name(enum nats_share_kind kind);

#endif
