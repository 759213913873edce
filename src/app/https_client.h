/*
 * Whom a role or tool believes when it calls others over https, and who it says it is: the rows of
 * https_options.
 */
#ifndef LSYS_APP_HTTPS_CLIENT_H
#define LSYS_APP_HTTPS_CLIENT_H

#include "app/options.h"
#include "base/attributes.h"
#include "base/status.h"
#include "net/tls_context.h"

/* Reads the files. `*out` is for http_call_options.tls, and is released by the caller. Without
 * https_ca the system's CAs are trusted; they are read, off the loop, when the first call needs
 * them. False with STATUS_CONFIG (a certificate without its key) or what is wrong with a file,
 * naming the flag. */
bool https_client_open(const struct options *options, struct tls_client_context **out,
                       struct status *status) MUST_CHECK;

#endif
