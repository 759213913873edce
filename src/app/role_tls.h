/*
 * The TLS of a role's listeners, from the rows tls_cert, tls_key and tls_client_ca of http_options.
 * The files are read again at SIGHUP and when they change, so that a certificate can be renewed
 * while the role runs: connections that there are go on, new ones get the new certificate. Files
 * that cannot be used leave the old certificate in force, and the log says why.
 */
#ifndef LSYS_APP_ROLE_TLS_H
#define LSYS_APP_ROLE_TLS_H

#include "app/role.h"
#include "base/attributes.h"
#include "base/status.h"
#include "net/tls_context.h"

struct role_tls;

/* Reads the files. `*out` is NULL when no certificate is configured. `protocol` is ALPN's name for
 * what is spoken, a constant text, or NULL. False with STATUS_CONFIG (a key is missing), or what is
 * wrong with a file, naming the flag. Ends with role_tls_close. */
bool role_tls_open(struct role_context *context, const char *protocol, struct role_tls **out,
                   struct status *status) MUST_CHECK;

/* For listeners, which hold it themselves. */
struct tls_server_context *role_tls_context(const struct role_tls *tls);

/* True when clients must have a certificate: then TLS is a credential as well. */
bool role_tls_demands_certificates(const struct role_tls *tls);

/* Stops watching and frees. NULL is accepted. */
void role_tls_close(struct role_tls *tls);

#endif
