/*
 * A vendor and license servers as far as their signatures go, for unit tests of those who listen:
 * real keys, real licenses, and messages of `license.status` that are right, or wrong in one chosen
 * way.
 */
#ifndef LSYS_TESTS_LIB_STATUS_MESSAGES_H
#define LSYS_TESTS_LIB_STATUS_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "tests/lib/folder.h"
#include "verifier/license.h"
#include "verifier/private_key.h"
#include "verifier/revocations.h"

/* A day, for expiry dates. */
#define TEST_DAY_MS INT64_C(86400000)

struct test_vendor {
    char folder[TEST_FOLDER_BYTES];
    char keys_path[TEST_FOLDER_BYTES + 16]; /* its public keys, a JWK set in that folder */
    struct private_key key;
};

/* Makes keys and the file. Ends the test when that fails. */
void test_vendor_make(struct test_vendor *vendor);
void test_vendor_free(struct test_vendor *vendor);

/* What a test wants of a license; the rest is the same for all. */
struct test_license {
    const char *customer; /* NULL: "ACME" */
    int64_t serial;
    int64_t now_ms;        /* issued a minute before that */
    int64_t expires_at_ms; /* 0: in 90 days */
    int64_t grace_days;
    const char *server_jkt; /* the one server that it names; NULL: none */
};

/* Signs a license: id "license-<customer>-<serial>", edition "enterprise", features sso (true,
 * degrades to advise) and nodes (50, degrades to readonly) and reports (true, blocks). Frees with
 * buffer_free. */
void test_license_sign(const struct test_vendor *vendor, const struct test_license *wanted,
                       struct buffer *token);

/* Signs a revocation list with one license. */
void test_revocations_sign(const struct test_vendor *vendor, int64_t serial, const char *license_id,
                           int64_t now_ms, struct buffer *token);

/* One message. */
struct test_message {
    const struct private_key *server; /* signs the proof */
    const char *type;                 /* NULL: "status" */
    const char *status;               /* NULL: "valid" */
    int64_t seq;
    int64_t sent_at_ms;
    const char *nonce;          /* or NULL */
    const struct buffer *token; /* the server's license; NULL: it has none */
    bool without_token;         /* a heartbeat: names its license, does not carry it */
    const struct buffer *revocations;
    const char *outer_status; /* what stands outside the proof, if not the same */
    int64_t outer_seq;        /* the same; 0: as in the proof */
    bool break_signature;
};

/* Writes the message as JSON to `out`, which is initialised and empty. */
void test_message_write(const struct test_message *wanted, struct buffer *out);

#endif
