#include "roles/nats/answer.h"

#include <inttypes.h>
#include <stdio.h>

#include "app/printable.h"
#include "codec/json.h"

/* Longest answer that is looked at; servers send some 400 bytes. */
#define ANSWER_BYTES_MAX 65536

#define CODE_GOOD 200

bool answer_print(const char *subject, struct bytes answer) {
    struct json_document *document = json_document_parse(answer, ANSWER_BYTES_MAX, NULL);
    const struct json_value *root = document ? json_document_root(document) : NULL;
    const struct json_value *error = json_value_member(root, "error");
    const struct json_value *said = error ? error : json_value_member(root, "data");
    const char *server = json_member_text(json_value_member(root, "server"), "name");
    const char *text = json_member_text(said, error ? "description" : "message");
    int64_t code = 0;
    json_member_integer(said, "code", &code);
    printf("%-20s ", subject);
    printable_write(stdout, server ? server : "?");
    printf(": %" PRId64 " ", code);
    printable_write(stdout, text ? text : "no text");
    putchar('\n');
    json_document_free(document);
    return !error && code == CODE_GOOD;
}
