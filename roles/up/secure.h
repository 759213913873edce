/*
 * `lsys up --secure`: a CA, certificates and NATS accounts for the roles of this process, made at
 * the first start and kept in the folder `secure` of the data folder:
 *
 *     ca.pem, ca.key.pem            the CA: whoever is to believe us gets ca.pem
 *     server.pem, server.key.pem    what broker and HTTP listeners show; renewed before two thirds of its life
 *     nats/                         operator, account and keys, as `lsys nats init` makes them
 *     license-server.creds ...      one user for each role, and observer.creds for a look
 *
 * Only the user license-server may publish license.status, and only cache-master that licenses have
 * changed. The folder is 0700 and appears as a whole: it is made under another name and then
 * renamed.
 */
#ifndef LSYS_ROLES_UP_SECURE_H
#define LSYS_ROLES_UP_SECURE_H

#include <stddef.h>
#include <stdint.h>

#include "app/options.h"
#include "app/role.h"
#include "base/attributes.h"
#include "base/status.h"
#include "net/address.h"
#include "net/tls_context.h"
#include "roles/up/stack.h"

/* Most that secure_overrides writes. */
#define SECURE_OVERRIDES 25

struct secure;

/* Makes what is missing below `folder` and keeps the certificate fresh until secure_close. `hosts`
 * are addresses that the roles will listen on (NULL: not given), named in the certificate beside
 * those of this machine; each certificate lives for `life_ms`. NULL with the errors of files, of
 * the CA and of NATS tokens. */
struct secure *secure_open(struct role_context *context, const char *folder,
                           const struct address *hosts, size_t host_count, int64_t life_ms,
                           struct status *status) MUST_CHECK;

/* The roles that can be secured are the broker, which has to be among them, license-server,
 * license-client and the caches. STATUS_USAGE naming the one that is not. */
bool secure_check_roles(const char *const *roles, size_t count, struct status *status) MUST_CHECK;

/* Writes what the roles must be told; texts live as long as `secure`. Returns how many. */
size_t secure_overrides(const struct secure *secure, struct stack_override out[SECURE_OVERRIDES]);

/* Has the options of the status page name the certificate, unless they name one. */
bool secure_page_options(const struct secure *secure, struct options *options,
                         struct status *status) MUST_CHECK;

/* For calls to the roles: trusts the CA and nobody else. */
struct tls_client_context *secure_client(const struct secure *secure);

/* The files that a person at this machine needs: ca.pem, and observer.creds. */
const char *secure_ca_path(const struct secure *secure);
const char *secure_observer_path(const struct secure *secure);

/* Stops renewing and frees. NULL is fine. */
void secure_close(struct secure *secure);

#endif
