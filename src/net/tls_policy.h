/*
 * Which certificate a server shows, and signing with its key: BearSSL's server policy for several
 * certificates. The name that the client asks for (SNI) chooses among them, then what kinds of keys
 * it can verify. For the files of net's TLS only.
 */
#ifndef LSYS_NET_TLS_POLICY_H
#define LSYS_NET_TLS_POLICY_H

#include <bearssl.h>

#include "net/tls_context_private.h"

struct tls_policy {
    const br_ssl_server_policy_class *vtable; /* first, as BearSSL wants it */
    const struct tls_credentials *credentials;
    const struct tls_key_pair *chosen; /* NULL before the ClientHello */
};

/* `credentials` is borrowed. Give &policy->vtable to br_ssl_server_set_policy. */
void tls_policy_init(struct tls_policy *policy, const struct tls_credentials *credentials);

#endif
