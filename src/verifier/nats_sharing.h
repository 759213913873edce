/*
 * What accounts of NATS share with each other, as their tokens say it (nats-io/jwt, version 2): an
 * account exports a stream, which others may hear, or a service, which others may ask; another
 * imports it, under a subject of its own if it likes. A private export wants an activation, a token
 * that the exporter has signed for the importer. Whether an import may be carried out is decided
 * where subjects are known (broker/sharing.h).
 */
#ifndef LSYS_VERIFIER_NATS_SHARING_H
#define LSYS_VERIFIER_NATS_SHARING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verifier/nkey.h"

/* Most exports, and most imports, of an account. */
#define NATS_SHARES_MAX 4096

enum nats_share_kind {
    NATS_STREAM, /* the importer hears what is published in the exporter's account */
    NATS_SERVICE /* what the importer publishes goes to the exporter's account, and answers back */
};

/* How many messages answer one request. Both of the latter: any number. */
enum nats_responses { NATS_RESPONSES_SINGLE, NATS_RESPONSES_STREAM, NATS_RESPONSES_CHUNKED };

struct nats_revocation {
    char key[NKEY_PUBLIC_TEXT_BYTES]; /* a user (in an export: an account), or "*" for all */
    int64_t at_s;                     /* tokens issued at this second or before are revoked */
};

/* Sorted by key (strcmp); owned. */
struct nats_revocations {
    struct nats_revocation *items;
    size_t count;
};

/* Texts are owned; NULL: none. */
struct nats_export {
    char *name;
    char *subject;
    enum nats_share_kind kind;
    bool is_private;                     /* importers need an activation */
    int64_t account_token_position;      /* > 0: this token of the subject is the importer's key */
    enum nats_responses responses;       /* of a service */
    int64_t response_threshold_ns;       /* how long answers may take; 0: the default, 2 minutes */
    struct nats_revocations revocations; /* of activations */
};

struct nats_import {
    char *name;
    char *subject; /* the exporter's; of a service with `to`: the importer's */
    char *to;      /* the older way: a prefix for a stream, the exporter's subject of a service */
    char *local_subject; /* the importer's; its "$1" is the first wildcard of `subject` */
    char account[NKEY_PUBLIC_TEXT_BYTES]; /* the exporter */
    enum nats_share_kind kind;
    bool shares_details;                /* lets a service know more of who asks */
    char *token;                        /* the activation as it was given */
    struct nats_activation *activation; /* the same, when it is a token that is signed well */
};

#endif
