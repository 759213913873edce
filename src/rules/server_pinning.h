/*
 * Whose status a client believes: the license servers named by the license itself (`server_jkts`),
 * or, when it names none, keys that the client pinned because they answered a fresh nonce. A server
 * key is known by its RFC 7638 thumbprint, which is the `kid` of its proofs.
 *
 * The first row that applies decides:
 *
 *   | license names servers | key is    | answered our nonce | policy | pins | verdict            |
 *   |-----------------------|-----------|--------------------|--------|------|--------------------|
 *   | yes                   | named     | -                  | -      | -    | ACCEPT             |
 *   | yes                   | not named | -                  | -      | -    | NOT_NAMED          |
 *   | no                    | pinned    | -                  | -      | -    | ACCEPT             |
 *   | no                    | unknown   | -                  | strict | -    | FROZEN             |
 *   | no                    | unknown   | -                  | -      | 4    | FULL               |
 *   | no                    | unknown   | no                 | open   | < 4  | ASK: send a nonce  |
 *   | no                    | unknown   | yes                | open   | < 4  | PIN: add it, alert |
 *
 *     [unknown] --message--> ASK --answers a fresh nonce--> PIN --> [pinned]
 *       |   ^                                                            |
 *       |   +-------------------- operator removes it -------------------+
 *       +--- strict, four pins, or a license that names others: never
 */
#ifndef LSYS_RULES_SERVER_PINNING_H
#define LSYS_RULES_SERVER_PINNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "verifier/license.h"
#include "verifier/sha256.h"

/* Two servers, and both replaced once, without an operator's hand; more would be a way in. */
#define SERVER_PINS_MAX 4

struct server_pin {
    char key_id[SHA256_TEXT_BYTES];
    int64_t pinned_at_ms; /* wall, for the operator to read */
};

/* The pinned keys; persisted by the client. Zeroed: none. */
struct server_pins {
    struct server_pin items[SERVER_PINS_MAX];
    size_t count;
};

enum pinning_policy {
    PINNING_OPEN,   /* the first keys that prove themselves are pinned */
    PINNING_STRICT, /* the list is frozen; only an operator changes it */
};

enum pinning_verdict {
    PINNING_ACCEPT,
    PINNING_PIN,
    PINNING_ASK,
    PINNING_NOT_NAMED,
    PINNING_FROZEN,
    PINNING_FULL,
};
#define PINNING_VERDICT_COUNT 6

/* Judges the server key `key_id`. `license` is the one whose server_jkts count (NULL: names none);
 * `answered_nonce` is true for a message whose verified proof carries a nonce of ours. */
enum pinning_verdict server_pinning_judge(const struct server_pins *pins,
                                          const struct license *license, enum pinning_policy policy,
                                          const char *key_id, bool answered_nonce);

/* True when `text` has the form of a thumbprint: 43 base64url characters. */
bool server_key_id_is_plausible(struct bytes text);

/* Adds a key after PINNING_PIN, or for the operator. False when it is not a plausible thumbprint or
 * there is no room; true without a change when it is there already. */
bool server_pins_add(struct server_pins *pins, const char *key_id, int64_t now_wall_ms);

/* Adds the keys of `other` that are not there, as far as there is room. */
void server_pins_merge(struct server_pins *pins, const struct server_pins *other);

/* Removes a key; false when it is not there. */
bool server_pins_remove(struct server_pins *pins, const char *key_id);

/* "accept", "pin", "ask", "not_named", "frozen", "full": for metrics and --explain. */
const char *pinning_verdict_name(enum pinning_verdict verdict);

/* A sentence without a period that says what the verdict means and what an operator can do. */
const char *pinning_verdict_text(enum pinning_verdict verdict);

#endif
