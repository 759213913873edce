/* A certificate that keeps itself fresh: made, left alone, replaced in time, and never lost. */
#include "tests/lib/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/certificate_authority.h"
#include "app/certificate_files.h"
#include "app/certificate_keeper.h"
#include "base/clock.h"
#include "base/file.h"
#include "tests/lib/loop_wait.h"
#include "verifier/x509_alt_name.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)

static const char *const names[] = {"localhost", "IP:127.0.0.1"};

/* A folder with a CA, and a wish for a certificate beside it. */
struct site {
    char root[64];
    char *ca;
    char *prefix;
    char *certificate_path;
    char *key_path;
    int64_t now_ms;
    struct certificate_keeper_wish wish;
};

static int open_site(void **state) {
    struct site *site = calloc(1, sizeof *site);
    assert_non_null(site);
    snprintf(site->root, sizeof site->root, "/tmp/lsys-keeper-XXXXXX");
    assert_non_null(mkdtemp(site->root));
    site->ca = file_join(site->root, "ca");
    site->prefix = file_join(site->root, "server");
    site->certificate_path = file_join(site->root, "server.pem");
    site->key_path = file_join(site->root, "server.key.pem");
    site->now_ms = clock_wall_ms();
    assert_true(
        certificate_authority_create(site->ca, "Site CA", 400 * DAY_MS, site->now_ms, NULL));
    site->wish = (struct certificate_keeper_wish){.role = "test",
                                                  .folder = site->ca,
                                                  .prefix = site->prefix,
                                                  .names = names,
                                                  .name_count = COUNT_OF(names),
                                                  .purposes = X509_PURPOSE_SERVER,
                                                  .life_ms = 90 * DAY_MS};
    *state = site;
    return 0;
}

static int close_site(void **state) {
    struct site *site = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", site->root);
    int result = system(command);
    free(site->ca);
    free(site->prefix);
    free(site->certificate_path);
    free(site->key_path);
    free(site);
    return result;
}

/* Looks, and insists that it works. Returns whether the certificate is a new one. */
static bool look(struct site *site, int64_t after_ms) {
    bool changed = false;
    int64_t next_ms = 0;
    struct status status = STATUS_INIT;
    if (!certificate_keeper_look(&site->wish, site->now_ms + after_ms, 0x80000000, &changed,
                                 &next_ms, &status))
        fail_msg("%s", status.text);
    assert_true(next_ms > site->now_ms + after_ms);
    return changed;
}

static struct x509_identity *identity_of(const struct site *site) {
    struct x509_identity *identity =
        certificate_files_read_identity(site->certificate_path, site->key_path, NULL);
    assert_non_null(identity);
    return identity;
}

static void it_is_made_and_left_alone(void **state) {
    struct site *site = *state;
    struct stat information;
    assert_true(look(site, 0));
    assert_int_equal(stat(site->key_path, &information), 0);
    assert_int_equal(information.st_mode & 0777, 0600);
    struct x509_identity *identity = identity_of(site);
    assert_true(x509_alt_names_match(x509_identity_leaf(identity)->alt_names, "127.0.0.1"));
    x509_identity_free(identity);
    assert_false(look(site, 0));
    assert_false(look(site, 44 * DAY_MS));
}

static void it_is_replaced_before_two_thirds(void **state) {
    struct site *site = *state;
    assert_true(look(site, 0));
    struct x509_identity *before = identity_of(site);
    assert_true(look(site, 60 * DAY_MS - HOUR_MS));
    struct x509_identity *after = identity_of(site);
    assert_true(
        x509_public_key_equal(&x509_identity_leaf(before)->key, &x509_identity_leaf(after)->key));
    assert_true(x509_identity_leaf(after)->not_after_ms > site->now_ms + 149 * DAY_MS);
    x509_identity_free(before);
    x509_identity_free(after);
    assert_true(look(site, 300 * DAY_MS)); /* long expired */
}

static void another_wish_replaces_it(void **state) {
    struct site *site = *state;
    static const char *const others[] = {"localhost", "edge-7"};
    assert_true(look(site, 0));
    site->wish.purposes = X509_PURPOSE_SERVER | X509_PURPOSE_CLIENT;
    assert_true(look(site, 0));
    site->wish.names = others;
    assert_true(look(site, 0));
    assert_false(look(site, 0));
}

static void another_ca_replaces_it(void **state) {
    struct site *site = *state;
    char *other = file_join(site->root, "other");
    assert_true(look(site, 0));
    /* Of the same name, so that only the signature tells. */
    assert_true(certificate_authority_create(other, "Site CA", 400 * DAY_MS, site->now_ms, NULL));
    site->wish.folder = other;
    assert_true(look(site, 0));
    assert_false(look(site, 0));
    free(other);
}

static void damaged_files_are_replaced_but_no_key(void **state) {
    struct site *site = *state;
    bool changed;
    int64_t next_ms;
    struct status status = STATUS_INIT;
    assert_true(look(site, 0));
    assert_true(file_replace(site->certificate_path, bytes_of_text("?"), 0644, NULL));
    assert_true(look(site, 0));
    assert_true(file_replace(site->key_path, bytes_of_text("?"), 0600, NULL));
    assert_false(
        certificate_keeper_look(&site->wish, site->now_ms, 0, &changed, &next_ms, &status));
    assert_int_equal(status.code, STATUS_NOT_FOUND);
    assert_non_null(strstr(status.text, "server.key.pem"));
}

static void nothing_outlives_the_ca(void **state) {
    struct site *site = *state;
    bool changed;
    int64_t next_ms;
    struct status status = STATUS_INIT;
    assert_true(look(site, 390 * DAY_MS));
    struct x509_identity *identity = identity_of(site);
    assert_true(x509_identity_leaf(identity)->not_after_ms <= site->now_ms + 400 * DAY_MS);
    x509_identity_free(identity);
    assert_false(look(site, 399 * DAY_MS)); /* overdue, but a new one would end with the CA, too */
    assert_false(certificate_keeper_look(&site->wish, site->now_ms + 401 * DAY_MS, 0, &changed,
                                         &next_ms, &status));
    assert_int_equal(status.code, STATUS_EXPIRED);
}

static void count_renewal(void *context) {
    ++*(int *)context;
}

static void it_renews_itself_on_the_loop(void **state) {
    struct site *site = *state;
    int renewals = 0;
    struct loop *loop = loop_create(NULL);
    assert_non_null(loop);
    site->wish.life_ms = 4000;
    struct certificate_keeper *keeper =
        certificate_keeper_start(loop, &site->wish, count_renewal, &renewals, NULL);
    assert_non_null(keeper);
    struct x509_identity *before = identity_of(site);
    assert_true(loop_wait_count(loop, &renewals, 1));
    struct x509_identity *after = identity_of(site);
    assert_true(x509_check_period(x509_identity_leaf(before), clock_wall_ms(), NULL));
    assert_true(x509_identity_leaf(after)->not_after_ms > x509_identity_leaf(before)->not_after_ms);
    x509_identity_free(before);
    x509_identity_free(after);
    certificate_keeper_stop(keeper);
    loop_wait_end(loop);
}

static void it_starts_without_the_ca_while_the_old_one_counts(void **state) {
    struct site *site = *state;
    int renewals = 0;
    struct status status = STATUS_INIT;
    struct loop *loop = loop_create(NULL);
    assert_non_null(loop);
    site->wish.folder = "/nowhere";
    assert_null(certificate_keeper_start(loop, &site->wish, count_renewal, &renewals, &status));
    assert_int_equal(status.code, STATUS_NOT_FOUND);
    site->wish.folder = site->ca;
    assert_true(look(site, 0));
    site->wish.folder = "/nowhere";
    struct certificate_keeper *keeper =
        certificate_keeper_start(loop, &site->wish, count_renewal, &renewals, NULL);
    assert_non_null(keeper);
    certificate_keeper_stop(keeper);
    loop_wait_end(loop);
}

#define SITE_TEST(test) cmocka_unit_test_setup_teardown(test, open_site, close_site)

int main(void) {
    const struct CMUnitTest tests[] = {
        SITE_TEST(it_is_made_and_left_alone),
        SITE_TEST(it_is_replaced_before_two_thirds),
        SITE_TEST(another_wish_replaces_it),
        SITE_TEST(another_ca_replaces_it),
        SITE_TEST(damaged_files_are_replaced_but_no_key),
        SITE_TEST(nothing_outlives_the_ca),
        SITE_TEST(it_renews_itself_on_the_loop),
        SITE_TEST(it_starts_without_the_ca_while_the_old_one_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
