/* Certificates, requests and keys: what was built is read again, and each deviation is refused. */
#include "tests/lib/unit.h"

#include <stdbool.h>
#include <string.h>

#include "codec/der.h"
#include "codec/pem.h"
#include "tests/lib/pki.h"
#include "verifier/x509_alt_name.h"
#include "verifier/x509_identity.h"
#include "verifier/x509_request.h"

static const char *const edge_names[] = {"edge-7", "IP:127.0.0.1", NULL};

static void a_leaf_says_what_was_asked_for(void **state) {
    (void)state;
    struct pki_wish ca_wish = {.common_name = "Site CA", .is_ca = true};
    struct pki_certificate *ca = pki_make(&ca_wish, NULL);
    struct pki_wish leaf_wish = {.common_name = "edge-7",
                                 .names = edge_names,
                                 .purposes = X509_PURPOSE_SERVER | X509_PURPOSE_CLIENT};
    struct pki_certificate *leaf = pki_make(&leaf_wish, ca);
    const struct x509_certificate *read = &leaf->certificate;
    char text[X509_NAME_TEXT_BYTES], serial[X509_SERIAL_TEXT_BYTES];
    x509_name_format(read->subject, text);
    assert_string_equal(text, "CN=edge-7");
    x509_name_format(read->issuer, text);
    assert_string_equal(text, "CN=Site CA");
    assert_true(bytes_equal_text(x509_name_common_name(read->subject), "edge-7"));
    x509_alt_names_format(read->alt_names, text, sizeof text);
    assert_string_equal(text, "[edge-7, 127.0.0.1]");
    x509_certificate_serial_text(read, serial);
    assert_int_equal(strlen(serial), 2 * X509_SERIAL_BYTES);
    assert_true(read->not_before_ms == PKI_NOW_MS - PKI_DAY_MS);
    assert_true(read->not_after_ms == PKI_NOW_MS + PKI_DAY_MS);
    assert_int_equal(read->key.type, X509_KEY_P256);
    assert_false(read->is_ca);
    assert_true(read->has_key_usage);
    assert_int_equal(read->key_usage, X509_USAGE_DIGITAL_SIGNATURE);
    assert_int_equal(read->purposes, X509_PURPOSE_SERVER | X509_PURPOSE_CLIENT);
    assert_false(read->purposes_critical);
    assert_int_equal(read->unknown_critical.length, 0);
    assert_true(bytes_equal(read->authority_key_id, ca->certificate.subject_key_id));
    assert_int_equal(read->subject_key_id.length, 20);

    assert_true(ca->certificate.is_ca);
    assert_int_equal(ca->certificate.path_length, 0);
    assert_int_equal(ca->certificate.key_usage, X509_USAGE_KEY_CERT_SIGN | X509_USAGE_CRL_SIGN);
    assert_true(x509_certificate_is_self_issued(&ca->certificate));
    assert_true(x509_signature_verify(&read->signature, read->tbs, &ca->certificate.key, NULL));
    assert_false(x509_signature_verify(&read->signature, read->tbs, &read->key, NULL));
    pki_free(leaf);
    pki_free(ca);
}

static void serial_numbers_differ(void **state) {
    (void)state;
    uint8_t first[X509_SERIAL_BYTES], second[X509_SERIAL_BYTES];
    x509_serial_generate(first);
    x509_serial_generate(second);
    assert_memory_not_equal(first, second, sizeof first);
    assert_int_equal(first[0] & 0xC0, 0x40); /* positive, and of full length */
}

static void the_builder_refuses_nonsense(void **state) {
    (void)state;
    struct pki_wish wish = {.common_name = "edge-7"};
    struct pki_certificate *leaf = pki_make(&wish, NULL);
    struct x509_key *other = x509_key_generate();
    struct x509_template wanted = {.subject = leaf->certificate.subject,
                                   .not_before_ms = 0,
                                   .not_after_ms = PKI_DAY_MS,
                                   .purposes = X509_PURPOSE_SERVER};
    struct status status = STATUS_INIT;
    struct buffer out;
    buffer_init(&out, X509_CERTIFICATE_BYTES_MAX);
    assert_false(
        x509_build(&wanted, x509_key_public(other), &leaf->certificate, leaf->key, &out, &status));
    assert_int_equal(status.code, STATUS_WRONG_TYPE); /* the issuer is a leaf */
    status_clear(&status);
    assert_false(x509_build(&wanted, x509_key_public(other), NULL, leaf->key, &out, &status));
    assert_int_equal(status.code, STATUS_MALFORMED); /* not the key's own certificate */
    status_clear(&status);
    wanted.purposes = X509_PURPOSE_OTHER;
    assert_false(x509_build(&wanted, x509_key_public(other), NULL, other, &out, &status));
    assert_int_equal(status.code, STATUS_USAGE);
    status_clear(&status);
    wanted.purposes = X509_PURPOSE_SERVER;
    wanted.not_after_ms = 0;
    assert_false(x509_build(&wanted, x509_key_public(other), NULL, other, &out, &status));
    assert_int_equal(status.code, STATUS_USAGE);
    buffer_free(&out);
    x509_key_free(other);
    pki_free(leaf);
}

/* Replaces the one place in the certificate's DER where `from` stands, in a copy, and reads
 * that. */
static bool reads_with(const struct pki_certificate *made, const char *from, const char *to,
                       size_t length) {
    uint8_t copy[2048];
    struct x509_certificate certificate;
    struct bytes der = buffer_bytes(&made->der);
    assert_true(der.length <= sizeof copy);
    memcpy(copy, der.data, der.length);
    uint8_t *place = memmem(copy, der.length, from, length);
    assert_non_null(place);
    memcpy(place, to, length);
    return x509_certificate_parse(bytes_of(copy, der.length), &certificate, NULL);
}

static void damaged_certificates_are_refused(void **state) {
    (void)state;
    struct pki_wish wish = {.common_name = "edge-7", .names = edge_names};
    struct pki_certificate *made = pki_make(&wish, NULL);
    assert_true(reads_with(made, "edge-7", "edge-8", 6));
    /* Extension identifiers: keyUsage (2.5.29.15) said twice, by changing basicConstraints into
     * it. */
    assert_false(reads_with(made, "\x06\x03\x55\x1D\x13", "\x06\x03\x55\x1D\x0F", 5));
    /* Version 4; an address of 3 bytes and a stray one; month 13; BER's other true. */
    assert_false(reads_with(made, "\xA0\x03\x02\x01\x02", "\xA0\x03\x02\x01\x03", 5));
    assert_false(reads_with(made, "\x87\x04\x7F\x00", "\x87\x03\x7F\x00", 4));
    assert_false(reads_with(made, "260531000000Z", "261331000000Z", 13));
    assert_false(reads_with(made, "\x01\x01\xFF", "\x01\x01\x01", 3));
    /* The inner algorithm says another than the outer one. */
    assert_false(reads_with(made, "\x2A\x86\x48\xCE\x3D\x04\x03\x02",
                            "\x2A\x86\x48\xCE\x3D\x04\x03\x03", 8));
    pki_free(made);
}

static void a_request_proves_possession(void **state) {
    (void)state;
    struct x509_key *key = x509_key_generate();
    struct x509_request request;
    struct status status = STATUS_INIT;
    struct buffer subject, names, der;
    struct x509_alt_name name;
    char text[X509_NAME_TEXT_BYTES];
    buffer_init(&subject, 1024);
    buffer_init(&names, 1024);
    buffer_init(&der, X509_REQUEST_BYTES_MAX);
    x509_name_write(&subject, "ACME", "edge-7");
    assert_true(x509_alt_name_parse("edge-7", &name, NULL));
    x509_alt_names_write(&names, &name, 1);
    assert_true(
        x509_request_build(buffer_bytes(&subject), buffer_bytes(&names), key, &der, &status));
    assert_true(x509_request_parse(buffer_bytes(&der), &request, &status));
    x509_name_format(request.subject, text);
    assert_string_equal(text, "O=ACME, CN=edge-7");
    assert_true(x509_alt_names_match(request.alt_names, "edge-7"));
    assert_true(x509_public_key_equal(&request.key, x509_key_public(key)));

    for (size_t i = 0; i < der.length; i++) {
        der.data[i] ^= (uint8_t)(1 << i % 8);
        if (x509_request_parse(buffer_bytes(&der), &request, NULL))
            fail_msg("byte %zu may be altered", i);
        der.data[i] ^= (uint8_t)(1 << i % 8);
    }
    der.data[der.length - 5] ^= 1;
    assert_false(x509_request_parse(buffer_bytes(&der), &request, &status));
    assert_int_equal(status.code, STATUS_BAD_SIGNATURE);
    buffer_free(&der);
    buffer_free(&names);
    buffer_free(&subject);
    x509_key_free(key);
}

static void a_key_comes_back(void **state) {
    (void)state;
    struct x509_key *key = x509_key_generate();
    struct buffer text;
    buffer_init(&text, X509_KEY_FILE_BYTES_MAX);
    x509_key_write_pem(key, &text);
    struct x509_key *again = x509_key_read_pem(buffer_bytes(&text), NULL);
    assert_non_null(again);
    assert_true(x509_public_key_equal(x509_key_public(key), x509_key_public(again)));
    assert_true(bytes_equal(x509_key_secrets(key)->scalar, x509_key_secrets(again)->scalar));
    x509_key_free(again);
    x509_key_free(key);
    buffer_free(&text);
}

/* The DER of ECPrivateKey for the scalar 1, whose public point is the curve's generator. */
#define SEC1_HEAD  "\x30\x77\x02\x01\x01\x04\x20"
#define SEC1_ONE   "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
#define SEC1_CURVE "\xA0\x0A\x06\x08\x2A\x86\x48\xCE\x3D\x03\x01\x07"
#define SEC1_POINT "\xA1\x44\x03\x42\x00\x04"
#define GENERATOR_X                                                                                \
    "\x6B\x17\xD1\xF2\xE1\x2C\x42\x47\xF8\xBC\xE6\xE5\x63\xA4\x40\xF2\x77\x03\x7D\x81\x2D\xEB\x33" \
    "\xA0\xF4\xA1\x39\x45\xD8\x98\xC2\x96"
#define GENERATOR_Y                                                                                \
    "\x4F\xE3\x42\xE2\xFE\x1A\x7F\x9B\x8E\xE7\xEB\x4A\x7C\x0F\x9E\x16\x2B\xCE\x33\x57\x6B\x31\x5E" \
    "\xCE\xCB\xB6\x40\x68\x37\xBF\x51\xF5"

static struct x509_key *read_sec1(const char *der, size_t length, struct status *status) {
    struct buffer text;
    buffer_init(&text, X509_KEY_FILE_BYTES_MAX);
    pem_write("EC PARAMETERS", bytes_of(SEC1_CURVE + 2, 10), &text); /* as OpenSSL writes it */
    pem_write(PEM_EC_PRIVATE_KEY, bytes_of(der, length), &text);
    struct x509_key *key = x509_key_read_pem(buffer_bytes(&text), status);
    buffer_free(&text);
    return key;
}

static void keys_of_sec_1_are_checked(void **state) {
    (void)state;
    static const char good[] = SEC1_HEAD SEC1_ONE SEC1_CURVE SEC1_POINT GENERATOR_X GENERATOR_Y;
    char bad[sizeof good];
    struct status status = STATUS_INIT;
    struct x509_key *key = read_sec1(good, sizeof good - 1, &status);
    assert_non_null(key);
    assert_int_equal(x509_key_public(key)->type, X509_KEY_P256);
    x509_key_free(key);

    memcpy(bad, good, sizeof bad);
    bad[sizeof SEC1_HEAD SEC1_ONE - 2] = 2; /* another scalar than the point's */
    assert_null(read_sec1(bad, sizeof bad - 1, &status));
    assert_non_null(strstr(status.text, "does not belong to its private part"));

    status_clear(&status);
    bad[sizeof SEC1_HEAD SEC1_ONE - 2] = 0; /* the scalar 0 */
    assert_null(read_sec1(bad, sizeof bad - 1, &status));
    assert_non_null(strstr(status.text, "is no P-256 key"));

    status_clear(&status);
    memcpy(bad, good, sizeof bad);
    bad[sizeof SEC1_HEAD SEC1_ONE SEC1_CURVE - 2] = 8; /* another curve */
    assert_null(read_sec1(bad, sizeof bad - 1, &status));
    assert_int_equal(status.code, STATUS_WRONG_ALGORITHM);

    for (size_t length = 1; length < sizeof good - 1; length++)
        assert_null(read_sec1(good, length, NULL));
}

static void texts_without_a_key_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum status_code code;
    } rows[] = {
        {"", STATUS_NOT_FOUND},
        {"-----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE-----\n", STATUS_NOT_FOUND},
        {"-----BEGIN PRIVATE KEY-----\nZm9v\n-----END PRIVATE KEY-----\n", STATUS_MALFORMED},
        {"-----BEGIN RSA PRIVATE KEY-----\nZm9v\n-----END RSA PRIVATE KEY-----\n",
         STATUS_MALFORMED},
        {"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nZm9v\n"
         "-----END RSA PRIVATE KEY-----\n",
         STATUS_MALFORMED},
        {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nZm9v\n-----END ENCRYPTED PRIVATE KEY-----\n",
         STATUS_WRONG_PASSPHRASE},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct status status = STATUS_INIT;
        assert_null(x509_key_read_pem(bytes_of_text(rows[i].text), &status));
        if (status.code != rows[i].code) fail_msg("row %zu: %s", i, status.text);
    }
}

static void an_identity_fits_together(void **state) {
    (void)state;
    struct pki_wish ca_wish = {.common_name = "Site CA", .is_ca = true};
    struct pki_wish leaf_wish = {.common_name = "edge-7", .names = edge_names};
    struct pki_certificate *ca = pki_make(&ca_wish, NULL);
    struct pki_certificate *leaf = pki_make(&leaf_wish, ca);
    struct status status = STATUS_INIT;
    struct buffer chain, key, other, reversed;
    buffer_init(&chain, 1 << 14);
    buffer_init(&key, 1 << 14);
    buffer_init(&other, 1 << 14);
    buffer_init(&reversed, 1 << 14);
    pki_write_pem(leaf, &chain);
    pki_write_pem(ca, &chain);
    pki_write_pem(ca, &reversed);
    pki_write_pem(leaf, &reversed);
    x509_key_write_pem(leaf->key, &key);
    x509_key_write_pem(ca->key, &other);

    struct x509_identity *identity =
        x509_identity_read_pem(buffer_bytes(&chain), buffer_bytes(&key), &status);
    assert_non_null(identity);
    assert_true(bytes_equal(x509_identity_leaf(identity)->der, buffer_bytes(&leaf->der)));
    x509_identity_free(identity);

    assert_null(x509_identity_read_pem(buffer_bytes(&chain), buffer_bytes(&other), &status));
    assert_string_equal(status.text, "the private key is not that of the (first) certificate");
    status_clear(&status);
    assert_null(x509_identity_read_pem(buffer_bytes(&reversed), buffer_bytes(&key), &status));
    assert_int_equal(status.code, STATUS_MALFORMED);
    status_clear(&status);
    assert_null(x509_identity_read_pem(buffer_bytes(&key), buffer_bytes(&key), &status));
    assert_int_equal(status.code, STATUS_NOT_FOUND);
    buffer_free(&chain);
    buffer_free(&key);
    buffer_free(&other);
    buffer_free(&reversed);
    pki_free(leaf);
    pki_free(ca);
}

static void names_are_read_strictly(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *shown; /* NULL: refused */
    } rows[] = {
        {"edge-7", "edge-7"},
        {"EDGE-7.Example.COM", "edge-7.example.com"},
        {"DNS:a_b.example", "a_b.example"},
        {"*.edge.example", "*.edge.example"},
        {"10.0.0.1", "10.0.0.1"},
        {"ip:2001:DB8::1", "2001:db8::1"},
        {"", NULL},
        {"DNS:", NULL},
        {"IP:edge-7", NULL},
        {"IP:10.0.0.256", NULL},
        {"IP:fe80::1%eth0", NULL},
        {"a..b", NULL},
        {"a.b.", NULL},
        {".a", NULL},
        {"-a", NULL},
        {"a-", NULL},
        {"a b", NULL},
        {"a\nb", NULL},
        {"*", NULL},
        {"*.com", NULL},
        {"a.*.example.com", NULL},
        {"*a.example.com", NULL},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL}, /* 64 */
        {"https://edge-7/", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct x509_alt_name name;
        char text[X509_ALT_NAME_TEXT_BYTES];
        bool read = x509_alt_name_parse(rows[i].text, &name, NULL);
        if (read != (rows[i].shown != NULL)) fail_msg("\"%s\"", rows[i].text);
        if (!read) continue;
        x509_alt_name_format(&name, text);
        assert_string_equal(text, rows[i].shown);
    }
}

/* A dNSName with a NUL was once taken for what stands before it. */
static void a_nul_in_a_name_matches_nothing(void **state) {
    (void)state;
    static const char names[] = "\x30\x10\x82\x0E"
                                "edge-7\0evil.com";
    struct bytes bytes = bytes_of(names, 4 + 14);
    char text[64];
    assert_true(x509_alt_names_are_proper(bytes));
    assert_false(x509_alt_names_match(bytes, "edge-7"));
    x509_alt_names_format(bytes, text, sizeof text);
    assert_string_equal(text, "[edge-7\\x00evil.co]");
}

static void a_long_list_is_cut(void **state) {
    (void)state;
    struct x509_alt_name names[30];
    struct buffer der;
    char text[40];
    buffer_init(&der, 4096);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_true(x509_alt_name_parse("edge-7.example", &names[i], NULL));
    x509_alt_names_write(&der, names, COUNT_OF(names));
    x509_alt_names_format(buffer_bytes(&der), text, sizeof text);
    assert_string_equal(text, "[edge-7.example, edge-7.example, ...]");
    buffer_free(&der);
}

static void hostile_names_are_escaped(void **state) {
    (void)state;
    struct buffer name;
    char text[X509_NAME_TEXT_BYTES];
    char long_name[X509_NAME_TEXT_BYTES * 2];
    buffer_init(&name, 4096);
    x509_name_write(&name, NULL, "a\x1b[2J\r\nb\\\xC3\xA9");
    x509_name_format(buffer_bytes(&name), text);
    assert_string_equal(text, "CN=a\\x1b[2J\\x0d\\x0ab\\x5c\\xc3\\xa9");
    buffer_clear(&name);
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    x509_name_write(&name, NULL, long_name);
    x509_name_format(buffer_bytes(&name), text);
    assert_int_equal(strlen(text), X509_NAME_TEXT_BYTES - 1);
    buffer_free(&name);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaf_says_what_was_asked_for),
        cmocka_unit_test(serial_numbers_differ),
        cmocka_unit_test(the_builder_refuses_nonsense),
        cmocka_unit_test(damaged_certificates_are_refused),
        cmocka_unit_test(a_request_proves_possession),
        cmocka_unit_test(a_key_comes_back),
        cmocka_unit_test(keys_of_sec_1_are_checked),
        cmocka_unit_test(texts_without_a_key_are_refused),
        cmocka_unit_test(an_identity_fits_together),
        cmocka_unit_test(names_are_read_strictly),
        cmocka_unit_test(a_nul_in_a_name_matches_nothing),
        cmocka_unit_test(a_long_list_is_cut),
        cmocka_unit_test(hostile_names_are_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
