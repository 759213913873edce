#include "app/api_keys.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "codec/base64url.h"

/* A key that is made here. */
#define KEY_RANDOM_BYTES 32

const struct option api_key_options[] = {
    {.key = "api_key_file",
     .type = OPTION_SECRET_FILE,
     .environment = "SECRET_INTERNAL_API_KEY",
     .help = "The shared key between caches; several, one a line, while keys are rotated"},
    {0},
};

static bool is_separator(uint8_t byte) {
    return byte == ',' || byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Takes the next key off the front of `text`; empty at the end. */
static struct bytes next_key(struct bytes *text) {
    size_t begin = 0, end;
    while (begin < text->length && is_separator(text->data[begin]))
        begin++;
    for (end = begin; end < text->length && !is_separator(text->data[end]);)
        end++;
    struct bytes key = bytes_of(text->data + begin, end - begin);
    *text = bytes_of(text->data + end, text->length - end);
    return key;
}

bool api_keys_read(struct api_keys *keys, struct bytes text, struct status *status) {
    struct api_keys fresh = {.count = 0};
    for (struct bytes key = next_key(&text); key.length > 0; key = next_key(&text)) {
        if (key.length < API_KEY_BYTES_MIN || key.length > API_KEY_BYTES_MAX)
            return status_fail(status, STATUS_CONFIG,
                               "an API key has %zu characters; it needs %d to %d random ones",
                               key.length, API_KEY_BYTES_MIN, API_KEY_BYTES_MAX);
        if (fresh.count == API_KEYS_MAX)
            return status_fail(status, STATUS_CONFIG, "there are more than %d API keys",
                               API_KEYS_MAX);
        fresh.digests[fresh.count++] = secret_digest_of(key);
    }
    *keys = fresh;
    return true;
}

bool api_keys_load(struct api_keys *keys, const struct options *options, struct status *status) {
    struct buffer text;
    buffer_init(&text, API_KEYS_BYTES_MAX);
    bool loaded = options_secret(options, "api_key_file", &text, status)
                      ? api_keys_read(keys, buffer_bytes(&text), status)
                      : status_is_ok(status);
    if (loaded && text.length == 0) keys->count = 0;
    buffer_wipe(&text);
    return loaded;
}

/* Reads the key that was made in the folder. STATUS_NOT_FOUND when there is none. */
static bool read_made(const char *folder, struct buffer *out, struct status *status) {
    char *path = file_join(folder, API_KEY_FILE_NAME);
    bool read = file_read_secret(path, out, status);
    free(path);
    return read;
}

static bool make(const char *folder, struct buffer *out, struct status *status) {
    uint8_t random[KEY_RANDOM_BYTES];
    char *path = file_join(folder, API_KEY_FILE_NAME);
    random_bytes(random, sizeof random);
    base64url_append(out, bytes_of(random, sizeof random));
    memory_wipe(random, sizeof random);
    bool made = file_create(path, buffer_bytes(out), 0600, status);
    free(path);
    return made;
}

bool api_keys_load_or_make(struct api_keys *keys, const struct options *options, const char *folder,
                           bool *made, struct status *status) {
    struct status missing = STATUS_INIT;
    struct buffer text;
    *made = false;
    if (!api_keys_load(keys, options, status)) return false;
    if (keys->count > 0) return true;
    buffer_init(&text, API_KEYS_BYTES_MAX);
    bool read = read_made(folder, &text, &missing);
    if (!read && missing.code != STATUS_NOT_FOUND)
        status_fail(status, missing.code, "%s", missing.text);
    else if (!read)
        read = *made = make(folder, &text, status);
    bool loaded = read && api_keys_read(keys, buffer_bytes(&text), status);
    buffer_wipe(&text);
    return loaded;
}

bool api_keys_first(const struct options *options, const char *folder, struct buffer *out,
                    struct status *status) {
    struct buffer text;
    struct status missing = STATUS_INIT;
    buffer_init(&text, API_KEYS_BYTES_MAX);
    bool found = options_secret(options, "api_key_file", &text, status);
    if (!found && status_is_ok(status) && folder) found = read_made(folder, &text, &missing);
    if (found) {
        struct bytes rest = buffer_bytes(&text);
        struct bytes key = next_key(&rest);
        found = key.length > 0 && buffer_append(out, key.data, key.length);
    }
    buffer_wipe(&text);
    return found;
}

/* Looks at all of them, wherever it is. */
static const struct secret_digest *find(const struct api_keys *keys,
                                        const struct secret_digest *digest) {
    const struct secret_digest *found = NULL;
    for (size_t i = 0; i < keys->count; i++)
        if (secret_digests_match(&keys->digests[i], digest)) found = &keys->digests[i];
    return found;
}

const struct secret_digest *api_keys_find(const struct api_keys *keys, struct bytes presented) {
    const struct secret_digest digest = secret_digest_of(presented);
    return find(keys, &digest);
}

bool api_keys_hold(const struct api_keys *keys, const struct secret_digest *digest) {
    return find(keys, digest) != NULL;
}

bool api_keys_match(const struct api_keys *keys, struct bytes presented) {
    return api_keys_find(keys, presented) != NULL;
}

struct bytes api_key_of_request(const struct http_request *request) {
    struct bytes key = http_request_header(request, "X-API-Key");
    return key.data ? key : http_request_bearer_token(request);
}
