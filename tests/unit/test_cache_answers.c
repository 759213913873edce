/* The kept answer of cache-slave: at every edge it is what would be written anew. */
#include "tests/lib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/role_http.h"
#include "roles/cache-slave/answers.h"
#include "roles/cache-slave/kept_answer.h"
#include "store/store.h"
#include "tests/lib/folder.h"
#include "tests/lib/tokens.h"

#define TTL_MS    30000
#define GRACE_MS  120000
#define UPTIME_MS (10 * 86400000LL)
#define DAY_MS    86400000LL

/* The license of tokens_make_license. */
#define BEGINS_MS     (TOKENS_ISSUED_MS - LICENSE_NOT_BEFORE_LEEWAY_MS)
#define EXPIRES_MS    (TOKENS_ISSUED_MS + 30 * DAY_MS)
#define GRACE_ENDS_MS (EXPIRES_MS + 3 * DAY_MS)

/* A slave with a license that was verified, as far as answers need one. */
struct scene {
    struct cache_slave slave; /* its shelf is empty, and has lost nothing */
    char folder[TEST_FOLDER_BYTES];
    struct store *store;
    struct authority authority;
    struct private_key key;
    struct shelf_entry entry;
    struct license *license;
    struct kept_answer *kept;
    struct buffer fresh; /* the last answer, written anew */
};

/* Signs what tokens_make_license gives, with this serial and edition, and verifies it as on
 * arrival. */
static struct license *arrive(struct scene *scene, int64_t serial, const char *edition) {
    struct license *license = tokens_make_license();
    struct signer signer = signer_from_private_key(&scene->key);
    struct status status = STATUS_INIT;
    struct buffer token;
    buffer_init(&token, JWS_TOKEN_BYTES_MAX);
    license->serial = serial;
    snprintf(license->edition, sizeof license->edition, "%s", edition);
    assert_true(license_sign(license, &signer, &token, &status));
    license_free(license);
    license = license_verify(buffer_bytes(&token), scene->authority.ring, NULL, &status);
    assert_non_null(license);
    buffer_free(&token);
    return license;
}

static int set_up(void **state) {
    struct scene *scene = calloc(1, sizeof *scene);
    struct status status = STATUS_INIT;
    test_folder_make(scene->folder);
    assert_true(store_open(scene->folder, &scene->store, NULL, &status));
    scene->slave.shelf = license_shelf_open(scene->store, "shelf", &status);
    assert_non_null(scene->slave.shelf);
    scene->authority.ring = tokens_make_key(JWK_ED25519, TOKEN_USE(TOKEN_LICENSE), &scene->key);
    scene->slave.authority = &scene->authority;
    scene->slave.settings.ages = (struct cache_ages){.ttl_ms = TTL_MS, .grace_ms = GRACE_MS};
    scene->slave.monotonic_ms = UPTIME_MS;
    scene->license = arrive(scene, 9, "enterprise");
    scene->kept = kept_answer_open();
    buffer_init(&scene->fresh, ROLE_HTTP_ANSWER_BYTES);
    *state = scene;
    return 0;
}

static int tear_down(void **state) {
    struct scene *scene = *state;
    buffer_free(&scene->fresh);
    kept_answer_close(scene->kept);
    license_free(scene->license);
    license_free(scene->slave.development);
    revocations_free(scene->authority.revocations);
    key_ring_free(scene->authority.ring);
    private_key_wipe(&scene->key);
    license_shelf_close(scene->slave.shelf);
    store_close(scene->store);
    test_folder_remove(scene->folder);
    free(scene);
    return 0;
}

/* A moment: the time, and how long ago the master confirmed. */
struct moment {
    int64_t now_ms;
    int64_t age_ms; /* CACHE_NEVER_CONFIRMED: never */
};

static const struct moment in_term = {TOKENS_ISSUED_MS + DAY_MS, 0};

/* Asks at that moment, checks the kept answer against one written anew, and returns it. */
static const char *ask(struct scene *scene, const struct moment *moment) {
    struct cache_slave *slave = &scene->slave;
    struct slave_view view;
    bool never = moment->age_ms == CACHE_NEVER_CONFIRMED;
    slave->reading.now_ms = moment->now_ms;
    slave->progress.confirmed_at_ms = never ? 0 : moment->now_ms - moment->age_ms;
    slave->progress.confirmed_monotonic_ms = never ? 0 : UPTIME_MS - moment->age_ms;
    slave_judge(slave, scene->license, &scene->entry, &view);
    const struct buffer *answer = kept_answer_write(scene->kept, slave, &view);
    buffer_clear(&scene->fresh);
    slave_answer_license(slave, &view, &scene->fresh);
    assert_false(answer->failed);
    assert_string_equal(buffer_text(answer), buffer_text(&scene->fresh));
    return buffer_text(&scene->fresh);
}

static void assert_licensed(const char *answer, bool licensed) {
    const char *begin = licensed ? "{\"licensed\":true," : "{\"licensed\":false,";
    assert_memory_equal(answer, begin, strlen(begin));
}

/* ---- */

/* Whatever was kept before, from whichever moment: the answer is that of now. */
static void from_every_moment_to_every_other(void **state) {
    struct scene *scene = *state;
    static const int64_t times_ms[] = {BEGINS_MS - 1,  BEGINS_MS,        in_term.now_ms,
                                       EXPIRES_MS - 1, EXPIRES_MS,       GRACE_ENDS_MS - 1,
                                       GRACE_ENDS_MS,  GRACE_ENDS_MS + 1};
    static const int64_t ages_ms[] = {
        0, 1, TTL_MS, TTL_MS + 1, TTL_MS + GRACE_MS, TTL_MS + GRACE_MS + 1, CACHE_NEVER_CONFIRMED};
    struct moment moments[COUNT_OF(times_ms) * COUNT_OF(ages_ms)];
    for (size_t i = 0; i < COUNT_OF(moments); i++)
        moments[i] =
            (struct moment){times_ms[i / COUNT_OF(ages_ms)], ages_ms[i % COUNT_OF(ages_ms)]};
    for (size_t before = 0; before < COUNT_OF(moments); before++)
        for (size_t after = 0; after < COUNT_OF(moments); after++) {
            ask(scene, &moments[before]);
            ask(scene, &moments[after]);
        }
}

static void the_end_counts_from_its_millisecond(void **state) {
    struct scene *scene = *state;
    static const struct {
        struct moment moment;
        bool licensed;
        const char *state;
    } rows[] = {
        {{BEGINS_MS - 1, 0}, false, "synced"},
        {{BEGINS_MS, 0}, true, "synced"},
        {{GRACE_ENDS_MS - 1, 0}, true, "synced"},
        {{GRACE_ENDS_MS, 0}, false, "expired"},
        {{GRACE_ENDS_MS - 1, TTL_MS}, true, "synced"},
        {{GRACE_ENDS_MS - 1, TTL_MS + 1}, true, "stale"},
        {{GRACE_ENDS_MS - 1, TTL_MS + GRACE_MS}, true, "stale"},
        {{GRACE_ENDS_MS - 1, TTL_MS + GRACE_MS + 1}, false, "failed"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char expected[64];
        const char *answer = ask(scene, &rows[i].moment);
        snprintf(expected, sizeof expected, "\"sync_status\":\"%s\"", rows[i].state);
        assert_licensed(answer, rows[i].licensed);
        assert_non_null(strstr(answer, expected));
    }
}

static void a_revocation_counts_in_the_next_answer(void **state) {
    struct scene *scene = *state;
    struct status status = STATUS_INIT;
    assert_licensed(ask(scene, &in_term), true);
    scene->entry.revoked_at_ms = in_term.now_ms; /* by the master */
    scene->entry.revoked_reason = (char[]){"unpaid"};
    const char *answer = ask(scene, &in_term);
    assert_licensed(answer, false);
    assert_non_null(strstr(answer, "unpaid"));
    scene->entry.revoked_at_ms = 0;
    assert_licensed(ask(scene, &in_term), true);
    scene->authority.revocations = revocations_new(); /* by the vendor */
    assert_true(revocations_add(scene->authority.revocations, scene->license->license_id, "leaked",
                                in_term.now_ms, &status));
    answer = ask(scene, &in_term);
    assert_licensed(answer, false);
    assert_non_null(strstr(answer, "the vendor revoked the license"));
}

static void a_key_that_leaves_the_ring_counts_in_the_next_answer(void **state) {
    struct scene *scene = *state;
    assert_licensed(ask(scene, &in_term), true);
    scene->authority.ring->entries[0].not_after_ms = TOKENS_ISSUED_MS;
    assert_licensed(ask(scene, &in_term), false);
    scene->authority.ring->entries[0].not_after_ms = KEY_RING_FOREVER_MS;
    assert_licensed(ask(scene, &in_term), true);
    scene->authority.ring->count = 0;
    assert_licensed(ask(scene, &in_term), false);
}

/* Also when the new one has the same id, the same status and the same place in memory. */
static void a_new_license_takes_the_place_of_the_old(void **state) {
    struct scene *scene = *state;
    assert_non_null(strstr(ask(scene, &in_term), "\"serial\":9,"));
    struct license *newer = arrive(scene, 10, "professional");
    struct license old = *scene->license;
    *scene->license = *newer;
    const char *answer = ask(scene, &in_term);
    assert_non_null(strstr(answer, "\"serial\":10,"));
    assert_non_null(strstr(answer, "\"edition\":\"professional\""));
    *scene->license = old;
    assert_non_null(strstr(ask(scene, &in_term), "\"serial\":9,"));
    license_free(newer);
}

static void the_development_license_stands_in_and_leaves(void **state) {
    struct scene *scene = *state;
    static const struct moment outage = {TOKENS_ISSUED_MS + DAY_MS, TTL_MS + GRACE_MS + 1};
    assert_licensed(ask(scene, &outage), false);
    scene->slave.development = arrive(scene, 1, "development");
    assert_non_null(strstr(ask(scene, &outage), "\"edition\":\"development\""));
    assert_non_null(strstr(ask(scene, &in_term), "\"edition\":\"enterprise\""));
    license_free(scene->slave.development);
    scene->slave.development = NULL;
    assert_licensed(ask(scene, &outage), false);
}

static void without_a_license_nothing_of_the_last_one_is_left(void **state) {
    struct scene *scene = *state;
    assert_licensed(ask(scene, &in_term), true);
    struct license *license = scene->license;
    scene->license = NULL;
    assert_null(strstr(ask(scene, &in_term), license->license_id));
    scene->license = license;
    assert_licensed(ask(scene, &in_term), true);
}

/* Else these tests would hold for a program that keeps nothing. */
static void an_equal_subject_is_not_written_anew(void **state) {
    struct scene *scene = *state;
    struct slave_view view;
    ask(scene, &in_term);
    snprintf(scene->license->customer, sizeof scene->license->customer, "Somebody else");
    slave_judge(&scene->slave, scene->license, &scene->entry, &view);
    const struct buffer *answer = kept_answer_write(scene->kept, &scene->slave, &view);
    assert_null(strstr(buffer_text(answer), "Somebody else"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(from_every_moment_to_every_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_end_counts_from_its_millisecond, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_revocation_counts_in_the_next_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_that_leaves_the_ring_counts_in_the_next_answer,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_license_takes_the_place_of_the_old, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_development_license_stands_in_and_leaves, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_a_license_nothing_of_the_last_one_is_left, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_equal_subject_is_not_written_anew, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
