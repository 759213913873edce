#include "roles/up/client_feed.h"

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

struct client_feed {
    struct loop *loop;
    struct timer *retry;
    struct http_call *call;         /* NULL between two connections */
    struct tls_client_context *tls; /* NULL: http */
    char *events_url;
    struct event_stream stream;
    struct json_document *document; /* the last license, or NULL */
    client_feed_callback *callback;
    void *context;
};

static void take_event(void *context, const char *name, struct bytes data) {
    struct client_feed *feed = context;
    (void)name; /* every event of this stream carries the whole document */
    struct json_document *document = json_document_parse(data, EVENT_STREAM_BYTES_MAX, NULL);
    if (!document) return;
    json_document_free(feed->document);
    feed->document = document;
    feed->callback(feed->context, json_document_root(document));
}

static void take_piece(void *context, struct bytes piece) {
    struct client_feed *feed = context;
    if (event_stream_feed(&feed->stream, piece)) return;
    http_call_cancel(feed->call);
    feed->call = NULL;
    timer_start(feed->retry, RETRY_MS);
}

static void call_done(void *context, const struct http_response *response,
                      const struct status *status) {
    struct client_feed *feed = context;
    (void)response;
    (void)status; /* the client's own state says what is wrong with it */
    feed->call = NULL;
    timer_start(feed->retry, RETRY_MS);
}

static void connect_again(void *context) {
    struct client_feed *feed = context;
    struct url url;
    event_stream_reset(&feed->stream);
    if (!url_parse(bytes_of_text(feed->events_url), url_web_schemes, &url, NULL)) return;
    struct http_call_options options = {
        .method = "GET",
        .url = &url,
        .tls = feed->tls,
        .timeout_ms = CONNECT_MS,
        .silence_timeout_ms = SILENCE_MS,
        .on_body = take_piece,
        .on_done = call_done,
        .context = feed,
    };
    feed->call = http_call_start(feed->loop, &options, NULL);
    if (!feed->call) timer_start(feed->retry, RETRY_MS);
}

struct client_feed *client_feed_open(struct loop *loop, const char *base_url,
                                     struct tls_client_context *tls, client_feed_callback *callback,
                                     void *context) {
    struct client_feed *feed = memory_new(sizeof *feed);
    feed->loop = loop;
    feed->callback = callback;
    feed->context = context;
    if (tls) feed->tls = tls_client_context_retain(tls);
    feed->events_url = file_join(base_url, "v1/events");
    feed->retry = timer_open(loop, connect_again, feed);
    event_stream_init(&feed->stream, take_event, feed);
    timer_start(feed->retry, 0);
    return feed;
}

const struct json_value *client_feed_license(const struct client_feed *feed) {
    return feed && feed->document ? json_document_root(feed->document) : NULL;
}

void client_feed_close(struct client_feed *feed) {
    if (!feed) return;
    if (feed->call) http_call_cancel(feed->call);
    timer_close(feed->retry);
    event_stream_reset(&feed->stream);
    json_document_free(feed->document);
    tls_client_context_release(feed->tls);
    free(feed->events_url);
    free(feed);
}
