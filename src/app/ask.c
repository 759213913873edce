#include "app/ask.h"

#include <string.h>

#include "app/https_client.h"
#include "base/buffer.h"
#include "loop/loop.h"
#include "net/http_client.h"
#include "net/url.h"

/* How the address of a unix socket begins. */
static const char unix_prefix[] = "unix:";

struct asking {
    struct answer *answer;
    struct status *status;
};

static void on_done(void *context, const struct http_response *response,
                    const struct status *status) {
    struct asking *asking = context;
    if (!response) {
        status_fail(asking->status, status->code, "%s", status->text);
        return;
    }
    struct status unused = STATUS_INIT; /* whether it is JSON is for the caller to see */
    asking->answer->http_status = response->status;
    asking->answer->document = json_document_parse(response->body, ASK_ANSWER_BYTES, &unused);
}

/* Reads the URL to call: the base without a final slash, and the path. */
static bool make_url(const char *base_url, const char *path, struct url *url,
                     struct status *status) {
    struct buffer text;
    buffer_init(&text, URL_BYTES_MAX);
    size_t length = strlen(base_url);
    while (length > 0 && base_url[length - 1] == '/')
        length--;
    buffer_append(&text, base_url, length);
    buffer_append_text(&text, path);
    struct status why = STATUS_INIT;
    bool made = buffer_check(&text, "the URL", &why) &&
                url_parse(buffer_bytes(&text), url_web_schemes, url, &why);
    buffer_free(&text);
    if (!made) return status_fail(status, STATUS_CONFIG, "\"%.200s\": %s", base_url, why.text);
    return true;
}

static bool run_call(const struct http_call_options *options, struct asking *asking) {
    struct loop *loop = loop_create(asking->status);
    if (!loop) return false;
    struct http_call *call = http_call_start(loop, options, asking->status);
    loop_run(loop); /* after a failed start too: what was opened for it still has to close */
    loop_destroy(loop);
    return call && status_is_ok(asking->status);
}

bool ask_call(const struct ask_request *request, struct answer *out, struct status *status) {
    struct url url;
    const char *base_url = request->base_url;
    const struct http_field key = {bytes_of_text("X-API-Key"),
                                   bytes_of_text(request->api_key ? request->api_key : "")};
    bool is_unix = !strncmp(base_url, unix_prefix, sizeof unix_prefix - 1);
    memset(out, 0, sizeof *out);
    if (!make_url(is_unix ? "http://localhost" : base_url, request->path, &url, status))
        return false;
    struct asking asking = {out, status};
    struct tls_client_context *tls = NULL;
    bool is_https = !is_unix && !strcmp(url.scheme, "https");
    if (is_https && request->options && !https_client_open(request->options, &tls, status))
        return false;
    struct http_call_options options = {
        .method = request->method,
        .url = &url,
        .tls = tls,
        .unix_path = is_unix ? base_url + sizeof unix_prefix - 1 : NULL,
        .fields = &key,
        .field_count = request->api_key ? 1 : 0,
        .body = request->body,
        .timeout_ms = ASK_TIMEOUT_MS,
        .response_limit_bytes = ASK_ANSWER_BYTES,
        .on_done = on_done,
        .context = &asking,
    };
    bool is_answered = run_call(&options, &asking);
    tls_client_context_release(tls);
    return is_answered || status_context(status, "%s", base_url);
}

bool ask(const struct options *options, const char *base_url, const char *path, struct answer *out,
         struct status *status) {
    const struct ask_request request = {
        .method = "GET", .base_url = base_url, .path = path, .options = options};
    return ask_call(&request, out, status);
}

const char *answer_problem(const struct answer *answer) {
    const struct json_value *root = answer->document ? json_document_root(answer->document) : NULL;
    const char *detail = json_member_text(root, "detail");
    const char *title = json_member_text(root, "title");
    return detail ? detail : title ? title : "";
}

void answer_free(struct answer *answer) {
    json_document_free(answer->document);
    answer->document = NULL;
}
