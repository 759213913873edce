#include "verifier/secret.h"

#include "base/memory.h"

struct secret_digest secret_digest_of(struct bytes secret) {
    struct secret_digest digest;
    sha256_digest(secret, digest.sha256);
    return digest;
}

bool secret_matches(const struct secret_digest *digest, struct bytes presented) {
    struct secret_digest other = secret_digest_of(presented);
    return secret_digests_match(digest, &other);
}

bool secret_digests_match(const struct secret_digest *left, const struct secret_digest *right) {
    return memory_equal_constant_time(left->sha256, right->sha256, SHA256_BYTES);
}
