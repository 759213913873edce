/* Any text is read to its end or refused; what was read is written and read again unchanged. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "codec/pem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const char *label, struct bytes der) {
    struct pem_reader reader;
    struct buffer text, again;
    char found[PEM_LABEL_BYTES];
    buffer_init(&text, 1 << 20);
    buffer_init(&again, 1 << 18);
    pem_write(label, der, &text);
    pem_reader_init(&reader, buffer_bytes(&text));
    if (!pem_read(&reader, found, &again, NULL) || strcmp(found, label) != 0 ||
        !bytes_equal(buffer_bytes(&again), der))
        abort();
    buffer_free(&text);
    buffer_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pem_reader reader;
    struct buffer der;
    struct status status = STATUS_INIT;
    char label[PEM_LABEL_BYTES];
    pem_reader_init(&reader, bytes_of(data, size));
    buffer_init(&der, 1 << 16);
    while (pem_read(&reader, label, &der, &status))
        check_round_trip(label, buffer_bytes(&der));
    buffer_free(&der);
    return 0;
}
