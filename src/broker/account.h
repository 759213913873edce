/*
 * An account: a world of subjects. What is published in one is matched with the subscriptions of
 * that one only. A broker without an operator has one, for everybody; with an operator there is one
 * for each token in its folder (trust.h). Private to src/broker.
 */
#ifndef LSYS_BROKER_ACCOUNT_H
#define LSYS_BROKER_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "broker/links.h"
#include "broker/name_table.h"
#include "broker/subject_index.h"
#include "verifier/nats_jwt.h"

struct account {
    struct subject_index *index; /* NULL while nobody has connected yet */
    struct links *links;         /* to other accounts; NULL: none */
    bool is_system;              /* its users may ask the broker about accounts */

    /* Of an operator's account. */
    struct name_link link; /* in the trust's table, by `key` */
    char key[NKEY_PUBLIC_TEXT_BYTES];
    struct nats_account claims; /* checked when they came */
    struct buffer token;
    /* Its token's file in the resolver's folder; "": not there yet; NULL: gone, nobody gets in. */
    char *file;
    size_t client_count; /* connected */
};

/* Makes the index if there is none yet. */
static inline void account_open(struct account *account) {
    if (account->index == NULL) account->index = subject_index_new();
}

/* True when one more subscription is within the account's limit. */
static inline bool account_has_room(const struct account *account) {
    int64_t limit = account->claims.limits.subscriptions;
    return account->file == NULL || limit < 0 ||
           subject_index_count(account->index) < (size_t)limit;
}

#endif
