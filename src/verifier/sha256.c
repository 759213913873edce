#include "verifier/sha256.h"

#include <sodium.h>
#include <string.h>

#include "base/memory.h"
#include "codec/base64url.h"

_Static_assert(sizeof(struct sha256_stream) >= sizeof(crypto_hash_sha256_state),
               "the library's state fits ours");
_Static_assert(SHA256_TEXT_BYTES == BASE64URL_LENGTH(SHA256_BYTES) + 1, "digest text and NUL");

static crypto_hash_sha256_state *state_of(struct sha256_stream *stream) {
    return (crypto_hash_sha256_state *)(void *)stream->state;
}

void sha256_digest(struct bytes bytes, uint8_t out[SHA256_BYTES]) {
    crypto_hash_sha256(out, bytes.data, bytes.length);
}

void sha256_digest_text(struct bytes bytes, char out[SHA256_TEXT_BYTES]) {
    uint8_t digest[SHA256_BYTES];
    sha256_digest(bytes, digest);
    base64url_encode(bytes_of(digest, sizeof digest), out);
}

void sha256_hmac(struct bytes key, struct bytes message, uint8_t out[SHA256_BYTES]) {
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key.data, key.length);
    crypto_auth_hmacsha256_update(&state, message.data, message.length);
    crypto_auth_hmacsha256_final(&state, out);
    memory_wipe(&state, sizeof state);
}

void sha256_stream_init(struct sha256_stream *stream) {
    crypto_hash_sha256_init(state_of(stream));
}

void sha256_stream_add(struct sha256_stream *stream, struct bytes bytes) {
    if (bytes.length) crypto_hash_sha256_update(state_of(stream), bytes.data, bytes.length);
}

void sha256_stream_finish(struct sha256_stream *stream, uint8_t out[SHA256_BYTES]) {
    crypto_hash_sha256_final(state_of(stream), out);
}
