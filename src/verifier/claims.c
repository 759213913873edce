#include "verifier/claims.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/bytes.h"

/* C0, DEL and C1 (U+0080 to U+009F, in UTF-8 a C2 and the code), which terminals act on. `at` is in
 * valid UTF-8 with its NUL. */
static bool is_control_character(const unsigned char *at) {
    return at[0] < ' ' || at[0] == 0x7F || (at[0] == 0xC2 && at[1] < 0xA0);
}

bool claims_text_is_fit(const char *text, size_t max_bytes) {
    size_t length = strlen(text);
    if (length == 0 || length > max_bytes || !bytes_are_utf8(bytes_of(text, length))) return false;
    for (size_t i = 0; i < length; i++)
        if (is_control_character((const unsigned char *)text + i)) return false;
    return true;
}

bool claims_text(const struct json_value *claims, const char *name, bool required, char *out,
                 size_t capacity, struct status *status) {
    const struct json_value *value = json_value_member(claims, name);
    const char *text = json_value_text(value);
    out[0] = '\0';
    if (!value && required)
        return status_fail(status, STATUS_BAD_CLAIM, "the claim \"%s\" is missing", name);
    if (!value) return true;
    if (!text) return status_fail(status, STATUS_BAD_CLAIM, "the claim \"%s\" is not a text", name);
    if (text[0] == '\0' && !required) return true;
    if (!claims_text_is_fit(text, capacity - 1))
        return status_fail(status, STATUS_BAD_CLAIM,
                           "the claim \"%s\" is empty, over %zu bytes, or has control characters",
                           name, capacity - 1);
    memcpy(out, text, strlen(text) + 1);
    return true;
}

bool claims_integer(const struct json_value *claims, const char *name, int64_t lowest,
                    int64_t highest, int64_t *out, struct status *status) {
    const struct json_value *value = json_value_member(claims, name);
    int64_t number = 0;
    if (!value) return true;
    if (!json_value_integer(value, &number) || number < lowest || number > highest)
        return status_fail(status, STATUS_BAD_CLAIM,
                           "the claim \"%s\" is not a whole number from %" PRId64 " to %" PRId64,
                           name, lowest, highest);
    *out = number;
    return true;
}

bool claims_time(const struct json_value *claims, const char *name, bool required, int64_t *out_ms,
                 struct status *status) {
    const struct json_value *value = json_value_member(claims, name);
    double seconds = 0;
    if (!value && required)
        return status_fail(status, STATUS_BAD_CLAIM, "the claim \"%s\" is missing", name);
    if (!value) return true;
    if (!json_value_number(value, &seconds) || !(seconds >= 0) ||
        !(seconds <= (double)CLAIM_TIME_MAX_S))
        return status_fail(status, STATUS_BAD_CLAIM,
                           "the claim \"%s\" is not a time in seconds since 1970", name);
    *out_ms = llround(seconds * 1000);
    return true;
}

void claims_write_time(struct json_writer *writer, const char *name, int64_t unix_ms) {
    if (unix_ms % 1000 == 0)
        json_writer_member_integer(writer, name, unix_ms / 1000);
    else
        json_writer_member_double(writer, name, (double)unix_ms / 1000);
}
