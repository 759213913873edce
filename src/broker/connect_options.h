/*
 * The JSON of CONNECT. Members that are absent keep the value they had, so that a second CONNECT
 * changes what it names, as with nats-server.
 */
#ifndef LSYS_BROKER_CONNECT_OPTIONS_H
#define LSYS_BROKER_CONNECT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "broker/users.h"
#include "codec/json.h"

struct connect_options {
    bool verbose;  /* +OK after each operation */
    bool pedantic; /* check the subjects that are published to */
    bool echo;     /* own messages come back to own subscriptions */
    bool headers;
    bool no_responders; /* wants 503 when a request reaches nobody */
    int64_t protocol;
};

/* The members that are looked at once, borrowed from the document. */
struct connect_texts {
    struct broker_credentials credentials;
    const char *account;
    const char *token; /* of a user in operator mode ("jwt") */
    const char *name;
    const char *language;
    const char *version;
};

/* What holds before CONNECT and for members that were never sent. */
extern const struct connect_options connect_options_default;

/* Reads CONNECT's argument into both. Returns the document that the texts live in, for the caller
 * to free, or NULL when it is no JSON object or a member has the wrong type. */
struct json_document *connect_options_read(struct bytes json, struct connect_options *options,
                                           struct connect_texts *texts) MUST_CHECK;

#endif
