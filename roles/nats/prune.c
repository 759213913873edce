#include "roles/nats/prune.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "codec/json.h"
#include "roles/nats/actions.h"
#include "roles/nats/answer.h"

#define LIST_SUBJECT   "$SYS.REQ.CLAIMS.LIST"
#define DELETE_SUBJECT "$SYS.REQ.CLAIMS.DELETE"

/* Whoever heard the token must not be able to delete, with it, an account that comes back later. Room
 * for clocks that differ. */
#define DELETION_LIFE_S 300

struct prune {
    struct bus *bus;
    const struct prune_plan *plan;
    void (*on_end)(void *context);
    void *context;
    struct status *status;
    struct nats_deletion deletion;
    size_t refused;
};

/* ---- what is to go ---- */

static void delete_ended(void *context, const struct status *status) {
    struct prune *prune = context;
    if (!status_is_ok(status)) status_fail(prune->status, status->code, "prune: %s", status->text);
    if (prune->refused > 0)
        status_fail(prune->status, STATUS_FORBIDDEN, "a server did not delete the accounts");
    prune->on_end(prune->context);
}

static void delete_answered(void *context, const struct bus_message *reply) {
    struct prune *prune = context;
    if (!answer_print("(pruned)", reply->data)) prune->refused++;
}

static bool send_deletion(struct prune *prune) {
    static const struct bus_request_callbacks callbacks = {delete_answered, delete_ended};
    struct buffer token;
    prune->deletion.jwt.issued_at_s = nats_now_s();
    prune->deletion.jwt.expires_at_s = prune->deletion.jwt.issued_at_s + DELETION_LIFE_S;
    buffer_init(&token, NATS_JWT_BYTES_MAX);
    bool sent =
        nats_deployment_sign_deletion(prune->plan->deployment, &prune->deletion, &token,
                                      prune->status) &&
        bus_request(prune->bus, DELETE_SUBJECT, buffer_bytes(&token), prune->plan->timeout_ms,
                    BUS_ALL_REPLIES, &callbacks, prune, prune->status) != NULL;
    buffer_free(&token);
    return sent;
}

/* ---- what is there ---- */

static void note_key(struct prune *prune, const char *key) {
    enum nkey_kind kind;
    uint8_t decoded[NKEY_KEY_BYTES];
    if (!key || !nkey_decode_public(bytes_of_text(key), &kind, decoded, NULL)) return;
    if (kind != NKEY_ACCOUNT || nats_texts_have(&prune->plan->kept, key) ||
        nats_texts_have(&prune->deletion.accounts, key) ||
        prune->deletion.accounts.count == NATS_DELETIONS_MAX)
        return;
    nats_texts_add(&prune->deletion.accounts, key);
}

static void list_answered(void *context, const struct bus_message *reply) {
    struct prune *prune = context;
    struct json_document *document = json_document_parse(reply->data, BUS_MESSAGE_BYTES_MAX, NULL);
    if (!document) return;
    const struct json_value *keys = json_value_member(json_document_root(document), "data");
    for (size_t i = 0; i < json_value_count(keys); i++)
        note_key(prune, json_value_text(json_value_item(keys, i)));
    json_document_free(document);
}

static void list_ended(void *context, const struct status *status) {
    struct prune *prune = context;
    if (!status_is_ok(status)) status_fail(prune->status, status->code, "prune: %s", status->text);
    if (status_is_ok(prune->status) && prune->deletion.accounts.count == 0)
        printf("nothing to prune: servers have the accounts of this folder alone\n");
    else if (status_is_ok(prune->status) && send_deletion(prune))
        return;
    prune->on_end(prune->context);
}

/* ---- life ---- */

struct prune *prune_start(struct bus *bus, const struct prune_plan *plan,
                          void (*on_end)(void *context), void *context, struct status *status) {
    static const struct bus_request_callbacks callbacks = {list_answered, list_ended};
    struct prune *prune = memory_new(sizeof *prune);
    *prune = (struct prune){
        .bus = bus, .plan = plan, .on_end = on_end, .context = context, .status = status};
    if (bus_request(bus, LIST_SUBJECT, bytes_of("", 0), plan->timeout_ms, BUS_ALL_REPLIES,
                    &callbacks, prune, status))
        return prune;
    free(prune);
    return NULL;
}

void prune_free(struct prune *prune) {
    if (!prune) return;
    nats_deletion_free(&prune->deletion);
    free(prune);
}
