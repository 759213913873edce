#include "verifier/signer.h"

#include <string.h>

#include "base/assertion.h"
#include "verifier/p256.h"

#define DER_SEQUENCE 0x30
#define DER_INTEGER  0x02

static bool sign_with_private_key(void *context, struct bytes signing_input,
                                  uint8_t signature[SIGNATURE_BYTES], struct status *status) {
    (void)status;
    private_key_sign(context, signing_input, signature);
    return true;
}

struct signer signer_from_private_key(const struct private_key *key) {
    return (struct signer){
        .public_key = key->public_key, .sign = sign_with_private_key, .context = (void *)key};
}

struct signer signer_from_callback(const struct jwk *public_key, signer_function *sign,
                                   void *context) {
    return (struct signer){.public_key = *public_key, .sign = sign, .context = context};
}

bool signer_sign(const struct signer *signer, struct bytes signing_input,
                 uint8_t signature[SIGNATURE_BYTES], struct status *status) {
    if (!signer->sign(signer->context, signing_input, signature, status))
        return status_fail(status, STATUS_SIGNER_FAILED, "the signer failed without saying why");
    if (jwk_verify(&signer->public_key, signing_input, signature)) return true;
    return status_fail(status, STATUS_SIGNER_FAILED,
                       "the signer's signature does not verify with the public key %s",
                       signer->public_key.thumbprint);
}

/* Takes one DER INTEGER, positive and in its shortest form, as 32 big-endian bytes. */
static bool take_der_integer(struct bytes *der, uint8_t out[P256_COORDINATE_BYTES]) {
    if (der->length < 3 || der->data[0] != DER_INTEGER) return false;
    size_t length = der->data[1];
    if (length == 0 || length > P256_COORDINATE_BYTES + 1 || length > der->length - 2) return false;
    const uint8_t *number = der->data + 2;
    *der = bytes_of(number + length, der->length - 2 - length);
    if (number[0] & 0x80) return false;
    if (length > 1 && number[0] == 0) {
        if (!(number[1] & 0x80)) return false;
        number++;
        length--;
    }
    if (length > P256_COORDINATE_BYTES) return false;
    memset(out, 0, P256_COORDINATE_BYTES - length);
    memcpy(out + P256_COORDINATE_BYTES - length, number, length);
    return true;
}

/* ECDSA-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER }; short lengths suffice for P-256. */
static bool read_der(struct bytes output, uint8_t signature[SIGNATURE_BYTES]) {
    if (output.length < 2 || output.data[0] != DER_SEQUENCE || output.data[1] != output.length - 2)
        return false;
    struct bytes rest = bytes_of(output.data + 2, output.length - 2);
    return take_der_integer(&rest, signature) &&
           take_der_integer(&rest, signature + P256_COORDINATE_BYTES) && rest.length == 0;
}

bool signer_read_signature(enum jwk_type type, struct bytes output,
                           uint8_t signature[SIGNATURE_BYTES], struct status *status) {
    if (output.length == SIGNATURE_BYTES) {
        memcpy(signature, output.data, SIGNATURE_BYTES);
        return true;
    }
    if (type == JWK_P256 && read_der(output, signature)) return true;
    return status_fail(status, STATUS_SIGNER_FAILED,
                       "the signer gave %zu bytes that are neither %d raw bytes%s", output.length,
                       SIGNATURE_BYTES, type == JWK_P256 ? " nor a DER signature" : "");
}
