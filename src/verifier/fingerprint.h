/*
 * Matching a machine's fingerprint against the one in a license. A machine has components (machine
 * id, board serial, network address ...); each is known only by a digest, so that a license reveals
 * nothing about a customer's hardware. A license lists the digests of one machine's components and
 * how many of them must still be there, so that a new network card does not end it. Reading the
 * machine is app/machine's work, not ours.
 */
#ifndef LSYS_VERIFIER_FINGERPRINT_H
#define LSYS_VERIFIER_FINGERPRINT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "verifier/sha256.h"

/* Most components of a machine or a license; a machine offers about 8. */
#define FINGERPRINT_COMPONENTS_MAX 16

/* Longest name of a component, "machine-id", with its NUL. */
#define FINGERPRINT_NAME_BYTES 32

struct fingerprint_component {
    char name[FINGERPRINT_NAME_BYTES]; /* for people; the digest covers it */
    char digest[SHA256_TEXT_BYTES];    /* see fingerprint_add */
};

/* A machine's fingerprint. Zero-initialised it has no components. */
struct fingerprint {
    struct fingerprint_component components[FINGERPRINT_COMPONENTS_MAX];
    size_t count;
};

/* What a license asks for. Zero-initialised it asks for nothing. */
struct fingerprint_demand {
    char digests[FINGERPRINT_COMPONENTS_MAX][SHA256_TEXT_BYTES];
    size_t count; /* n; 0: any machine */
    size_t match; /* k: at least so many of them must be present, 1 <= k <= n */
};

/* Adds a component: its digest is base64url(SHA-256("lsys-fingerprint-1" LF name LF value)), with
 * the value's surrounding blanks removed. False when it has no value, the name is too long or the
 * machine has FINGERPRINT_COMPONENTS_MAX components already. */
bool fingerprint_add(struct fingerprint *fingerprint, const char *name, struct bytes value);

/* How many of the demanded digests the machine has. Digests are compared, names are not. */
size_t fingerprint_count_matches(const struct fingerprint_demand *demand,
                                 const struct fingerprint *machine);

/* True when the demand is met: it asks for nothing, or at least k of its n digests are present. */
bool fingerprint_matches(const struct fingerprint_demand *demand,
                         const struct fingerprint *machine);

/* True when the text has the form of a digest: canonical base64url of 32 bytes. */
bool fingerprint_digest_is_fit(const char *digest);

#endif
