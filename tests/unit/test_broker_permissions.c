/* Permissions: what lists of allowed and denied subjects say, and who proves to be whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "broker/permissions.h"
#include "broker/users.h"
#include "codec/base64.h"
#include "codec/base64url.h"

static void fill(struct pattern_list *list, const char *const *entries) {
    for (; *entries != NULL; entries++)
        assert_true(pattern_list_add(list, *entries, NULL));
}

static void example(struct permissions *out) {
    static const char *const publish_allow[] = {"ok.>", "reply.*", NULL};
    static const char *const publish_deny[] = {"ok.secret.>", NULL};
    static const char *const subscribe_allow[] = {"in.>", "wq.> grp", "any.> g.*", NULL};
    static const char *const subscribe_deny[] = {"in.secret", "in.q bad", NULL};
    memset(out, 0, sizeof *out);
    fill(&out->publish_allow, publish_allow);
    fill(&out->publish_deny, publish_deny);
    fill(&out->subscribe_allow, subscribe_allow);
    fill(&out->subscribe_deny, subscribe_deny);
}

struct row {
    const char *subject;
    const char *queue; /* NULL: the row asks about publishing */
    bool allowed;
};

static const struct row ROWS[] = {
    {"ok.a", NULL, true},     {"ok.secret", NULL, true}, {"ok.secret.a", NULL, false},
    {"ok", NULL, false},      {"reply.1", NULL, true},   {"reply.1.2", NULL, false},
    {"in.a", "", true},       {"in.>", "", true},        {"in.*", "", true},
    {"in", "", false},        {">", "", false},          {"*", "", false},
    {"in.secret", "", false}, {"in.secret", "q", false}, {"in.q", "", true},
    {"in.q", "good", true},   {"in.q", "bad", false},    {"wq.a", "", false},
    {"wq.a", "grp", true},    {"wq.a", "other", false},  {"any.x", "g.1", true},
    {"any.x", "g", false},
};

static void lists_decide(void **state) {
    (void)state;
    struct permissions permissions;
    example(&permissions);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        const struct row *row = &ROWS[i];
        struct bytes subject = bytes_of_text(row->subject);
        bool allowed = row->queue == NULL ? permissions_may_publish(&permissions, subject)
                                          : permissions_may_subscribe(&permissions, subject,
                                                                      bytes_of_text(row->queue));
        if (allowed != row->allowed) print_message("row %zu (%s)\n", i, row->subject);
        assert_int_equal(allowed, row->allowed);
    }
    permissions_free(&permissions);
}

/* A wildcard may not be used to receive more than what is allowed, whatever its form. */
static void a_wider_wildcard_is_not_inside(void **state) {
    (void)state;
    struct permissions permissions = {0};
    assert_true(pattern_list_add(&permissions.subscribe_allow, "a.*", NULL));
    struct bytes none = bytes_of_text("");
    assert_true(permissions_may_subscribe(&permissions, bytes_of_text("a.*"), none));
    assert_false(permissions_may_subscribe(&permissions, bytes_of_text("a.>"), none));
    assert_false(permissions_may_subscribe(&permissions, bytes_of_text("*.*"), none));
    permissions_free(&permissions);
}

static void the_filter_is_for_wildcards_that_meet_what_is_denied(void **state) {
    (void)state;
    struct permissions permissions;
    example(&permissions);
    assert_true(permissions_filter_needed(&permissions, bytes_of_text("in.>")));
    assert_true(permissions_filter_needed(&permissions, bytes_of_text("*.secret")));
    assert_false(permissions_filter_needed(&permissions, bytes_of_text("in.a")));
    assert_false(permissions_filter_needed(&permissions, bytes_of_text("in.*.x")));
    assert_false(permissions_may_receive(&permissions, bytes_of_text("in.secret")));
    assert_true(permissions_may_receive(&permissions, bytes_of_text("in.q")));
    permissions_free(&permissions);
}

static void an_empty_list_allows_nothing_and_none_allows_all(void **state) {
    (void)state;
    struct permissions permissions = {0};
    assert_true(permissions_may_publish(&permissions, bytes_of_text("a")));
    permissions.publish_allow.given = true;
    assert_false(permissions_may_publish(&permissions, bytes_of_text("a")));
    permissions_free(&permissions);
}

static void bad_entries_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"", " ", "a..b", "a.>.b", "a q..r", "a q r"};
    struct pattern_list list = {0};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct status status = STATUS_INIT;
        assert_false(pattern_list_add(&list, bad[i], &status));
        assert_int_equal(status.code, STATUS_CONFIG);
    }
    assert_int_equal(list.count, 0);
}

/* ---- users ---- */

static const struct broker_user *try_password(const struct broker_users *users, const char *name,
                                              const char *password) {
    struct broker_credentials credentials = {.user = name, .password = password};
    return broker_users_authenticate(users, &credentials, "");
}

static void passwords_and_tokens(void **state) {
    (void)state;
    struct broker_users *users = broker_users_new();
    assert_true(broker_users_add_password(users, "a", bytes_of_text("one"), NULL, NULL));
    assert_true(broker_users_add_password(users, "b", bytes_of_text("two"), NULL, NULL));
    assert_true(broker_users_add_token(users, bytes_of_text("tok"), NULL, NULL));
    assert_false(broker_users_add_password(users, "a", bytes_of_text("x"), NULL, NULL));
    assert_false(broker_users_add_password(users, "c", bytes_of_text(""), NULL, NULL));
    assert_false(broker_users_add_password(users, "", bytes_of_text("x"), NULL, NULL));
    assert_false(broker_users_add_token(users, bytes_of_text(""), NULL, NULL));
    assert_string_equal(try_password(users, "a", "one")->name, "a");
    assert_null(try_password(users, "a", "two"));
    assert_null(try_password(users, "a", ""));
    assert_null(try_password(users, "a", NULL));
    assert_null(try_password(users, "nobody", "one"));
    struct broker_credentials token = {.token = "tok"}, wrong = {.token = "to"}, none = {0};
    assert_non_null(broker_users_authenticate(users, &token, ""));
    assert_null(broker_users_authenticate(users, &wrong, ""));
    assert_null(broker_users_authenticate(users, &none, ""));
    assert_false(broker_users_need_nonce(users));
    broker_users_free(users);
}

static void an_nkey_signs_the_nonce_of_its_connection(void **state) {
    (void)state;
    char seed[NKEY_SEED_TEXT_BYTES], key[NKEY_PUBLIC_TEXT_BYTES], account[NKEY_PUBLIC_TEXT_BYTES];
    uint8_t signature[SIGNATURE_BYTES];
    char url[BASE64URL_LENGTH(SIGNATURE_BYTES) + 1], padded[BASE64_LENGTH(SIGNATURE_BYTES) + 1];
    struct broker_users *users = broker_users_new();
    nkey_generate(NKEY_ACCOUNT, seed, account);
    assert_false(broker_users_add_nkey(users, account, NULL, NULL));
    nkey_generate(NKEY_USER, seed, key);
    assert_true(broker_users_add_nkey(users, key, NULL, NULL));
    assert_true(broker_users_need_nonce(users));
    assert_true(nkey_sign(bytes_of_text(seed), bytes_of_text("nonce"), signature, NULL));
    base64url_encode(bytes_of(signature, sizeof signature), url);
    base64_encode(bytes_of(signature, sizeof signature), padded);
    struct broker_credentials credentials = {.nkey = key, .signature = url};
    assert_non_null(broker_users_authenticate(users, &credentials, "nonce"));
    assert_null(broker_users_authenticate(users, &credentials, "other"));
    assert_null(broker_users_authenticate(users, &credentials, ""));
    credentials.signature = padded;
    assert_non_null(broker_users_authenticate(users, &credentials, "nonce"));
    credentials.signature = NULL;
    assert_null(broker_users_authenticate(users, &credentials, "nonce"));
    broker_users_free(users);
}

static void the_same_user_of_another_table(void **state) {
    (void)state;
    struct broker_users *old = broker_users_new(), *fresh = broker_users_new();
    assert_true(broker_users_add_password(old, "kept", bytes_of_text("p"), NULL, NULL));
    assert_true(broker_users_add_password(old, "changed", bytes_of_text("p"), NULL, NULL));
    assert_true(broker_users_add_token(old, bytes_of_text("tok"), NULL, NULL));
    assert_true(broker_users_add_password(fresh, "changed", bytes_of_text("q"), NULL, NULL));
    assert_true(broker_users_add_password(fresh, "kept", bytes_of_text("p"), NULL, NULL));
    struct broker_credentials token = {.token = "tok"};
    const struct broker_user *kept = try_password(old, "kept", "p");
    assert_ptr_equal(broker_users_find_same(fresh, kept), try_password(fresh, "kept", "p"));
    assert_null(broker_users_find_same(fresh, try_password(old, "changed", "p")));
    assert_null(broker_users_find_same(fresh, broker_users_authenticate(old, &token, "")));
    broker_users_free(old);
    broker_users_free(fresh);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_decide),
        cmocka_unit_test(a_wider_wildcard_is_not_inside),
        cmocka_unit_test(the_filter_is_for_wildcards_that_meet_what_is_denied),
        cmocka_unit_test(an_empty_list_allows_nothing_and_none_allows_all),
        cmocka_unit_test(bad_entries_are_refused),
        cmocka_unit_test(passwords_and_tokens),
        cmocka_unit_test(an_nkey_signs_the_nonce_of_its_connection),
        cmocka_unit_test(the_same_user_of_another_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
