/*
 * Where the messages of an account go besides its own clients: to the accounts that import one of
 * its streams, and to those whose services it imports. Made from the tokens of all accounts
 * whenever one of them changes. Private to src/broker.
 *
 *     publish in A --+--> A's subscriptions
 *                    +--> stream link  --> the importer's subscriptions, under its own subject
 *                    +--> service link --> the exporter's account, as if published there, with a
 *                                          reply subject that leads back (answers.h)
 */
#ifndef LSYS_BROKER_LINKS_H
#define LSYS_BROKER_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/answers.h"
#include "broker/subject_index.h"
#include "broker/subject_map.h"
#include "verifier/nats_sharing.h"

struct account;
struct broker_trust;

struct link {
    struct subject_entry entry; /* first: the index hands these out */
    struct account *to;
    enum nats_share_kind kind;
    struct subject_map map;
    bool many_answers; /* of a service */
    int64_t threshold_ms;
};

struct links {
    struct subject_index *index; /* struct link, by the subject here */
    struct link **all;           /* owned */
    size_t count, capacity;
    struct answers answers; /* that the account's services owe */
    uint64_t followed;      /* number of the message that went along them last */
};

/* Makes the links of all accounts anew and logs the imports that cannot be carried out: those from
 * or to `changed`, or all for NULL. No message is on its way. */
void links_make(struct broker_trust *trust, const struct account *changed);

/* Frees them; NULL is fine. */
void links_free(struct links *links);

#endif
