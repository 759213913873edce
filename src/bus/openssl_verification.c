/*
 * What a verify callback can ask about the certificate that was refused.
 */
#include "bus/openssl_private.h"

/* Numbers of X509_V_ERR_..., for those who compare them; the text is ours. */
struct verdict_row {
    enum status_code code;
    int number;
};

static const struct verdict_row verdicts[] = {
    {STATUS_BAD_SIGNATURE, 7},   {STATUS_NOT_YET_VALID, 9}, {STATUS_EXPIRED, 10},
    {STATUS_UNKNOWN_ISSUER, 20}, {STATUS_WRONG_TYPE, 26},   {STATUS_WRONG_NAME, 62},
};

#define VERDICT_OTHER 50 /* X509_V_ERR_APPLICATION_VERIFICATION */

/* SSL_get_ex_data_X509_STORE_CTX_idx: where a verification keeps its connection. */
#define INDEX_CONNECTION 0

int X509_STORE_CTX_get_error(const struct openssl_verification *verification) {
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
        if (verdicts[i].code == verification->why->code) return verdicts[i].number;
    return VERDICT_OTHER;
}

/* The leaf's: the text names the certificate that is meant. */
int X509_STORE_CTX_get_error_depth(const struct openssl_verification *verification) {
    (void)verification;
    return 0;
}

struct openssl_certificate *
X509_STORE_CTX_get_current_cert(const struct openssl_verification *verification) {
    return verification->certificate;
}

void *X509_STORE_CTX_get_ex_data(const struct openssl_verification *verification, int index) {
    return index == INDEX_CONNECTION ? verification->connection : NULL;
}

int SSL_get_ex_data_X509_STORE_CTX_idx(void) {
    return INDEX_CONNECTION;
}

/* Asked while the callback runs, when the last error is the verdict. */
const char *X509_verify_cert_error_string(long error) {
    (void)error;
    return openssl_last_error()->text;
}
