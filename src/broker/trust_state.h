/*
 * What the files trust*.c share. Private to them.
 */
#ifndef LSYS_BROKER_TRUST_STATE_H
#define LSYS_BROKER_TRUST_STATE_H

#include "base/clock.h"
#include "base/file_stamp.h"
#include "broker/resolver.h"
#include "broker/trust.h"

struct broker_trust {
    struct nats_operator operator;
    char *operator_path;
    struct file_stamp operator_stamp;
    int64_t operator_read_ns;
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

/* The role in whose name is logged. */
const char *trust_role(const struct broker_trust *trust);

/* Drops connected clients that may not stay, and applies to the others what their account now says.
 * `changed`: the account whose clients are meant; NULL: all clients, for their time and the
 * operator. */
void trust_check_clients(struct broker_trust *trust, const struct account *changed);

/* trust_operator.c: reads the operator's file; and reads it again when it has changed. */
bool trust_read_operator(struct broker_trust *trust, struct nats_operator *out,
                         struct status *status) MUST_CHECK;
void trust_look_at_operator(struct broker_trust *trust);

/* Something ends at this second (0: never): all is looked at again then. */
void trust_note_expiry(struct broker_trust *trust, int64_t expires_at_s);

/* The client's token, or its account's, may be the next one to expire. */
void trust_note_expiries(struct broker_trust *trust, const struct client *client);

#endif
