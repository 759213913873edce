/*
 * The last error of a thread, and what nats.c wants of OpenSSL apart from TLS: randomness for its
 * unique ids, and the list of compression methods that it frees at exit.
 */
#include <errno.h>

#include "base/assertion.h"
#include "base/random.h"
#include "bus/openssl_private.h"

/* OpenSSL's interface is like errno: the error is the thread's. */
static _Thread_local struct status last_error;

void openssl_set_error(const struct status *status) {
    last_error = *status;
    errno = status->code == STATUS_TIMEOUT ? ETIMEDOUT : ECONNABORTED;
}

void openssl_clear_error(void) {
    status_clear(&last_error);
}

const struct status *openssl_last_error(void) {
    return &last_error;
}

unsigned long ERR_get_error(void) {
    return (unsigned long)last_error.code;
}

const char *ERR_reason_error_string(unsigned long error) {
    return error == STATUS_OK ? "no error" : last_error.text;
}

int RAND_bytes(unsigned char *out, int length) {
    ASSERT(length >= 0);
    random_bytes(out, (size_t)length);
    return 1;
}

struct openssl_stack *SSL_COMP_get_compression_methods(void) {
    return NULL;
}
