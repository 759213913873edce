/*
 * The key that a vendor's tool signs with: a private key file, sealed or not, or an external
 * signer.
 */
#ifndef LSYS_ROLES_VENDOR_TOOLS_SIGNING_H
#define LSYS_ROLES_VENDOR_TOOLS_SIGNING_H

#include <stdbool.h>

#include "app/options.h"
#include "app/signer_command.h"
#include "base/attributes.h"
#include "base/status.h"
#include "verifier/key_ring.h"
#include "verifier/private_key.h"
#include "verifier/signer.h"

/* key, passphrase_file, signer, public_key. For a command's `shared` tables. */
extern const struct option signing_options[];

struct signing {
    struct signer signer; /* what the token functions take */
    struct private_key key;
    struct signer_command *command;
};

/* Makes the signer that the options name: --key (asking for a passphrase on the terminal when the
 * key is sealed and there is no --passphrase-file) or --signer with --public-key. The caller gives
 * `out`, which must not move, to signing_close in any case. */
bool signing_open(const struct options *options, struct signing *out,
                  struct status *status) MUST_CHECK;

/* Overwrites the key. */
void signing_close(struct signing *signing);

/* Reads a set of public keys (JWKS, or one JWK) from a file into `ring` for the given uses; the
 * private key's file is refused. */
bool signing_read_keys(const char *path, uint32_t uses, struct key_ring *ring,
                       struct status *status) MUST_CHECK;

#endif
