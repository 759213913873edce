#include "roles/cache-slave/puller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/api_keys.h"
#include "app/https_client.h"
#include "base/memory.h"
#include "base/text.h"
#include "loop/loop.h"
#include "net/http_client.h"
#include "net/url.h"
#include "store/store.h"

/* Sixteen digests and their commas. */
#define FINGERPRINT_TEXT_BYTES (FINGERPRINT_COMPONENTS_MAX * SHA256_TEXT_BYTES + 1)

/* Fields of a call. */
#define FIELDS_MAX 4

struct puller {
    struct role_context *context;
    char *master_url;
    struct tls_client_context *tls; /* for a master with https */
    char fingerprint[FINGERPRINT_TEXT_BYTES];
    struct http_call *call;
    bool asked_with_etag;
    struct pulled pulled; /* of the call that runs, when it never began */
    struct loop_task failed;
    void (*on_pulled)(void *owner, const struct pulled *pulled);
    void *owner;
};

/* ---- answers ---- */

static void give(struct puller *puller, const struct pulled *pulled) {
    puller->on_pulled(puller->owner, pulled);
}

static void on_failed_start(struct loop_task *task) {
    struct puller *puller = LIST_ENTRY(task, struct puller, failed);
    give(puller, &puller->pulled);
}

static enum cache_outcome outcome_of_failure(enum status_code code) {
    switch (code) {
    case STATUS_TIMEOUT: return CACHE_TIMED_OUT;
    case STATUS_TOO_LARGE: return CACHE_GARBAGE;
    default: return CACHE_UNREACHABLE;
    }
}

/* Retry-After in seconds (RFC 9110, section 10.2.3); its other form, a date, counts as not said. */
static int64_t read_retry_after_ms(const struct http_response *response) {
    int64_t seconds;
    struct bytes text = http_response_field(response, "Retry-After");
    if (!text.data || !text_read_integer(text, &seconds) || seconds < 0) return 0;
    return seconds > CACHE_RETRY_AFTER_MAX_MS / 1000 ? CACHE_RETRY_AFTER_MAX_MS : seconds * 1000;
}

static int64_t read_age_ms(const struct http_response *response) {
    int64_t age_ms;
    struct bytes text = http_response_field(response, LICENSE_FEED_AGE_FIELD);
    return text.data && text_read_integer(text, &age_ms) && age_ms > 0 ? age_ms : 0;
}

/* What the master says about a refusal, cut to something that fits into a log line. */
static void read_problem(const struct http_response *response, struct status *status) {
    struct status ignored = STATUS_INIT;
    struct json_document *document =
        json_document_parse(response->body, ROLE_HTTP_ANSWER_BYTES, &ignored);
    const struct json_value *root = document ? json_document_root(document) : NULL;
    const char *detail = json_member_text(root, "detail");
    status_fail(status, STATUS_UNAVAILABLE, "the master answered %d%s%.200s", response->status,
                detail ? ": " : "", detail ? detail : "");
    json_document_free(document);
}

static void read_etag(const struct http_response *response, char out[PULLER_ETAG_BYTES]) {
    struct bytes etag = http_response_field(response, "ETag");
    out[0] = '\0';
    if (!etag.data || etag.length == 0 || etag.length >= PULLER_ETAG_BYTES) return;
    memcpy(out, etag.data, etag.length);
    out[etag.length] = '\0';
}

static void read_response(const struct puller *puller, const struct http_response *response,
                          struct license_feed_page *page, struct pulled *pulled) {
    pulled->outcome = cache_outcome_of_http(response->status);
    read_etag(response, pulled->etag);
    pulled->age_ms = read_age_ms(response);
    if (pulled->outcome != CACHE_CONFIRMED) {
        pulled->retry_after_ms = read_retry_after_ms(response);
        read_problem(response, &pulled->status);
    } else if (response->status == 200) {
        if (license_feed_page_read(response->body, page, &pulled->status)) pulled->page = page;
        if (!pulled->page) pulled->outcome = CACHE_GARBAGE;
    } else if (!puller->asked_with_etag) {
        pulled->outcome = CACHE_GARBAGE;
        status_fail(&pulled->status, STATUS_PROTOCOL,
                    "the master says that nothing has changed, and was not asked that");
    }
}

static void on_done(void *context, const struct http_response *response,
                    const struct status *status) {
    struct puller *puller = context;
    struct license_feed_page page = {.document = NULL};
    struct pulled pulled = {.outcome = CACHE_GARBAGE};
    puller->call = NULL;
    if (response) {
        read_response(puller, response, &page, &pulled);
    } else {
        pulled.outcome = outcome_of_failure(status->code);
        pulled.status = *status;
    }
    give(puller, &pulled);
    license_feed_page_free(&page);
}

/* ---- asking ---- */

static void write_path(struct buffer *out, const char *base, int64_t since, const char *stream) {
    size_t length = strlen(base);
    while (length > 0 && base[length - 1] == '/')
        length--;
    buffer_append(out, base, length);
    buffer_append_format(out, "/api/licenses?since=%lld", (long long)since);
    if (stream[0]) buffer_append_format(out, "&stream=%s", stream);
}

static bool start_call(struct puller *puller, const struct http_call_options *options,
                       int64_t since, const char *stream, struct status *status) {
    struct url url;
    struct buffer text;
    struct http_call_options call = *options;
    buffer_init(&text, URL_BYTES_MAX);
    write_path(&text, puller->master_url, since, stream);
    call.url = &url;
    call.tls = puller->tls;
    if (buffer_check(&text, "the master's URL", status) &&
        url_parse(buffer_bytes(&text), url_web_schemes, &url, status))
        puller->call = http_call_start(puller->context->loop, &call, status);
    buffer_free(&text);
    return puller->call != NULL;
}

static void add_field(struct http_field *fields, size_t *count, const char *name,
                      const char *value) {
    if (value[0])
        fields[(*count)++] =
            (struct http_field){.name = bytes_of_text(name), .value = bytes_of_text(value)};
}

void puller_ask(struct puller *puller, const struct options *options, int64_t since,
                const char *stream, const char *etag, int64_t timeout_ms) {
    struct http_field fields[FIELDS_MAX];
    struct buffer key;
    size_t count = 0;
    buffer_init(&key, API_KEY_BYTES_MAX);
    struct status *status = &puller->pulled.status;
    memset(&puller->pulled, 0, sizeof puller->pulled);
    puller->pulled.outcome = CACHE_REFUSED_KEY;
    bool has_key = api_keys_first(options, store_folder(puller->context->store), &key, status);
    bool good = has_key || status_is_ok(status);
    if (good) {
        puller->pulled.outcome = CACHE_UNREACHABLE;
        add_field(fields, &count, "X-API-Key", buffer_text(&key));
        add_field(fields, &count, "X-Slave-Fingerprint", puller->fingerprint);
        add_field(fields, &count, "If-None-Match", etag);
        add_field(fields, &count, "Accept", "application/json");
        puller->asked_with_etag = etag[0] != '\0';
        const struct http_call_options call = {
            .method = "GET",
            .fields = fields,
            .field_count = count,
            .timeout_ms = timeout_ms,
            .response_limit_bytes = ROLE_HTTP_ANSWER_BYTES,
            .on_done = on_done,
            .context = puller,
        };
        good = start_call(puller, &call, since, stream, status);
    }
    buffer_wipe(&key);
    if (!good) loop_schedule(puller->context->loop, &puller->failed);
}

void puller_cancel(struct puller *puller) {
    if (puller->call) http_call_cancel(puller->call);
    puller->call = NULL;
    loop_unschedule(&puller->failed);
}

/* ---- opening and closing ---- */

static void write_fingerprint(const struct fingerprint *machine, char out[FINGERPRINT_TEXT_BYTES]) {
    size_t length = 0;
    for (size_t i = 0; i < machine->count; i++)
        length += (size_t)snprintf(out + length, FINGERPRINT_TEXT_BYTES - length, "%s%s",
                                   i ? "," : "", machine->components[i].digest);
}

struct puller *puller_open(const struct puller_options *options, struct status *status) {
    struct url url;
    if (!url_parse(bytes_of_text(options->master_url), url_web_schemes, &url, status)) {
        struct status why = *status;
        status_clear(status);
        status_fail(status, STATUS_CONFIG, "--master \"%.200s\": %s", options->master_url,
                    why.text);
        return NULL;
    }
    struct tls_client_context *tls;
    if (!https_client_open(options->context->options, &tls, status)) return NULL;
    struct puller *puller = memory_new(sizeof *puller);
    puller->context = options->context;
    puller->master_url = memory_copy_text(options->master_url);
    puller->tls = tls;
    puller->on_pulled = options->on_pulled;
    puller->owner = options->owner;
    loop_task_init(&puller->failed, on_failed_start);
    write_fingerprint(options->fingerprint, puller->fingerprint);
    return puller;
}

void puller_close(struct puller *puller) {
    if (!puller) return;
    puller_cancel(puller);
    tls_client_context_release(puller->tls);
    free(puller->master_url);
    free(puller);
}

struct tls_client_context *puller_tls(const struct puller *puller) {
    return puller->tls;
}

const char *puller_fingerprint(const struct puller *puller) {
    return puller->fingerprint;
}

const char *puller_master(const struct puller *puller) {
    return puller->master_url;
}
