#include "roles/vendor-tools/keyring_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/json_writer.h"
#include "codec/rfc3339.h"

/* The ring as JSON. */
#define JSON_BYTES (4 * KEY_RING_JWKS_BYTES_MAX)

static void print_window(const struct key_ring_entry *entry) {
    char from[RFC3339_BYTES] = "always", until[RFC3339_BYTES] = "no end";
    if (entry->not_before_ms != KEY_RING_ALWAYS_FROM_MS) rfc3339_format(entry->not_before_ms, from);
    if (entry->not_after_ms != KEY_RING_FOREVER_MS) rfc3339_format(entry->not_after_ms, until);
    printf("  %s  %-7s  %s to %s ", entry->key.thumbprint, jwk_algorithm(entry->key.type), from,
           until);
    for (int type = 0; type < TOKEN_TYPES; type++)
        if (entry->uses & TOKEN_USE(type))
            printf(" %.*s", (int)strcspn(token_type_name((enum token_type)type), "+"),
                   token_type_name((enum token_type)type));
    printf("\n");
}

void keyring_report_print(const struct keyring_token *ring) {
    char time[RFC3339_BYTES];
    rfc3339_format(ring->issued_at_ms, time);
    printf("serial %" PRId64 ", issued %s by %s\n", ring->serial, time, ring->issuer);
    for (size_t i = 0; i < ring->keys.count; i++)
        print_window(&ring->keys.entries[i]);
}

static void write_entry(const struct key_ring_entry *entry, struct json_writer *json) {
    json_writer_begin_object(json);
    json_writer_name(json, "key");
    jwk_write(json, &entry->key);
    if (entry->not_before_ms == KEY_RING_ALWAYS_FROM_MS)
        json_writer_member_null(json, "not_before");
    else
        json_writer_member_time(json, "not_before", entry->not_before_ms);
    if (entry->not_after_ms == KEY_RING_FOREVER_MS)
        json_writer_member_null(json, "not_after");
    else
        json_writer_member_time(json, "not_after", entry->not_after_ms);
    json_writer_name(json, "use");
    json_writer_begin_array(json);
    for (int type = 0; type < TOKEN_TYPES; type++)
        if (entry->uses & TOKEN_USE(type))
            json_writer_text(json, token_type_name((enum token_type)type));
    json_writer_end_array(json);
    json_writer_end_object(json);
}

bool keyring_report_print_json(const struct keyring_token *ring, struct status *status) {
    struct buffer text;
    struct json_writer json;
    buffer_init(&text, JSON_BYTES);
    json_writer_init(&json, &text);
    json_writer_begin_object(&json);
    json_writer_member_integer(&json, "serial", ring->serial);
    json_writer_member_text(&json, "issuer", ring->issuer);
    json_writer_member_time(&json, "issued_at", ring->issued_at_ms);
    json_writer_name(&json, "keys");
    json_writer_begin_array(&json);
    for (size_t i = 0; i < ring->keys.count; i++)
        write_entry(&ring->keys.entries[i], &json);
    json_writer_end_array(&json);
    json_writer_end_object(&json);
    bool written = json_writer_finish(&json, "the key ring", status);
    if (written) puts(buffer_text(&text));
    buffer_free(&text);
    return written;
}
