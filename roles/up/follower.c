#include "roles/up/follower.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/memory.h"
#include "loop/timer.h"
#include "net/http_client.h"
#include "net/url.h"
#include "roles/up/event_stream.h"

#define RETRY_MS   1000
#define CONNECT_MS 5000

/* The client sends a comment at least every 15 s; three of them missing means that it hangs. */
#define SILENCE_MS 45000

struct follower {
    struct loop *loop;
    struct timer *retry;
    struct http_call *call; /* NULL between two connections */
    char *events_url;
    struct event_stream stream;
    struct json_document *document; /* the last license, or NULL */
    follower_callback *callback;
    void *context;
};

static void take_event(void *context, const char *name, struct bytes data) {
    struct follower *follower = context;
    (void)name; /* every event of this stream carries the whole document */
    struct json_document *document = json_document_parse(data, EVENT_STREAM_BYTES_MAX, NULL);
    if (!document) return;
    json_document_free(follower->document);
    follower->document = document;
    follower->callback(follower->context, json_document_root(document));
}

static void take_piece(void *context, struct bytes piece) {
    struct follower *follower = context;
    if (event_stream_feed(&follower->stream, piece)) return;
    http_call_cancel(follower->call);
    follower->call = NULL;
    timer_start(follower->retry, RETRY_MS);
}

static void call_done(void *context, const struct http_response *response,
                      const struct status *status) {
    struct follower *follower = context;
    (void)response;
    (void)status; /* the client's own state says what is wrong with it */
    follower->call = NULL;
    timer_start(follower->retry, RETRY_MS);
}

static void connect_again(void *context) {
    struct follower *follower = context;
    struct url url;
    event_stream_reset(&follower->stream);
    if (!url_parse(bytes_of_text(follower->events_url), url_web_schemes, &url, NULL)) return;
    struct http_call_options options = {
        .method = "GET",
        .url = &url,
        .timeout_ms = CONNECT_MS,
        .silence_timeout_ms = SILENCE_MS,
        .on_body = take_piece,
        .on_done = call_done,
        .context = follower,
    };
    follower->call = http_call_start(follower->loop, &options, NULL);
    if (!follower->call) timer_start(follower->retry, RETRY_MS);
}

struct follower *follower_open(struct loop *loop, const char *base_url, follower_callback *callback,
                               void *context) {
    struct follower *follower = memory_new(sizeof *follower);
    follower->loop = loop;
    follower->callback = callback;
    follower->context = context;
    follower->events_url = file_join(base_url, "v1/events");
    follower->retry = timer_open(loop, connect_again, follower);
    event_stream_init(&follower->stream, take_event, follower);
    timer_start(follower->retry, 0);
    return follower;
}

const struct json_value *follower_license(const struct follower *follower) {
    return follower && follower->document ? json_document_root(follower->document) : NULL;
}

void follower_close(struct follower *follower) {
    if (!follower) return;
    if (follower->call) http_call_cancel(follower->call);
    timer_close(follower->retry);
    event_stream_reset(&follower->stream);
    json_document_free(follower->document);
    free(follower->events_url);
    free(follower);
}
