/*
 * Where a role may listen. Loopback always; anywhere else only with TLS and a credential, or when
 * the operator said --insecure-listen aloud.
 */
#ifndef LSYS_APP_LISTEN_POLICY_H
#define LSYS_APP_LISTEN_POLICY_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/status.h"
#include "net/address.h"

/* What protects the listener. */
struct listen_protection {
    bool tls;
    bool credential;      /* callers prove who they are */
    bool insecure_listen; /* --insecure-listen was given */
};

/* False with STATUS_CONFIG, saying what is missing and naming `flag` ("--http"), when listening
 * there is not allowed. An insecure listener that is allowed is logged as a warning with `role`. */
bool listen_policy_check(const char *role, const char *flag, const struct address *address,
                         struct listen_protection protection, struct status *status) MUST_CHECK;

#endif
