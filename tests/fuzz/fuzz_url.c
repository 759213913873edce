/* Any bytes as a URL: what is accepted can be written into a request line as it is, and reads again
 * the same. */
#include <stdio.h>
#include <string.h>

#include "base/assertion.h"
#include "net/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_clean(const char *text) {
    for (; *text; text++)
        ASSERT((unsigned char)*text > 0x20 && (unsigned char)*text < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct url url, again;
    struct buffer decoded;
    buffer_init(&decoded, size);
    if (url_percent_decode(bytes_of(data, size), size & 1, &decoded, NULL))
        ASSERT(strlen(buffer_text(&decoded)) == decoded.length);
    buffer_free(&decoded);

    if (!url_parse(bytes_of(data, size), url_web_schemes, &url, NULL)) return 0;
    ASSERT(strcmp(url.scheme, "http") == 0 || strcmp(url.scheme, "https") == 0);
    ASSERT(url.host[0] && url.target[0] == '/' && url.port > 0);
    check_clean(url.host);
    check_clean(url.target);
    char host[ADDRESS_TEXT_BYTES];
    char text[2 * URL_BYTES_MAX];
    url_host_field(&url, host);
    snprintf(text, sizeof text, "%s://%s%s", url.scheme, host, url.target);
    if (strlen(text) > URL_BYTES_MAX) return 0; /* "/" was added to the longest one */
    bool is_read = url_parse(bytes_of_text(text), url_web_schemes, &again, NULL);
    ASSERT(is_read && memcmp(&url, &again, sizeof url) == 0);
    return 0;
}
