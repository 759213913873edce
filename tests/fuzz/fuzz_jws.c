/* Any bytes as a token. What has the form of one is written again, and must be the same bytes:
 * there is one text for each token. */
#include <stddef.h>
#include <stdint.h>

#include "base/assertion.h"
#include "verifier/jws.h"
#include "verifier/status_proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes token = bytes_of(data, size);
    struct status_proof proof;
    struct jws jws;
    if (status_proof_read(token, &proof, NULL)) {
        bool verified = status_proof_verify(token, &proof, NULL, NULL);
        (void)verified;
    }
    if (!jws_parse(token, &jws, NULL)) return 0;
    struct buffer again;
    buffer_init(&again, JWS_TOKEN_BYTES_MAX);
    buffer_append(&again, jws.signing_input.data, jws.signing_input.length);
    jws_append_signature(&again, jws.signature);
    ASSERT(bytes_equal(buffer_bytes(&again), token));
    const struct json_value *claims = jws_claims(&jws, NULL);
    ASSERT(!claims || json_value_type(claims) == JSON_TYPE_OBJECT);
    buffer_free(&again);
    jws_free(&jws);
    return 0;
}
