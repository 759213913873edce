/* lsys ca init: makes a CA. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "codec/hex.h"
#include "roles/ca/actions.h"
#include "verifier/x509_name.h"

/* Random bytes in the name that a CA gets by itself: two deployments' CAs should not be mistaken
 * for each other in an error text. */
#define NAME_RANDOM_BYTES 3

static bool choose_name(const struct options *options, char out[X509_COMMON_NAME_BYTES_MAX + 1],
                        struct status *status) {
    const char *given = options_text(options, "name");
    if (!given) {
        uint8_t random[NAME_RANDOM_BYTES];
        char hex[2 * NAME_RANDOM_BYTES + 1];
        random_bytes(random, sizeof random);
        hex_encode(bytes_of(random, sizeof random), hex);
        snprintf(out, X509_COMMON_NAME_BYTES_MAX + 1, "lsys CA %s", hex);
        return true;
    }
    size_t length = strlen(given);
    bool fit =
        length > 0 && length <= X509_COMMON_NAME_BYTES_MAX && bytes_are_utf8(bytes_of_text(given));
    for (size_t i = 0; fit && i < length; i++)
        fit = (unsigned char)given[i] >= ' ' && given[i] != 0x7F;
    if (!fit)
        return status_fail(status, STATUS_USAGE, "--name: 1 to %d bytes of printable text",
                           X509_COMMON_NAME_BYTES_MAX);
    memcpy(out, given, length + 1);
    return true;
}

bool ca_init(const struct options *options, struct status *status) {
    char name[X509_COMMON_NAME_BYTES_MAX + 1], end[CA_TIME_BYTES];
    const char *folder = ca_need(options, "out", "the folder for the CA", status);
    int64_t life_ms = options_duration_ms(options, "valid_for");
    int64_t now_ms = clock_wall_ms();
    if (!folder || !choose_name(options, name, status)) return false;
    if (life_ms == 0) life_ms = CERTIFICATE_AUTHORITY_LIFE_MS;
    if (!certificate_authority_create(folder, name, life_ms, now_ms, status)) return false;
    ca_format_time(now_ms + life_ms, end);
    printf("%s/" CERTIFICATE_AUTHORITY_FILE "  certificate of the CA \"%s\" until %s: give it to "
           "everyone\n"
           "%s/" CERTIFICATE_AUTHORITY_KEY_FILE "  its private key: keep it secret, and keep a "
           "copy\n",
           folder, name, end, folder);
    return true;
}
