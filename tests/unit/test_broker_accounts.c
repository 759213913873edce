/*
 * What operator mode is made of: the folder of tokens whatever happens in it, and the rights of a
 * user as permissions.
 */
#include "tests/lib/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "broker/identity.h"
#include "broker/resolver.h"
#include "tests/lib/folder.h"

/* ---- the folder ---- */

/* What the resolver told, as text: "+name=token ", "-name ", "!name ". */
struct watch {
    char folder[TEST_FOLDER_BYTES];
    struct resolver *resolver;
    struct buffer told;
};

static void on_token(void *context, const char *file, struct bytes token) {
    struct watch *watch = context;
    buffer_append_format(&watch->told, "+%s=%.*s ", file, (int)token.length,
                         (const char *)token.data);
}

static void on_gone(void *context, const char *file) {
    struct watch *watch = context;
    buffer_append_format(&watch->told, "-%s ", file);
}

static void on_problem(void *context, const char *file, const struct status *status) {
    struct watch *watch = context;
    (void)status;
    buffer_append_format(&watch->told, "!%s ", file);
}

static int set_up_watch(void **state) {
    static const struct resolver_handlers handlers = {on_token, on_gone, on_problem};
    struct watch *watch = memory_new(sizeof *watch);
    test_folder_make(watch->folder);
    buffer_init(&watch->told, 65536);
    watch->resolver = resolver_open(watch->folder, &handlers, watch, NULL);
    assert_non_null(watch->resolver);
    *state = watch;
    return 0;
}

static int tear_down_watch(void **state) {
    struct watch *watch = *state;
    resolver_close(watch->resolver);
    buffer_free(&watch->told);
    test_folder_remove(watch->folder);
    free(watch);
    return 0;
}

static void put(const struct watch *watch, const char *name, const char *text) {
    char *path = file_join(watch->folder, name);
    assert_true(file_replace(path, bytes_of_text(text), 0600, NULL));
    free(path);
}

static void take_away(const struct watch *watch, const char *name) {
    char *path = file_join(watch->folder, name);
    assert_int_equal(unlink(path), 0);
    free(path);
}

/* Polls once; gives what was told. A file that has just changed may be told twice: its time may
 * stand still for a moment. */
static const char *poll_once(struct watch *watch) {
    buffer_clear(&watch->told);
    resolver_poll(watch->resolver);
    return buffer_text(&watch->told);
}

static bool told(struct watch *watch, const char *what) {
    return strstr(poll_once(watch), what) != NULL;
}

static void the_first_poll_tells_everything(void **state) {
    struct watch *watch = *state;
    put(watch, "b.jwt", "2\n");
    put(watch, "a.jwt", " 1 \r\n");
    put(watch, ".hidden.jwt", "3");
    put(watch, "c.txt", "4");
    put(watch, ".jwt", "5");
    assert_string_equal(poll_once(watch), "+a.jwt=1 +b.jwt=2 ");
}

static void changes_are_told(void **state) {
    struct watch *watch = *state;
    put(watch, "a.jwt", "1");
    poll_once(watch);
    put(watch, "a.jwt", "2");
    assert_true(told(watch, "+a.jwt=2 "));
    put(watch, "b.jwt", "3");
    assert_true(told(watch, "+b.jwt=3 "));
    take_away(watch, "a.jwt");
    assert_true(told(watch, "-a.jwt "));
    assert_null(strstr(poll_once(watch), "a.jwt"));
    put(watch, "a.jwt", "4");
    assert_true(told(watch, "+a.jwt=4 "));
}

/* As an editor or a careless program does it: the folder's time does not change. */
static void a_file_written_over_in_place_is_told(void **state) {
    struct watch *watch = *state;
    put(watch, "a.jwt", "1");
    poll_once(watch);
    char *path = file_join(watch->folder, "a.jwt");
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    fputs("9", file);
    fclose(file);
    free(path);
    assert_true(told(watch, "+a.jwt=9 "));
}

static void a_folder_that_goes_away_keeps_what_was(void **state) {
    struct watch *watch = *state;
    put(watch, "a.jwt", "1");
    poll_once(watch);
    char other[TEST_FOLDER_BYTES + 8];
    snprintf(other, sizeof other, "%s.aside", watch->folder);
    assert_int_equal(rename(watch->folder, other), 0);
    assert_string_equal(poll_once(watch), "! ");
    assert_int_equal(rename(other, watch->folder), 0);
    assert_null(strstr(poll_once(watch), "-a.jwt"));
}

static void many_files_are_all_looked_at_in_turn(void **state) {
    struct watch *watch = *state;
    char name[32];
    for (int i = 0; i < 2 * RESOLVER_SWEEP_FILES; i++) {
        snprintf(name, sizeof name, "%04d.jwt", i);
        put(watch, name, "x");
    }
    poll_once(watch);
    char *path = file_join(watch->folder, name);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    fputs("y", file);
    fclose(file);
    free(path);
    bool seen = false;
    for (int i = 0; i < 4 && !seen; i++)
        seen = told(watch, "0511.jwt=y ");
    assert_true(seen);
}

static void what_is_stored_is_told_and_is_whole(void **state) {
    struct watch *watch = *state;
    assert_true(resolver_store(watch->resolver, "a.jwt", bytes_of_text("token"), NULL));
    assert_string_equal(poll_once(watch), "+a.jwt=token ");
}

static void a_folder_named_like_a_file_is_a_problem(void **state) {
    struct watch *watch = *state;
    char *path = file_join(watch->folder, "a.jwt");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_string_equal(poll_once(watch), "!a.jwt ");
    assert_int_equal(rmdir(path), 0);
    free(path);
}

/* ---- rights ---- */

struct fixture {
    struct account account;
    struct nats_user user;
};

static void fixture_init(struct fixture *fixture, const char *user_name) {
    memset(fixture, 0, sizeof *fixture);
    strcpy(fixture->account.claims.jwt.name, "site-7");
    strcpy(fixture->account.claims.jwt.subject, "AKEY");
    strcpy(fixture->user.jwt.subject, "UKEY");
    strcpy(fixture->user.jwt.issuer, "AKEY");
    snprintf(fixture->user.jwt.name, sizeof fixture->user.jwt.name, "%s", user_name);
}

static bool may_publish(const struct identity *identity, const char *subject) {
    return identity->user.permissions == NULL ||
           permissions_may_publish(identity->user.permissions, bytes_of_text(subject));
}

static void open_rights_are_no_permissions(void **state) {
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "ann");
    struct identity *identity = identity_new(&fixture.user, &fixture.account, NULL);
    assert_non_null(identity);
    assert_null(identity->user.permissions);
    assert_string_equal(identity->user.name, "UKEY");
    identity_free(identity);
}

static void who_may_answer_may_say_nothing_else(void **state) {
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, "ann");
    fixture.user.rights.allow_responses = true;
    fixture.user.rights.response_ttl_ns = 2500000000;
    struct identity *identity = identity_new(&fixture.user, &fixture.account, NULL);
    assert_non_null(identity);
    assert_false(may_publish(identity, "a"));
    assert_int_equal(identity->permissions.responses_max, PERMISSIONS_RESPONSES_DEFAULT);
    assert_int_equal(identity->permissions.response_expires_ms, 2500);
    identity_free(identity);
}

static void variables_are_replaced(void **state) {
    (void)state;
    static const struct {
        const char *pattern;
        const char *name;
        const char *subject; /* that may be published; NULL: the user is refused */
    } rows[] = {
        {"own.{{name()}}.x", "ann", "own.ann.x"},
        {"own.{{ name() }}.x", "ann", "own.ann.x"},
        {"{{account-name()}}.{{name()}}", "ann", "site-7.ann"},
        {"{{subject()}}.{{account-subject()}}", "ann", "UKEY.AKEY"},
        {"own.{{name()}}", "a.b", NULL},
        {"own.{{name()}}", "*", NULL},
        {"own.{{name()}}", ">", NULL},
        {"own.{{name()}}", "a b", NULL},
        {"own.{{name()}}", "{{name()}}", NULL},
        {"own.{{name()}}", "", NULL},
        {"own.{{tag(x)}}", "ann", NULL},
        {"own.{{name()", "ann", NULL},
        {"own.{{}}", "ann", NULL},
        {"a..b", "ann", NULL},
        {"a queue", "ann", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture fixture;
        struct status status = STATUS_INIT;
        fixture_init(&fixture, rows[i].name);
        nats_texts_add(&fixture.user.rights.publish_allow, rows[i].pattern);
        struct identity *identity = identity_new(&fixture.user, &fixture.account, &status);
        if ((identity != NULL) != (rows[i].subject != NULL)) fail_msg("row %zu", i);
        if (identity == NULL) {
            assert_int_equal(status.code, STATUS_CONFIG);
            continue;
        }
        assert_true(may_publish(identity, rows[i].subject));
        assert_false(may_publish(identity, "own.bob.x"));
        identity_free(identity);
    }
}

static void an_account_that_changes_changes_its_users(void **state) {
    (void)state;
    struct fixture fixture;
    struct nats_texts *allowed = &fixture.account.claims.default_rights.publish_allow;
    fixture_init(&fixture, "ann");
    struct identity *identity = identity_new(&fixture.user, &fixture.account, NULL);
    assert_true(may_publish(identity, "b"));
    nats_texts_add(allowed, "a");
    assert_true(identity_renew(identity, &fixture.account, NULL));
    assert_true(may_publish(identity, "a"));
    assert_false(may_publish(identity, "b"));
    nats_texts_add(allowed, "a..b");
    assert_false(identity_renew(identity, &fixture.account, NULL));
    assert_true(may_publish(identity, "a"));
    identity_free(identity);
    nats_account_free(&fixture.account.claims);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_poll_tells_everything, set_up_watch,
                                        tear_down_watch),
        cmocka_unit_test_setup_teardown(changes_are_told, set_up_watch, tear_down_watch),
        cmocka_unit_test_setup_teardown(a_file_written_over_in_place_is_told, set_up_watch,
                                        tear_down_watch),
        cmocka_unit_test_setup_teardown(a_folder_that_goes_away_keeps_what_was, set_up_watch,
                                        tear_down_watch),
        cmocka_unit_test_setup_teardown(many_files_are_all_looked_at_in_turn, set_up_watch,
                                        tear_down_watch),
        cmocka_unit_test_setup_teardown(what_is_stored_is_told_and_is_whole, set_up_watch,
                                        tear_down_watch),
        cmocka_unit_test_setup_teardown(a_folder_named_like_a_file_is_a_problem, set_up_watch,
                                        tear_down_watch),
        cmocka_unit_test(open_rights_are_no_permissions),
        cmocka_unit_test(who_may_answer_may_say_nothing_else),
        cmocka_unit_test(variables_are_replaced),
        cmocka_unit_test(an_account_that_changes_changes_its_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
