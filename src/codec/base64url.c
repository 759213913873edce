#include "codec/base64url.h"

#include "codec/base64_alphabet.h"

static const struct base64_alphabet alphabet = {.character_62 = '-', .character_63 = '_'};

bool base64url_append(struct buffer *out, struct bytes bytes) {
    size_t length = BASE64URL_LENGTH(bytes.length);
    uint8_t *place = buffer_reserve(out, length);
    if (!place) return false;
    base64_encode_unpadded(&alphabet, bytes, (char *)place);
    buffer_added(out, length);
    return true;
}

void base64url_encode(struct bytes bytes, char *out) {
    out[base64_encode_unpadded(&alphabet, bytes, out)] = '\0';
}

bool base64url_is_token(struct bytes text) {
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] != '.' && !base64_alphabet_has(&alphabet, text.data[i])) return false;
    return true;
}

bool base64url_decode(struct bytes text, struct buffer *out) {
    size_t length = text.length / 4 * 3 + text.length % 4 * 3 / 4;
    uint8_t *place = buffer_reserve(out, length);
    if (!place || !base64_decode_unpadded(&alphabet, text, place)) return false;
    buffer_added(out, length);
    return true;
}

bool base64url_decode_exact(struct bytes text, void *out, size_t length_bytes) {
    if (text.length != BASE64URL_LENGTH(length_bytes)) return false;
    return base64_decode_unpadded(&alphabet, text, out);
}
