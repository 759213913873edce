/*
 * What trust.c and trust_connect.c share. Private to them.
 */
#ifndef LSYS_BROKER_TRUST_STATE_H
#define LSYS_BROKER_TRUST_STATE_H

#include "base/clock.h"
#include "broker/resolver.h"
#include "broker/trust.h"

struct broker_trust {
    struct nats_operator operator;
    struct resolver *resolver;
    struct name_table accounts; /* struct account, by public key */
    uint64_t hash_key;
    struct broker *broker; /* NULL: not attached yet */
    struct timer *timer;
    int64_t next_expiry_s; /* of a user or account in use; INT64_MAX: none */
};

/* Wall time as tokens have it. */
static inline int64_t trust_now_s(void) {
    return clock_wall_ms() / 1000;
}

/* The client's token, or its account's, may be the next one to expire. */
void trust_note_expiries(struct broker_trust *trust, const struct client *client);

#endif
