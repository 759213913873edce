/* Any bytes as the answer of a license client: never granted unless it is a whole 200. */
#include <stddef.h>
#include <stdint.h>

#include "base/assertion.h"
#include "verifier/embed/lsys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lsys_answer answer;
    if (size == 0) return 0;
    enum lsys_progress progress =
        lsys_ask_response((const char *)data + 1, size - 1, data[0] & 1, &answer);
    ASSERT(!answer.granted || (progress == LSYS_ANSWERED && answer.http_status == 200));
    ASSERT(progress != LSYS_NEEDS_MORE || !(data[0] & 1));
    return 0;
}
