/* Subjects: what is valid, what contains what, what overlaps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/subject.h"

struct validity {
    const char *subject;
    bool valid;
    bool wildcard;
};

static const struct validity VALIDITY[] = {
    {"a", true, false},        {"a.b.c", true, false},     {"*", true, true},
    {">", true, true},         {"a.*", true, true},        {"a.>", true, true},
    {"*.*", true, true},       {"a*", true, false},        {"a.b>", true, false},
    {"a.**", true, false},     {"a.>>", true, false},      {"a.*b.c", true, false},
    {"", false, false},        {".", false, false},        {".a", false, false},
    {"a.", false, false},      {"a..b", false, false},     {"a.>.b", false, true},
    {">.a", false, true},      {"a.>.", false, true},      {"\xc3\xa4.\xe2\x82\xac", true, false},
    {"$JS.API.>", true, true}, {"_INBOX.a.*", true, true},
};

static void validity(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof VALIDITY / sizeof VALIDITY[0]; i++) {
        const struct validity *row = &VALIDITY[i];
        struct bytes subject = bytes_of_text(row->subject);
        assert_int_equal(subject_is_valid(subject), row->valid);
        assert_int_equal(subject_has_wildcard(subject), row->wildcard);
        assert_int_equal(subject_is_literal(subject), row->valid && !row->wildcard);
    }
}

struct relation {
    const char *outer;
    const char *inner;
    bool contains;
    bool overlap;
};

static const struct relation RELATIONS[] = {
    {"a", "a", true, true},
    {"a", "b", false, false},
    {"a", "a.b", false, false},
    {"a.b", "a", false, false},
    {"*", "a", true, true},
    {"*", "a.b", false, false},
    {">", "a.b.c", true, true},
    {"a.>", "a", false, false},
    {"a.>", "a.b.c", true, true},
    {"a.*.c", "a.b.c", true, true},
    {"a.*.c", "a.b.d", false, false},
    {"a*", "ab", false, false},
    {"a*", "a*", true, true},
    /* A wildcard inside: everything it matches must be matched. */
    {"a.*", "a.>", false, true},
    {"a.>", "a.*", true, true},
    {">", ">", true, true},
    {"*", ">", false, true},
    {"a.>", ">", false, true},
    {"*.b", "a.*", false, true},
    {"*.b", "a.c", false, false},
    {"a.b", "a.*", false, true},
    {"a.b.c", "a.*", false, false},
    {"a.b.c", "a.>", false, true},
    {"*.*", "*.*", true, true},
    {"a.*", "*.b.>", false, false},
};

static void relations(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof RELATIONS / sizeof RELATIONS[0]; i++) {
        const struct relation *row = &RELATIONS[i];
        struct bytes outer = bytes_of_text(row->outer), inner = bytes_of_text(row->inner);
        assert_int_equal(subject_contains(outer, inner), row->contains);
        assert_int_equal(subjects_overlap(outer, inner), row->overlap);
        assert_int_equal(subjects_overlap(inner, outer), row->overlap);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(validity),
        cmocka_unit_test(relations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
