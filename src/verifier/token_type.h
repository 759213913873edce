/*
 * The kinds of signed token. Each has its own `typ`, compared exactly, and its own set of keys in a
 * ring: a key that may sign revocation lists need not be able to sign licenses.
 */
#ifndef LSYS_VERIFIER_TOKEN_TYPE_H
#define LSYS_VERIFIER_TOKEN_TYPE_H

#include <stdbool.h>
#include <stdint.h>

enum token_type {
    TOKEN_LICENSE,      /* license+jwt, signed by the vendor */
    TOKEN_KEYRING,      /* keyring+jwt, signed by the vendor's root */
    TOKEN_REVOCATIONS,  /* revocations+jwt, signed by the vendor */
    TOKEN_STATUS,       /* status+jwt, signed by a license server's own key */
    TOKEN_BINDING,      /* binding+jwt, signed by the activation authority */
    TOKEN_SUBSCRIPTION, /* subscription+jwt, signed by the activation authority */
    TOKEN_REQUEST,      /* request+jwt, signed by a device's key */
    TOKEN_TYPES         /* how many there are */
};

/* A set of token types, one bit each: TOKEN_USE(TOKEN_LICENSE) | TOKEN_USE(TOKEN_REVOCATIONS). */
#define TOKEN_USE(type) (UINT32_C(1) << (type))

/* What a vendor's ordinary key set is trusted for. */
#define TOKEN_USES_VENDOR (TOKEN_USE(TOKEN_LICENSE) | TOKEN_USE(TOKEN_REVOCATIONS))

/* The `typ` header of a type, "license+jwt". */
const char *token_type_name(enum token_type type);

/* The type with this `typ`; false when there is none. Exact: neither case nor "application/" is
 * forgiven. */
bool token_type_find(const char *name, enum token_type *out);

#endif
