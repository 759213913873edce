#include "net/tls_context_private.h"

bool tls_key_pair_read(struct tls_key_pair *pair, const struct tls_identity *identity,
                       struct status *status) {
    *pair = (struct tls_key_pair){0};
    pair->identity = x509_identity_read_pem(identity->certificates, identity->key, status);
    if (!pair->identity) return false;
    const struct x509_key *key = x509_identity_key(pair->identity);
    pair->chain = x509_identity_view(pair->identity, &pair->chain_count);
    pair->is_rsa = x509_key_public(key)->type == X509_KEY_RSA;
    if (pair->is_rsa)
        pair->rsa = x509_key_rsa_view(key);
    else
        pair->ec = x509_key_ec_view(key);
    return true;
}

void tls_key_pair_free(struct tls_key_pair *pair) {
    x509_identity_free(pair->identity);
    *pair = (struct tls_key_pair){0};
}
