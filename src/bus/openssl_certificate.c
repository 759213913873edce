/*
 * Certificates, keys and PEM texts are not read in this version: every reader gives NULL, every list is
 * empty, and no verification ever succeeds.
 */
#include "bus/openssl.h"

struct openssl_bio *BIO_new_mem_buf(const void *bytes, int length) {
    (void)bytes;
    (void)length;
    return NULL;
}

int BIO_free(struct openssl_bio *bio) {
    (void)bio;
    return 1;
}

struct openssl_key *PEM_read_bio_PrivateKey(struct openssl_bio *bio, struct openssl_key **key,
                                            openssl_passphrase_callback *callback, void *context) {
    (void)bio;
    (void)key;
    (void)callback;
    (void)context;
    return NULL;
}

struct openssl_certificate *PEM_read_bio_X509(struct openssl_bio *bio,
                                              struct openssl_certificate **certificate,
                                              openssl_passphrase_callback *callback,
                                              void *context) {
    (void)bio;
    (void)certificate;
    (void)callback;
    (void)context;
    return NULL;
}

struct openssl_stack *PEM_X509_INFO_read_bio(struct openssl_bio *bio, struct openssl_stack *stack,
                                             openssl_passphrase_callback *callback, void *context) {
    (void)bio;
    (void)stack;
    (void)callback;
    (void)context;
    return NULL;
}

void EVP_PKEY_free(struct openssl_key *key) {
    (void)key;
}

void X509_INFO_free(void *info) {
    (void)info;
}

void X509_free(struct openssl_certificate *certificate) {
    (void)certificate;
}

int OPENSSL_sk_num(const struct openssl_stack *stack) {
    (void)stack;
    return 0;
}

void *OPENSSL_sk_value(const struct openssl_stack *stack, int index) {
    (void)stack;
    (void)index;
    return NULL;
}

void OPENSSL_sk_free(struct openssl_stack *stack) {
    (void)stack;
}

void OPENSSL_sk_pop_free(struct openssl_stack *stack, void (*release)(void *element)) {
    (void)stack;
    (void)release;
}

struct openssl_name *X509_get_issuer_name(const struct openssl_certificate *certificate) {
    (void)certificate;
    return NULL;
}

struct openssl_name *X509_get_subject_name(const struct openssl_certificate *certificate) {
    (void)certificate;
    return NULL;
}

char *X509_NAME_oneline(const struct openssl_name *name, char *out, int length) {
    (void)name;
    (void)out;
    (void)length;
    return NULL;
}

int X509_STORE_add_cert(struct openssl_store *store, struct openssl_certificate *certificate) {
    (void)store;
    (void)certificate;
    return 0;
}

int X509_STORE_add_crl(struct openssl_store *store, void *crl) {
    (void)store;
    (void)crl;
    return 0;
}

struct openssl_certificate *
X509_STORE_CTX_get_current_cert(const struct openssl_verification *verification) {
    (void)verification;
    return NULL;
}

int X509_STORE_CTX_get_error(const struct openssl_verification *verification) {
    (void)verification;
    return OPENSSL_VERDICT_REFUSED;
}

int X509_STORE_CTX_get_error_depth(const struct openssl_verification *verification) {
    (void)verification;
    return 0;
}

void *X509_STORE_CTX_get_ex_data(const struct openssl_verification *verification, int index) {
    (void)verification;
    (void)index;
    return NULL;
}

const char *X509_verify_cert_error_string(long error) {
    (void)error;
    return OPENSSL_NO_TLS_TEXT;
}
