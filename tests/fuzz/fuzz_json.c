/* Any bytes as JSON: what parses must be written and read back as the same text. */
#include <stddef.h>
#include <stdint.h>

#include "base/assertion.h"
#include "codec/json.h"
#include "codec/json_writer.h"

#define INPUT_BYTES_MAX  65536
#define OUTPUT_BYTES_MAX (INPUT_BYTES_MAX * 32)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_value(const struct json_value *value, struct buffer *out) {
    struct json_writer json;
    buffer_init(out, OUTPUT_BYTES_MAX);
    json_writer_init(&json, out);
    json_writer_value(&json, value);
    bool fits = json_writer_finish(&json, "the value", NULL);
    ASSERT(fits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct json_document *document =
        json_document_parse(bytes_of(data, size), INPUT_BYTES_MAX, NULL);
    if (!document) return 0;
    struct buffer first, second;
    write_value(json_document_root(document), &first);
    json_document_free(document);
    document = json_document_parse(buffer_bytes(&first), OUTPUT_BYTES_MAX, NULL);
    ASSERT(document);
    write_value(json_document_root(document), &second);
    ASSERT(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
    json_document_free(document);
    buffer_free(&first);
    buffer_free(&second);
    return 0;
}
