/*
 * The license: what a vendor promises a customer, as the claims of a `license+jwt`. This module
 * reads the claims of a verified token, writes them for a new one, and judges a license at a
 * moment. It keeps no clock and reads no machine: time, place and machine are arguments.
 *
 * license_verify proves what does not change with time: form, `typ`, key, signature, claims.
 * license_check judges the rest, in this order, and stops at the first that fails:
 *
 *   1. STATUS_UNKNOWN_KEY        the key is no longer in the ring
 *   2. STATUS_KEY_NOT_VALID      the key's window excludes the license's iat
 *   3. STATUS_REVOKED            its jti is on the revocation list
 *   4. STATUS_WRONG_DEPLOYMENT   it names a deployment, and this is another
 *   5. STATUS_WRONG_FINGERPRINT  it lists a machine's components, and fewer than k of n are here
 *   6. STATUS_NOT_YET_VALID      now < nbf - 60 s
 *   7. STATUS_EXPIRED            now >= exp + grace_days
 *   8. STATUS_GRACE              now >= exp
 *
 * Place comes before time, so that a copied license says so also when it has expired.
 */
#ifndef LSYS_VERIFIER_LICENSE_H
#define LSYS_VERIFIER_LICENSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "codec/json.h"
#include "codec/json_writer.h"
#include "verifier/claims.h"
#include "verifier/fingerprint.h"
#include "verifier/jws.h"
#include "verifier/key_ring.h"
#include "verifier/revocations.h"
#include "verifier/signer.h"

/* Clocks of machines that were just installed are a little behind. There is none for `exp`. */
#define LICENSE_NOT_BEFORE_LEEWAY_MS 60000

/* Most features: product catalogues have tens. Status messages repeat them in every heartbeat. */
#define LICENSE_FEATURES_MAX 256

/* Longest name of a feature; it is part of URLs and environment variables. */
#define LICENSE_FEATURE_NAME_BYTES_MAX 64

/* Most thumbprints in server_jkts: a site has two or three servers. */
#define LICENSE_SERVERS_MAX 8

#define LICENSE_GRACE_DAYS_MAX 3650

/* A text claim and its NUL. */
#define LICENSE_TEXT_BYTES (CLAIM_TEXT_BYTES_MAX + 1)

enum license_feature_kind {
    LICENSE_FEATURE_FLAG,   /* true */
    LICENSE_FEATURE_NUMBER, /* a limit, as in nodes = 50 */
    LICENSE_FEATURE_TEXT
};

/* What a product does with a feature when the license no longer grants it. */
enum license_degrade {
    LICENSE_DEGRADE_BLOCK,    /* off; the default */
    LICENSE_DEGRADE_READONLY, /* existing data can be seen, nothing new made */
    LICENSE_DEGRADE_ADVISE    /* goes on, with a notice */
};

struct license_feature {
    char name[LICENSE_FEATURE_NAME_BYTES_MAX + 1];
    enum license_feature_kind kind;
    enum license_degrade degrade;
    double number; /* LICENSE_FEATURE_NUMBER, else 0 */
    char *text;    /* LICENSE_FEATURE_TEXT, else NULL; owned, at most CLAIM_TEXT_BYTES_MAX */
};

/* All claims. Texts that a token lacks are "". Made by license_new, freed by license_free. */
struct license {
    char issuer[LICENSE_TEXT_BYTES];        /* iss */
    char customer[LICENSE_TEXT_BYTES];      /* sub */
    char license_id[LICENSE_TEXT_BYTES];    /* jti */
    char product[LICENSE_TEXT_BYTES];       /* product; may be "" */
    char edition[LICENSE_TEXT_BYTES];       /* edition */
    char deployment_id[LICENSE_TEXT_BYTES]; /* deployment_id; "": any */
    int64_t issued_at_ms;                   /* iat */
    int64_t not_before_ms;                  /* nbf; iat when the token has none */
    int64_t expires_at_ms; /* exp; required: a perpetual license names a far year */
    int64_t grace_days;    /* grace_days; 0 */
    int64_t serial;        /* serial; 0 */
    int64_t seats;         /* seats; 0: not limited */
    struct fingerprint_demand fingerprints;                   /* fingerprints, fingerprint_match */
    char server_jkts[LICENSE_SERVERS_MAX][SHA256_TEXT_BYTES]; /* server_jkts */
    size_t server_jkts_count;
    struct license_feature *features; /* features and degrade, in the order of the token; owned */
    size_t features_count;

    /* About the token it came from; "" while none. */
    char kid[SHA256_TEXT_BYTES];          /* thumbprint of the key that signed it */
    char token_sha256[SHA256_TEXT_BYTES]; /* digest of the whole token, base64url */
};

/* An empty license, owned by the caller. */
struct license *license_new(void);

/* NULL is harmless. */
void license_free(struct license *license);

/* Reads claims that may come from a token (verified by the caller) or from a vendor's file. Returns
 * a license, owned by the caller, or NULL with STATUS_BAD_CLAIM naming the claim. Required: iss,
 * sub, jti, iat, exp, edition; exp must be after nbf. A feature whose value is false is not
 * granted, and is left out. */
struct license *license_read_claims(const struct json_value *claims,
                                    struct status *status) MUST_CHECK;

/* Verifies a bare token (no armour) with the ring's license keys and reads its claims. Returns a
 * license, owned by the caller, or NULL with a code of verifier/jws.h or STATUS_BAD_CLAIM. */
struct license *license_verify(struct bytes token, const struct key_ring *ring,
                               struct jws_memo *memo, struct status *status) MUST_CHECK;

/* Where and when a license is judged. */
struct license_circumstances {
    const struct key_ring *ring;           /* NULL: keys are not looked at again */
    const struct revocations *revocations; /* NULL: there is no list */
    const char *deployment_id;             /* NULL: not judged here; "": this place has none */
    const struct fingerprint *fingerprint; /* NULL: not judged here */
    int64_t now_ms;
};

/* True when the license is valid. Otherwise false with one of the codes above; STATUS_GRACE means
 * that it has expired and still counts until license_grace_ends_at_ms. */
bool license_check(const struct license *license, const struct license_circumstances *circumstances,
                   struct status *status) MUST_CHECK;

/* exp + grace_days. */
int64_t license_grace_ends_at_ms(const struct license *license);

/* The feature with this name, or NULL. */
const struct license_feature *license_find_feature(const struct license *license, const char *name);

/* True when the license names no servers, or this thumbprint is among them. */
bool license_accepts_server(const struct license *license, const char *thumbprint);

/* Writes the key of the license's serial line, one for each (iss, product, sub, deployment_id): a
 * digest of the four, base64url. The highest verified serial of a line is kept; nothing older
 * replaces it. */
void license_serial_line(const struct license *license, char out[SHA256_TEXT_BYTES]);

/* For issuing. Adds a feature, or replaces the one of that name. `text` is copied (NULL unless
 * LICENSE_FEATURE_TEXT). STATUS_USAGE for a name or value that is not fit, or one feature too
 * many. */
bool license_add_feature(struct license *license, const char *name, enum license_feature_kind kind,
                         double number, const char *text, struct status *status) MUST_CHECK;

/* For issuing. False with STATUS_USAGE, naming the field, when the license would be refused by
 * readers or is nonsense (exp not after nbf, k above n, required text missing ...). */
bool license_validate(const struct license *license, struct status *status) MUST_CHECK;

/* Writes all claims as one object; those that have their default are left out. */
void license_write_claims(const struct license *license, struct json_writer *writer);

/* Validates, then appends the signed token to `token`, which is empty. */
bool license_sign(const struct license *license, const struct signer *signer, struct buffer *token,
                  struct status *status) MUST_CHECK;

/* Writes the features as an object {name: true, number or text}; {} when there are none. For the
 * token and for everything that shows a license. */
void license_write_features(const struct license *license, struct json_writer *writer);

/* Writes the seats as everything shows them: {"total":25,"enforced":false}; total is null when they
 * are not limited, or there is no license (NULL). They are carried and shown; nobody counts
 * them. */
void license_write_seats(const struct license *license, struct json_writer *writer);

/* "block", "readonly", "advise". */
const char *license_degrade_name(enum license_degrade degrade);
bool license_degrade_find(const char *name, enum license_degrade *out);

#endif
