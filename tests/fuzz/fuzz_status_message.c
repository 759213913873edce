/* Any bytes as a message of license.status: refused with a reason, or read into parts that hold
 * together. */
#include <stdlib.h>
#include <string.h>

#include "roles/license-client/message.h"
#include "verifier/jws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_within_limits(const struct status_message *message) {
    const struct status_proof *proof = &message->proof;
    return message->type <= STATUS_MESSAGE_UPDATE && message->proof_token.length > 0 &&
           message->proof_token.length <= STATUS_PROOF_TOKEN_BYTES_MAX && proof->seq > 0 &&
           proof->seq <= CLAIM_INTEGER_MAX && proof->serial >= 0 && proof->status[0] != '\0' &&
           strlen(proof->server_key.thumbprint) == SHA256_TEXT_BYTES - 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct status_message message;
    struct status status = STATUS_INIT;
    if (!status_message_read(bytes_of(data, size), &message, &status)) {
        if (status_is_ok(&status) || status.text[0] == '\0') abort();
        return 0;
    }
    if (!status_is_ok(&status) || !is_within_limits(&message)) abort();
    /* A proof that was read can be judged; which way depends on the input. */
    if (!status_proof_verify(message.proof_token, &message.proof, NULL, &status) &&
        status_is_ok(&status))
        abort();
    status_message_free(&message);
    return 0;
}
