/* Any text as the list of NATS servers: what is shown holds no credentials, and errors do not
 * either. */
#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "base/memory.h"
#include "bus/server_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *urls = memory_copy_bytes(data, size);
    struct bus_server_list list;
    struct status status = STATUS_INIT;
    if (bus_server_list_read(&list, urls, &status)) {
        ASSERT(list.count >= 1 && list.count <= BUS_SERVERS_MAX);
        for (size_t i = 0; i < list.count; i++) {
            const struct bus_server *server = &list.servers[i];
            ASSERT(strchr(server->text, '@') == NULL && strchr(server->text, ':') != NULL);
            ASSERT(strncmp(server->url, "nats://", 7) == 0);
            ASSERT(strcmp(server->url + 7, server->text) == 0);
            ASSERT((server->user == NULL) == (server->password == NULL));
        }
        bus_server_list_free(&list);
    } else {
        ASSERT(status.code == STATUS_CONFIG);
        ASSERT(list.servers == NULL && strchr(status.text, '@') == NULL);
    }
    free(urls);
    return 0;
}
