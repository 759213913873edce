/* NATS credentials files: what other tools write is read, what is cut or doubled is refused. */
#include "tests/lib/unit.h"

#include <stdbool.h>

#include "codec/nats_creds.h"

#define TOKEN_BLOCK "-----BEGIN NATS USER JWT-----\na.b.c\n------END NATS USER JWT------\n"
#define SEED_BLOCK  "-----BEGIN USER NKEY SEED-----\nSUA\n------END USER NKEY SEED------\n"

static void what_is_written_is_read(void **state) {
    (void)state;
    struct buffer text;
    struct bytes token, seed;
    buffer_init(&text, NATS_CREDS_BYTES_MAX);
    assert_true(nats_creds_write(bytes_of_text("a.b.c"), bytes_of_text("SUA"), &text));
    assert_true(nats_creds_read(buffer_bytes(&text), &token, &seed, NULL));
    assert_true(bytes_equal_text(token, "a.b.c"));
    assert_true(bytes_equal_text(seed, "SUA"));
    buffer_free(&text);
}

static void forms(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {TOKEN_BLOCK SEED_BLOCK, true},
        {SEED_BLOCK TOKEN_BLOCK, true},
        {"notice\n\n" TOKEN_BLOCK "*** notice ***\n" SEED_BLOCK "end", true},
        {"-----BEGIN NATS USER JWT-----\r\na.b.c\r\n------END NATS USER JWT------\r\n" SEED_BLOCK,
         true},
        {"---BEGIN NATS USER JWT---\na.b.c\n---END NATS USER JWT---\n" SEED_BLOCK, true},
        {TOKEN_BLOCK "-----BEGIN USER NKEY SEED-----\nSUA\n------END USER NKEY SEED------", true},
        {TOKEN_BLOCK TOKEN_BLOCK SEED_BLOCK, true},
        {"", false},
        {TOKEN_BLOCK, false},
        {SEED_BLOCK, false},
        {"a.b.c\nSUA\n", false},
        {"--BEGIN NATS USER JWT--\na.b.c\n--END NATS USER JWT--\n" SEED_BLOCK, false},
        {"-----BEGIN NATS USER JWT-----\n------END NATS USER JWT------\n" SEED_BLOCK, false},
        {"-----BEGIN NATS USER JWT-----\n\n------END NATS USER JWT------\n" SEED_BLOCK, false},
        {"-----BEGIN NATS USER JWT-----\na.b\nc\n------END NATS USER JWT------\n" SEED_BLOCK,
         false},
        {"-----BEGIN NATS USER JWT-----\na b\n------END NATS USER JWT------\n" SEED_BLOCK, false},
        {"-----BEGIN NATS USER JWT-----\na.b.c\n" SEED_BLOCK, false},
        {TOKEN_BLOCK "-----BEGIN USER NKEY SEED-----\nSUA\n", false},
        {TOKEN_BLOCK "-----BEGIN USER NKEY SEED-----", false},
        {TOKEN_BLOCK "-----BEGIN USER NKEY SEED-----\nSUA\n------END NATS USER JWT------\n", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bytes token, seed;
        struct status status = STATUS_INIT;
        bool good = nats_creds_read(bytes_of_text(rows[i].text), &token, &seed, &status);
        if (good != rows[i].good) fail_msg("row %zu: %s", i, status.text);
        assert_int_equal(status.code, good ? STATUS_OK : STATUS_MALFORMED);
        if (!good) continue;
        assert_true(bytes_equal_text(token, "a.b.c"));
        assert_true(bytes_equal_text(seed, "SUA"));
    }
}

static void a_file_too_large_is_refused(void **state) {
    (void)state;
    static uint8_t text[NATS_CREDS_BYTES_MAX + 1];
    struct bytes token, seed;
    struct status status = STATUS_INIT;
    assert_false(nats_creds_read(bytes_of(text, sizeof text), &token, &seed, &status));
    assert_int_equal(status.code, STATUS_TOO_LARGE);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(forms),
        cmocka_unit_test(a_file_too_large_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
