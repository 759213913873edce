#include "rules/server_freshness.h"

#include "rules/heartbeat_sequence.h"

struct verdict_row {
    const char *name;
    const char *text;
};

static const struct verdict_row verdict_rows[FRESHNESS_VERDICT_COUNT] = {
    [FRESHNESS_OK] = {"ok", "the message is fresh"},
    [FRESHNESS_NEEDS_NONCE] = {"needs_nonce", "the server must first answer a nonce"},
    [FRESHNESS_MALFORMED] = {"malformed", "the message has a number that no server sends"},
    [FRESHNESS_REPLAYED] = {"replayed", "the message was heard before"},
    [FRESHNESS_OLDER] = {"older", "the message is older than one heard before"},
    [FRESHNESS_WITHHELD] = {"withheld", "the message was sent more than 10 s ago"},
    [FRESHNESS_AHEAD] = {"ahead", "the message's clock is more than 10 s ahead of the server's "
                                  "own before"},
    [FRESHNESS_WRONG_NONCE] = {"wrong_nonce", "the message answers a nonce that is not open"},
};

static int64_t subtract_saturating(int64_t left, int64_t right) {
    int64_t difference;
    if (!__builtin_sub_overflow(left, right, &difference)) return difference;
    return left < right ? INT64_MIN : INT64_MAX;
}

/* How far sent_at has run ahead of our clock since the server answered a nonce; negative:
 * behind. */
static int64_t ahead_ms(const struct server_freshness *server,
                        const struct freshness_message *message, int64_t now_ms) {
    int64_t theirs_ms = subtract_saturating(message->sent_at_ms, server->measure_sent_at_ms);
    int64_t ours_ms = subtract_saturating(now_ms, server->measure_heard_at_ms);
    return subtract_saturating(theirs_ms, ours_ms);
}

enum freshness_verdict server_freshness_check(const struct server_freshness *server,
                                              const struct freshness_message *message,
                                              int64_t timeout_ms, int64_t now_ms) {
    if (!heartbeat_sequence_is_plausible(message->seq)) return FRESHNESS_MALFORMED;
    if (message->nonce == FRESHNESS_NONCE_OTHER) return FRESHNESS_WRONG_NONCE;
    if (message->nonce == FRESHNESS_NONCE_OURS)
        return server->answered_current ? FRESHNESS_REPLAYED : FRESHNESS_OK;

    if (!server_freshness_is_proven(server, timeout_ms, now_ms)) return FRESHNESS_NEEDS_NONCE;
    if (message->seq == server->last_seq) return FRESHNESS_REPLAYED;
    if (message->seq < server->last_seq) return FRESHNESS_OLDER;
    int64_t ahead = ahead_ms(server, message, now_ms);
    if (ahead < -FRESHNESS_TOLERANCE_MS) return FRESHNESS_WITHHELD;
    if (ahead > FRESHNESS_TOLERANCE_MS) return FRESHNESS_AHEAD;
    return FRESHNESS_OK;
}

void server_freshness_commit(struct server_freshness *server,
                             const struct freshness_message *message, int64_t now_ms) {
    server->last_seq = message->seq;
    if (message->nonce != FRESHNESS_NONCE_OURS) return;
    server->proven = true;
    server->asked = false;
    server->answered_current = true;
    server->measure_sent_at_ms = message->sent_at_ms;
    server->measure_heard_at_ms = now_ms;
}

void server_freshness_asked(struct server_freshness *server, int64_t now_ms) {
    /* Asking again must not extend the time for the first answer. */
    if (!server->asked) server->asked_at_ms = now_ms;
    server->asked = true;
    server->answered_current = false;
}

bool server_freshness_is_proven(const struct server_freshness *server, int64_t timeout_ms,
                                int64_t now_ms) {
    if (!server->proven) return false;
    int64_t waited_ms = subtract_saturating(now_ms, server->asked_at_ms);
    return !server->asked || waited_ms < timeout_ms / FRESHNESS_ANSWER_DIVISOR;
}

const char *freshness_verdict_name(enum freshness_verdict verdict) {
    return (unsigned)verdict < FRESHNESS_VERDICT_COUNT ? verdict_rows[verdict].name : "malformed";
}

const char *freshness_verdict_text(enum freshness_verdict verdict) {
    return (unsigned)verdict < FRESHNESS_VERDICT_COUNT ? verdict_rows[verdict].text
                                                       : "the message cannot be judged";
}
