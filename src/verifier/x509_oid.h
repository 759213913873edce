/*
 * The object identifiers that certificates, requests and keys are made of, as the content bytes of
 * their DER. For this folder only.
 */
#ifndef LSYS_VERIFIER_X509_OID_H
#define LSYS_VERIFIER_X509_OID_H

#include "base/bytes.h"

/* Keys and curves: RFC 5480, RFC 3279. */
extern const struct bytes x509_oid_ec_public_key;
extern const struct bytes x509_oid_rsa_encryption;
extern const struct bytes x509_oid_p256;
extern const struct bytes x509_oid_p384;
extern const struct bytes x509_oid_p521;

/* Signatures: RFC 5758, RFC 4055. */
extern const struct bytes x509_oid_ecdsa_sha1;
extern const struct bytes x509_oid_ecdsa_sha256;
extern const struct bytes x509_oid_ecdsa_sha384;
extern const struct bytes x509_oid_ecdsa_sha512;
extern const struct bytes x509_oid_rsa_sha1;
extern const struct bytes x509_oid_rsa_sha256;
extern const struct bytes x509_oid_rsa_sha384;
extern const struct bytes x509_oid_rsa_sha512;
extern const struct bytes x509_oid_rsa_pss;
extern const struct bytes x509_oid_ed25519;

/* Extensions: RFC 5280, section 4.2. */
extern const struct bytes x509_oid_subject_key_identifier;
extern const struct bytes x509_oid_key_usage;
extern const struct bytes x509_oid_subject_alt_name;
extern const struct bytes x509_oid_issuer_alt_name;
extern const struct bytes x509_oid_basic_constraints;
extern const struct bytes x509_oid_name_constraints;
extern const struct bytes x509_oid_crl_distribution_points;
extern const struct bytes x509_oid_certificate_policies;
extern const struct bytes x509_oid_authority_key_identifier;
extern const struct bytes x509_oid_extended_key_usage;
extern const struct bytes x509_oid_authority_info_access;

/* Purposes: RFC 5280, section 4.2.1.12. */
extern const struct bytes x509_oid_server_auth;
extern const struct bytes x509_oid_client_auth;
extern const struct bytes x509_oid_any_purpose;

/* Attributes of names (X.520) and of requests (RFC 2985, section 5.4.2). */
extern const struct bytes x509_oid_common_name;
extern const struct bytes x509_oid_country;
extern const struct bytes x509_oid_locality;
extern const struct bytes x509_oid_state;
extern const struct bytes x509_oid_organization;
extern const struct bytes x509_oid_organizational_unit;
extern const struct bytes x509_oid_extension_request;

#endif
