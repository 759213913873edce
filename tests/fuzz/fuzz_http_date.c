/* Any bytes as a date of HTTP: what is accepted is a point in time that can be written. */
#include "base/assertion.h"
#include "codec/http_date.h"
#include "codec/rfc3339.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const int64_t now_ms[] = {0, 1790000000000, RFC3339_MAX_MS};
    for (size_t i = 0; i < sizeof now_ms / sizeof now_ms[0]; i++) {
        int64_t unix_ms = RFC3339_MIN_MS - 1;
        bool read = http_date_parse(bytes_of(data, size), now_ms[i], &unix_ms);
        ASSERT(read == (unix_ms >= RFC3339_MIN_MS) && unix_ms <= RFC3339_MAX_MS);
    }
    return 0;
}
