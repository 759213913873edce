#include "roles/cache-master/reply.h"

void reply_begin(struct reply *reply) {
    buffer_init(&reply->body, ROLE_HTTP_ANSWER_BYTES);
    json_writer_init(&reply->json, &reply->body);
    json_writer_begin_object(&reply->json);
}

void reply_send(struct reply *reply, struct http_request *request, int http_status) {
    struct status ignored = STATUS_INIT;
    json_writer_end_object(&reply->json);
    if (!json_writer_finish(&reply->json, "the answer", &ignored)) reply->body.failed = true;
    role_http_respond_json(request, http_status, &reply->body);
    buffer_wipe(&reply->body);
}

static int http_status_of(enum status_code code) {
    switch (code) {
    case STATUS_NOT_FOUND: return 404;
    case STATUS_OLD_SERIAL:
    case STATUS_BUSY: return 409;
    case STATUS_TOO_LARGE: return 413;
    case STATUS_IO:
    case STATUS_PERMISSION: return 503;
    default: return 422;
    }
}

void reply_refuse(struct http_request *request, const struct status *status) {
    http_respond_problem(request, http_status_of(status->code), status_code_name(status->code),
                         "The change was refused", "%s", status->text);
}
