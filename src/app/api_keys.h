/*
 * The shared API keys of a cache (SECRET_INTERNAL_API_KEY, --api-key-file): several at once, so
 * that a new one can be rolled out before the old one goes. Only digests are kept; comparing takes
 * the same time whichever key it is and wherever it differs.
 */
#ifndef LSYS_APP_API_KEYS_H
#define LSYS_APP_API_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "app/options.h"
#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "net/http_request.h"
#include "verifier/secret.h"

/* Keys at once: the old one, the new one, and some for a slow roll-out. */
#define API_KEYS_MAX 8

/* A key shorter than this could be guessed over the network within its rate limit. */
#define API_KEY_BYTES_MIN 16

/* Longest key, and longest list of them. */
#define API_KEY_BYTES_MAX  512
#define API_KEYS_BYTES_MAX (API_KEYS_MAX * (API_KEY_BYTES_MAX + 2))

struct api_keys {
    struct secret_digest digests[API_KEYS_MAX];
    size_t count;
};

/* Rows for a command's shared tables: api_key_file, with the variable SECRET_INTERNAL_API_KEY. */
extern const struct option api_key_options[];

/* Reads the keys, separated by line breaks, blanks or commas. Without any configured `keys` is
 * empty and the result true. STATUS_CONFIG for a key that is too short, too long, or one too many;
 * the errors of options_secret. On failure `keys` is unchanged. */
bool api_keys_load(struct api_keys *keys, const struct options *options,
                   struct status *status) MUST_CHECK;

/* As api_keys_load from a text, for a file that is not configured. */
bool api_keys_read(struct api_keys *keys, struct bytes text, struct status *status) MUST_CHECK;

/* The file in a data folder that holds a key which was made there because none was configured. */
#define API_KEY_FILE_NAME "cache-api-key"

/* As api_keys_load; without a configured key reads the file in `folder`, and makes it with a random
 * key (mode 0600) when it is missing. `*made` tells. */
bool api_keys_load_or_make(struct api_keys *keys, const struct options *options, const char *folder,
                           bool *made, struct status *status) MUST_CHECK;

/* The first configured key, else the one in `folder`'s file (NULL: none), for showing it to a
 * master: appended to `out`, to be wiped after use. False without touching `status` when there is
 * none. */
bool api_keys_first(const struct options *options, const char *folder, struct buffer *out,
                    struct status *status) MUST_CHECK;

/* True when the credential is one of the keys. */
bool api_keys_match(const struct api_keys *keys, struct bytes presented);

/* The digest among `keys` that the credential has, or NULL. */
const struct secret_digest *api_keys_find(const struct api_keys *keys, struct bytes presented);

/* True when the digest is that of one of the keys. */
bool api_keys_hold(const struct api_keys *keys, const struct secret_digest *digest);

/* The credential of a request: X-API-Key, or Authorization: Bearer; data NULL when it has none. */
struct bytes api_key_of_request(const struct http_request *request);

#endif
