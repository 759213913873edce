/*
 * The private keys of a NATS deployment, as files of mode 0600 in its folder `keys`:
 *
 *     PLACE.nk                the identity key of PLACE, which is "operator" or "accounts/NAME"
 *     PLACE.signing.nk        its first signing key
 *     PLACE.signing.KEY.nk    those that were added; KEY is the public key
 *
 * No file is ever overwritten. Which key signs is said by the token that names the public ones.
 */
#ifndef LSYS_APP_NATS_KEYS_H
#define LSYS_APP_NATS_KEYS_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/status.h"
#include "verifier/nkey.h"

/* Makes the identity key and the first signing key; writes the public ones. The folder for them is
 * there. STATUS_BUSY when one exists. */
bool nats_keys_make(const char *folder, const char *place, enum nkey_kind kind,
                    char identity[NKEY_PUBLIC_TEXT_BYTES], char signing[NKEY_PUBLIC_TEXT_BYTES],
                    struct status *status) MUST_CHECK;

/* Makes one more signing key and writes the public one. */
bool nats_keys_add_signing(const char *folder, const char *place, enum nkey_kind kind,
                           char key[NKEY_PUBLIC_TEXT_BYTES], struct status *status) MUST_CHECK;

/* Appends the seed of this public key, whichever of PLACE's files it is in, to `seed`, which is to
 * be wiped. STATUS_NOT_FOUND when it is in none; STATUS_PERMISSION when others may read the
 * file. */
bool nats_keys_read(const char *folder, const char *place, const char *key, struct buffer *seed,
                    struct status *status) MUST_CHECK;

/* Deletes the file of a signing key that no token names any more; harmless when there is none. */
void nats_keys_remove_signing(const char *folder, const char *place, const char *key);

#endif
