/* The subject index against the plainest implementation: a list gone through for each message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/subject.h"
#include "broker/subject_index.h"

#define SUBSCRIPTIONS 400
#define ROUNDS        200000

struct subscription {
    struct subject_entry entry;
    char subject[64];
    char queue[8];
    bool inserted;
};

/* A fixed sequence (xorshift), so that a failure comes back. */
static uint64_t random_state = 88172645463325252U;
static unsigned roll(unsigned bound) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 33) % bound;
}

/* Few different tokens, so that subjects and patterns meet often. */
static void make_subject(char *out, bool wildcards) {
    static const char *const tokens[] = {"a", "b", "c", "long-token-of-some-length-here", "*", ">"};
    unsigned depth = 1 + roll(4);
    out[0] = '\0';
    for (unsigned i = 0; i < depth; i++) {
        unsigned pick = roll(wildcards ? 6 : 3 + (roll(20) == 0));
        if (pick == 5 && i + 1 < depth) pick = 4;
        if (pick == 3 && strlen(out) > 20) pick = 0;
        strcat(out, tokens[pick]);
        if (i + 1 < depth) strcat(out, ".");
    }
}

static bool match_has(const struct subject_match *match, const struct subscription *wanted) {
    for (uint32_t i = 0; i < match->plain_count; i++) {
        if (match->plain[i] == &wanted->entry) return true;
    }
    return false;
}

/* How many queues of the match the subscription is in: it must be exactly one when it matches. */
static unsigned queues_with(const struct subject_match *match, const struct subscription *wanted,
                            const struct subscription *all) {
    unsigned found = 0;
    for (uint32_t q = 0; q < match->queue_count; q++) {
        for (uint32_t i = 0; i < match->queues[q].count; i++) {
            struct subject_entry *entry = match->queued[match->queues[q].first + i];
            const struct subscription *member = (const struct subscription *)(void *)entry;
            assert_in_range(member - all, 0, SUBSCRIPTIONS - 1);
            assert_string_equal(
                member->queue,
                ((const struct subscription *)(void *)match->queued[match->queues[q].first])
                    ->queue);
            found += member == wanted;
        }
    }
    return found;
}

static void check(const struct subject_match *match, const struct subscription *all,
                  const char *subject) {
    uint32_t plain = 0, queued = 0;
    for (size_t i = 0; i < SUBSCRIPTIONS; i++) {
        const struct subscription *one = &all[i];
        if (!one->inserted ||
            !subject_contains(bytes_of_text(one->subject), bytes_of_text(subject)))
            continue;
        if (one->queue[0] == '\0') {
            plain++;
            assert_true(match_has(match, one));
        } else {
            queued++;
            assert_int_equal(queues_with(match, one, all), 1);
        }
    }
    assert_int_equal(match->plain_count, plain);
    assert_int_equal(match->queued_count, queued);
}

static void change(struct subject_index *index, struct subscription *one) {
    if (one->inserted) {
        subject_index_remove(index, &one->entry);
        one->inserted = false;
        return;
    }
    make_subject(one->subject, true);
    one->queue[0] = '\0';
    if (roll(3) == 0) snprintf(one->queue, sizeof one->queue, "q%u", roll(4));
    assert_true(subject_index_insert(index, bytes_of_text(one->subject), bytes_of_text(one->queue),
                                     &one->entry));
    one->inserted = true;
    char told[64];
    size_t length = subject_index_subject(&one->entry, told, sizeof told);
    assert_true(bytes_equal_text(bytes_of(told, length), one->subject));
    assert_true(bytes_equal_text(subject_index_queue(&one->entry), one->queue));
}

static void agrees_with_the_list(void **state) {
    (void)state;
    struct subject_index *index = subject_index_new();
    struct subscription *all = calloc(SUBSCRIPTIONS, sizeof *all);
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (roll(10) == 0) change(index, &all[roll(SUBSCRIPTIONS)]);
        char subject[64];
        make_subject(subject, false);
        const struct subject_match *match = subject_index_match(index, bytes_of_text(subject));
        if (roll(10) == 0) check(match, all, subject);
    }
    for (size_t i = 0; i < SUBSCRIPTIONS; i++)
        subject_index_remove(index, &all[i].entry);
    assert_int_equal(subject_index_count(index), 0);
    subject_index_free(index);
    free(all);
}

static void nobody_receives_an_invalid_subject(void **state) {
    (void)state;
    struct subject_index *index = subject_index_new();
    struct subject_entry everything = {0};
    assert_true(subject_index_insert(index, bytes_of_text(">"), bytes_of_text(""), &everything));
    static const char *const invalid[] = {"", ".", "a.", ".a", "a..b"};
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++)
        assert_false(subject_index_has_interest(index, bytes_of_text(invalid[i])));
    /* As nats-server: wildcards in a published subject are ordinary tokens. */
    assert_true(subject_index_has_interest(index, bytes_of_text("foo.*")));
    struct subject_entry refused = {0};
    assert_false(subject_index_insert(index, bytes_of_text("a..b"), bytes_of_text(""), &refused));
    subject_index_remove(index, &everything);
    subject_index_remove(index, &everything);
    subject_index_free(index);
}

/* As long as a control line allows: deep, and with a wildcard at each level. */
static void very_deep_subjects(void **state) {
    (void)state;
    enum { DEPTH = 2000 };
    char literal[2 * DEPTH], wild[2 * DEPTH];
    for (size_t i = 0; i < DEPTH; i++) {
        literal[2 * i] = 'a';
        wild[2 * i] = '*';
        literal[2 * i + 1] = wild[2 * i + 1] = '.';
    }
    struct bytes subject = bytes_of(literal, 2 * DEPTH - 1);
    struct subject_index *index = subject_index_new();
    struct subject_entry entries[2] = {{0}};
    assert_true(
        subject_index_insert(index, bytes_of(wild, 2 * DEPTH - 1), bytes_of_text(""), &entries[0]));
    assert_true(subject_index_insert(index, subject, bytes_of_text("q"), &entries[1]));
    const struct subject_match *match = subject_index_match(index, subject);
    assert_int_equal(match->plain_count, 1);
    assert_int_equal(match->queue_count, 1);
    subject_index_remove(index, &entries[0]);
    subject_index_remove(index, &entries[1]);
    assert_false(subject_index_has_interest(index, subject));
    subject_index_free(index);
}

static void a_change_is_seen_at_once(void **state) {
    (void)state;
    struct subject_index *index = subject_index_new();
    struct subject_entry one = {0}, two = {0};
    struct bytes subject = bytes_of_text("a.b");
    assert_false(subject_index_has_interest(index, subject));
    assert_true(subject_index_insert(index, subject, bytes_of_text(""), &one));
    assert_true(subject_index_has_interest(index, subject));
    subject_index_remove(index, &one);
    assert_false(subject_index_has_interest(index, subject));
    assert_true(subject_index_insert(index, bytes_of_text("a.*"), bytes_of_text("q"), &two));
    assert_true(subject_index_has_interest(index, subject));
    subject_index_remove(index, &two);
    assert_false(subject_index_has_interest(index, subject));
    subject_index_free(index);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_list),
        cmocka_unit_test(nobody_receives_an_invalid_subject),
        cmocka_unit_test(very_deep_subjects),
        cmocka_unit_test(a_change_is_seen_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
