/* Any text is read or refused; what was read is written and read again unchanged. */
#include <stdlib.h>
#include <string.h>

#include "codec/nats_creds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes token, seed, token_again, seed_again;
    struct buffer text;
    if (!nats_creds_read(bytes_of(data, size), &token, &seed, NULL)) return 0;
    buffer_init(&text, 2 * NATS_CREDS_BYTES_MAX);
    if (!nats_creds_write(token, seed, &text)) abort();
    if (text.length <= NATS_CREDS_BYTES_MAX &&
        (!nats_creds_read(buffer_bytes(&text), &token_again, &seed_again, NULL) ||
         !bytes_equal(token, token_again) || !bytes_equal(seed, seed_again)))
        abort();
    buffer_free(&text);
    return 0;
}
