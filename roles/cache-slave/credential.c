#include "roles/cache-slave/credential.h"

#include <stdio.h>
#include <string.h>

#include "app/api_keys.h"
#include "base/clock.h"
#include "base/log.h"
#include "codec/json.h"
#include "roles/cache-slave/cache_slave.h"
#include "store/store.h"

/* An answer with a session has some 250 bytes. */
#define ANSWER_BYTES_MAX 4096

static void write_fingerprint(const struct fingerprint *machine,
                              char out[CREDENTIAL_FINGERPRINT_BYTES]) {
    size_t length = 0;
    out[0] = '\0';
    for (size_t i = 0; i < machine->count; i++)
        length += (size_t)snprintf(out + length, CREDENTIAL_FINGERPRINT_BYTES - length, "%s%s",
                                   i ? "," : "", machine->components[i].digest);
}

void credential_init(struct credential *credential, struct role_context *context,
                     const struct fingerprint *fingerprint) {
    credential->context = context;
    cache_session_init(&credential->session, clock_monotonic_ms());
    buffer_init(&credential->token, CREDENTIAL_SESSION_BYTES_MAX);
    write_fingerprint(fingerprint, credential->fingerprint);
}

void credential_wipe(struct credential *credential) {
    buffer_wipe(&credential->token);
}

enum cache_credential credential_next(const struct credential *credential) {
    return cache_session_next(&credential->session, clock_monotonic_ms());
}

/* ---- showing ---- */

static bool add_key(const struct credential *credential, struct http_field *fields, size_t *count,
                    struct buffer *text, struct status *status) {
    const char *folder = store_folder(credential->context->store);
    if (!api_keys_first(credential->context->options, folder, text, status))
        return status_is_ok(status);
    fields[(*count)++] = (struct http_field){bytes_of_text("X-API-Key"), buffer_bytes(text)};
    return true;
}

bool credential_add_fields(const struct credential *credential, bool session,
                           struct http_field *fields, size_t *count, struct buffer *text,
                           struct status *status) {
    if (credential->fingerprint[0])
        fields[(*count)++] = (struct http_field){bytes_of_text("X-Slave-Fingerprint"),
                                                 bytes_of_text(credential->fingerprint)};
    if (!session) return add_key(credential, fields, count, text, status);
    buffer_append_format(text, "Bearer %s", buffer_text(&credential->token));
    fields[(*count)++] = (struct http_field){bytes_of_text("Authorization"), buffer_bytes(text)};
    return buffer_check(text, "the session", status);
}

/* ---- making and losing sessions ---- */

/* Only characters of a token in a header (RFC 6750, section 2.1): it comes from outside. */
static bool is_token(const char *text) {
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";
    size_t length = strlen(text);
    return length > 0 && length < CREDENTIAL_SESSION_BYTES_MAX && strspn(text, plain) == length;
}

static bool read_session(struct credential *credential, const struct json_value *root) {
    const char *token = json_member_text(root, "session");
    int64_t lifetime_ms;
    if (!token || !is_token(token) || !json_member_integer(root, "expires_in_ms", &lifetime_ms) ||
        lifetime_ms < 1)
        return false;
    buffer_wipe(&credential->token);
    buffer_init(&credential->token, CREDENTIAL_SESSION_BYTES_MAX);
    buffer_append_text(&credential->token, token);
    cache_session_made(&credential->session, lifetime_ms, clock_monotonic_ms());
    return true;
}

/* The key goes on by itself. */
static void do_without(struct credential *credential, bool full) {
    cache_session_denied(&credential->session, full, clock_monotonic_ms());
    log_event(LOG_DEBUG, CACHE_SLAVE_NAME, "the master gives no session; the key is shown", "why",
              full ? "it has too many" : "it knows none", NULL);
}

bool credential_take_session(struct credential *credential, const struct http_response *response) {
    struct status ignored = STATUS_INIT;
    struct json_document *document =
        json_document_parse(response->body, ANSWER_BYTES_MAX, &ignored);
    const struct json_value *root = document ? json_document_root(document) : NULL;
    const char *code = json_member_text(root, "code");
    bool full = response->status == 503 && code && strcmp(code, "too_many_sessions") == 0;
    bool goes_on = true;
    switch (response->status) {
    case 401:
    case 403:
    case 409:
    case 429: goes_on = false; break;
    case 201:
        if (!read_session(credential, root)) do_without(credential, false);
        break;
    default:
        goes_on = response->status < 500 || response->status == 501 || full;
        if (goes_on) do_without(credential, full);
    }
    json_document_free(document);
    return goes_on;
}

bool credential_refused(struct credential *credential) {
    buffer_wipe(&credential->token);
    buffer_init(&credential->token, CREDENTIAL_SESSION_BYTES_MAX);
    return cache_session_refused(&credential->session);
}
