/*
 * What a user may publish and subscribe to: lists of subjects that are allowed and denied, where
 * deny beats allow, as nats-server has them (server/auth.go, server/client.go). An entry of a
 * subscribe list may name a queue group after a blank ("wq.> grp"): it then speaks of subscriptions
 * with that group only. One is immutable once built, and shared by the connections of its user.
 *
 * Stricter than nats-server in one point: a subscription with a wildcard must lie wholly inside an
 * allowed subject. nats-server treats the wildcards of the subscription as plain tokens.
 */
#ifndef LSYS_BROKER_PERMISSIONS_H
#define LSYS_BROKER_PERMISSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"

/* Replies that allow_responses permits by default, and for how long, as nats-server has them. */
#define PERMISSIONS_RESPONSES_DEFAULT  1
#define PERMISSIONS_RESPONSE_EXPIRY_MS 120000

struct subject_pattern {
    char *subject;
    char *queue; /* NULL: no group named; may have wildcards itself */
};

struct pattern_list {
    struct subject_pattern *patterns; /* owned */
    size_t count;
    bool given; /* an empty list that was given allows nothing */
};

struct permissions {
    struct pattern_list publish_allow, publish_deny;
    struct pattern_list subscribe_allow, subscribe_deny;
    bool allow_responses;        /* may publish to the reply subject of what it received */
    int64_t responses_max;       /* per reply subject; negative: any number */
    int64_t response_expires_ms; /* after the request came; negative: never */
};

/* Adds an entry, "subject" or "subject queue". STATUS_CONFIG when the subject is not valid. */
bool pattern_list_add(struct pattern_list *list, const char *entry,
                      struct status *status) MUST_CHECK;

/* Frees what the permissions own, not the structure. */
void permissions_free(struct permissions *permissions);

/* True when a message may be published to `subject`, replies under allow_responses aside. */
bool permissions_may_publish(const struct permissions *permissions, struct bytes subject);

/* True when one may subscribe; `queue` is empty for a plain subscription. */
bool permissions_may_subscribe(const struct permissions *permissions, struct bytes subject,
                               struct bytes queue);

/* True when a permitted subscription to `subject` can also match something that is denied, so that
 * each delivery must be asked about with permissions_may_receive. */
bool permissions_filter_needed(const struct permissions *permissions, struct bytes subject);

/* True when a message on `subject` may be delivered to a subscription that needs the filter. */
bool permissions_may_receive(const struct permissions *permissions, struct bytes subject);

/* True when both say the same. */
bool permissions_equal(const struct permissions *left, const struct permissions *right);

#endif
