/*
 * Tokens for tests, also such as no library would make: any header, any claims, any signature.
 */
#ifndef LSYS_TESTS_LIB_TOKENS_H
#define LSYS_TESTS_LIB_TOKENS_H

#include "base/buffer.h"
#include "verifier/key_ring.h"
#include "verifier/license.h"
#include "verifier/private_key.h"

/* Makes a key of the type and a ring that trusts it for `uses` without a window. The caller frees
 * the ring. */
struct key_ring *tokens_make_key(enum jwk_type type, uint32_t uses, struct private_key *key);

/* Signs `header` and `claims` as they are, whatever they are, into `token`, which is initialised
 * here. Each "KID" in the header stands for the key's thumbprint. */
void tokens_sign_raw(const struct private_key *key, const char *header, const char *claims,
                     struct buffer *token);

/* As tokens_sign_raw with the ordinary header for a `typ`. */
void tokens_sign(const struct private_key *key, const char *typ, const char *claims,
                 struct buffer *token);

/* When the licenses of tests are issued: 2027-01-15T08:00:00Z. */
#define TOKENS_ISSUED_MS INT64_C(1800000000000)

/* Makes a license of 30 days and 3 days of grace, for deployment "site-7", serial 9, 25 seats, with
 * the features sso, nodes = 50 and tier = gold. The caller frees it. */
struct license *tokens_make_license(void);

#endif
