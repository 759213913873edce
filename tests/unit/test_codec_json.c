/* Reading and writing JSON: what is refused, what comes out, and that both agree. */
#include "tests/lib/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json.h"
#include "codec/json_writer.h"
#include "tests/lib/vectors.h"

#define LIMIT_BYTES (1024 * 1024)

static enum status_code code_of_parsing(struct bytes text, size_t max_bytes) {
    struct status status = STATUS_INIT;
    struct json_document *document = json_document_parse(text, max_bytes, &status);
    assert_int_equal(document != NULL, status_is_ok(&status));
    assert_true(document || strlen(status.text) > 0);
    json_document_free(document);
    return status.code;
}

static void hostile_texts_are_refused_with_their_code(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum status_code code;
    } rows[] = {
        {"{}", STATUS_OK},
        {" [1, 2] \n", STATUS_OK},
        {"", STATUS_BAD_JSON},
        {"null", STATUS_BAD_JSON},
        {"\"text\"", STATUS_BAD_JSON},
        {"{} {}", STATUS_BAD_JSON},
        {"{}x", STATUS_BAD_JSON},
        {"{\"a\":1,\"a\":2}", STATUS_DUPLICATE_MEMBER},
        {"{\"a\":1,\"\\u0061\":2}", STATUS_DUPLICATE_MEMBER},
        {"{\"deep\":{\"a\":1,\"a\":1}}", STATUS_DUPLICATE_MEMBER},
        {"[\"\\u0000\"]", STATUS_BAD_JSON},
        {"{\"\\u0000\":1}", STATUS_BAD_JSON},
        {"[\"\\ud800\"]", STATUS_BAD_JSON},
        {"[\"\xFF\"]", STATUS_BAD_JSON},
        {"[\"\xC0\x80\"]", STATUS_BAD_JSON},
        {"[\"\xED\xA0\x80\"]", STATUS_BAD_JSON},
        {"\xEF\xBB\xBF{}", STATUS_BAD_JSON},
        {"[9223372036854775807]", STATUS_OK},
        {"[9223372036854775808]", STATUS_BAD_JSON},
        {"[1e999]", STATUS_BAD_JSON},
        {"[NaN]", STATUS_BAD_JSON},
        {"[01]", STATUS_BAD_JSON},
        {"['a']", STATUS_BAD_JSON},
        {"[1,]", STATUS_BAD_JSON},
        {"[1] // one", STATUS_BAD_JSON},
        {"[\"a\nb\"]", STATUS_BAD_JSON},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum status_code code = code_of_parsing(bytes_of_text(rows[i].text), LIMIT_BYTES);
        if (code != rows[i].code)
            fail_msg("%s: %s, not %s", rows[i].text, status_code_name(code),
                     status_code_name(rows[i].code));
    }
    assert_int_equal(code_of_parsing(bytes_of("[\"a\0b\"]", 7), LIMIT_BYTES), STATUS_BAD_JSON);
    assert_int_equal(code_of_parsing(bytes_of("{}\0", 3), LIMIT_BYTES), STATUS_BAD_JSON);
    assert_int_equal(code_of_parsing(bytes_of(NULL, 0), LIMIT_BYTES), STATUS_BAD_JSON);
}

static void nesting_is_limited_to_the_level(void **state) {
    (void)state;
    char text[2 * (JSON_DEPTH_MAX + 1)];
    memset(text, '[', JSON_DEPTH_MAX);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    assert_int_equal(code_of_parsing(bytes_of(text, 2 * JSON_DEPTH_MAX), LIMIT_BYTES), STATUS_OK);
    memset(text, '[', JSON_DEPTH_MAX + 1);
    memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    assert_int_equal(code_of_parsing(bytes_of(text, sizeof text), LIMIT_BYTES), STATUS_BAD_JSON);
    /* Brackets in strings do not count, also after an escaped quote. */
    assert_int_equal(
        code_of_parsing(bytes_of_text("[\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]"),
                        LIMIT_BYTES),
        STATUS_OK);
}

static void size_and_number_of_values_are_limited(void **state) {
    (void)state;
    assert_int_equal(code_of_parsing(bytes_of_text("[1,2]"), 5), STATUS_OK);
    assert_int_equal(code_of_parsing(bytes_of_text("[1,2]"), 4), STATUS_TOO_LARGE);

    size_t length = 2 * (size_t)(JSON_VALUES_MAX + 1) + 1;
    char *text = malloc(length);
    assert_non_null(text);
    for (size_t i = 0; i < length; i++)
        text[i] = i % 2 ? '1' : ',';
    text[0] = '[';
    text[length - 1] = ']';
    assert_int_equal(code_of_parsing(bytes_of(text, length), length), STATUS_TOO_LARGE);
    free(text);
}

static void getters_find_only_their_type(void **state) {
    (void)state;
    struct json_document *document = json_document_parse(
        bytes_of_text(
            "{\"t\":\"x\",\"i\":-7,\"d\":1.5,\"b\":true,\"n\":null,\"a\":[1,\"y\"],\"o\":{}}"),
        LIMIT_BYTES, NULL);
    assert_non_null(document);
    const struct json_value *root = json_document_root(document);
    int64_t integer = 99;
    double number = 99;
    bool boolean = false;
    assert_string_equal(json_member_text(root, "t"), "x");
    assert_null(json_member_text(root, "i"));
    assert_true(json_member_integer(root, "i", &integer) && integer == -7);
    assert_false(json_member_integer(root, "d", &integer));
    assert_false(json_member_integer(root, "missing", &integer));
    assert_int_equal(integer, -7);
    assert_true(json_member_number(root, "d", &number) && number == 1.5);
    assert_true(json_member_number(root, "i", &number) && number == -7);
    assert_false(json_member_number(root, "t", &number));
    assert_true(json_member_boolean(root, "b", &boolean) && boolean);
    assert_false(json_member_boolean(root, "n", &boolean));
    assert_int_equal(json_value_type(json_value_member(root, "n")), JSON_TYPE_NULL);
    assert_int_equal(json_value_type(NULL), JSON_NONE);
    assert_int_equal(json_value_count(json_value_member(root, "a")), 2);
    assert_int_equal(json_value_count(json_value_member(root, "t")), 0);
    assert_string_equal(json_value_text(json_value_item(json_value_member(root, "a"), 1)), "y");
    assert_null(json_value_item(json_value_member(root, "a"), 2));
    assert_null(json_value_item(root, 0));
    assert_null(json_value_member(json_value_member(root, "t"), "x"));

    char names[8] = "";
    struct json_member member = {0};
    while (json_value_next_member(root, &member))
        strcat(names, member.name);
    assert_string_equal(names, "tidbnao");
    member = (struct json_member){0};
    assert_false(json_value_next_member(json_value_member(root, "o"), &member));
    json_document_free(document);
}

static void written_text_is_escaped(void **state) {
    (void)state;
    static const struct {
        struct bytes text;
        const char *json;
    } rows[] = {
        {{(const uint8_t *)"", 0}, "\"\""},
        {{(const uint8_t *)"a\"b\\c", 5}, "\"a\\\"b\\\\c\""},
        {{(const uint8_t *)"\n\r\t\x1b\x7f", 5}, "\"\\n\\r\\t\\u001b\\u007f\""},
        {{(const uint8_t *)"a\0b", 3}, "\"a\\u0000b\""},
        {{(const uint8_t *)"</script>", 9}, "\"\\u003c/script>\""},
        {{(const uint8_t *)"\xC3\xA9\xF0\x9F\x94\x91", 6}, "\"\xC3\xA9\xF0\x9F\x94\x91\""},
        {{(const uint8_t *)"a\xFF\xC3", 3}, "\"a\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {{(const uint8_t *)"\xED\xA0\x80", 3}, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buffer out;
        struct json_writer json;
        buffer_init(&out, LIMIT_BYTES);
        json_writer_init(&json, &out);
        json_writer_text_bytes(&json, rows[i].text);
        assert_true(json_writer_finish(&json, "text", NULL));
        assert_string_equal(buffer_text(&out), rows[i].json);
        buffer_free(&out);
    }
}

static void structure_gets_its_commas(void **state) {
    (void)state;
    struct buffer out;
    struct json_writer json;
    buffer_init(&out, LIMIT_BYTES);
    json_writer_init(&json, &out);
    json_writer_begin_object(&json);
    json_writer_name(&json, "empty");
    json_writer_begin_array(&json);
    json_writer_end_array(&json);
    json_writer_name(&json, "items");
    json_writer_begin_array(&json);
    json_writer_integer(&json, INT64_MIN);
    json_writer_begin_object(&json);
    json_writer_member_null(&json, "n");
    json_writer_end_object(&json);
    json_writer_boolean(&json, false);
    json_writer_text(&json, NULL);
    json_writer_double(&json, 0.1);
    json_writer_double(&json, NAN);
    json_writer_double(&json, -0.0);
    json_writer_raw(&json, bytes_of_text("[1]"));
    json_writer_end_array(&json);
    json_writer_member_time(&json, "at", 0);
    json_writer_end_object(&json);
    assert_true(json_writer_finish(&json, "text", NULL));
    assert_string_equal(buffer_text(&out),
                        "{\"empty\":[],\"items\":[-9223372036854775808,{\"n\":null},false,null,0.1,"
                        "null,0,[1]],\"at\":\"1970-01-01T00:00:00.000Z\"}");
    buffer_free(&out);
}

static void a_parsed_value_is_written_as_it_was(void **state) {
    (void)state;
    static const char text[] = "{\"b\":[1,-2.5,1e+300,true,false,null,{\"x\":\"\\u003ctag>\"}],"
                               "\"a\":\"\xC3\xA9\",\"e\":{}}";
    struct json_document *document = json_document_parse(bytes_of_text(text), LIMIT_BYTES, NULL);
    assert_non_null(document);
    struct buffer out;
    struct json_writer json;
    buffer_init(&out, LIMIT_BYTES);
    json_writer_init(&json, &out);
    json_writer_value(&json, json_document_root(document));
    assert_true(json_writer_finish(&json, "text", NULL));
    assert_string_equal(buffer_text(&out), text);
    buffer_free(&out);
    json_document_free(document);
}

static void a_full_buffer_is_reported_at_the_end(void **state) {
    (void)state;
    struct buffer out;
    struct json_writer json;
    struct status status = STATUS_INIT;
    buffer_init(&out, 8);
    json_writer_init(&json, &out);
    json_writer_begin_array(&json);
    json_writer_text(&json, "too long for it");
    json_writer_end_array(&json);
    assert_false(json_writer_finish(&json, "the answer", &status));
    assert_int_equal(status.code, STATUS_TOO_LARGE);
    assert_non_null(strstr(status.text, "the answer"));
    buffer_free(&out);
}

/* Cases of JSONTestSuite that must parse by RFC 8259 and that our stricter rules refuse. */
static const char *const refused_by_us[] = {
    "y_object_duplicated_key.json",          "y_object_duplicated_key_and_value.json",
    "y_object_escaped_null_in_key.json",     "y_string_null_escape.json",
    "y_structure_lonely_false.json",         "y_structure_lonely_int.json",
    "y_structure_lonely_negative_real.json", "y_structure_lonely_null.json",
    "y_structure_lonely_string.json",        "y_structure_lonely_true.json",
    "y_structure_string_empty.json",         "y_string_space.json",
};

static bool is_refused_by_us(const char *name) {
    for (size_t i = 0; i < COUNT_OF(refused_by_us); i++)
        if (strcmp(refused_by_us[i], name) == 0) return true;
    return false;
}

static void visit_suite_case(const char *name, struct bytes content) {
    enum status_code code = code_of_parsing(content, LIMIT_BYTES);
    bool must_parse = name[0] == 'y' && !is_refused_by_us(name);
    bool must_fail = name[0] == 'n' || is_refused_by_us(name);
    if (must_parse && code != STATUS_OK) fail_msg("%s: %s", name, status_code_name(code));
    if (must_fail && code == STATUS_OK) fail_msg("%s was accepted", name);
}

static void json_test_suite(void **state) {
    (void)state;
    int count = vectors_each("json", visit_suite_case);
    if (count == 0) skip();
    assert_true(count > 300);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_texts_are_refused_with_their_code),
        cmocka_unit_test(nesting_is_limited_to_the_level),
        cmocka_unit_test(size_and_number_of_values_are_limited),
        cmocka_unit_test(getters_find_only_their_type),
        cmocka_unit_test(written_text_is_escaped),
        cmocka_unit_test(structure_gets_its_commas),
        cmocka_unit_test(a_parsed_value_is_written_as_it_was),
        cmocka_unit_test(a_full_buffer_is_reported_at_the_end),
        cmocka_unit_test(json_test_suite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
