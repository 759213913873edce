/* Any bytes as the URL of a proxy, as a list of hosts that need none, and as what a proxy answers to
 * CONNECT: what is accepted can be written into a header field as it is. */
#include <stdlib.h>
#include <string.h>

#include "app/outbound_proxy.h"
#include "base/assertion.h"
#include "base/memory.h"
#include "net/http_proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_url(struct bytes text) {
    struct http_proxy proxy;
    if (!http_proxy_parse(text, &proxy, NULL)) return;
    ASSERT(proxy.address.kind == ADDRESS_TCP && proxy.address.host[0] && proxy.address.port > 0);
    ASSERT(strlen(proxy.authorization) < sizeof proxy.authorization);
    for (const char *c = proxy.authorization; *c; c++)
        ASSERT((unsigned char)*c >= 0x20 && (unsigned char)*c < 0x7f);
}

static void try_list(const char *list) {
    static const char *const hosts[] = {"a.example", "10.1.2.3", "2001:db8::1", ""};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        outbound_proxy_is_exempt(list, hosts[i]);
}

static void try_answer(struct bytes answer) {
    struct http_proxy proxy;
    struct url target;
    struct status status = STATUS_INIT;
    bool read = http_proxy_parse(bytes_of_text("proxy:3128"), &proxy, &status) &&
                url_parse(bytes_of_text("https://master.site"), url_web_schemes, &target, &status);
    ASSERT(read);
    struct http_tunnel *tunnel = http_tunnel_new(&proxy, &target);
    if (http_tunnel_feed(tunnel, answer, &status) == HTTP_TUNNEL_FAILED)
        ASSERT(!status_is_ok(&status));
    else
        ASSERT(status_is_ok(&status));
    http_tunnel_free(tunnel);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = memory_copy_bytes(data, size);
    try_url(bytes_of(data, size));
    try_list(text);
    try_answer(bytes_of(data, size));
    free(text);
    return 0;
}
