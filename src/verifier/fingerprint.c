#include "verifier/fingerprint.h"

#include <stdint.h>
#include <string.h>

#include "codec/base64url.h"

/* Keeps the digests apart from any other use of SHA-256 on the same values. */
#define DIGEST_DOMAIN "lsys-fingerprint-1\n"

bool fingerprint_add(struct fingerprint *fingerprint, const char *name, struct bytes value) {
    value = bytes_trim(value);
    if (value.length == 0 || strlen(name) >= FINGERPRINT_NAME_BYTES ||
        fingerprint->count == FINGERPRINT_COMPONENTS_MAX)
        return false;
    struct fingerprint_component *component = &fingerprint->components[fingerprint->count++];
    uint8_t digest[SHA256_BYTES];
    struct sha256_stream stream;
    sha256_stream_init(&stream);
    sha256_stream_add(&stream, bytes_of_text(DIGEST_DOMAIN));
    sha256_stream_add(&stream, bytes_of_text(name));
    sha256_stream_add(&stream, bytes_of_text("\n"));
    sha256_stream_add(&stream, value);
    sha256_stream_finish(&stream, digest);
    memcpy(component->name, name, strlen(name) + 1);
    base64url_encode(bytes_of(digest, sizeof digest), component->digest);
    return true;
}

static bool machine_has(const struct fingerprint *machine, const char *digest) {
    for (size_t i = 0; i < machine->count; i++)
        if (strcmp(machine->components[i].digest, digest) == 0) return true;
    return false;
}

size_t fingerprint_count_matches(const struct fingerprint_demand *demand,
                                 const struct fingerprint *machine) {
    size_t matches = 0;
    for (size_t i = 0; i < demand->count; i++)
        if (machine_has(machine, demand->digests[i])) matches++;
    return matches;
}

bool fingerprint_matches(const struct fingerprint_demand *demand,
                         const struct fingerprint *machine) {
    return demand->count == 0 || fingerprint_count_matches(demand, machine) >= demand->match;
}

bool fingerprint_digest_is_fit(const char *digest) {
    uint8_t bytes[SHA256_BYTES];
    return base64url_decode_exact(bytes_of_text(digest), bytes, sizeof bytes);
}
