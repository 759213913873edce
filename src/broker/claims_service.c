#include "broker/claims_service.h"

#include <string.h>

#include "base/buffer.h"
#include "broker/router.h"
#include "broker/trust.h"
#include "codec/json_writer.h"

#define UPDATE_SUBJECT "$SYS.REQ.CLAIMS.UPDATE"
#define LIST_SUBJECT   "$SYS.REQ.CLAIMS.LIST"
#define ACCOUNT_PREFIX "$SYS.REQ.ACCOUNT."
#define UPDATE_ENDING  ".CLAIMS.UPDATE"
#define LOOKUP_ENDING  ".CLAIMS.LOOKUP"

/* Longest answer: the keys of the most accounts that a folder may have. */
#define ANSWER_BYTES_MAX (16 * 1024 * 1024)

#define KEY_LENGTH (NKEY_PUBLIC_TEXT_BYTES - 1)

/* ---- answers ---- */

static void write_server(struct json_writer *json, const struct broker *broker) {
    json_writer_name(json, "server");
    json_writer_begin_object(json);
    json_writer_member_text(json, "name", broker->options.name);
    json_writer_member_text(json, "id", broker->server_id);
    json_writer_member_text(json, "ver", BROKER_PROTOCOL_VERSION);
    json_writer_end_object(json);
}

/* Sends what `write` writes beside "server". */
static void answer(struct client *requester, struct bytes reply,
                   void (*write)(struct json_writer *json, const void *what), const void *what) {
    struct buffer text;
    struct json_writer json;
    if (reply.length == 0) return;
    buffer_init(&text, ANSWER_BYTES_MAX);
    json_writer_init(&json, &text);
    json_writer_begin_object(&json);
    write_server(&json, requester->broker);
    write(&json, what);
    json_writer_end_object(&json);
    if (json_writer_finish(&json, "the answer", NULL))
        router_answer(requester, reply, buffer_bytes(&text));
    buffer_free(&text);
}

struct outcome {
    const char *account;
    const struct status *status;
};

static void write_outcome(struct json_writer *json, const void *what) {
    const struct outcome *outcome = what;
    bool good = status_is_ok(outcome->status);
    json_writer_name(json, good ? "data" : "error");
    json_writer_begin_object(json);
    json_writer_member_text(json, "account", outcome->account);
    json_writer_member_integer(json, "code", good ? 200 : 500);
    json_writer_member_text(json, good ? "message" : "description",
                            good ? "jwt updated" : outcome->status->text);
    json_writer_end_object(json);
}

static void write_keys(struct json_writer *json, const void *what) {
    const struct broker_trust *trust = what;
    json_writer_name(json, "data");
    json_writer_begin_array(json);
    for (const struct account *account = trust_next(trust, NULL); account != NULL;
         account = trust_next(trust, account))
        if (account->file != NULL) json_writer_text(json, account->claims.jwt.subject);
    json_writer_end_array(json);
}

/* ---- requests ---- */

static void update(struct client *requester, const struct frame *frame) {
    struct status status = STATUS_INIT;
    const struct account *account = NULL;
    struct bytes token = bytes_trim(bytes_of(frame->payload.data + frame->header_length,
                                             frame->payload.length - frame->header_length));
    if (!trust_update(requester->broker->trust, token, &account, &status))
        status_context(&status, "not taken over");
    struct outcome outcome = {account != NULL ? account->claims.jwt.subject : "n/a", &status};
    /* The token may just have revoked who sent it. */
    if (!requester->is_closing) answer(requester, frame->reply, write_outcome, &outcome);
}

static void look_up(struct client *requester, const struct frame *frame, const char *key) {
    const struct account *account = trust_find(requester->broker->trust, key);
    bool known = account != NULL && account->file != NULL;
    if (frame->reply.length > 0)
        router_answer(requester, frame->reply,
                      known ? buffer_bytes(&account->token) : bytes_of("", 0));
}

/* True for "$SYS.REQ.ACCOUNT.<key><ending>", whose key is written to `key`. */
static bool is_about_account(struct bytes subject, const char *ending,
                             char key[NKEY_PUBLIC_TEXT_BYTES]) {
    size_t prefix = sizeof ACCOUNT_PREFIX - 1, ending_length = strlen(ending);
    if (subject.length != prefix + KEY_LENGTH + ending_length) return false;
    if (memcmp(subject.data, ACCOUNT_PREFIX, prefix) != 0 ||
        memcmp(subject.data + prefix + KEY_LENGTH, ending, ending_length) != 0)
        return false;
    memcpy(key, subject.data + prefix, KEY_LENGTH);
    key[KEY_LENGTH] = '\0';
    return true;
}

bool claims_service_handle(struct client *requester, const struct frame *frame) {
    char key[NKEY_PUBLIC_TEXT_BYTES];
    if (bytes_equal_text(frame->subject, UPDATE_SUBJECT) ||
        is_about_account(frame->subject, UPDATE_ENDING, key))
        update(requester, frame);
    else if (is_about_account(frame->subject, LOOKUP_ENDING, key))
        look_up(requester, frame, key);
    else if (bytes_equal_text(frame->subject, LIST_SUBJECT))
        answer(requester, frame->reply, write_keys, requester->broker->trust);
    else
        return false;
    return true;
}
