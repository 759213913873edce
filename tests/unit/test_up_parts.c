/* The parts of `lsys up` that need no network: the event stream's reader, the history, the demo
 * vendor. */
#include "tests/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "codec/armor.h"
#include "roles/up/demo.h"
#include "roles/up/event_stream.h"
#include "roles/up/history.h"
#include "tests/lib/folder.h"
#include "verifier/license.h"

struct heard {
    int count;
    char text[512];
};

static void hear(void *context, const char *name, struct bytes data) {
    struct heard *heard = context;
    size_t used = strlen(heard->text);
    snprintf(heard->text + used, sizeof heard->text - used, "%s=%.*s;", name, (int)data.length,
             (const char *)data.data);
    heard->count++;
}

/* Each row is fed whole, then byte by byte: where the network cuts must not matter. */
static void events_are_read_whatever_the_pieces(void **state) {
    (void)state;
    static const struct {
        const char *stream;
        const char *events;
    } rows[] = {
        {"data: one\n\n", "message=one;"},
        {"event: change\ndata: {}\n\n", "change={};"},
        {"data:no blank\n\n", "message=no blank;"},
        {"data:  two blanks\n\n", "message= two blanks;"},
        {"data: a\ndata: b\n\n", "message=a\nb;"},
        {"data\n\n", "message=;"},
        {"event: lonely\n\ndata: x\n\n", "message=x;"},
        {": comment\n\n", ""},
        {"id: 7\nretry: 10\ndata: x\n\n", "message=x;"},
        {"data: cr\r\rdata: crlf\r\n\r\ndata: lf\n\n", "message=cr;message=crlf;message=lf;"},
        {"data: unfinished\n", ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t piece = 1; piece <= strlen(rows[i].stream); piece++) {
            struct heard heard = {0};
            struct event_stream stream;
            event_stream_init(&stream, hear, &heard);
            for (size_t at = 0; at < strlen(rows[i].stream); at += piece) {
                size_t left = strlen(rows[i].stream) - at;
                assert_true(event_stream_feed(
                    &stream, bytes_of(rows[i].stream + at, left < piece ? left : piece)));
            }
            assert_string_equal(heard.text, rows[i].events);
            event_stream_reset(&stream);
        }
}

static void an_endless_line_is_refused(void **state) {
    (void)state;
    static char line[1024];
    struct heard heard = {0};
    struct event_stream stream;
    event_stream_init(&stream, hear, &heard);
    memset(line, 'x', sizeof line);
    size_t fed = 0;
    while (fed <= EVENT_STREAM_BYTES_MAX && event_stream_feed(&stream, bytes_of(line, sizeof line)))
        fed += sizeof line;
    assert_true(fed <= EVENT_STREAM_BYTES_MAX);
    event_stream_reset(&stream);
}

static void the_history_keeps_the_last_events(void **state) {
    (void)state;
    static struct history history;
    char text[32];
    for (int i = 0; i < HISTORY_EVENTS_MAX + 3; i++) {
        snprintf(text, sizeof text, "event %d", i);
        history_add(&history, i, "info", "test", text);
    }
    assert_int_equal(history.count, HISTORY_EVENTS_MAX);
    assert_int_equal(history.changes, HISTORY_EVENTS_MAX + 3);
    assert_int_equal(history_event(&history, 0)->happened_ms, HISTORY_EVENTS_MAX + 2);
    assert_int_equal(history_event(&history, HISTORY_EVENTS_MAX - 1)->happened_ms, 3);
}

static char folder[TEST_FOLDER_BYTES];

static int make_folder(void **state) {
    (void)state;
    test_folder_make(folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    test_folder_remove(folder);
    return 0;
}

static int64_t serial_of(const struct demo *demo) {
    struct buffer text;
    struct buffer token;
    struct key_ring *ring = key_ring_new();
    struct status status = STATUS_INIT;
    buffer_init(&text, 65536);
    buffer_init(&token, 65536);
    assert_true(file_read(demo->jwks_path, &text, &status));
    assert_true(key_ring_add_jwks(ring, buffer_bytes(&text), TOKEN_USES_VENDOR, &status));
    buffer_clear(&text);
    assert_true(file_read(demo->license_path, &text, &status));
    assert_true(armor_read(ARMOR_LICENSE, buffer_bytes(&text), &token, &status));
    struct license *license = license_verify(buffer_bytes(&token), ring, NULL, &status);
    assert_non_null(license);
    int64_t serial = license->serial;
    license_free(license);
    key_ring_free(ring);
    buffer_free(&token);
    buffer_free(&text);
    return serial;
}

static void the_demo_license_is_made_once_and_renewed_in_time(void **state) {
    (void)state;
    const int64_t start_ms = 1800000000000;
    struct status status = STATUS_INIT;
    struct stat information;
    struct demo demo;

    assert_true(demo_prepare(folder, start_ms, &demo, &status));
    assert_true(demo.made_key && demo.issued);
    assert_int_equal(serial_of(&demo), 1);
    assert_int_equal(stat(demo.key_path, &information), 0);
    assert_int_equal(information.st_mode & 0777, 0600);
    demo_free(&demo);

    int64_t last_ms = start_ms + DEMO_VALIDITY_MS - DEMO_RENEWAL_MS;
    assert_true(demo_prepare(folder, last_ms, &demo, &status));
    assert_false(demo.made_key || demo.issued);
    demo_free(&demo);

    assert_true(demo_prepare(folder, last_ms + 1, &demo, &status));
    assert_true(demo.issued && !demo.made_key);
    assert_int_equal(serial_of(&demo), 2);

    /* Somebody else's license in its place is somebody's experiment. */
    assert_true(file_replace(demo.license_path, bytes_of_text("an experiment"), 0644, &status));
    demo_free(&demo);
    assert_true(demo_prepare(folder, last_ms + 2, &demo, &status));
    assert_false(demo.issued);
    demo_free(&demo);
}

static void a_demo_key_that_others_can_read_is_refused(void **state) {
    (void)state;
    struct status status = STATUS_INIT;
    struct demo demo;
    char path[TEST_FOLDER_BYTES + 64];
    snprintf(path, sizeof path, "%s/demo/vendor.key.jwk", folder);
    chmod(path, 0644);
    assert_false(demo_prepare(folder, 1800000000000, &demo, &status));
    assert_int_equal(status.code, STATUS_PERMISSION);
    assert_null(demo.key_path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_read_whatever_the_pieces),
        cmocka_unit_test(an_endless_line_is_refused),
        cmocka_unit_test(the_history_keeps_the_last_events),
        cmocka_unit_test(the_demo_license_is_made_once_and_renewed_in_time),
        cmocka_unit_test(a_demo_key_that_others_can_read_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
