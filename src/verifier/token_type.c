#include "verifier/token_type.h"

#include <string.h>

#include "base/assertion.h"

static const char *const names[TOKEN_TYPES] = {
    [TOKEN_LICENSE] = "license+jwt",         [TOKEN_KEYRING] = "keyring+jwt",
    [TOKEN_REVOCATIONS] = "revocations+jwt", [TOKEN_STATUS] = "status+jwt",
    [TOKEN_BINDING] = "binding+jwt",         [TOKEN_SUBSCRIPTION] = "subscription+jwt",
    [TOKEN_REQUEST] = "request+jwt",
};

const char *token_type_name(enum token_type type) {
    ASSERT(type < TOKEN_TYPES);
    return names[type];
}

bool token_type_find(const char *name, enum token_type *out) {
    for (enum token_type type = 0; type < TOKEN_TYPES; type++) {
        if (strcmp(names[type], name) == 0) {
            *out = type;
            return true;
        }
    }
    return false;
}
