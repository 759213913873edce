/* Records from a peer that obeys nothing, to a server and to a client: the first byte says which,
 * and in how large pieces they come. */
#include <stdlib.h>

#include "base/assertion.h"
#include "net/tls_engine.h"
#include "tests/lib/tls_peers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tls_server_context *server_context;
static struct tls_client_context *client_context;

static void prepare(void) {
    static struct tls_peers peers;
    if (server_context) return;
    tls_peers_make(&peers);
    server_context = tls_peers_server(&peers, TLS_SERVER, TLS_CLIENTS_OPTIONAL);
    client_context = tls_peers_client(&peers, TLS_CLIENT);
}

static struct tls_engine *make_engine(bool is_server) {
    struct status status = STATUS_INIT;
    return is_server ? tls_engine_create_server(server_context)
                     : tls_engine_create_client(client_context,
                                                &(struct tls_target){.host = "edge-7", .port = 443},
                                                &status);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    prepare();
    struct tls_engine *engine = make_engine(data[0] & 1);
    size_t piece = (size_t)(data[0] >> 1) + 1;
    size_t at = 1;
    while (at < size) {
        size_t length = size - at < piece ? size - at : piece;
        size_t taken = tls_engine_take(engine, data + at, length);
        at += taken;
        struct bytes out = tls_engine_output(engine);
        tls_engine_output_sent(engine, out.length);
        /* Nobody gets through a handshake by chance. */
        ASSERT(tls_engine_state(engine) != TLS_OPEN);
        ASSERT(tls_engine_plaintext(engine).length == 0);
        if (taken == 0 && out.length == 0) break;
    }
    tls_engine_free(engine);
    return 0;
}
