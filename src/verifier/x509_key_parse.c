#include "verifier/x509_key_parse.h"

#include <string.h>

#include "codec/der.h"
#include "codec/pem.h"
#include "verifier/p256.h"
#include "verifier/x509_oid.h"

#define PEM_ENCRYPTED_KEY "ENCRYPTED PRIVATE KEY"

/* Context tags of ECPrivateKey (RFC 5915) and OneAsymmetricKey (RFC 5958). */
#define TAG_EC_PARAMETERS DER_CONTEXT_INSIDE(0)
#define TAG_EC_PUBLIC_KEY DER_CONTEXT_INSIDE(1)
#define TAG_ATTRIBUTES    DER_CONTEXT_INSIDE(0)
#define TAG_PUBLIC_KEY    DER_CONTEXT(1)

static bool is_p256(struct bytes curve, struct status *status) {
    return bytes_equal(curve, x509_oid_p256) ||
           status_fail(status, STATUS_WRONG_ALGORITHM,
                       "the private key is on another curve than P-256, which is the one in use "
                       "(openssl ecparam -name prime256v1 -genkey)");
}

/* ECPrivateKey ::= SEQUENCE { 1, privateKey OCTET STRING, [0] parameters, [1] publicKey }. `curve`
 * is what PKCS#8 said around it, or empty. */
static bool read_ec(struct der_reader *reader, struct bytes curve, struct x509_key_numbers *out,
                    struct status *status) {
    struct der_reader inner = der_enter(reader, DER_SEQUENCE);
    if (der_read_small(&inner) != 1) der_fail(&inner);
    out->secrets.scalar = der_read(&inner, DER_OCTET_STRING);
    if (der_next_is(&inner, TAG_EC_PARAMETERS)) {
        struct der_reader parameters = der_enter(&inner, TAG_EC_PARAMETERS);
        curve = der_read_oid(&parameters);
        der_leave(&inner, &parameters);
    }
    if (der_next_is(&inner, TAG_EC_PUBLIC_KEY)) {
        struct der_reader public_key = der_enter(&inner, TAG_EC_PUBLIC_KEY);
        out->point = der_read_octets_in_bits(&public_key);
        der_leave(&inner, &public_key);
    }
    der_leave(reader, &inner);
    if (reader->failed) return true; /* the caller says so */
    if (!is_p256(curve, status)) return false;
    if (out->secrets.scalar.length != P256_COORDINATE_BYTES) der_fail(reader);
    return true;
}

/* RSAPrivateKey (RFC 8017, appendix A.1.2) with two primes. */
static void read_rsa(struct der_reader *reader, struct x509_key_numbers *out) {
    struct der_reader inner = der_enter(reader, DER_SEQUENCE);
    out->is_rsa = true;
    if (der_read_small(&inner) != 0) der_fail(&inner);
    out->modulus = der_read_unsigned(&inner);
    out->exponent = der_read_unsigned(&inner);
    der_read_unsigned(&inner); /* d, which follows from the others */
    out->secrets.p = der_read_unsigned(&inner);
    out->secrets.q = der_read_unsigned(&inner);
    out->secrets.d_mod_p1 = der_read_unsigned(&inner);
    out->secrets.d_mod_q1 = der_read_unsigned(&inner);
    out->secrets.q_inverse = der_read_unsigned(&inner);
    der_leave(reader, &inner);
    /* BearSSL wants primes of half the modulus; its arithmetic needs odd ones. */
    size_t half = out->modulus.length / 2 + 1;
    struct bytes p = out->secrets.p;
    struct bytes q = out->secrets.q;
    if (p.length == 0 || q.length == 0 || p.length > half || q.length > half ||
        !(p.data[p.length - 1] & 1) || !(q.data[q.length - 1] & 1))
        der_fail(reader);
}

/* OneAsymmetricKey ::= SEQUENCE { version, algorithm, privateKey OCTET STRING, [0] attributes
 * OPTIONAL, [1] publicKey OPTIONAL }; the last two are passed over. */
static bool read_pkcs8(struct der_reader *reader, struct x509_key_numbers *out,
                       struct status *status) {
    struct der_reader content;
    struct der_reader inner = der_enter(reader, DER_SEQUENCE);
    if (der_read_small(&inner) > 1) der_fail(&inner);
    struct der_reader algorithm = der_enter(&inner, DER_SEQUENCE);
    struct bytes oid = der_read_oid(&algorithm);
    der_reader_init(&content, der_read(&inner, DER_OCTET_STRING));
    if (inner.failed) {
        der_fail(reader);
        return true;
    }
    if (bytes_equal(oid, x509_oid_ec_public_key)) {
        struct bytes curve = der_read_oid(&algorithm);
        if (!read_ec(&content, curve, out, status)) return false;
    } else if (bytes_equal(oid, x509_oid_rsa_encryption)) {
        read_rsa(&content, out);
    } else {
        char text[DER_OID_TEXT_BYTES];
        der_format_oid(oid, text);
        return status_fail(status, STATUS_WRONG_ALGORITHM,
                           "the private key is of a kind that is not supported (%s): use P-256 "
                           "or RSA",
                           text);
    }
    der_leave(&inner, &content);
    if (der_next_is(&inner, TAG_ATTRIBUTES)) der_read(&inner, TAG_ATTRIBUTES);
    if (der_next_is(&inner, TAG_PUBLIC_KEY)) der_read(&inner, TAG_PUBLIC_KEY);
    der_leave(reader, &inner);
    return true;
}

static bool parse(const char *label, struct bytes der, struct x509_key_numbers *out,
                  struct status *status) {
    struct der_reader reader;
    *out = (struct x509_key_numbers){0};
    der_reader_init(&reader, der);
    bool read = true;
    if (strcmp(label, PEM_EC_PRIVATE_KEY) == 0)
        read = read_ec(&reader, bytes_of("", 0), out, status);
    else if (strcmp(label, PEM_RSA_PRIVATE_KEY) == 0)
        read_rsa(&reader, out);
    else
        read = read_pkcs8(&reader, out, status);
    if (!read) return false;
    return der_is_done(&reader) ||
           status_fail(status, STATUS_MALFORMED, "the private key (%s) is damaged", label);
}

static bool is_key_label(const char *label) {
    return strcmp(label, PEM_PRIVATE_KEY) == 0 || strcmp(label, PEM_EC_PRIVATE_KEY) == 0 ||
           strcmp(label, PEM_RSA_PRIVATE_KEY) == 0;
}

bool x509_key_parse_pem(struct bytes text, struct buffer *der, struct x509_key_numbers *out,
                        struct status *status) {
    struct pem_reader reader;
    struct status problem = STATUS_INIT;
    char label[PEM_LABEL_BYTES];
    pem_reader_init(&reader, text);
    while (pem_read(&reader, label, der, &problem)) {
        if (is_key_label(label)) return parse(label, buffer_bytes(der), out, status);
        if (strcmp(label, PEM_ENCRYPTED_KEY) == 0)
            return status_fail(status, STATUS_WRONG_PASSPHRASE,
                               "the private key is encrypted; decrypt it with: openssl pkey -in "
                               "FILE -out NEWFILE, and chmod 600 it");
    }
    if (!status_is_ok(&problem)) return status_fail(status, problem.code, "%s", problem.text);
    return status_fail(status, STATUS_NOT_FOUND, "there is no private key (PEM) in it");
}
