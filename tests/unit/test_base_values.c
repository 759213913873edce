/* Bytes, buffers, numbers and durations: the values that everything else is made of. */
#include "tests/lib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"
#include "base/text.h"

static void utf8_is_judged_as_rfc_3629_has_it(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } rows[] = {
        {"", true},
        {"plain", true},
        {"\xC3\xA9", true},          /* U+00E9 */
        {"\xE2\x82\xAC", true},      /* U+20AC */
        {"\xF0\x9F\x98\x80", true},  /* U+1F600 */
        {"\xF4\x8F\xBF\xBF", true},  /* U+10FFFF, the last one */
        {"\xF4\x90\x80\x80", false}, /* past the last one */
        {"\xC0\x80", false},         /* overlong NUL */
        {"\xE0\x80\xAF", false},     /* overlong slash */
        {"\xF0\x80\x80\xAF", false}, /* overlong slash in four */
        {"\xED\xA0\x80", false},     /* lone surrogate */
        {"\x80", false},             /* continuation without a lead */
        {"\xE2\x82", false},         /* cut short */
        {"a\xC3", false},            /* cut short at the end */
        {"\xC3(", false},            /* second byte is no continuation */
        {"\xE2\x82(", false},        /* third byte is no continuation */
        {"\xFF", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (bytes_are_utf8(bytes_of_text(rows[i].text)) != rows[i].valid) fail_msg("row %zu", i);
}

static void trimming_leaves_inner_blanks(void **state) {
    (void)state;
    assert_true(bytes_equal_text(bytes_trim(bytes_of_text(" \t a b\r\n")), "a b"));
    assert_int_equal(bytes_trim(bytes_of_text(" \n ")).length, 0);
}

static void a_buffer_holds_exactly_its_limit(void **state) {
    (void)state;
    struct buffer buffer;
    struct status status = STATUS_INIT;
    buffer_init(&buffer, 100);
    for (int i = 0; i < 100; i++)
        assert_true(buffer_append(&buffer, "x", 1));
    assert_true(buffer_check(&buffer, "text", &status));
    assert_false(buffer_append(&buffer, "x", 1));
    assert_int_equal(buffer.length, 100);
    assert_false(buffer_check(&buffer, "text", &status));
    assert_int_equal(status.code, STATUS_TOO_LARGE);

    /* What failed once stays failed, so that a text with a hole in it is never used. */
    buffer_drop_front(&buffer, 50);
    assert_false(buffer_append(&buffer, "x", 1));
    buffer_clear(&buffer);
    assert_true(buffer_append_format(&buffer, "%d-%s", 7, "seven"));
    assert_string_equal(buffer_text(&buffer), "7-seven");
    buffer_free(&buffer);
    assert_string_equal(buffer_text(&buffer), "");
}

static void a_buffer_gives_its_text_away(void **state) {
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1000);
    char *empty = buffer_take_text(&buffer);
    assert_string_equal(empty, "");
    free(empty);
    buffer_append_text(&buffer, "mine");
    char *text = buffer_take_text(&buffer);
    assert_string_equal(text, "mine");
    assert_int_equal(buffer.length, 0);
    assert_null(buffer.data);
    free(text);
}

static void integers_are_read_whole_or_not_at_all(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool valid;
        int64_t value;
    } rows[] = {
        {"0", true, 0},
        {"42", true, 42},
        {"-42", true, -42},
        {"9223372036854775807", true, INT64_MAX},
        {"9223372036854775808", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"0x10", false, 0},
        {"1e3", false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t value = 0;
        assert_int_equal(text_read_integer(bytes_of_text(rows[i].text), &value), rows[i].valid);
        assert_int_equal(value, rows[i].value);
    }
}

static void integers_are_written_as_they_are_read(void **state) {
    (void)state;
    static const struct {
        int64_t value;
        const char *text;
    } rows[] = {
        {0, "0"},   {7, "7"},       {10, "10"},
        {-1, "-1"}, {-120, "-120"}, {INT64_MAX, "9223372036854775807"},
    };
    char text[TEXT_INTEGER_BYTES];
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(text_write_integer(rows[i].value, text), strlen(rows[i].text));
        assert_string_equal(text, rows[i].text);
    }
    assert_int_equal(text_write_integer(INT64_MIN, text), TEXT_INTEGER_BYTES - 1);
    assert_string_equal(text, "-9223372036854775808");
}

static void durations_need_a_known_unit(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t bare_unit_ms;
        bool valid;
        int64_t value_ms;
    } rows[] = {
        {"250ms", 0, true, 250},      {"30s", 0, true, 30000},
        {"2m", 0, true, 120000},      {"2h", 0, true, 7200000},
        {"7d", 0, true, 604800000},   {"1w", 0, true, 604800000},
        {"1y", 0, true, 31536000000}, {"5000", 1, true, 5000},
        {"5", 1000, true, 5000},      {"5000", 0, false, 0},
        {"5 s", 0, false, 0},         {"-5s", 0, false, 0},
        {"s", 0, false, 0},           {"5S", 0, false, 0},
        {"5sec", 0, false, 0},        {"9223372036854775807y", 0, false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t value_ms = 0;
        bool valid =
            text_read_duration(bytes_of_text(rows[i].text), rows[i].bare_unit_ms, &value_ms);
        if (valid != rows[i].valid || value_ms != rows[i].value_ms) fail_msg("%s", rows[i].text);
    }
}

static void durations_are_written_in_two_units(void **state) {
    (void)state;
    static const struct {
        int64_t value_ms;
        const char *text;
    } rows[] = {
        {0, "0ms"},
        {250, "250ms"},
        {1500, "1s"},
        {45000, "45s"},
        {125000, "2m 5s"},
        {3600000, "1h"},
        {273600000, "3d 4h"},
        {34560000000, "400d"},
        {-61000, "-1m 1s"},
        {86400001, "1d"},
        {INT64_MAX, "106751991167d 7h"},
    };
    char text[TEXT_DURATION_BYTES];
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        text_format_duration(rows[i].value_ms, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void the_first_error_wins_and_keeps_its_text(void **state) {
    (void)state;
    struct status status = STATUS_INIT;
    assert_true(status_is_ok(&status));
    assert_false(status_fail(&status, STATUS_EXPIRED, "ended %s", "yesterday"));
    assert_false(status_fail(&status, STATUS_INTERNAL, "a consequence"));
    assert_int_equal(status.code, STATUS_EXPIRED);
    status_context(&status, "license %d", 7);
    assert_string_equal(status.text, "license 7: ended yesterday");
    status_clear(&status);
    assert_true(status_is_ok(&status));
    assert_false(status_fail(NULL, STATUS_IO, "nobody asked"));
}

static void a_long_context_is_cut_and_terminated(void **state) {
    (void)state;
    struct status status = STATUS_INIT;
    status_fail(&status, STATUS_IO, "%0600d", 1);
    assert_int_equal(strlen(status.text), STATUS_TEXT_BYTES - 1);
    status_context(&status, "%0600d", 2);
    assert_int_equal(strlen(status.text), STATUS_TEXT_BYTES - 1);
}

/* The names and exit codes are an interface: `lsys verify` promises each verdict its own. */
static void verdicts_have_exit_codes_of_their_own(void **state) {
    (void)state;
    static const enum status_code verdicts[] = {
        STATUS_GRACE,         STATUS_EXPIRED,          STATUS_NOT_YET_VALID,
        STATUS_REVOKED,       STATUS_BAD_SIGNATURE,    STATUS_UNKNOWN_KEY,
        STATUS_MALFORMED,     STATUS_WRONG_DEPLOYMENT, STATUS_WRONG_FINGERPRINT,
        STATUS_KEY_NOT_VALID, STATUS_WRONG_ALGORITHM,  STATUS_WRONG_TYPE,
        STATUS_BAD_CLAIM,     STATUS_OLD_SERIAL,       STATUS_FORBIDDEN_HEADER,
    };
    for (size_t i = 0; i < COUNT_OF(verdicts); i++)
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(status_exit_code(verdicts[i]), status_exit_code(verdicts[j]));
            assert_string_not_equal(status_code_name(verdicts[i]), status_code_name(verdicts[j]));
        }
    assert_int_equal(status_exit_code(STATUS_OK), 0);
    assert_int_equal(status_exit_code(STATUS_GRACE), 10);
}

static void random_numbers_stay_below_their_bound(void **state) {
    (void)state;
    bool seen[5] = {false};
    for (int i = 0; i < 1000; i++) {
        uint64_t value = random_below(COUNT_OF(seen));
        assert_true(value < COUNT_OF(seen));
        seen[value] = true;
    }
    /* Missing one of five in a thousand draws has odds of 1 in 10^96. */
    for (size_t i = 0; i < COUNT_OF(seen); i++)
        assert_true(seen[i]);
    assert_int_equal(random_below(1), 0);
}

static void an_array_grows_and_keeps_what_is_in_it(void **state) {
    (void)state;
    size_t *numbers = NULL;
    size_t capacity = 0;
    for (size_t count = 0; count < 100; count++) {
        numbers = memory_grow_array(numbers, count, &capacity, sizeof *numbers);
        assert_true(count < capacity);
        assert_int_equal(numbers[count], 0);
        numbers[count] = count + 1;
    }
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(numbers[i], i + 1);
    free(numbers);
}

static void constant_time_comparison_sees_every_byte(void **state) {
    (void)state;
    unsigned char left[32] = {0};
    unsigned char right[32] = {0};
    assert_true(memory_equal_constant_time(left, right, sizeof left));
    for (size_t i = 0; i < sizeof left; i++) {
        right[i] = 1;
        assert_false(memory_equal_constant_time(left, right, sizeof left));
        right[i] = 0;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_judged_as_rfc_3629_has_it),
        cmocka_unit_test(trimming_leaves_inner_blanks),
        cmocka_unit_test(a_buffer_holds_exactly_its_limit),
        cmocka_unit_test(a_buffer_gives_its_text_away),
        cmocka_unit_test(integers_are_read_whole_or_not_at_all),
        cmocka_unit_test(integers_are_written_as_they_are_read),
        cmocka_unit_test(durations_need_a_known_unit),
        cmocka_unit_test(durations_are_written_in_two_units),
        cmocka_unit_test(the_first_error_wins_and_keeps_its_text),
        cmocka_unit_test(a_long_context_is_cut_and_terminated),
        cmocka_unit_test(verdicts_have_exit_codes_of_their_own),
        cmocka_unit_test(random_numbers_stay_below_their_bound),
        cmocka_unit_test(an_array_grows_and_keeps_what_is_in_it),
        cmocka_unit_test(constant_time_comparison_sees_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
