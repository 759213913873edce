/*
 * One message of `license.status`, or an answer to a nonce, read as far as that is possible without
 * checking a signature: size, JSON, version and type, the form of the proof, and that everything
 * around the proof says the same as the proof. Nothing in it may be believed before
 * status_proof_verify; it is enough to refuse most of what does not come from a license server, at
 * the price of parsing it.
 */
#ifndef LSYS_ROLES_LICENSE_CLIENT_MESSAGE_H
#define LSYS_ROLES_LICENSE_CLIENT_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "codec/json.h"
#include "verifier/status_proof.h"

/* A license, a key ring and a revocation list of the largest size each (JWS_TOKEN_BYTES_MAX), and
 * the text around them; also what NATS carries by default. */
#define STATUS_MESSAGE_BYTES_MAX ((size_t)1024 * 1024)

/* The only version there is; a later one may mean other things by the same names. */
#define STATUS_MESSAGE_VERSION 1

enum status_message_type {
    STATUS_MESSAGE_STATUS,    /* at the server's start, at a change, and as the answer to a nonce */
    STATUS_MESSAGE_HEARTBEAT, /* nothing changed */
    STATUS_MESSAGE_UPDATE,    /* a file changed */
};

struct status_message {
    struct json_document *document; /* owned; what follows borrows from it */
    enum status_message_type type;
    struct bytes proof_token;
    struct status_proof proof; /* read, agreed with, not verified */
    struct bytes license;      /* bare tokens; empty when the message has none */
    struct bytes keyring;
    struct bytes revocations;
};

/* Reads a message. On success the caller gives `out` to status_message_free; on failure there is
 * nothing to free and the status says what is wrong: STATUS_TOO_LARGE, STATUS_BAD_JSON,
 * STATUS_MALFORMED, STATUS_BAD_CLAIM (the outer fields and the proof disagree), or a code of the
 * proof's form from verifier/jws.h. */
bool status_message_read(struct bytes text, struct status_message *out,
                         struct status *status) MUST_CHECK;

/* Frees what status_message_read made; harmless when done twice. */
void status_message_free(struct status_message *message);

#endif
