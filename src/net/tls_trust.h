/*
 * Whom a client believes: its CAs, and the sessions of servers that it has verified with them. It
 * never changes but for the sessions; connections hold the one that they began with, so that other
 * CAs can take its place while it is in use, and no session outlives the CAs that it rests on. For
 * the files of net's TLS only.
 */
#ifndef LSYS_NET_TLS_TRUST_H
#define LSYS_NET_TLS_TRUST_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/file_stamp.h"
#include "base/status.h"
#include "net/tls_sessions.h"
#include "verifier/x509_trust.h"

struct tls_trust {
    atomic_uint references;
    struct x509_trust *cas;
    struct tls_sessions *sessions;
    const char *path;        /* the system's bundle; NULL: the CAs were given */
    struct file_stamp stamp; /* of that file, when it was read */
    int64_t read_ns;
};

/* Reads the CAs of a PEM text. NULL with the errors of x509_trust_add_pem. */
struct tls_trust *tls_trust_read_pem(struct bytes text, struct status *status) MUST_CHECK;

/* Reads the system's CAs: 50 ms for the usual 144. NULL with STATUS_NOT_FOUND (this machine has no
 * bundle: the text says how to name one), or what file_read and x509_trust_add_pem say. */
struct tls_trust *tls_trust_read_system(struct status *status) MUST_CHECK;

/* False when the file that it was read from is another by now. */
bool tls_trust_is_current(const struct tls_trust *trust);

/* One more holder, and one less: the last frees it. NULL is accepted by the latter. */
struct tls_trust *tls_trust_retain(struct tls_trust *trust);
void tls_trust_release(struct tls_trust *trust);

#endif
