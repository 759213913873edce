/*
 * The envelope of a private key under a passphrase, as verifier/private_key.h describes it. For
 * this folder only.
 */
#ifndef LSYS_VERIFIER_SEALED_KEY_H
#define LSYS_VERIFIER_SEALED_KEY_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "codec/json.h"

/* True when the object is such an envelope. */
bool sealed_key_is_one(const struct json_value *root);

/* Opens the envelope and appends what is in it to `out`, which the caller wipes. */
bool sealed_key_open(const struct json_value *root, struct bytes passphrase, struct buffer *out,
                     struct status *status) MUST_CHECK;

/* Appends the envelope of `content`, the key known as `kid`, as one line. */
bool sealed_key_write(struct bytes content, const char *kid, struct bytes passphrase,
                      struct buffer *out, struct status *status) MUST_CHECK;

#endif
