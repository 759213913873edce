/*
 * What a thread remembers from one connection to the next. nats.c makes a new context for each of
 * our connections, from the same files; the TLS context behind it lives on, with the CAs that were
 * read and the sessions that can be resumed, until the files say something else.
 */
#include <string.h>

#include "bus/openssl_private.h"
#include "verifier/sha256.h"

struct memory {
    bool is_wanted;
    struct tls_client_context *client;  /* held; NULL before the first one */
    uint8_t texts_digest[SHA256_BYTES]; /* of what it was made from */
};

/* The interface leaves no other place: nats.c passes nothing on from one connection to the next. */
static _Thread_local struct memory memory;

static void add(struct sha256_stream *stream, struct bytes text) {
    uint64_t length = text.length;
    sha256_stream_add(stream, bytes_of(&length, sizeof length));
    sha256_stream_add(stream, text);
}

static void digest_texts(const struct tls_client_options *options, uint8_t out[SHA256_BYTES]) {
    struct sha256_stream stream;
    sha256_stream_init(&stream);
    add(&stream, options->ca);
    add(&stream, options->identity.certificates);
    add(&stream, options->identity.key);
    sha256_stream_finish(&stream, out);
}

static void replace(struct tls_client_context *client) {
    tls_client_context_release(memory.client);
    memory.client = client;
}

void openssl_memory_begin(void) {
    memory.is_wanted = true;
}

void openssl_memory_end(void) {
    replace(NULL);
    memory = (struct memory){0};
}

struct tls_client_context *openssl_memory_client(const struct tls_client_options *options,
                                                 struct status *status) {
    uint8_t digest[SHA256_BYTES];
    if (!memory.is_wanted) return tls_client_context_create(options, status);
    digest_texts(options, digest);
    bool is_known =
        memory.client != NULL && memcmp(digest, memory.texts_digest, sizeof digest) == 0;
    if (!is_known) {
        replace(tls_client_context_create(options, status));
        memcpy(memory.texts_digest, digest, sizeof digest);
    }
    return memory.client == NULL ? NULL : tls_client_context_retain(memory.client);
}
