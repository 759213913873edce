/*
 * Whether a license server's message is fresh, so that recorded, delayed or repeated messages
 * change nothing. One `struct server_freshness` for each server key. A server first proves itself
 * by answering a nonce of ours; from then on its `seq` must grow and its `sent_at` must move with
 * our monotonic clock, measured from that answer, within 10 s. The measure is never moved by
 * ordinary messages: somebody who delays them a little more each time gains nothing.
 *
 *               heard: NEEDS_NONCE                 heard, fresh: OK
 *                  +----+                              +----+
 *                  |    v                              |    v
 *     (new) --> [ unproven ] -- answers our nonce --> [ proven ] -- we send a nonce --> [ asked ]
 *                  ^                                     ^                               |   |
 *                  |                                     +------- answers: OK -----------+   |
 *                  +-------------- no answer within a quarter of the timeout ----------------+
 *
 *     | message                                        | unproven    | proven, asked |
 *     |------------------------------------------------|-------------|---------------|
 *     | seq is not in 1 .. 2^53 - 1                    | MALFORMED   | MALFORMED     |
 *     | carries our nonce, first answer to it          | OK          | OK            |
 *     | carries our nonce, answered by this key before | REPLAYED    | REPLAYED      |
 *     | carries another nonce                          | WRONG_NONCE | WRONG_NONCE   |
 *     | seq = the last one                             | NEEDS_NONCE | REPLAYED      |
 *     | seq < the last one                             | NEEDS_NONCE | OLDER         |
 *     | sent_at more than 10 s behind the measure      | NEEDS_NONCE | WITHHELD      |
 *     | sent_at more than 10 s ahead of the measure    | NEEDS_NONCE | AHEAD         |
 *     | otherwise                                      | NEEDS_NONCE | OK            |
 *
 * AHEAD is a server whose clock was set forward: the next nonce, sent for want of heartbeats, heals
 * it. An answer to a nonce may have a lower seq: it is live whatever it counts (a restored server),
 * and the sent_at rule still keeps older messages out.
 *
 * Order of work for a message, cheapest first: size and JSON form; `typ` and `kid` of the proof;
 * this check with the outer, unsigned fields; the budget of signature verifications; the signature;
 * this check again with the signed claims; only then server_freshness_commit.
 */
#ifndef LSYS_RULES_SERVER_FRESHNESS_H
#define LSYS_RULES_SERVER_FRESHNESS_H

#include <stdbool.h>
#include <stdint.h>

/* How far `sent_at` may stray from our monotonic clock between two nonces. */
#define FRESHNESS_TOLERANCE_MS 10000

/* A flood of messages may cost us this many signature verifications a second and no more. */
#define FRESHNESS_VERIFICATIONS_PER_SECOND 50

/* An answer to a nonce counts for this part of the heartbeat timeout: 15 s of 60 s. */
#define FRESHNESS_ANSWER_DIVISOR 4

enum freshness_verdict {
    FRESHNESS_OK,
    FRESHNESS_NEEDS_NONCE, /* believable, but this server must first answer a nonce: send one */
    FRESHNESS_MALFORMED,   /* a number that no server sends */
    FRESHNESS_REPLAYED,    /* a message we had */
    FRESHNESS_OLDER,       /* older than one we had */
    FRESHNESS_WITHHELD,    /* kept back and released later */
    FRESHNESS_AHEAD,       /* from a clock that was set forward */
    FRESHNESS_WRONG_NONCE, /* answers somebody else, or an old question of ours */
};
#define FRESHNESS_VERDICT_COUNT 8

/* How a message's nonce relates to ours. */
enum freshness_nonce {
    FRESHNESS_NONCE_NONE,  /* the message carries none */
    FRESHNESS_NONCE_OURS,  /* the one we sent last, still open */
    FRESHNESS_NONCE_OTHER, /* any other */
};

/* What is known about one server key. Zeroed: unproven. Monotonic milliseconds of this process. */
struct server_freshness {
    bool proven;
    bool asked;            /* a nonce is out that this server has not answered */
    bool answered_current; /* it answered the nonce sent last */
    int64_t asked_at_ms;   /* the oldest unanswered nonce */
    int64_t last_seq;
    int64_t measure_sent_at_ms;  /* the answer's sent_at (server's wall time) ... */
    int64_t measure_heard_at_ms; /* ... and when we heard it */
};

struct freshness_message {
    int64_t seq;
    int64_t sent_at_ms; /* wall time of the server */
    enum freshness_nonce nonce;
};

/* Judges a message at monotonic `now_ms`; `timeout_ms` is the heartbeat timeout. Changes nothing,
 * so that it serves for the unsigned fields first and for the signed ones later. */
enum freshness_verdict server_freshness_check(const struct server_freshness *server,
                                              const struct freshness_message *message,
                                              int64_t timeout_ms, int64_t now_ms);

/* Takes over a message whose signature was verified and whose check gave FRESHNESS_OK. */
void server_freshness_commit(struct server_freshness *server,
                             const struct freshness_message *message, int64_t now_ms);

/* Notes that a new nonce went out to all servers. */
void server_freshness_asked(struct server_freshness *server, int64_t now_ms);

/* True when the server has proven itself and not missed the answer to a nonce since. */
bool server_freshness_is_proven(const struct server_freshness *server, int64_t timeout_ms,
                                int64_t now_ms);

/* The name for metrics: "ok", "needs_nonce", "malformed", "replayed", "older", "withheld", "ahead",
 * "wrong_nonce". */
const char *freshness_verdict_name(enum freshness_verdict verdict);

/* A sentence without a period that says what the verdict means. */
const char *freshness_verdict_text(enum freshness_verdict verdict);

#endif
