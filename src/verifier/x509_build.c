#include "verifier/x509_build.h"

#include "base/random.h"
#include "codec/der.h"
#include "verifier/x509_oid.h"

/* Context tags of TBSCertificate and AuthorityKeyIdentifier. */
#define TAG_VERSION        DER_CONTEXT_INSIDE(0)
#define TAG_EXTENSIONS     DER_CONTEXT_INSIDE(3)
#define TAG_KEY_IDENTIFIER DER_CONTEXT(0)

#define VERSION_3 2

/* RFC 7093, section 2, method 1: the left 160 bits of SHA-256 of the key's bits. */
#define KEY_IDENTIFIER_BYTES 20

/* Room for the value of one of our small extensions; alternative names are passed on as they
 * are. */
#define VALUE_BYTES_MAX 256

void x509_serial_generate(uint8_t out[X509_SERIAL_BYTES]) {
    random_bytes(out, X509_SERIAL_BYTES);
    out[0] = (uint8_t)((out[0] & 0x3F) | 0x40);
}

void x509_extension_write(struct buffer *out, struct bytes oid, bool critical, struct bytes value) {
    size_t extension = der_begin(out, DER_SEQUENCE);
    der_write(out, DER_OID, oid);
    if (critical) der_write_true(out);
    der_write(out, DER_OCTET_STRING, value);
    der_end(out, extension);
}

static void write_basic_constraints(struct buffer *out, bool is_ca) {
    struct buffer value;
    buffer_init(&value, VALUE_BYTES_MAX);
    size_t sequence = der_begin(&value, DER_SEQUENCE);
    if (is_ca) {
        der_write_true(&value);
        der_write_small(&value, 0);
    }
    der_end(&value, sequence);
    x509_extension_write(out, x509_oid_basic_constraints, true, buffer_bytes(&value));
    buffer_free(&value);
}

static void write_key_usage(struct buffer *out, bool is_ca) {
    struct buffer value;
    buffer_init(&value, VALUE_BYTES_MAX);
    der_write_named_bits(&value, is_ca ? X509_USAGE_KEY_CERT_SIGN | X509_USAGE_CRL_SIGN
                                       : X509_USAGE_DIGITAL_SIGNATURE);
    x509_extension_write(out, x509_oid_key_usage, true, buffer_bytes(&value));
    buffer_free(&value);
}

static void write_purposes(struct buffer *out, uint32_t purposes) {
    struct buffer value;
    buffer_init(&value, VALUE_BYTES_MAX);
    size_t sequence = der_begin(&value, DER_SEQUENCE);
    if (purposes & X509_PURPOSE_SERVER) der_write(&value, DER_OID, x509_oid_server_auth);
    if (purposes & X509_PURPOSE_CLIENT) der_write(&value, DER_OID, x509_oid_client_auth);
    der_end(&value, sequence);
    x509_extension_write(out, x509_oid_extended_key_usage, false, buffer_bytes(&value));
    buffer_free(&value);
}

/* The identifier of a key: a digest of the bits inside its BIT STRING. */
static void key_identifier(const struct x509_public_key *key, uint8_t out[SHA256_BYTES]) {
    struct der_reader reader, inner;
    der_reader_init(&reader, key->spki);
    inner = der_enter(&reader, DER_SEQUENCE);
    der_read(&inner, DER_SEQUENCE);
    sha256_digest(der_read_octets_in_bits(&inner), out);
}

static void write_subject_key_id(struct buffer *out, const struct x509_public_key *key) {
    uint8_t identifier[SHA256_BYTES];
    struct buffer value;
    key_identifier(key, identifier);
    buffer_init(&value, VALUE_BYTES_MAX);
    der_write(&value, DER_OCTET_STRING, bytes_of(identifier, KEY_IDENTIFIER_BYTES));
    x509_extension_write(out, x509_oid_subject_key_identifier, false, buffer_bytes(&value));
    buffer_free(&value);
}

/* What the issuer calls its key, or what we would call it. */
static void write_authority_key_id(struct buffer *out, const struct x509_certificate *issuer,
                                   const struct x509_public_key *issuer_key) {
    uint8_t identifier[SHA256_BYTES];
    struct buffer value;
    key_identifier(issuer_key, identifier);
    struct bytes named = bytes_of(identifier, KEY_IDENTIFIER_BYTES);
    if (issuer && issuer->subject_key_id.length > 0) named = issuer->subject_key_id;
    buffer_init(&value, VALUE_BYTES_MAX);
    size_t sequence = der_begin(&value, DER_SEQUENCE);
    der_write(&value, TAG_KEY_IDENTIFIER, named);
    der_end(&value, sequence);
    x509_extension_write(out, x509_oid_authority_key_identifier, false, buffer_bytes(&value));
    buffer_free(&value);
}

static void write_extensions(struct buffer *out, const struct x509_template *wanted,
                             const struct x509_public_key *key,
                             const struct x509_certificate *issuer,
                             const struct x509_public_key *issuer_key) {
    size_t explicit_tag = der_begin(out, TAG_EXTENSIONS);
    size_t sequence = der_begin(out, DER_SEQUENCE);
    write_basic_constraints(out, wanted->is_ca);
    write_key_usage(out, wanted->is_ca);
    if (!wanted->is_ca) write_purposes(out, wanted->purposes);
    write_subject_key_id(out, key);
    write_authority_key_id(out, issuer, issuer_key);
    if (wanted->alt_names.length > 0)
        x509_extension_write(out, x509_oid_subject_alt_name, false, wanted->alt_names);
    der_end(out, sequence);
    der_end(out, explicit_tag);
}

/* The AlgorithmIdentifier that x509_key_sign will write. */
static void write_algorithm(struct buffer *out, const struct x509_public_key *issuer_key) {
    bool is_rsa = issuer_key->type == X509_KEY_RSA;
    size_t algorithm = der_begin(out, DER_SEQUENCE);
    der_write(out, DER_OID, is_rsa ? x509_oid_rsa_sha256 : x509_oid_ecdsa_sha256);
    if (is_rsa) der_write_null(out);
    der_end(out, algorithm);
}

static void write_tbs(struct buffer *out, const struct x509_template *wanted,
                      const struct x509_public_key *key, const struct x509_certificate *issuer,
                      const struct x509_public_key *issuer_key) {
    size_t tbs = der_begin(out, DER_SEQUENCE);
    size_t version = der_begin(out, TAG_VERSION);
    der_write_small(out, VERSION_3);
    der_end(out, version);
    der_write_unsigned(out, bytes_of(wanted->serial, sizeof wanted->serial));
    write_algorithm(out, issuer_key);
    struct bytes issuer_name = issuer ? issuer->subject : wanted->subject;
    buffer_append(out, issuer_name.data, issuer_name.length);
    size_t validity = der_begin(out, DER_SEQUENCE);
    der_write_time_ms(out, wanted->not_before_ms);
    der_write_time_ms(out, wanted->not_after_ms);
    der_end(out, validity);
    buffer_append(out, wanted->subject.data, wanted->subject.length);
    buffer_append(out, key->spki.data, key->spki.length);
    write_extensions(out, wanted, key, issuer, issuer_key);
    der_end(out, tbs);
}

static bool check_wanted(const struct x509_template *wanted, const struct x509_public_key *key,
                         const struct x509_certificate *issuer, const struct x509_key *issuer_key,
                         struct status *status) {
    if (wanted->not_after_ms <= wanted->not_before_ms)
        return status_fail(status, STATUS_USAGE,
                           "the certificate would end before it begins to be valid");
    if (!wanted->is_ca && !(wanted->purposes & (X509_PURPOSE_SERVER | X509_PURPOSE_CLIENT)))
        return status_fail(status, STATUS_USAGE,
                           "the certificate would be neither for a server nor for a client");
    if (issuer && !issuer->is_ca)
        return status_fail(status, STATUS_WRONG_TYPE,
                           "the issuer's certificate is not a CA's (basicConstraints CA:TRUE)");
    const struct x509_public_key *signer = issuer ? &issuer->key : key;
    if (!x509_public_key_equal(signer, x509_key_public(issuer_key)))
        return status_fail(status, STATUS_MALFORMED,
                           "the issuer's key does not belong to its certificate");
    return x509_public_key_check(key, status) ||
           status_context(status, "the public key to be certified is");
}

bool x509_build(const struct x509_template *wanted, const struct x509_public_key *key,
                const struct x509_certificate *issuer, const struct x509_key *issuer_key,
                struct buffer *out, struct status *status) {
    struct buffer tbs;
    if (!check_wanted(wanted, key, issuer, issuer_key, status)) return false;
    buffer_init(&tbs, X509_CERTIFICATE_BYTES_MAX);
    write_tbs(&tbs, wanted, key, issuer, x509_key_public(issuer_key));
    bool written = buffer_check(&tbs, "the certificate", status);
    if (written) {
        size_t certificate = der_begin(out, DER_SEQUENCE);
        buffer_append(out, tbs.data, tbs.length);
        x509_key_sign(issuer_key, buffer_bytes(&tbs), out);
        der_end(out, certificate);
        written = buffer_check(out, "the certificate", status);
    }
    buffer_free(&tbs);
    return written;
}
