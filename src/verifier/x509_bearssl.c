#include "verifier/x509_bearssl.h"

#include "base/assertion.h"

/* BearSSL's structures have no const; it does not write to what they point to. */
static unsigned char *writable(struct bytes bytes) {
    return (unsigned char *)bytes.data;
}

br_x509_pkey x509_public_key_view(const struct x509_public_key *key) {
    br_x509_pkey view;
    ASSERT(key->type != X509_KEY_OTHER);
    if (key->type == X509_KEY_RSA) {
        view.key_type = BR_KEYTYPE_RSA;
        view.key.rsa = (br_rsa_public_key){.n = writable(key->modulus),
                                           .nlen = key->modulus.length,
                                           .e = writable(key->exponent),
                                           .elen = key->exponent.length};
        return view;
    }
    view.key_type = BR_KEYTYPE_EC;
    view.key.ec = (br_ec_public_key){.curve = key->type == X509_KEY_P256   ? BR_EC_secp256r1
                                              : key->type == X509_KEY_P384 ? BR_EC_secp384r1
                                                                           : BR_EC_secp521r1,
                                     .q = writable(key->point),
                                     .qlen = key->point.length};
    return view;
}

br_ec_private_key x509_key_ec_view(const struct x509_key *key) {
    const struct x509_key_secrets *secrets = x509_key_secrets(key);
    ASSERT(x509_key_public(key)->type == X509_KEY_P256);
    return (br_ec_private_key){
        .curve = BR_EC_secp256r1, .x = writable(secrets->scalar), .xlen = secrets->scalar.length};
}

br_rsa_private_key x509_key_rsa_view(const struct x509_key *key) {
    const struct x509_key_secrets *secrets = x509_key_secrets(key);
    ASSERT(x509_key_public(key)->type == X509_KEY_RSA);
    return (br_rsa_private_key){.n_bitlen = (uint32_t)x509_key_public(key)->bits,
                                .p = writable(secrets->p),
                                .plen = secrets->p.length,
                                .q = writable(secrets->q),
                                .qlen = secrets->q.length,
                                .dp = writable(secrets->d_mod_p1),
                                .dplen = secrets->d_mod_p1.length,
                                .dq = writable(secrets->d_mod_q1),
                                .dqlen = secrets->d_mod_q1.length,
                                .iq = writable(secrets->q_inverse),
                                .iqlen = secrets->q_inverse.length};
}
