/*
 * The one error that every refused TLS call leaves behind, and what nats.c wants of OpenSSL apart from
 * TLS: randomness for its unique ids, and the list of compression methods that it frees at exit.
 */
#include "bus/openssl.h"

#include "base/assertion.h"
#include "base/random.h"

unsigned long ERR_get_error(void) {
    return OPENSSL_ERROR_NO_TLS;
}

const char *ERR_reason_error_string(unsigned long error) {
    (void)error;
    return OPENSSL_NO_TLS_TEXT;
}

int RAND_bytes(unsigned char *out, int length) {
    ASSERT(length >= 0);
    random_bytes(out, (size_t)length);
    return 1;
}

struct openssl_stack *SSL_COMP_get_compression_methods(void) {
    return NULL;
}
