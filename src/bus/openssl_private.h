/*
 * What the files of the OpenSSL interface share; and, for the tests and bus/connection.c, the last
 * error in our own form.
 */
#ifndef LSYS_BUS_OPENSSL_PRIVATE_H
#define LSYS_BUS_OPENSSL_PRIVATE_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/bytes.h"
#include "base/status.h"
#include "bus/openssl.h"
#include "net/tls_context.h"

/* ---- openssl_error.c ---- */

/* Makes this the calling thread's last error, and sets errno to something that is not EAGAIN, which
 * nats.c would take for "no data yet" for ever. */
void openssl_set_error(const struct status *status);

/* Forgets it. */
void openssl_clear_error(void);

/* The calling thread's last error; STATUS_OK when there is none. Valid until its next call. */
const struct status *openssl_last_error(void);

/* ---- openssl_memory.c ---- */

/* From here on, until the second call, the calling thread remembers the TLS context of its last
 * connection. */
void openssl_memory_begin(void);
void openssl_memory_end(void);

/* A TLS context made from these texts, or the remembered one if it was; to be released by the
 * caller. NULL with the errors of tls_client_context_create. */
struct tls_client_context *openssl_memory_client(const struct tls_client_options *options,
                                                 struct status *status) MUST_CHECK;

/* ---- openssl_certificate.c ---- */

/* A copy of a certificate (DER), for X509_free. NULL when it cannot be read. */
struct openssl_certificate *openssl_certificate_copy(struct bytes der);

/* The certificate in DER, and the text that a key was read from. */
struct bytes openssl_certificate_der(const struct openssl_certificate *certificate);
struct bytes openssl_key_text(const struct openssl_key *key);

/* ---- openssl_verification.c ---- */

/* What a verify callback is told about a refused certificate. */
struct openssl_verification {
    struct openssl_connection *connection;
    struct openssl_certificate *certificate;
    const struct status *why;
};

/* ---- openssl_context.c ---- */

/* One more holder, to be released with SSL_CTX_free. */
struct openssl_context *openssl_context_retain(struct openssl_context *context);

/* The TLS context of what was set so far, made at the first call and held by `context`. NULL with
 * the error set. */
struct tls_client_context *openssl_context_client(struct openssl_context *context);

/* Reads the files as a connection will, to find mistakes early. `ca` may be NULL, and so may the
 * two others. False with what is wrong; STATUS_CONFIG when only one of the two is there. */
bool openssl_check_files(const char *ca, const char *certificate, const char *key,
                         struct status *status) MUST_CHECK;

#endif
