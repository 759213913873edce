/*
 * liblsys: checking an lsys license inside a C or C++ program. It does no I/O and reads no clock:
 * the caller brings bytes and the time, and gets a verdict. `make liblsys.a` builds one archive
 * that needs nothing but the C library and -lm, and exports only the names in this header.
 *
 *     cc -o app app.c liblsys.a -lm
 *
 * There are two ways. lsys_check verifies a license file with the vendor's public keys, offline. Or
 * the program asks the license client that runs beside it: lsys_ask_request and lsys_ask_response
 * make the bytes to send and read the bytes that come, over a TCP connection or unix socket of the
 * caller's.
 *
 * All functions may be called from several threads at once, each with its own objects. When the
 * machine has no memory for a few hundred bytes, the process ends.
 */
#ifndef LSYS_H
#define LSYS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- a license file, verified here ---- */

/* Bytes of the caller's; NULL and 0 when there are none. */
struct lsys_bytes {
    const char *data;
    size_t length;
};

struct lsys_question {
    struct lsys_bytes license;     /* content of the license file, in armour or bare */
    struct lsys_bytes keys;        /* the vendor's public keys: a JWK set */
    struct lsys_bytes roots;       /* the vendor's root keys, a JWK set; only with a key ring */
    struct lsys_bytes keyring;     /* the signed key ring, if the vendor has one */
    struct lsys_bytes revocations; /* the signed revocation list, if there is one */
    const char *deployment_id;     /* of this place; NULL: not judged */
    long long now_ms;              /* milliseconds since 1970-01-01T00:00:00Z */
};

enum lsys_verdict {
    LSYS_VALID,
    LSYS_GRACE,  /* expired, and within the license's own grace: it still counts */
    LSYS_REFUSED /* lsys_license_code tells why */
};

enum lsys_feature {
    LSYS_FEATURE_NONE, /* not granted */
    LSYS_FEATURE_FLAG,
    LSYS_FEATURE_NUMBER,
    LSYS_FEATURE_TEXT
};

struct lsys_license;

/* Judges a license. Never NULL; the caller gives it to lsys_license_free. A license bound to a
 * machine (fingerprints) is not held to that here: the license server does it. Takes about a
 * millisecond. */
struct lsys_license *lsys_check(const struct lsys_question *question);

/* NULL is harmless. */
void lsys_license_free(struct lsys_license *license);

enum lsys_verdict lsys_license_verdict(const struct lsys_license *license);

/* "ok", "grace", "expired", "not_yet_valid", "revoked", "bad_signature", "unknown_key" ...:
 * stable. */
const char *lsys_license_code(const struct lsys_license *license);

/* The same for people, in a sentence; "" when valid. */
const char *lsys_license_message(const struct lsys_license *license);

/* The licensed edition while the verdict is LSYS_VALID or LSYS_GRACE, else "community". */
const char *lsys_license_edition(const struct lsys_license *license);

/* What the vendor signed, also when it has expired; "" and 0 when nothing could be verified. */
const char *lsys_license_id(const struct lsys_license *license);
const char *lsys_license_customer(const struct lsys_license *license);
const char *lsys_license_product(const struct lsys_license *license);
long long lsys_license_expires_at_ms(const struct lsys_license *license);
long long lsys_license_serial(const struct lsys_license *license);
long long lsys_license_seats(const struct lsys_license *license);

/* Whether a feature is granted, and its limit: `*number` or `*text` (either may be NULL) are set
 * for those kinds. The text lives as long as the license. Nothing is granted when the license is
 * refused. */
enum lsys_feature lsys_license_feature(const struct lsys_license *license, const char *name,
                                       double *number, const char **text);

/* ---- the license client beside the program, asked ---- */

/* Largest request and largest answer that is read. */
#define LSYS_REQUEST_BYTES 512
#define LSYS_ANSWER_BYTES  (256 * 1024)

/* Writes the HTTP request for a feature, or for the license when `feature` is NULL. Returns its
 * length, or 0 when the name is empty or too long. The connection is closed by the client after its
 * answer. */
size_t lsys_ask_request(const char *feature, char out[LSYS_REQUEST_BYTES]);

enum lsys_progress {
    LSYS_NEEDS_MORE, /* read more bytes and call again with all of them */
    LSYS_ANSWERED,
    LSYS_NO_ANSWER /* what came is not the answer of a license client */
};

struct lsys_answer {
    int http_status;
    int granted;       /* 1: the feature may be used, or a license is in force */
    double limit;      /* of a feature that has a number, else 0 */
    char edition[264]; /* "community" when nothing else was said */
    char status[32];   /* "valid", "grace", "expired", "missing" ... */
    char reason[512];  /* for people */
};

/* Reads what came so far: all `length` bytes from the beginning. `ended` is 1 when the peer has
 * closed. `*out` is filled in every case, with granted = 0 unless the answer says otherwise. */
enum lsys_progress lsys_ask_response(const char *bytes, size_t length, int ended,
                                     struct lsys_answer *out);

#ifdef __cplusplus
}
#endif

#endif
