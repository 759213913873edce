#include "verifier/x509_oid.h"

/* The content of an object identifier as text, and its length. */
#define OID(text)                                                                                  \
    { .data = (const uint8_t *)(text), .length = sizeof(text) - 1 }

/* 1.2.840.10045.2.1 */
const struct bytes x509_oid_ec_public_key = OID("\x2A\x86\x48\xCE\x3D\x02\x01");
/* 1.2.840.113549.1.1.1 */
const struct bytes x509_oid_rsa_encryption = OID("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01");
/* 1.2.840.10045.3.1.7 */
const struct bytes x509_oid_p256 = OID("\x2A\x86\x48\xCE\x3D\x03\x01\x07");
/* 1.3.132.0.34 */
const struct bytes x509_oid_p384 = OID("\x2B\x81\x04\x00\x22");
/* 1.3.132.0.35 */
const struct bytes x509_oid_p521 = OID("\x2B\x81\x04\x00\x23");

/* 1.2.840.10045.4.1 */
const struct bytes x509_oid_ecdsa_sha1 = OID("\x2A\x86\x48\xCE\x3D\x04\x01");
/* 1.2.840.10045.4.3.2 */
const struct bytes x509_oid_ecdsa_sha256 = OID("\x2A\x86\x48\xCE\x3D\x04\x03\x02");
/* 1.2.840.10045.4.3.3 */
const struct bytes x509_oid_ecdsa_sha384 = OID("\x2A\x86\x48\xCE\x3D\x04\x03\x03");
/* 1.2.840.10045.4.3.4 */
const struct bytes x509_oid_ecdsa_sha512 = OID("\x2A\x86\x48\xCE\x3D\x04\x03\x04");
/* 1.2.840.113549.1.1.5 */
const struct bytes x509_oid_rsa_sha1 = OID("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x05");
/* 1.2.840.113549.1.1.11 */
const struct bytes x509_oid_rsa_sha256 = OID("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0B");
/* 1.2.840.113549.1.1.12 */
const struct bytes x509_oid_rsa_sha384 = OID("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0C");
/* 1.2.840.113549.1.1.13 */
const struct bytes x509_oid_rsa_sha512 = OID("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0D");
/* 1.2.840.113549.1.1.10 */
const struct bytes x509_oid_rsa_pss = OID("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0A");
/* 1.3.101.112 */
const struct bytes x509_oid_ed25519 = OID("\x2B\x65\x70");

/* 2.5.29.14 */
const struct bytes x509_oid_subject_key_identifier = OID("\x55\x1D\x0E");
/* 2.5.29.15 */
const struct bytes x509_oid_key_usage = OID("\x55\x1D\x0F");
/* 2.5.29.17 */
const struct bytes x509_oid_subject_alt_name = OID("\x55\x1D\x11");
/* 2.5.29.18 */
const struct bytes x509_oid_issuer_alt_name = OID("\x55\x1D\x12");
/* 2.5.29.19 */
const struct bytes x509_oid_basic_constraints = OID("\x55\x1D\x13");
/* 2.5.29.30 */
const struct bytes x509_oid_name_constraints = OID("\x55\x1D\x1E");
/* 2.5.29.31 */
const struct bytes x509_oid_crl_distribution_points = OID("\x55\x1D\x1F");
/* 2.5.29.32 */
const struct bytes x509_oid_certificate_policies = OID("\x55\x1D\x20");
/* 2.5.29.35 */
const struct bytes x509_oid_authority_key_identifier = OID("\x55\x1D\x23");
/* 2.5.29.37 */
const struct bytes x509_oid_extended_key_usage = OID("\x55\x1D\x25");
/* 1.3.6.1.5.5.7.1.1 */
const struct bytes x509_oid_authority_info_access = OID("\x2B\x06\x01\x05\x05\x07\x01\x01");

/* 1.3.6.1.5.5.7.3.1 */
const struct bytes x509_oid_server_auth = OID("\x2B\x06\x01\x05\x05\x07\x03\x01");
/* 1.3.6.1.5.5.7.3.2 */
const struct bytes x509_oid_client_auth = OID("\x2B\x06\x01\x05\x05\x07\x03\x02");
/* 2.5.29.37.0 */
const struct bytes x509_oid_any_purpose = OID("\x55\x1D\x25\x00");

/* 2.5.4.3 */
const struct bytes x509_oid_common_name = OID("\x55\x04\x03");
/* 2.5.4.6 */
const struct bytes x509_oid_country = OID("\x55\x04\x06");
/* 2.5.4.7 */
const struct bytes x509_oid_locality = OID("\x55\x04\x07");
/* 2.5.4.8 */
const struct bytes x509_oid_state = OID("\x55\x04\x08");
/* 2.5.4.10 */
const struct bytes x509_oid_organization = OID("\x55\x04\x0A");
/* 2.5.4.11 */
const struct bytes x509_oid_organizational_unit = OID("\x55\x04\x0B");
/* 1.2.840.113549.1.9.14 */
const struct bytes x509_oid_extension_request = OID("\x2A\x86\x48\x86\xF7\x0D\x01\x09\x0E");
