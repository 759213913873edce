#include "roles/license-client/nonces.h"

#include <stddef.h>

#include "base/buffer.h"
#include "codec/json_writer.h"

/* {"nonce":"<22 characters>"} */
#define QUESTION_BYTES_MAX 128

static void on_reply(void *context, const struct bus_message *reply) {
    struct nonces *nonces = context;
    nonces->on_answer(nonces->context, reply->data);
}

static void on_end(void *context, const struct status *status) {
    struct nonces *nonces = context;
    (void)status; /* silence and absence are the same to us */
    nonces->request = NULL;
    nonces->on_end(nonces->context);
}

bool nonces_ask(struct nonces *nonces, struct bus *bus, const char *nonce, int64_t timeout_ms,
                struct status *status) {
    static const struct bus_request_callbacks callbacks = {.on_reply = on_reply, .on_end = on_end};
    struct buffer question;
    struct json_writer json;
    nonces_cancel(nonces);
    buffer_init(&question, QUESTION_BYTES_MAX);
    json_writer_init(&json, &question);
    json_writer_begin_object(&json);
    json_writer_member_text(&json, "nonce", nonce);
    json_writer_end_object(&json);
    if (json_writer_finish(&json, "the nonce", status))
        nonces->request = bus_request(bus, NONCES_SUBJECT, buffer_bytes(&question), timeout_ms,
                                      BUS_ALL_REPLIES, &callbacks, nonces, status);
    buffer_free(&question);
    return nonces->request != NULL;
}

void nonces_cancel(struct nonces *nonces) {
    bus_request_cancel(nonces->request);
    nonces->request = NULL;
}
