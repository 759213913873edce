/*
 * What a slave shows its master: the session that it made with its key, or the key itself where the
 * master has no sessions. rules/cache_session says which; here are the texts and the fields.
 */
#ifndef LSYS_ROLES_CACHE_SLAVE_CREDENTIAL_H
#define LSYS_ROLES_CACHE_SLAVE_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/role.h"
#include "base/attributes.h"
#include "base/buffer.h"
#include "base/status.h"
#include "net/http_client.h"
#include "rules/cache_session.h"
#include "verifier/fingerprint.h"

/* Sixteen digests and their commas. */
#define CREDENTIAL_FINGERPRINT_BYTES (FINGERPRINT_COMPONENTS_MAX * SHA256_TEXT_BYTES + 1)

/* Fields that credential_add_fields adds at most. */
#define CREDENTIAL_FIELDS_MAX 2

/* Longest session that is kept; ours have 43 bytes. */
#define CREDENTIAL_SESSION_BYTES_MAX 512

/* The body of the call that makes a session: all that a slave does is pull. */
#define CREDENTIAL_SESSION_WISH "{\"scopes\":[\"sync\"]}"

struct credential {
    struct role_context *context;
    struct cache_session session;
    struct buffer token; /* of the session, while there is one */
    char fingerprint[CREDENTIAL_FINGERPRINT_BYTES];
};

void credential_init(struct credential *credential, struct role_context *context,
                     const struct fingerprint *fingerprint);
void credential_wipe(struct credential *credential);

/* What to show for the next page, or for listening. Without a key that is the key: none. */
enum cache_credential credential_next(const struct credential *credential);

/* Appends the machine's fingerprint and the session, or the role's key (of several the first), if
 * there is one. `text` (initialised, to be wiped after the call was made)
 * holds what the fields point to. The errors of options_secret. */
bool credential_add_fields(const struct credential *credential, bool session,
                           struct http_field *fields, size_t *count, struct buffer *text,
                           struct status *status) MUST_CHECK;

/* What the master answered to the wish for a session. False when the answer is one about the key
 * (401, 403, 409), a 429, or a server's error, and ends the try. */
bool credential_take_session(struct credential *credential, const struct http_response *response);

/* A session was refused with 401: it is forgotten. True when another is to be made now. */
bool credential_refused(struct credential *credential);

#endif
