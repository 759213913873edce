#include "roles/license-server/peers.h"

#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "codec/base64url.h"
#include "codec/json.h"
#include "roles/license-server/broadcaster.h"

/* How long answers of other servers are collected. */
#define ANSWERS_DEADLINE_MS 2000

#define NONCE_RANDOM_BYTES 16
#define NONCE_TEXT_BYTES   23

#define REFUSAL_LOG_INTERVAL_MS 10000

/* A flood of messages from outside must not become a flood of log lines. */
static void log_refusal(struct peers *peers, const char *what, const char *server_id,
                        const struct status *why) {
    unsigned long suppressed = 0;
    char count[24];
    if (!log_limiter_pass(&peers->refusals, peers->options.keeper->monotonic_ms, &suppressed))
        return;
    snprintf(count, sizeof count, "%lu", suppressed);
    log_event(LOG_WARNING, peers->options.role, "refused what another server sent", "what", what,
              "server_id", server_id, "code", status_code_name(why->code), "why", why->text,
              "not_logged", suppressed ? count : NULL, NULL);
}

/* ---- what a message brings ---- */

/* The bytes of a token in a message; empty when there is none. */
static struct bytes token_of(const struct json_value *message, const char *name) {
    const char *text = json_member_text(message, name);
    return text ? bytes_of_text(text) : bytes_of(NULL, 0);
}

static bool may_verify(struct peers *peers) {
    return rate_limit_take(&peers->verifications, peers->options.keeper->monotonic_ms);
}

typedef enum adoption adopt_function(struct authority *authority, struct bytes token,
                                     struct status *status);

static bool adopt_list(struct peers *peers, const struct json_value *message, const char *name,
                       bool (*has)(const struct authority *authority, struct bytes token),
                       adopt_function *adopt) {
    struct status why = STATUS_INIT;
    struct authority *authority = peers->options.keeper->authority;
    struct bytes token = token_of(message, name);
    const char *server_id = json_member_text(message, "server_id");
    if (token.length == 0 || has(authority, token) || !may_verify(peers)) return false;
    enum adoption adoption = adopt(authority, token, &why);
    if (adoption == ADOPTION_REFUSED && why.code != STATUS_OLD_SERIAL)
        log_refusal(peers, name, server_id, &why);
    if (adoption != ADOPTION_TAKEN) return false;
    log_event(LOG_INFO, peers->options.role, "took over a newer document from another server",
              "what", name, "server_id", server_id, NULL);
    return true;
}

static bool adopt_license(struct peers *peers, const struct json_value *message) {
    struct keeper *keeper = peers->options.keeper;
    const char *server_id = json_member_text(message, "server_id");
    struct bytes token = token_of(message, "token");
    if (token.length == 0 || bytes_equal(token, buffer_bytes(&keeper->token)) || !may_verify(peers))
        return false;
    struct keeper_answer answer = keeper_offer(keeper, token, LICENSE_FROM_PEER);
    if (answer.decision == LICENSE_TAKE) {
        char serial[24];
        snprintf(serial, sizeof serial, "%lld", (long long)keeper->license->serial);
        metric_increment(peers->adopted);
        log_event(LOG_INFO, peers->options.role, "a license is in force", "from", "peer",
                  "server_id", server_id, "why", answer.text, "customer", keeper->license->customer,
                  "license_id", keeper->license->license_id, "serial", serial, NULL);
        return true;
    }
    /* A peer that is behind hears of it from us; that is no event. */
    if (answer.decision == LICENSE_REFUSE && answer.status.code != STATUS_OLD_SERIAL) {
        metric_increment(peers->refused);
        log_refusal(peers, "license", server_id, &answer.status);
    }
    return false;
}

/* ---- asking ---- */

static void on_reply(void *context, const struct bus_message *reply);

static void on_end(void *context, const struct status *status) {
    struct peers *peers = context;
    (void)status; /* no other server is no problem */
    peers->question = NULL;
}

static void ask(struct peers *peers) {
    static const struct bus_request_callbacks callbacks = {.on_reply = on_reply, .on_end = on_end};
    uint8_t random[NONCE_RANDOM_BYTES];
    char nonce[NONCE_TEXT_BYTES];
    char request[64];
    if (peers->question) return;
    random_bytes(random, sizeof random);
    base64url_encode(bytes_of(random, sizeof random), nonce);
    snprintf(request, sizeof request, "{\"nonce\":\"%s\"}", nonce);
    peers->asked_monotonic_ms = peers->options.keeper->monotonic_ms;
    peers->question = bus_request(peers->bus, SUBJECT_STATUS_GET, bytes_of_text(request),
                                  ANSWERS_DEADLINE_MS, BUS_ALL_REPLIES, &callbacks, peers, NULL);
}

/* A heartbeat names a license that would win over ours, but does not bring it. */
static void ask_if_curious(struct peers *peers, const struct json_value *message) {
    const struct keeper *keeper = peers->options.keeper;
    int64_t serial = 0;
    int64_t ours = keeper->license ? keeper->license->serial : -1;
    if (json_value_member(message, "token") ||
        !json_member_integer(json_value_member(message, "license"), "serial", &serial) ||
        serial <= ours || keeper->monotonic_ms - peers->asked_monotonic_ms < PEERS_ASK_INTERVAL_MS)
        return;
    ask(peers);
}

/* ---- hearing ---- */

static void hear_message(struct peers *peers, const struct json_value *message) {
    const char *server_id = json_member_text(message, "server_id");
    if (!server_id || strcmp(server_id, peers->options.server_id) == 0) return;
    metric_increment(peers->heard);
    bool adopted =
        adopt_list(peers, message, "keyring", authority_has_keyring, authority_adopt_keyring);
    adopted |= adopt_list(peers, message, "revocations", authority_has_revocations,
                          authority_adopt_revocations);
    adopted |= adopt_license(peers, message);
    if (adopted)
        peers->options.on_adopted(peers->options.context);
    else
        ask_if_curious(peers, message);
}

static void on_message(void *context, const struct bus_message *bus_message) {
    struct peers *peers = context;
    keeper_observe(peers->options.keeper);
    if (!rate_limit_take(&peers->messages, peers->options.keeper->monotonic_ms)) return;
    struct json_document *document =
        json_document_parse(bus_message->data, BUS_MESSAGE_BYTES_MAX, &(struct status)STATUS_INIT);
    if (!document) return;
    hear_message(peers, json_document_root(document));
    json_document_free(document);
}

static void on_reply(void *context, const struct bus_message *reply) {
    on_message(context, reply);
}

/* ---- opening and closing ---- */

void peers_init(struct peers *peers, const struct peers_options *options) {
    memset(peers, 0, sizeof *peers);
    peers->options = *options;
    peers->refusals.interval_ms = REFUSAL_LOG_INTERVAL_MS;
    int64_t now_ms = options->keeper->monotonic_ms;
    peers->asked_monotonic_ms = now_ms - PEERS_ASK_INTERVAL_MS;
    rate_limit_init(&peers->messages, PEERS_MESSAGES_PER_SECOND, PEERS_MESSAGES_PER_SECOND, now_ms);
    rate_limit_init(&peers->verifications, PEERS_VERIFICATIONS_PER_SECOND,
                    PEERS_VERIFICATIONS_PER_SECOND, now_ms);
    peers->heard = metrics_counter(options->metrics, "lsys_server_peer_messages_total",
                                   "Messages of other license servers that were heard.", "role",
                                   options->role, NULL);
    peers->adopted =
        metrics_counter(options->metrics, "lsys_server_adopted_total",
                        "Licenses taken over from other servers.", "role", options->role, NULL);
    peers->refused = metrics_counter(options->metrics, "lsys_license_refused_total",
                                     "Licenses that were offered and refused.", "role",
                                     options->role, "from", "peer", NULL);
}

bool peers_listen(struct peers *peers, struct bus *bus, struct status *status) {
    peers->bus = bus;
    peers->subscription = bus_subscribe(bus, SUBJECT_STATUS, NULL, on_message, peers, status);
    return peers->subscription != NULL;
}

void peers_connected(struct peers *peers) {
    ask(peers);
}

void peers_close(struct peers *peers) {
    bus_unsubscribe(peers->subscription);
    bus_request_cancel(peers->question);
    peers->subscription = NULL;
    peers->question = NULL;
}
