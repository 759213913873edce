#include "roles/cache-slave/push.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/api_keys.h"
#include "app/outbound_proxy.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "loop/timer.h"
#include "net/websocket.h"
#include "roles/cache-slave/cache_slave.h"
#include "rules/backoff.h"

/* From the connect to the end of the handshake. */
#define HANDSHAKE_TIMEOUT_MS 10000

/* Pauses between two attempts: soon after a restart of the master, rarely when it speaks no
 * WebSocket. */
#define FIRST_PAUSE_MS   500
#define LONGEST_PAUSE_MS 30000

/* A bell has about 80 bytes. */
#define BELL_BYTES_MAX 4096

struct push {
    struct role_context *context;
    struct url url;
    struct tls_client_context *tls;
    struct credential *credential;
    bool showed_session;
    void (*on_bell)(void *owner);
    void *owner;
    struct websocket *websocket; /* NULL between two attempts */
    struct timer *again;
    struct backoff backoff;
    bool began;
    bool told; /* that it is silent */
    bool closing;
};

static void on_open(void *context) {
    struct push *push = context;
    backoff_succeeded(&push->backoff);
    push->told = false;
    log_event(LOG_INFO, CACHE_SLAVE_NAME, "the master tells of changes at once", NULL);
}

/* What the bell says is not looked at: the pull will find out. */
static void on_message(void *context, bool is_text, struct bytes message) {
    struct push *push = context;
    (void)is_text;
    (void)message;
    if (!push->closing) push->on_bell(push->owner);
}

static void wait_and_try_again(struct push *push) {
    timer_start(push->again, backoff_failed(&push->backoff, random_below(UINT64_MAX)));
}

/* A master that started anew has forgotten its sessions. The pull makes one for both. */
static void make_session_anew(struct push *push) {
    cache_session_forget(&push->credential->session);
    push->on_bell(push->owner);
}

static void on_closed(void *context, unsigned code, struct bytes reason,
                      const struct status *status) {
    struct push *push = context;
    (void)code;
    (void)reason;
    push->websocket = NULL;
    if (push->closing) {
        free(push);
        return;
    }
    if (status->code == STATUS_UNAUTHORIZED && push->showed_session) make_session_anew(push);
    if (!push->told)
        log_event(LOG_INFO, CACHE_SLAVE_NAME, "no push from the master; polling carries on", "why",
                  status_is_ok(status) ? "it ended the connection" : status->text, NULL);
    push->told = true;
    wait_and_try_again(push);
}

static const struct websocket_handlers handlers = {
    .on_open = on_open, .on_message = on_message, .on_closed = on_closed};

static bool connect_now(struct push *push, struct status *status) {
    struct http_field fields[CREDENTIAL_FIELDS_MAX];
    struct http_proxy proxy;
    bool has_proxy = false;
    struct buffer key;
    size_t count = 0;
    push->showed_session = credential_next(push->credential) == CACHE_SHOW_SESSION;
    buffer_init(&key, API_KEY_BYTES_MAX + sizeof "Bearer ");
    bool good =
        credential_add_fields(push->credential, push->showed_session, fields, &count, &key, status);
    good = good &&
           outbound_proxy_choose(push->context->options, &push->url, &proxy, &has_proxy, status);
    const struct websocket_connect_options options = {
        .url = &push->url,
        .tls = push->tls,
        .proxy = has_proxy ? &proxy : NULL,
        .fields = fields,
        .field_count = count,
        .timeout_ms = HANDSHAKE_TIMEOUT_MS,
        .settings = {.message_limit_bytes = BELL_BYTES_MAX},
    };
    if (good)
        push->websocket = websocket_connect(push->context->loop, &options, &handlers, push, status);
    buffer_wipe(&key);
    memory_wipe(&proxy, sizeof proxy);
    return push->websocket != NULL;
}

static void try_again(void *context) {
    struct push *push = context;
    struct status status = STATUS_INIT;
    if (!connect_now(push, &status)) wait_and_try_again(push);
}

/* ws for http and wss for https, with the stream's path. */
static bool make_url(const char *master_url, struct url *url) {
    struct buffer text;
    struct status ignored = STATUS_INIT;
    const char *colon = strstr(master_url, "://");
    if (!colon) return false;
    bool secure = strncmp(master_url, "https", 5) == 0;
    size_t length = strlen(colon);
    while (length > 0 && colon[length - 1] == '/')
        length--;
    buffer_init(&text, URL_BYTES_MAX);
    buffer_append_text(&text, secure ? "wss" : "ws");
    buffer_append(&text, colon, length);
    buffer_append_text(&text, "/api/licenses/stream");
    bool made =
        !text.failed && url_parse(buffer_bytes(&text), websocket_url_schemes, url, &ignored);
    buffer_free(&text);
    return made;
}

struct push *push_open(const struct push_options *options) {
    struct url url;
    if (!make_url(options->master_url, &url)) return NULL;
    struct push *push = memory_new(sizeof *push);
    push->context = options->context;
    push->url = url;
    push->tls = options->tls;
    push->credential = options->credential;
    push->on_bell = options->on_bell;
    push->owner = options->owner;
    backoff_init(&push->backoff, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
    push->again = timer_open(push->context->loop, try_again, push);
    return push;
}

void push_begin(struct push *push) {
    if (!push || push->began) return;
    push->began = true;
    timer_start(push->again, 0);
}

void push_trust(struct push *push, struct tls_client_context *tls) {
    if (push) push->tls = tls;
}

bool push_is_connected(const struct push *push) {
    return push && push->websocket && websocket_is_open(push->websocket);
}

void push_close(struct push *push) {
    if (!push || push->closing) return;
    push->closing = true;
    timer_close(push->again);
    if (push->websocket)
        websocket_abort(push->websocket); /* frees in on_closed */
    else
        free(push);
}
