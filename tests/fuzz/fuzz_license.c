/* Any JSON as the claims of a license, as if it were signed. What is accepted must survive being
 * issued and read again, and be judged the same. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assertion.h"
#include "codec/json.h"
#include "verifier/license.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct license *read_text(struct bytes text) {
    struct json_document *document = json_document_parse(text, JWS_TOKEN_BYTES_MAX, NULL);
    if (!document) return NULL;
    struct license *license = license_read_claims(json_document_root(document), NULL);
    json_document_free(document);
    return license;
}

static enum status_code judge(const struct license *license, int64_t now_ms) {
    struct status status = STATUS_INIT;
    const struct license_circumstances circumstances = {.deployment_id = "", .now_ms = now_ms};
    bool valid = license_check(license, &circumstances, &status);
    ASSERT(valid == status_is_ok(&status));
    return status.code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct license *license = read_text(bytes_of(data, size));
    if (!license) return 0;
    struct buffer text;
    struct json_writer json;
    buffer_init(&text, 4 * JWS_TOKEN_BYTES_MAX);
    json_writer_init(&json, &text);
    license_write_claims(license, &json);
    bool fits = json_writer_finish(&json, "the claims", NULL);
    ASSERT(fits);
    struct license *again = read_text(buffer_bytes(&text));
    ASSERT(again);
    ASSERT(again->features_count == license->features_count);
    ASSERT(strcmp(again->license_id, license->license_id) == 0);
    const int64_t moments[] = {0, license->not_before_ms, license->expires_at_ms - 1,
                               license->expires_at_ms, license_grace_ends_at_ms(license)};
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++)
        ASSERT(judge(license, moments[i]) == judge(again, moments[i]));
    license_free(again);
    license_free(license);
    buffer_free(&text);
    return 0;
}
