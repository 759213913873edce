#include "broker/claims_service.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "broker/router.h"
#include "broker/trust.h"
#include "codec/json_writer.h"

#define UPDATE_SUBJECT "$SYS.REQ.CLAIMS.UPDATE"
#define LIST_SUBJECT   "$SYS.REQ.CLAIMS.LIST"
#define PACK_SUBJECT   "$SYS.REQ.CLAIMS.PACK"
#define DELETE_SUBJECT "$SYS.REQ.CLAIMS.DELETE"
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
    const char *account; /* "": several */
    const char *message; /* when all is well */
    const struct status *status;
};

static void write_outcome(struct json_writer *json, const void *what) {
    const struct outcome *outcome = what;
    bool good = status_is_ok(outcome->status);
    json_writer_name(json, good ? "data" : "error");
    json_writer_begin_object(json);
    if (outcome->account[0]) json_writer_member_text(json, "account", outcome->account);
    json_writer_member_integer(json, "code", good ? 200 : 500);
    json_writer_member_text(json, good ? "message" : "description",
                            good ? outcome->message : outcome->status->text);
    json_writer_end_object(json);
}

static void write_keys(struct json_writer *json, const void *what) {
    const struct broker_trust *trust = what;
    json_writer_name(json, "data");
    json_writer_begin_array(json);
    for (const struct account *account = trust_next(trust, NULL); account != NULL;
         account = trust_next(trust, account))
        if (account->file != NULL) json_writer_text(json, account->key);
    json_writer_end_array(json);
}

/* ---- requests ---- */

static struct bytes token_of(const struct frame *frame) {
    return bytes_trim(bytes_of(frame->payload.data + frame->header_length,
                               frame->payload.length - frame->header_length));
}

static void update(struct client *requester, const struct frame *frame) {
    struct status status = STATUS_INIT;
    const struct account *account = NULL;
    if (!trust_update(requester->broker->trust, token_of(frame), &account, &status))
        status_context(&status, "not taken over");
    struct outcome outcome = {account != NULL ? account->key : "n/a", "jwt updated", &status};
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

/* nats-server's resolvers send the digest of what they have, so that those alike can stay silent;
 * nsc sends nothing. Both take everything. */
static void pack(struct client *requester, const struct frame *frame) {
    const struct broker_trust *trust = requester->broker->trust;
    struct buffer line;
    if (frame->reply.length == 0) return;
    buffer_init(&line, NATS_JWT_BYTES_MAX + NKEY_PUBLIC_TEXT_BYTES);
    for (const struct account *account = trust_next(trust, NULL); account != NULL;
         account = trust_next(trust, account)) {
        if (account->file == NULL || account->token.length == 0) continue;
        buffer_clear(&line);
        buffer_append_format(&line, "%s|", account->key);
        buffer_append(&line, account->token.data, account->token.length);
        router_answer(requester, frame->reply, buffer_bytes(&line));
    }
    buffer_free(&line);
    router_answer(requester, frame->reply, bytes_of("", 0));
}

static void delete_accounts(struct client *requester, const struct frame *frame) {
    struct status status = STATUS_INIT;
    size_t deleted = 0;
    char message[48];
    if (!trust_delete(requester->broker->trust, token_of(frame), &deleted, &status))
        status_context(&status, "deleted %zu accounts", deleted);
    snprintf(message, sizeof message, "deleted %zu accounts", deleted);
    struct outcome outcome = {"", message, &status};
    answer(requester, frame->reply, write_outcome, &outcome);
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
    else if (bytes_equal_text(frame->subject, PACK_SUBJECT))
        pack(requester, frame);
    else if (bytes_equal_text(frame->subject, DELETE_SUBJECT))
        delete_accounts(requester, frame);
    else
        return false;
    return true;
}
