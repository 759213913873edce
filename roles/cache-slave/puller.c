#include "roles/cache-slave/puller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/api_keys.h"
#include "app/https_client.h"
#include "app/outbound_proxy.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "loop/loop.h"
#include "net/http_client.h"
#include "net/url.h"
#include "roles/cache-slave/cache_slave.h"

/* Fields of a call beside the credential's: If-None-Match, Accept. */
#define FIELDS_MAX (CREDENTIAL_FIELDS_MAX + 2)

struct puller {
    struct role_context *context;
    char *master_url;
    struct tls_client_context *tls; /* for a master with https */
    struct credential credential;
    struct http_call *call;
    /* What is asked for, kept while a session is made for it. */
    int64_t since;
    char stream[LICENSE_SHELF_STREAM_BYTES];
    char etag[PULLED_ETAG_BYTES];
    int64_t deadline_ms; /* monotonic */
    bool shows_session;
    struct pulled pulled; /* of a call that never began */
    struct loop_task failed;
    void (*on_pulled)(void *owner, const struct pulled *pulled);
    void *owner;
};

static void ask(struct puller *puller);

static void give(struct puller *puller, const struct pulled *pulled) {
    puller->on_pulled(puller->owner, pulled);
}

static void on_failed_start(struct loop_task *task) {
    struct puller *puller = LIST_ENTRY(task, struct puller, failed);
    give(puller, &puller->pulled);
}

/* ---- answers ---- */

static bool was_refused(struct puller *puller, const struct http_response *response) {
    return response && response->status == 401 && puller->shows_session &&
           credential_refused(&puller->credential);
}

static void on_page(void *context, const struct http_response *response,
                    const struct status *status) {
    struct puller *puller = context;
    struct license_feed_page page = {.document = NULL};
    struct pulled pulled = {.outcome = CACHE_GARBAGE};
    puller->call = NULL;
    if (was_refused(puller, response)) {
        ask(puller);
        return;
    }
    if (response)
        pulled_read(response, puller->etag[0] != '\0', &page, &pulled);
    else
        pulled_fail(status, &pulled);
    if (pulled.outcome == CACHE_CONFIRMED) cache_session_worked(&puller->credential.session);
    give(puller, &pulled);
    license_feed_page_free(&page);
}

/* With a session or without one the page is asked for; an answer that is one about the key, or a
 * failure, is the same as if the page had met it. */
static void on_session(void *context, const struct http_response *response,
                       const struct status *status) {
    struct puller *puller = context;
    struct license_feed_page page = {.document = NULL};
    struct pulled pulled = {.outcome = CACHE_GARBAGE};
    puller->call = NULL;
    if (response && credential_take_session(&puller->credential, response)) {
        ask(puller);
        return;
    }
    if (response)
        pulled_read(response, false, &page, &pulled);
    else
        pulled_fail(status, &pulled);
    give(puller, &pulled);
}

/* ---- asking ---- */

static void write_url(const struct puller *puller, bool session, struct buffer *out) {
    size_t length = strlen(puller->master_url);
    while (length > 0 && puller->master_url[length - 1] == '/')
        length--;
    buffer_append(out, puller->master_url, length);
    if (session) {
        buffer_append_text(out, "/api/sessions");
        return;
    }
    buffer_append_format(out, "/api/licenses?since=%lld", (long long)puller->since);
    if (puller->stream[0]) buffer_append_format(out, "&stream=%s", puller->stream);
}

static bool start_call(struct puller *puller, bool session, const struct http_field *fields,
                       size_t field_count, struct status *status) {
    struct url url;
    struct http_proxy proxy;
    bool has_proxy = false;
    struct buffer text;
    int64_t left_ms = puller->deadline_ms - clock_monotonic_ms();
    struct http_call_options call = {
        .method = session ? "POST" : "GET",
        .url = &url,
        .tls = puller->tls,
        .fields = fields,
        .field_count = field_count,
        .body = bytes_of_text(session ? CREDENTIAL_SESSION_WISH : ""),
        .timeout_ms = left_ms > 1 ? left_ms : 1,
        .response_limit_bytes = ROLE_HTTP_ANSWER_BYTES,
        .on_done = session ? on_session : on_page,
        .context = puller,
    };
    buffer_init(&text, URL_BYTES_MAX);
    write_url(puller, session, &text);
    if (buffer_check(&text, "the master's URL", status) &&
        url_parse(buffer_bytes(&text), url_web_schemes, &url, status) &&
        outbound_proxy_choose(puller->context->options, &url, &proxy, &has_proxy, status)) {
        call.proxy = has_proxy ? &proxy : NULL;
        puller->call = http_call_start(puller->context->loop, &call, status);
    }
    buffer_free(&text);
    memory_wipe(&proxy, sizeof proxy);
    return puller->call != NULL;
}

static void add_field(struct http_field *fields, size_t *count, const char *name,
                      const char *value) {
    if (value[0])
        fields[(*count)++] =
            (struct http_field){.name = bytes_of_text(name), .value = bytes_of_text(value)};
}

/* Makes a session, or asks for the page with what there is to show. */
static void ask(struct puller *puller) {
    struct http_field fields[FIELDS_MAX];
    struct buffer credential;
    size_t count = 0;
    enum cache_credential shows = credential_next(&puller->credential);
    puller->shows_session = shows == CACHE_SHOW_SESSION;
    memset(&puller->pulled, 0, sizeof puller->pulled);
    puller->pulled.outcome = CACHE_REFUSED_KEY;
    buffer_init(&credential, API_KEY_BYTES_MAX + sizeof "Bearer ");
    bool good = credential_add_fields(&puller->credential, puller->shows_session, fields, &count,
                                      &credential, &puller->pulled.status);
    if (good) {
        bool session = shows == CACHE_MAKE_SESSION && credential.length > 0;
        puller->pulled.outcome = CACHE_UNREACHABLE;
        if (!session) add_field(fields, &count, "If-None-Match", puller->etag);
        add_field(fields, &count, "Accept", "application/json");
        good = start_call(puller, session, fields, count, &puller->pulled.status);
    }
    buffer_wipe(&credential);
    if (!good) loop_schedule(puller->context->loop, &puller->failed);
}

void puller_ask(struct puller *puller, int64_t since, const char *stream, const char *etag,
                int64_t timeout_ms) {
    puller->since = since;
    snprintf(puller->stream, sizeof puller->stream, "%s", stream);
    snprintf(puller->etag, sizeof puller->etag, "%s", etag);
    puller->deadline_ms = clock_monotonic_ms() + timeout_ms;
    ask(puller);
}

void puller_cancel(struct puller *puller) {
    if (puller->call) http_call_cancel(puller->call);
    puller->call = NULL;
    loop_unschedule(&puller->failed);
}

/* ---- opening and closing ---- */

/* What is wrong with it is said at the start; it is read anew for each call. */
static bool check_proxy(const struct puller_options *options, const struct url *master,
                        struct status *status) {
    struct http_proxy proxy;
    bool used;
    if (!outbound_proxy_choose(options->context->options, master, &proxy, &used, status))
        return false;
    if (used) {
        char text[ADDRESS_TEXT_BYTES];
        address_format(&proxy.address, text);
        log_event(LOG_INFO, CACHE_SLAVE_NAME, "the master is reached through a proxy", "proxy",
                  text, NULL);
        memory_wipe(&proxy, sizeof proxy);
    }
    return true;
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
    if (!check_proxy(options, &url, status)) return NULL;
    if (!https_client_open(options->context->options, &tls, status)) return NULL;
    struct puller *puller = memory_new(sizeof *puller);
    puller->context = options->context;
    puller->master_url = memory_copy_text(options->master_url);
    puller->tls = tls;
    puller->on_pulled = options->on_pulled;
    puller->owner = options->owner;
    loop_task_init(&puller->failed, on_failed_start);
    credential_init(&puller->credential, options->context, options->fingerprint);
    return puller;
}

bool puller_reload(struct puller *puller, const struct options *fresh, struct status *status) {
    struct tls_client_context *tls;
    if (!https_client_open(fresh, &tls, status)) return false;
    tls_client_context_release(puller->tls);
    puller->tls = tls;
    return true;
}

void puller_close(struct puller *puller) {
    if (!puller) return;
    puller_cancel(puller);
    tls_client_context_release(puller->tls);
    credential_wipe(&puller->credential);
    free(puller->master_url);
    free(puller);
}

struct tls_client_context *puller_tls(const struct puller *puller) {
    return puller->tls;
}

struct credential *puller_credential(struct puller *puller) {
    return &puller->credential;
}

const char *puller_master(const struct puller *puller) {
    return puller->master_url;
}
