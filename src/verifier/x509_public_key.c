#include "verifier/x509_public_key.h"

#include "verifier/x509_oid.h"

static const struct curve {
    const struct bytes *oid;
    enum x509_key_type type;
    size_t bits;
} curves[] = {
    {&x509_oid_p256, X509_KEY_P256, 256},
    {&x509_oid_p384, X509_KEY_P384, 384},
    {&x509_oid_p521, X509_KEY_P521, 521},
};

static const struct curve *find_curve(struct bytes oid) {
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++)
        if (bytes_equal(*curves[i].oid, oid)) return &curves[i];
    return NULL;
}

/* Only named curves and uncompressed points (RFC 5480, section 2.2); other curves are OTHER. */
static void read_ec(struct der_reader *algorithm, struct der_reader *reader,
                    struct x509_public_key *out) {
    const struct curve *curve = find_curve(der_read_oid(algorithm));
    struct bytes point = der_read_octets_in_bits(reader);
    if (!curve) return;
    size_t coordinate = (curve->bits + 7) / 8;
    if (point.length != 1 + 2 * coordinate || point.data[0] != 4) {
        der_fail(reader);
        return;
    }
    out->type = curve->type;
    out->bits = curve->bits;
    out->point = point;
}

static size_t count_bits(struct bytes number) {
    if (number.length == 0) return 0;
    size_t bits = 8 * number.length;
    for (uint8_t mask = 0x80; !(number.data[0] & mask); mask >>= 1)
        bits--;
    return bits;
}

static bool is_odd(struct bytes number) {
    return number.length > 0 && number.data[number.length - 1] & 1;
}

static void read_rsa(struct der_reader *algorithm, struct der_reader *reader,
                     struct x509_public_key *out) {
    struct der_reader content, numbers;
    if (der_read(algorithm, DER_NULL).length != 0) der_fail(algorithm);
    der_reader_init(&content, der_read_octets_in_bits(reader));
    numbers = der_enter(&content, DER_SEQUENCE);
    out->modulus = der_read_unsigned(&numbers);
    out->exponent = der_read_unsigned(&numbers);
    der_leave(&content, &numbers);
    bool exponent_is_one = out->exponent.length == 1 && out->exponent.data[0] == 1;
    if (!der_is_done(&content) || !is_odd(out->modulus) || !is_odd(out->exponent) ||
        exponent_is_one) {
        der_fail(reader);
        return;
    }
    out->type = X509_KEY_RSA;
    out->bits = count_bits(out->modulus);
}

void x509_public_key_read(struct der_reader *reader, struct x509_public_key *out) {
    struct der_reader whole, inner, algorithm;
    *out = (struct x509_public_key){.type = X509_KEY_OTHER};
    out->spki = der_read_whole(reader, DER_SEQUENCE);
    der_reader_init(&whole, out->spki);
    inner = der_enter(&whole, DER_SEQUENCE);
    algorithm = der_enter(&inner, DER_SEQUENCE);
    struct bytes oid = der_read_oid(&algorithm);
    if (bytes_equal(oid, x509_oid_ec_public_key)) {
        read_ec(&algorithm, &inner, out);
        der_leave(&inner, &algorithm);
    } else if (bytes_equal(oid, x509_oid_rsa_encryption)) {
        read_rsa(&algorithm, &inner, out);
        der_leave(&inner, &algorithm);
    } else {
        der_read(&inner, DER_BIT_STRING);
        if (algorithm.failed) der_fail(&inner);
    }
    der_leave(&whole, &inner);
    if (!der_is_done(&whole)) der_fail(reader);
}

bool x509_public_key_check(const struct x509_public_key *key, struct status *status) {
    if (key->type == X509_KEY_OTHER)
        return status_fail(
            status, STATUS_WRONG_ALGORITHM,
            "a kind of key that is not supported (use EC P-256, P-384, P-521 or RSA)");
    if (key->type == X509_KEY_RSA && key->bits < X509_RSA_BITS_MIN)
        return status_fail(status, STATUS_WRONG_ALGORITHM,
                           "an RSA key of %zu bits, which is less than %d", key->bits,
                           X509_RSA_BITS_MIN);
    if (key->type == X509_KEY_RSA &&
        (key->bits > X509_RSA_BITS_MAX || key->exponent.length > sizeof(uint32_t)))
        return status_fail(
            status, STATUS_WRONG_ALGORITHM,
            "an RSA key of %zu bits with an exponent of %zu bytes, which is more than "
            "%d bits or 4 bytes",
            key->bits, key->exponent.length, X509_RSA_BITS_MAX);
    return true;
}

bool x509_public_key_equal(const struct x509_public_key *left,
                           const struct x509_public_key *right) {
    return left->type == right->type && left->type != X509_KEY_OTHER &&
           bytes_equal(left->point, right->point) && bytes_equal(left->modulus, right->modulus) &&
           bytes_equal(left->exponent, right->exponent);
}

void x509_public_key_pin(const struct x509_public_key *key, uint8_t out[SHA256_BYTES]) {
    sha256_digest(key->spki, out);
}

const char *x509_key_type_name(enum x509_key_type type) {
    switch (type) {
    case X509_KEY_P256: return "P-256";
    case X509_KEY_P384: return "P-384";
    case X509_KEY_P521: return "P-521";
    case X509_KEY_RSA: return "RSA";
    case X509_KEY_OTHER: break;
    }
    return "unknown";
}
