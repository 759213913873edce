#include "codec/base64.h"

#include "codec/base64_alphabet.h"

static const struct base64_alphabet alphabet = {.character_62 = '+', .character_63 = '/'};

static void encode_padded(struct bytes bytes, char *out) {
    size_t length = base64_encode_unpadded(&alphabet, bytes, out);
    while (length % 4 != 0)
        out[length++] = '=';
}

bool base64_append(struct buffer *out, struct bytes bytes) {
    size_t length = BASE64_LENGTH(bytes.length);
    uint8_t *place = buffer_reserve(out, length);
    if (!place) return false;
    encode_padded(bytes, (char *)place);
    buffer_added(out, length);
    return true;
}

void base64_encode(struct bytes bytes, char *out) {
    encode_padded(bytes, out);
    out[BASE64_LENGTH(bytes.length)] = '\0';
}

bool base64_decode(struct bytes text, struct buffer *out) {
    if (text.length % 4 != 0) return false;
    size_t padding = 0;
    while (padding < 2 && padding < text.length && text.data[text.length - 1 - padding] == '=')
        padding++;
    text.length -= padding;
    size_t length = text.length * 3 / 4;
    uint8_t *place = buffer_reserve(out, length);
    if (!place || !base64_decode_unpadded(&alphabet, text, place)) return false;
    buffer_added(out, length);
    return true;
}
