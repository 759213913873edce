/* Any bytes as an address: what is accepted is written back and reads again the same. */
#include <string.h>

#include "base/assertion.h"
#include "net/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct address address, again;
    char text[ADDRESS_TEXT_BYTES];
    struct sockaddr_storage socket_address;
    socklen_t length;
    if (!address_parse(bytes_of(data, size), 80, &address, NULL)) return 0;
    address_format(&address, text);
    bool is_read = address_parse(bytes_of_text(text), ADDRESS_PORT_REQUIRED, &again, NULL);
    ASSERT(is_read && memcmp(&address, &again, sizeof address) == 0);
    bool is_numeric = address_to_socket(&address, &socket_address, &length);
    ASSERT(is_numeric == (address.kind == ADDRESS_UNIX || address_is_ip_literal(address.host)));
    address_is_loopback(&address);
    return 0;
}
