/*
 * The one way in which lsys reports that something did not work. A function that can fail returns
 * bool and takes a `struct status` last. The first error wins: what is recorded first is nearest to
 * the root cause, and later calls to status_fail leave it alone. Codes have stable names, because
 * scripts, HTTP clients (RFC 9457 `code`) and exit codes refer to them.
 */
#ifndef LSYS_BASE_STATUS_H
#define LSYS_BASE_STATUS_H

#include <stdarg.h>
#include <stdbool.h>

#include "base/attributes.h"

/* One error in full, with room for a path and a system error text. */
#define STATUS_TEXT_BYTES 512

/* Ranges by floor; numbers may change between versions, names may not. */
enum status_code {
    STATUS_OK = 0,

    /* The call and the machine (base, app). */
    STATUS_USAGE = 1,   /* wrong flags or arguments */
    STATUS_CONFIG,      /* a configuration file or variable is wrong */
    STATUS_IO,          /* the system refused: the text says which call and why */
    STATUS_NOT_FOUND,   /* a file, key or record that is not there */
    STATUS_PERMISSION,  /* not allowed by the system, or by a file mode we insist on */
    STATUS_TOO_LARGE,   /* over a named limit */
    STATUS_NO_MEMORY,   /* a size chosen by an outsider could not be had */
    STATUS_BUSY,        /* locked or taken by another process */
    STATUS_TIMEOUT,     /* a deadline passed */
    STATUS_UNAVAILABLE, /* a peer or resource is not there now; trying again may help */
    STATUS_CANCELLED,   /* ended by ourselves, as at shutdown */
    STATUS_INTERNAL,    /* our own fault */

    /* Bytes and values (codec). */
    STATUS_MALFORMED = 100,  /* not what the format allows */
    STATUS_BAD_JSON,         /* not JSON, or JSON we refuse (depth, NUL, too big a number) */
    STATUS_DUPLICATE_MEMBER, /* a JSON object names a member twice */
    STATUS_BAD_ENCODING,     /* base64url that is not the canonical text of its bytes */
    STATUS_TRAILING_BYTES,   /* something follows where the format ends */

    /* What signatures must prove (verifier). */
    STATUS_BAD_SIGNATURE = 200,
    STATUS_BAD_SIGNATURE_LENGTH, /* not exactly 64 bytes */
    STATUS_UNKNOWN_KEY,          /* the `kid` is not in the ring for this `typ` */
    STATUS_KEY_NOT_VALID,        /* the ring's validity window excludes this token */
    STATUS_WRONG_ALGORITHM,      /* `alg` is not the key's */
    STATUS_WRONG_TYPE,           /* `typ` is not the expected one */
    STATUS_FORBIDDEN_HEADER,     /* jwk, jku, x5u, x5c, x5t and the like */
    STATUS_UNKNOWN_CRITICAL,     /* `crit` names what we do not implement */
    STATUS_BAD_CLAIM,            /* a claim is missing or has the wrong form */
    STATUS_EXPIRED,
    STATUS_GRACE, /* expired, within the license's own grace */
    STATUS_NOT_YET_VALID,
    STATUS_REVOKED,
    STATUS_WRONG_DEPLOYMENT,
    STATUS_WRONG_FINGERPRINT,
    STATUS_WRONG_PASSPHRASE,
    STATUS_OLD_SERIAL,    /* older than the highest verified serial of its line */
    STATUS_SIGNER_FAILED, /* the external signer did not give a usable signature */

    /* Network, bus, store. */
    STATUS_PROTOCOL = 300, /* the peer broke the protocol */
    STATUS_TLS,            /* TLS is wanted and cannot be had, or failed */
    STATUS_UNKNOWN_ISSUER, /* no trusted CA stands behind a certificate */
    STATUS_WRONG_NAME,     /* a certificate is for other hosts than this one */
    STATUS_UNAUTHORIZED,   /* credentials missing or refused */
    STATUS_FORBIDDEN,      /* credentials known, act not permitted */
    STATUS_DAMAGED,        /* a state file fails its integrity check */
    STATUS_NEWER_VERSION,  /* a state file was written by a newer lsys */
};

struct status {
    enum status_code code;
    char text[STATUS_TEXT_BYTES]; /* a sentence for people, without a final period */
};

/* A status that reports success; `struct status status = STATUS_INIT;`. */
#define STATUS_INIT                                                                                \
    { .code = STATUS_OK, .text = "" }

/* Records `code` and the text unless an error is already recorded. `status` may be NULL when the
 * caller does not care why. Always returns false, so that `return status_fail(...)` reads well. */
bool status_fail(struct status *status, enum status_code code, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* As status_fail, and adds ": " and the text of the system error `error_number` (an errno value).
 * ENOENT, EACCES/EPERM, EADDRINUSE and ENOMEM choose NOT_FOUND, PERMISSION, BUSY and NO_MEMORY;
 * everything else is STATUS_IO. */
bool status_fail_errno(struct status *status, int error_number, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Puts "format: " before the recorded text, to say what was being done when it happened. Does
 * nothing on success. Always returns false. */
bool status_context(struct status *status, const char *format, ...) PRINTF_LIKE(2, 3);

/* Forgets the recorded error so that the same status can be used for another attempt. */
void status_clear(struct status *status);

/* True when nothing has failed. */
bool status_is_ok(const struct status *status);

/* The stable name of a code in snake_case ("bad_signature"); never NULL. */
const char *status_code_name(enum status_code code);

/* The process exit code for a status: sysexits.h for the machine's errors, 10 to 29 for the
 * verdicts of a verification, each its own. 0 for STATUS_OK. */
int status_exit_code(enum status_code code);

#endif
