/*
 * Certificates and keys out of PEM texts in memory.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "bus/openssl_private.h"
#include "codec/pem.h"
#include "verifier/x509_certificate.h"
#include "verifier/x509_key.h"
#include "verifier/x509_trust.h"

struct openssl_name {
    struct bytes der;
};

struct openssl_certificate {
    struct x509_certificate parsed; /* its bytes are owned */
    struct openssl_name subject;
    struct openssl_name issuer;
};

struct openssl_key {
    char *text; /* PEM, owned */
};

struct openssl_bio {
    struct pem_reader reader; /* borrows the text */
};

/* ---- texts ---- */

struct openssl_bio *BIO_new_mem_buf(const void *bytes, int length) {
    struct openssl_bio *bio = memory_new(sizeof *bio);
    size_t size = length < 0 ? strlen(bytes) : (size_t)length;
    pem_reader_init(&bio->reader, bytes_of(bytes, size));
    return bio;
}

int BIO_free(struct openssl_bio *bio) {
    free(bio);
    return 1;
}

/* ---- certificates ---- */

struct openssl_certificate *openssl_certificate_copy(struct bytes der) {
    struct openssl_certificate *certificate = memory_new(sizeof *certificate);
    struct bytes copy = bytes_of(memory_copy_bytes(der.data, der.length), der.length);
    if (!x509_certificate_parse(copy, &certificate->parsed, NULL)) {
        free((void *)copy.data);
        free(certificate);
        return NULL;
    }
    certificate->subject.der = certificate->parsed.subject;
    certificate->issuer.der = certificate->parsed.issuer;
    return certificate;
}

void X509_free(struct openssl_certificate *certificate) {
    if (certificate != NULL) {
        free((void *)certificate->parsed.der.data);
        free(certificate);
    }
}

struct bytes openssl_certificate_der(const struct openssl_certificate *certificate) {
    return certificate->parsed.der;
}

/* Takes the next certificate of the text. NULL at its end, or with `status` set. */
static struct openssl_certificate *next_certificate(struct openssl_bio *bio,
                                                    struct status *status) {
    struct openssl_certificate *certificate = NULL;
    struct buffer der;
    char label[PEM_LABEL_BYTES];
    buffer_init(&der, X509_CERTIFICATE_BYTES_MAX);
    while (certificate == NULL && pem_read(&bio->reader, label, &der, status)) {
        if (strcmp(label, PEM_CERTIFICATE) != 0) continue;
        certificate = openssl_certificate_copy(buffer_bytes(&der));
        if (certificate == NULL) {
            status_fail(status, STATUS_MALFORMED, "a certificate in the text cannot be read");
            break;
        }
    }
    buffer_free(&der);
    return certificate;
}

struct openssl_certificate *PEM_read_bio_X509(struct openssl_bio *bio,
                                              struct openssl_certificate **certificate,
                                              openssl_passphrase_callback *callback,
                                              void *context) {
    (void)certificate;
    (void)callback;
    (void)context;
    struct status status = STATUS_INIT;
    struct openssl_certificate *found = next_certificate(bio, &status);
    if (found == NULL) {
        status_fail(&status, STATUS_NOT_FOUND, "there is no certificate in the text");
        openssl_set_error(&status);
    }
    return found;
}

/* ---- lists of certificates ---- */

struct openssl_stack {
    struct openssl_info *elements[X509_ANCHORS_MAX];
    int count;
};

struct openssl_stack *PEM_X509_INFO_read_bio(struct openssl_bio *bio, struct openssl_stack *stack,
                                             openssl_passphrase_callback *callback, void *context) {
    (void)stack;
    (void)callback;
    (void)context;
    struct status status = STATUS_INIT;
    struct openssl_stack *made = memory_new(sizeof *made);
    struct openssl_certificate *certificate = next_certificate(bio, &status);
    while (certificate != NULL && made->count < X509_ANCHORS_MAX) {
        struct openssl_info *info = memory_new(sizeof *info);
        info->certificate = certificate;
        made->elements[made->count++] = info;
        certificate = next_certificate(bio, &status);
    }
    X509_free(certificate);
    if (certificate != NULL)
        status_fail(&status, STATUS_TOO_LARGE, "more than %d certificates", X509_ANCHORS_MAX);
    if (status_is_ok(&status)) return made;
    openssl_set_error(&status);
    OPENSSL_sk_pop_free(made, (void (*)(void *))X509_INFO_free);
    return NULL;
}

void X509_INFO_free(struct openssl_info *info) {
    if (info != NULL) {
        X509_free(info->certificate);
        free(info);
    }
}

int OPENSSL_sk_num(const struct openssl_stack *stack) {
    return stack == NULL ? -1 : stack->count;
}

void *OPENSSL_sk_value(const struct openssl_stack *stack, int index) {
    return stack != NULL && index >= 0 && index < stack->count ? stack->elements[index] : NULL;
}

void OPENSSL_sk_free(struct openssl_stack *stack) {
    free(stack);
}

void OPENSSL_sk_pop_free(struct openssl_stack *stack, void (*release)(void *element)) {
    for (int i = 0; stack != NULL && i < stack->count; i++)
        release(stack->elements[i]);
    free(stack);
}

/* ---- keys ---- */

struct openssl_key *PEM_read_bio_PrivateKey(struct openssl_bio *bio, struct openssl_key **key,
                                            openssl_passphrase_callback *callback, void *context) {
    (void)key;
    (void)callback;
    (void)context;
    struct status status = STATUS_INIT;
    struct bytes text = bio->reader.rest;
    struct x509_key *parsed = x509_key_read_pem(text, &status);
    if (parsed == NULL) {
        openssl_set_error(&status);
        return NULL;
    }
    x509_key_free(parsed);
    struct openssl_key *made = memory_new(sizeof *made);
    made->text = memory_copy_bytes(text.data, text.length);
    return made;
}

struct bytes openssl_key_text(const struct openssl_key *key) {
    return bytes_of_text(key->text);
}

void EVP_PKEY_free(struct openssl_key *key) {
    if (key != NULL) {
        memory_free_secret(key->text);
        free(key);
    }
}

/* ---- names ---- */

struct openssl_name *X509_get_issuer_name(const struct openssl_certificate *certificate) {
    return certificate == NULL ? NULL : (struct openssl_name *)&certificate->issuer;
}

struct openssl_name *X509_get_subject_name(const struct openssl_certificate *certificate) {
    return certificate == NULL ? NULL : (struct openssl_name *)&certificate->subject;
}

char *X509_NAME_oneline(const struct openssl_name *name, char *out, int length) {
    char text[X509_NAME_TEXT_BYTES] = "";
    if (out == NULL || length < 1) return NULL;
    if (name != NULL) x509_name_format(name->der, text);
    size_t room = (size_t)length - 1;
    size_t used = strlen(text) < room ? strlen(text) : room;
    memcpy(out, text, used);
    out[used] = '\0';
    return out;
}
