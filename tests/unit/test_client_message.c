/* Reading a message of license.status: its form, and that it says what its proof says. */
#include "tests/lib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "roles/license-client/message.h"
#include "tests/lib/status_messages.h"

#define NOW_MS INT64_C(1800000000000)

static struct test_vendor vendor;
static struct private_key server;
static struct buffer license;

static int make_keys(void **state) {
    (void)state;
    struct test_license wanted = {.serial = 7, .now_ms = NOW_MS};
    test_vendor_make(&vendor);
    private_key_generate(JWK_ED25519, &server);
    test_license_sign(&vendor, &wanted, &license);
    return 0;
}

static int free_keys(void **state) {
    (void)state;
    buffer_free(&license);
    test_vendor_free(&vendor);
    return 0;
}

static struct test_message good_message(void) {
    return (struct test_message){
        .server = &server, .seq = 1, .sent_at_ms = NOW_MS, .token = &license};
}

static enum status_code read_code(const struct buffer *text) {
    struct status_message message;
    struct status status = STATUS_INIT;
    bool done = status_message_read(buffer_bytes(text), &message, &status);
    assert_int_equal(done, status_is_ok(&status));
    assert_true(done || strlen(status.text) > 0);
    if (done) status_message_free(&message);
    return status.code;
}

static void a_good_message_is_read_with_all_its_parts(void **state) {
    (void)state;
    struct test_message wanted = good_message();
    struct buffer text;
    struct status_message message;
    struct status status = STATUS_INIT;
    wanted.type = "update";
    wanted.nonce = "AAAAAAAAAAAAAAAAAAAAAA";
    test_message_write(&wanted, &text);
    assert_true(status_message_read(buffer_bytes(&text), &message, &status));
    assert_int_equal(message.type, STATUS_MESSAGE_UPDATE);
    assert_int_equal(message.proof.seq, 1);
    assert_int_equal(message.proof.serial, 7);
    assert_string_equal(message.proof.nonce, wanted.nonce);
    assert_string_equal(message.proof.server_key.thumbprint, server.public_key.thumbprint);
    assert_true(bytes_equal(message.license, buffer_bytes(&license)));
    assert_int_equal(message.keyring.length, 0);
    assert_true(status_proof_verify(message.proof_token, &message.proof, NULL, &status));
    status_message_free(&message);
    status_message_free(&message);
    buffer_free(&text);
}

static void what_stands_outside_the_proof_must_agree_with_it(void **state) {
    (void)state;
    struct test_message seq = good_message();
    struct test_message status = good_message();
    struct buffer text;
    seq.outer_seq = 2;
    test_message_write(&seq, &text);
    assert_int_equal(read_code(&text), STATUS_BAD_CLAIM);
    buffer_free(&text);

    status.status = "expired";
    status.outer_status = "valid";
    test_message_write(&status, &text);
    assert_int_equal(read_code(&text), STATUS_BAD_CLAIM);
    buffer_free(&text);
}

/* Replaces the first `from` in the text by `to`. */
static void replace(struct buffer *text, const char *from, const char *to) {
    char *before = memory_copy_text(buffer_text(text));
    char *found = strstr(before, from);
    assert_non_null(found);
    buffer_clear(text);
    buffer_append(text, before, (size_t)(found - before));
    buffer_append_text(text, to);
    buffer_append_text(text, found + strlen(from));
    free(before);
}

static void altered_messages_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *from;
        const char *to;
        enum status_code code;
    } rows[] = {
        {"\"v\":1", "\"v\":2", STATUS_MALFORMED},
        {"\"v\":1", "\"v\":\"1\"", STATUS_MALFORMED},
        {"\"v\":1", "\"v\":1,\"v\":1", STATUS_DUPLICATE_MEMBER},
        {"\"type\":\"status\"", "\"type\":\"Status\"", STATUS_MALFORMED},
        {"\"type\":\"status\"", "\"type\":null", STATUS_MALFORMED},
        {"\"proof\":\"", "\"proof\":\"x", STATUS_OK + 1},
        {"\"proof\":", "\"proved\":", STATUS_MALFORMED},
        {"\"server_id\":\"server-", "\"server_id\":\"other-", STATUS_BAD_CLAIM},
        {"\"sent_at\":\"2027", "\"sent_at\":\"2028", STATUS_BAD_CLAIM},
        {"\"heartbeat_interval_ms\":30000", "\"heartbeat_interval_ms\":31000", STATUS_BAD_CLAIM},
        {"\"serial\":7", "\"serial\":8", STATUS_BAD_CLAIM},
        {"\"license_id\":\"license", "\"license_id\":\"License", STATUS_BAD_CLAIM},
        {"\"token\":\"", "\"token\":\"e", STATUS_BAD_CLAIM},
        {"\"token\":\"", "\"token\":1,\"other\":\"", STATUS_MALFORMED},
        {"{\"v\"", "[{\"v\"", STATUS_BAD_JSON},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct test_message wanted = good_message();
        struct buffer text;
        test_message_write(&wanted, &text);
        replace(&text, rows[i].from, rows[i].to);
        enum status_code code = read_code(&text);
        bool any_refusal = rows[i].code == STATUS_OK + 1;
        if (any_refusal ? code == STATUS_OK : code != rows[i].code)
            fail_msg("%s -> %s: %s", rows[i].from, rows[i].to, status_code_name(code));
        buffer_free(&text);
    }
}

static void unknown_members_are_ignored(void **state) {
    (void)state;
    struct test_message wanted = good_message();
    struct buffer text;
    test_message_write(&wanted, &text);
    replace(&text, "\"v\":1", "\"v\":1,\"later\":{\"x\":[1,2]}");
    assert_int_equal(read_code(&text), STATUS_OK);
    buffer_free(&text);
}

static void a_message_over_the_limit_is_refused_before_it_is_read(void **state) {
    (void)state;
    struct buffer text;
    buffer_init(&text, 2 * STATUS_MESSAGE_BYTES_MAX);
    memset(buffer_reserve(&text, STATUS_MESSAGE_BYTES_MAX + 1), '[', STATUS_MESSAGE_BYTES_MAX + 1);
    buffer_added(&text, STATUS_MESSAGE_BYTES_MAX + 1);
    assert_int_equal(read_code(&text), STATUS_TOO_LARGE);
    buffer_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_message_is_read_with_all_its_parts),
        cmocka_unit_test(what_stands_outside_the_proof_must_agree_with_it),
        cmocka_unit_test(altered_messages_are_refused),
        cmocka_unit_test(unknown_members_are_ignored),
        cmocka_unit_test(a_message_over_the_limit_is_refused_before_it_is_read),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
