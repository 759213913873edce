/* Any bytes as a file that holds a token: what comes out is token text, and armours and reads
 * again. */
#include <stddef.h>
#include <stdint.h>

#include "base/assertion.h"
#include "codec/armor.h"

#define TOKEN_BYTES_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct buffer token, armored, again;
    buffer_init(&token, TOKEN_BYTES_MAX);
    buffer_init(&armored, 2 * TOKEN_BYTES_MAX);
    buffer_init(&again, TOKEN_BYTES_MAX);
    if (armor_read(ARMOR_LICENSE, bytes_of(data, size), &token, NULL)) {
        ASSERT(token.length > 0);
        bool written = armor_write(ARMOR_LICENSE, buffer_bytes(&token), &armored);
        bool read = armor_read(ARMOR_LICENSE, buffer_bytes(&armored), &again, NULL);
        ASSERT(written && read && bytes_equal(buffer_bytes(&token), buffer_bytes(&again)));
    } else {
        ASSERT(token.length == 0);
    }
    buffer_free(&again);
    buffer_free(&armored);
    buffer_free(&token);
    return 0;
}
