/*
 * What is between accounts: subjects that become others, both ways, and answers that are owed, for
 * a time and in number.
 */
#include "tests/lib/unit.h"

#include <stdio.h>
#include <string.h>

#include "broker/answers.h"
#include "broker/limits.h"
#include "broker/subject_map.h"

/* ---- subjects ---- */

static void expect(const char *exporter, const char *importer, const char *there,
                   const char *here) {
    struct subject_map map;
    char text[64];
    assert_true(subject_map_make(exporter, importer, SUBJECT_MAP_TO_IMPORTER, &map, NULL));
    struct bytes found = subject_map_apply(&map, bytes_of_text(there), text, sizeof text);
    assert_true(bytes_equal_text(found, here));
    subject_map_free(&map);
    assert_true(subject_map_make(exporter, importer, SUBJECT_MAP_TO_EXPORTER, &map, NULL));
    found = subject_map_apply(&map, bytes_of_text(here), text, sizeof text);
    assert_true(bytes_equal_text(found, there));
    subject_map_free(&map);
}

static void subjects_go_both_ways(void **state) {
    (void)state;
    expect("a", "b.c", "a", "b.c");
    expect("a.*", "b.*.c", "a.x", "b.x.c");
    expect("a.*.*", "b.$2.$1", "a.x.y", "b.y.x");
    expect("*.*.*", "$3.*.$2", "x.y.z", "z.x.y");
    expect("a.>", "b.c.>", "a.x.y", "b.c.x.y");
    expect("*.>", "$1.>", "x.y.z", "x.y.z");
    expect(">", "all.>", "x", "all.x");
    expect("$JS.*", "$JS.$1", "$JS.x", "$JS.x");
}

static void subjects_that_do_not_belong_together_are_refused(void **state) {
    static const char *const pairs[][2] = {
        {"a.*", "b"},       {"a", "b.*"},    {"a.*", "b.$2"},      {"a.*", "b.$1.$1"},
        {"a.>", "b"},       {"a", "b.>"},    {"a.*.*", "b.$1.$1"}, {"a", "b..c"},
        {"a", ""},          {"a.*", "b.$0"}, {"a.*", "b.$99"},     {"a.*", "b.{{wildcard(1)}}"},
        {"a.*.*", "b.$1.*"}};
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct subject_map map;
        struct status status = STATUS_INIT;
        assert_false(
            subject_map_make(pairs[i][0], pairs[i][1], SUBJECT_MAP_TO_IMPORTER, &map, &status));
        assert_int_equal(status.code, STATUS_CONFIG);
    }
}

static void other_subjects_and_long_ones_become_nothing(void **state) {
    static const char *const others[] = {"b.x", "a", "a.x.y", "", "a..x"};
    struct subject_map map;
    char text[8];
    (void)state;
    assert_true(subject_map_make("a.*", "b.*", SUBJECT_MAP_TO_IMPORTER, &map, NULL));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(
            subject_map_apply(&map, bytes_of_text(others[i]), text, sizeof text).length, 0);
    assert_int_equal(subject_map_apply(&map, bytes_of_text("a.12345"), text, sizeof text).length,
                     7);
    assert_int_equal(subject_map_apply(&map, bytes_of_text("a.123456"), text, sizeof text).length,
                     0);
    subject_map_free(&map);
}

/* ---- answers ---- */

static struct answer_way way_to(const char *reply, bool many) {
    return (struct answer_way){.many = many, .threshold_ms = 100, .reply = bytes_of_text(reply)};
}

static bool take(struct answers *answers, const char *subject, int64_t now_ms) {
    struct answer_way way;
    char text[32];
    if (!answers_take(answers, bytes_of_text(subject), now_ms, &way, text, sizeof text))
        return false;
    assert_true(bytes_equal_text(way.reply, "box"));
    return true;
}

static void one_answer_is_owed_once_and_in_its_time(void **state) {
    struct answers answers = {0};
    struct answer_way way = way_to("box", false);
    char subject[ANSWERS_SUBJECT_BYTES], late[ANSWERS_SUBJECT_BYTES];
    (void)state;
    assert_false(take(&answers, "_R_.nobody", 0));
    answers_owe(&answers, &way, 1000, subject);
    answers_owe(&answers, &way, 1000, late);
    assert_string_not_equal(subject, late);
    assert_true(take(&answers, subject, 1099));
    assert_false(take(&answers, subject, 1099));
    assert_false(take(&answers, late, 1100));
    answers_free(&answers);
}

static void many_answers_keep_their_way_open(void **state) {
    struct answers answers = {0};
    struct answer_way way = way_to("box", true);
    char subject[ANSWERS_SUBJECT_BYTES];
    (void)state;
    answers_owe(&answers, &way, 0, subject);
    for (int64_t now_ms = 99; now_ms < 1000; now_ms += 99)
        assert_true(take(&answers, subject, now_ms));
    assert_false(take(&answers, subject, 1200));
    answers_free(&answers);
}

static void what_is_owed_is_bounded_and_the_oldest_goes(void **state) {
    struct answers answers = {0};
    struct answer_way way = way_to("box", false);
    char first[ANSWERS_SUBJECT_BYTES], last[ANSWERS_SUBJECT_BYTES];
    (void)state;
    answers_owe(&answers, &way, 0, first);
    for (int i = 0; i < LIMIT_ANSWERS_OWED; i++)
        answers_owe(&answers, &way, 0, last);
    assert_int_equal(answers.by_subject.count, LIMIT_ANSWERS_OWED);
    assert_false(take(&answers, first, 1));
    assert_true(take(&answers, last, 1));
    answers_owe(&answers, &way, 1000, last);
    assert_int_equal(answers.by_subject.count, 1);
    answers_forget(&answers, last);
    answers_forget(&answers, last);
    assert_int_equal(answers.by_subject.count, 0);
    answers_free(&answers);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subjects_go_both_ways),
        cmocka_unit_test(subjects_that_do_not_belong_together_are_refused),
        cmocka_unit_test(other_subjects_and_long_ones_become_nothing),
        cmocka_unit_test(one_answer_is_owed_once_and_in_its_time),
        cmocka_unit_test(many_answers_keep_their_way_open),
        cmocka_unit_test(what_is_owed_is_bounded_and_the_oldest_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
