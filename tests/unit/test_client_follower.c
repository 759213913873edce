/* What the license client believes: real signatures, chosen moments, and every way to deceive
 * it. */
#include "tests/lib/unit.h"

#include <stdio.h>
#include <string.h>

#include "app/alerts.h"
#include "app/metrics.h"
#include "roles/license-client/answers.h"
#include "roles/license-client/explain.h"
#include "roles/license-client/follower.h"
#include "store/store.h"
#include "tests/lib/status_messages.h"

#define START_WALL_MS      INT64_C(1800000000000)
#define START_MONOTONIC_MS INT64_C(5000000)
#define TIMEOUT_MS         60000

/* A client, a vendor and two servers. */
struct scene {
    struct test_vendor vendor;
    struct private_key server;
    struct private_key rogue;
    struct buffer license; /* serial 5 */
    struct metrics *metrics;
    struct alerts *alerts;
    struct store *store;
    struct ledger *ledger;
    struct authority *authority;
    struct follower *follower;
    enum pinning_policy pinning;
    struct moment now;
    int64_t seq;
    char nonce[FOLLOWER_NONCE_BYTES];
};

static void open_client(struct scene *scene) {
    struct status status = STATUS_INIT;
    struct follower_options options = {.timeout_ms = TIMEOUT_MS, .pinning = scene->pinning};
    scene->ledger = ledger_open(scene->store, LICENSE_CLIENT_NAME);
    scene->authority = authority_open(scene->ledger);
    assert_true(authority_load(scene->authority, scene->vendor.keys_path, NULL, &status));
    scene->follower = follower_open(scene->authority, scene->ledger, scene->metrics, scene->alerts,
                                    &options, scene->now);
    follower_connected(scene->follower);
}

static void close_client(struct scene *scene) {
    follower_close(scene->follower);
    authority_close(scene->authority);
    ledger_close(scene->ledger);
}

static struct scene *make_scene(void) {
    static struct scene scene;
    memset(&scene, 0, sizeof scene);
    scene.now = (struct moment){.wall_ms = START_WALL_MS, .monotonic_ms = START_MONOTONIC_MS};
    test_vendor_make(&scene.vendor);
    private_key_generate(JWK_ED25519, &scene.server);
    private_key_generate(JWK_ED25519, &scene.rogue);
    scene.metrics = metrics_new();
    scene.alerts = alerts_new(scene.metrics);
    struct test_license license = {.serial = 5, .now_ms = START_WALL_MS};
    test_license_sign(&scene.vendor, &license, &scene.license);
    open_client(&scene);
    return &scene;
}

static void end_scene(struct scene *scene) {
    close_client(scene);
    store_close(scene->store);
    buffer_free(&scene->license);
    alerts_free(scene->alerts);
    metrics_free(scene->metrics);
    test_vendor_free(&scene->vendor);
}

static void pass(struct scene *scene, int64_t duration_ms) {
    scene->now.wall_ms += duration_ms;
    scene->now.monotonic_ms += duration_ms;
}

static enum follower_effect tick(struct scene *scene) {
    return follower_tick(scene->follower, scene->now);
}

/* A message as the good server would send it next. */
static struct test_message next_message(struct scene *scene) {
    return (struct test_message){.server = &scene->server,
                                 .seq = ++scene->seq,
                                 .sent_at_ms = scene->now.wall_ms,
                                 .token = &scene->license};
}

static enum follower_effect hear(struct scene *scene, const struct test_message *message) {
    struct buffer text;
    test_message_write(message, &text);
    enum follower_effect effect = follower_hear(scene->follower, buffer_bytes(&text), scene->now);
    buffer_free(&text);
    return effect;
}

/* Asks, as soon as this client's own part of the spread is over. */
static void ask(struct scene *scene) {
    int64_t latest_ms = scene->now.monotonic_ms + TIMEOUT_MS / CLIENT_SILENCE_SPREAD_PARTS;
    while (follower_make_nonce(scene->follower, scene->nonce, scene->now) == CLIENT_NONCE_NOT_DUE) {
        assert_true(scene->now.monotonic_ms < latest_ms);
        pass(scene, 1);
    }
}

/* The good server answers the first nonce: from here on the client follows it. */
static void follow(struct scene *scene) {
    struct test_message answer = next_message(scene);
    ask(scene);
    answer.nonce = scene->nonce;
    assert_int_equal(hear(scene, &answer), FOLLOWER_CHANGED);
    follower_close_nonce(scene->follower);
}

static struct follower_view view_of(struct scene *scene) {
    struct follower_view view;
    follower_look(scene->follower, &view);
    return view;
}

static int count_of(struct scene *scene, enum hearing hearing) {
    return (int)metrics_counter(scene->metrics, "lsys_client_messages_total",
                                "Messages of license servers by what became of them.", "role",
                                LICENSE_CLIENT_NAME, "verdict", hearing_name(hearing), NULL)
        ->value;
}

static void assert_edition(struct scene *scene, const char *edition, enum license_status status) {
    struct follower_view view = view_of(scene);
    assert_string_equal(answer_edition(&view), edition);
    assert_int_equal(view.status, status);
}

/* ---- an honest life ---- */

static void community_until_a_server_has_proved_itself(void **state) {
    (void)state;
    struct scene *scene = make_scene();
    assert_edition(scene, "community", LICENSE_MISSING);
    struct test_message broadcast = next_message(scene);
    assert_int_equal(hear(scene, &broadcast), FOLLOWER_NOTHING);
    assert_int_equal(count_of(scene, HEARING_UNPROVEN), 1);
    assert_edition(scene, "community", LICENSE_MISSING);
    follow(scene);
    assert_edition(scene, "enterprise", LICENSE_VALID);
    assert_int_equal(view_of(scene).pins->count, 1);
    end_scene(scene);
}

static void heartbeats_hold_and_silence_ends_at_the_exact_moment(void **state) {
    (void)state;
    struct scene *scene = make_scene();
    follow(scene);
    pass(scene, 30000);
    struct test_message heartbeat = next_message(scene);
    heartbeat.type = "heartbeat";
    heartbeat.without_token = true;
    assert_int_equal(hear(scene, &heartbeat), FOLLOWER_RENEWED);
    pass(scene, TIMEOUT_MS - 1);
    assert_int_equal(tick(scene), FOLLOWER_NOTHING);
    follower_disconnected(scene->follower);
    assert_edition(scene, "enterprise", LICENSE_VALID);
    pass(scene, 1);
    assert_int_equal(tick(scene), FOLLOWER_CHANGED);
    assert_edition(scene, "community", LICENSE_MISSING);
    follower_connected(scene->follower);
    follow(scene);
    assert_edition(scene, "enterprise", LICENSE_VALID);
    end_scene(scene);
}

static void a_license_expires_here_whatever_its_server_says(void **state) {
    (void)state;
    struct scene *scene = make_scene();
    struct test_license wanted = {
        .serial = 6, .now_ms = START_WALL_MS, .expires_at_ms = START_WALL_MS + 20000};
    buffer_free(&scene->license);
    test_license_sign(&scene->vendor, &wanted, &scene->license);
    follow(scene);
    assert_edition(scene, "enterprise", LICENSE_EXPIRING);
    pass(scene, 19999);
    assert_int_equal(tick(scene), FOLLOWER_NOTHING);
    assert_int_equal(follower_wait_ms(scene->follower, scene->now), 1);
    pass(scene, 1);
    assert_int_equal(tick(scene), FOLLOWER_CHANGED);
    assert_edition(scene, "community", LICENSE_EXPIRED);
    struct test_message lie = next_message(scene);
    hear(scene, &lie);
    assert_edition(scene, "community", LICENSE_EXPIRED);
    end_scene(scene);
}

static void a_clock_turned_back_extends_nothing(void **state) {
    (void)state;
    struct scene *scene = make_scene();
    struct test_license wanted = {
        .serial = 6, .now_ms = START_WALL_MS, .expires_at_ms = START_WALL_MS + 20000};
    buffer_free(&scene->license);
    test_license_sign(&scene->vendor, &wanted, &scene->license);
    follow(scene);
    pass(scene, 15000);
    scene->now.wall_ms -= 10 * TEST_DAY_MS;
    assert_int_equal(tick(scene), FOLLOWER_NOTHING);
    pass(scene, 5000);
    assert_int_equal(tick(scene), FOLLOWER_CHANGED);
    assert_edition(scene, "community", LICENSE_EXPIRED);
    end_scene(scene);
}

static void a_heartbeat_with_an_unknown_license_makes_us_ask(void **state) {
    (void)state;
    struct scene *scene = make_scene();
    follow(scene);
    pass(scene, 2000);
    struct test_license wanted = {.serial = 6, .now_ms = START_WALL_MS};
    buffer_free(&scene->license);
    test_license_sign(&scene->vendor, &wanted, &scene->license);
    struct test_message heartbeat = next_message(scene);
    heartbeat.without_token = true;
    hear(scene, &heartbeat);
    assert_int_equal(count_of(scene, HEARING_UNKNOWN_LICENSE), 1);
    follow(scene);
    assert_int_equal(view_of(scene).license->serial, 6);
    end_scene(scene);
}

static void features_degrade_as_the_license_says(void **state) {
    (void)state;
    struct scene *scene = make_scene();
    const struct license_feature *feature;
    follow(scene);
    struct follower_view view = view_of(scene);
    assert_true(answer_feature(&view, "nodes", &feature).allowed);
    assert_true(feature->number > 49 && feature->number < 51);
    assert_false(answer_feature(&view, "absent", &feature).allowed);
    pass(scene, TIMEOUT_MS);
    tick(scene);
    view = view_of(scene);
    assert_int_equal(answer_feature(&view, "sso", &feature).mode, FEATURE_ADVISE);
    assert_int_equal(answer_feature(&view, "nodes", &feature).mode, FEATURE_READONLY);
    assert_int_equal(answer_feature(&view, "reports", &feature).mode, FEATURE_DENIED);
    end_scene(scene);
}

/* ---- a rogue publisher ---- */

/* Ways to make a message bad, each after `follow` and two seconds of peace. */
static void forge(struct scene *scene, struct test_message *message) {
    (void)scene;
    message->status = "revoked";
    message->break_signature = true;
}
static void alter(struct scene *scene, struct test_message *message) {
    (void)scene;
    message->outer_status = "revoked";
}
static void go_back(struct scene *scene, struct test_message *message) {
    (void)scene;
    message->seq = 1;
    message->status = "expired";
}
static void withhold(struct scene *scene, struct test_message *message) {
    pass(scene, 10001);
    message->status = "expired";
}
static void run_ahead(struct scene *scene, struct test_message *message) {
    (void)scene;
    message->sent_at_ms += 10001;
    message->status = "expired";
}
static void answer_another(struct scene *scene, struct test_message *message) {
    (void)scene;
    message->nonce = "AAAAAAAAAAAAAAAAAAAAAA";
    message->status = "expired";
}
static void be_another_server(struct scene *scene, struct test_message *message) {
    message->server = &scene->rogue;
    message->status = "revoked";
}

static void deceptions_change_nothing_and_are_counted(void **state) {
    (void)state;
    static const struct {
        void (*spoil)(struct scene *scene, struct test_message *message);
        enum hearing hearing;
    } rows[] = {
        {forge, HEARING_BAD_SIGNATURE},        {alter, HEARING_MALFORMED},
        {withhold, HEARING_WITHHELD},          {run_ahead, HEARING_AHEAD},
        {answer_another, HEARING_WRONG_NONCE}, {be_another_server, HEARING_UNPROVEN},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct scene *scene = make_scene();
        follow(scene);
        pass(scene, 2000);
        struct test_message message = next_message(scene);
        rows[i].spoil(scene, &message);
        assert_int_equal(hear(scene, &message), FOLLOWER_NOTHING);
        if (count_of(scene, rows[i].hearing) != 1) {
            struct follower_view view = view_of(scene);
            fail_msg("row %zu: %s: %s", i, hearing_name(view.refusal->hearing), view.refusal->why);
        }
        assert_edition(scene, "enterprise", LICENSE_VALID);
        end_scene(scene);
    }
}

static void repeated_and_older_messages_change_nothing(void **state) {
    (void)state;
    struct scene *scene = make_scene();
    follow(scene);
    pass(scene, 1000);
    struct test_message old = next_message(scene);
    old.status = "expired";
    struct test_message fresh = next_message(scene);
    assert_int_equal(hear(scene, &fresh), FOLLOWER_RENEWED);
    assert_int_equal(hear(scene, &fresh), FOLLOWER_NOTHING);
    assert_int_equal(hear(scene, &old), FOLLOWER_NOTHING);
    assert_int_equal(count_of(scene, HEARING_REPLAYED), 1);
    assert_int_equal(count_of(scene, HEARING_OLDER), 1);
    assert_edition(scene, "enterprise", LICENSE_VALID);
    struct test_message back = next_message(scene);
    go_back(scene, &back);
    assert_int_equal(hear(scene, &back), FOLLOWER_NOTHING);
    end_scene(scene);
}

static void recorded_messages_do_not_outlive_their_server(void **state) {
    (void)state;
    struct scene *scene = make_scene();
    struct test_message recorded[20];
    follow(scene);
    for (size_t i = 0; i < COUNT_OF(recorded); i++)
        recorded[i] = next_message(scene);
    for (size_t i = 0; i < COUNT_OF(recorded); i++) {
        pass(scene, 5000);
        hear(scene, &recorded[i]);
    }
    assert_edition(scene, "community", LICENSE_MISSING);
    end_scene(scene);
}

static void a_flood_of_forgeries_costs_few_verifications(void **state) {
    (void)state;
    struct scene *scene = make_scene();
    follow(scene);
    pass(scene, 2000);
    struct test_message forged = next_message(scene);
    struct buffer text;
    forge(scene, &forged);
    test_message_write(&forged, &text);
    for (int i = 0; i < 500; i++)
        follower_hear(scene->follower, buffer_bytes(&text), scene->now);
    buffer_free(&text);
    int verified = count_of(scene, HEARING_BAD_SIGNATURE);
    assert_true(verified > 0 && verified <= FRESHNESS_VERIFICATIONS_PER_SECOND);
    assert_int_equal(count_of(scene, HEARING_OVER_BUDGET), 500 - verified);
    /* The good server still gets through: answers have a budget of their own. */
    pass(scene, TIMEOUT_MS * 3 / 4);
    struct test_message answer = next_message(scene);
    ask(scene);
    answer.nonce = scene->nonce;
    assert_int_equal(hear(scene, &answer), FOLLOWER_RENEWED);
    end_scene(scene);
}

static void strict_pinning_accepts_no_new_server(void **state) {
    (void)state;
    struct scene *scene = make_scene();
    struct follower_options strict = {.timeout_ms = TIMEOUT_MS, .pinning = PINNING_STRICT};
    follower_rejudge(scene->follower, &strict, scene->now);
    struct test_message answer = next_message(scene);
    ask(scene);
    answer.nonce = scene->nonce;
    assert_int_equal(hear(scene, &answer), FOLLOWER_NOTHING);
    assert_int_equal(count_of(scene, HEARING_FROZEN), 1);
    assert_int_equal(view_of(scene).pins->count, 0);
    end_scene(scene);
}

static void only_named_servers_count_when_the_license_names_them(void **state) {
    (void)state;
    struct scene *scene = make_scene();
    struct test_license named = {
        .serial = 6, .now_ms = START_WALL_MS, .server_jkt = scene->server.public_key.thumbprint};
    struct test_license unnamed = {.customer = "OTHER", .serial = 900, .now_ms = START_WALL_MS};
    struct buffer other;
    buffer_free(&scene->license);
    test_license_sign(&scene->vendor, &named, &scene->license);
    test_license_sign(&scene->vendor, &unnamed, &other);
    follow(scene);
    assert_int_equal(view_of(scene).pins->count, 0);
    pass(scene, TIMEOUT_MS);
    tick(scene);

    struct test_message copied = next_message(scene); /* the real license, another server */
    copied.server = &scene->rogue;
    struct test_message stripped = copied; /* a real license of somebody else, without names */
    stripped.token = &other;
    ask(scene);
    copied.nonce = scene->nonce;
    stripped.nonce = scene->nonce;
    assert_int_equal(hear(scene, &copied), FOLLOWER_NOTHING);
    assert_int_equal(hear(scene, &stripped), FOLLOWER_NOTHING);
    assert_int_equal(count_of(scene, HEARING_NOT_NAMED), 2);
    assert_edition(scene, "community", LICENSE_MISSING);
    buffer_free(&other);
    end_scene(scene);
}

static void another_customers_license_does_not_displace_a_live_one(void **state) {
    (void)state;
    struct scene *scene = make_scene();
    struct test_license other = {.customer = "OTHER", .serial = 900, .now_ms = START_WALL_MS};
    struct buffer token;
    test_license_sign(&scene->vendor, &other, &token);
    follow(scene);
    pass(scene, TIMEOUT_MS * 3 / 4);
    struct test_message answer = next_message(scene);
    answer.server = &scene->rogue;
    answer.token = &token;
    ask(scene);
    answer.nonce = scene->nonce;
    assert_int_equal(hear(scene, &answer), FOLLOWER_NOTHING);
    assert_int_equal(count_of(scene, HEARING_OTHER_LINE), 1);
    assert_int_equal(view_of(scene).pins->count, 1);
    assert_string_equal(view_of(scene).license->customer, "ACME");
    buffer_free(&token);
    end_scene(scene);
}

/* ---- what must not be forgotten ---- */

static void use_store(struct scene *scene) {
    struct status status = STATUS_INIT;
    char folder[TEST_FOLDER_BYTES + 8];
    snprintf(folder, sizeof folder, "%s/data", scene->vendor.folder);
    close_client(scene);
    assert_true(store_open(folder, &scene->store, NULL, &status));
    open_client(scene);
}

static void an_older_license_is_refused_also_after_a_restart(void **state) {
    (void)state;
    struct scene *scene = make_scene();
    struct test_license older = {.serial = 4, .now_ms = START_WALL_MS};
    use_store(scene);
    follow(scene);
    close_client(scene);
    open_client(scene);
    assert_edition(scene, "community", LICENSE_MISSING);
    buffer_free(&scene->license);
    test_license_sign(&scene->vendor, &older, &scene->license);
    struct test_message answer = next_message(scene);
    ask(scene);
    answer.nonce = scene->nonce;
    assert_int_equal(hear(scene, &answer), FOLLOWER_NOTHING);
    assert_int_equal(count_of(scene, HEARING_OLD_SERIAL), 1);
    assert_edition(scene, "community", LICENSE_MISSING);
    end_scene(scene);
}

static void a_revocation_stays_in_force_after_a_restart(void **state) {
    (void)state;
    struct scene *scene = make_scene();
    struct buffer list;
    use_store(scene);
    follow(scene);
    test_revocations_sign(&scene->vendor, 1, "license-ACME-5", START_WALL_MS, &list);
    struct test_message update = next_message(scene);
    update.type = "update";
    update.status = "valid";
    update.revocations = &list;
    pass(scene, 1000);
    assert_int_equal(hear(scene, &update), FOLLOWER_CHANGED);
    assert_edition(scene, "community", LICENSE_REVOKED);
    close_client(scene);
    open_client(scene);
    struct test_message answer = next_message(scene);
    ask(scene);
    answer.nonce = scene->nonce;
    hear(scene, &answer);
    assert_edition(scene, "community", LICENSE_REVOKED);
    struct follower_view view = view_of(scene);
    const struct license_feature *feature;
    assert_false(answer_feature(&view, "sso", &feature).allowed);
    buffer_free(&list);
    end_scene(scene);
}

static void pinned_keys_survive_and_the_state_is_a_json_document(void **state) {
    (void)state;
    struct scene *scene = make_scene();
    struct buffer text;
    use_store(scene);
    follow(scene);
    close_client(scene);
    open_client(scene);
    assert_int_equal(view_of(scene).pins->count, 1);
    follow(scene);
    struct follower_view view = view_of(scene);
    buffer_init(&text, ANSWER_BYTES_MAX);
    assert_true(answer_write_license(&view, &text));
    struct json_document *document = json_document_parse(buffer_bytes(&text), 1 << 20, NULL);
    assert_non_null(document);
    const struct json_value *root = json_document_root(document);
    assert_string_equal(json_member_text(root, "edition"), "enterprise");
    assert_string_equal(json_member_text(root, "source"), "license-server");
    assert_string_equal(json_member_text(json_value_member(root, "explain"), "rule"), "in_term");
    json_document_free(document);
    buffer_free(&text);
    end_scene(scene);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(community_until_a_server_has_proved_itself),
        cmocka_unit_test(heartbeats_hold_and_silence_ends_at_the_exact_moment),
        cmocka_unit_test(a_license_expires_here_whatever_its_server_says),
        cmocka_unit_test(a_clock_turned_back_extends_nothing),
        cmocka_unit_test(a_heartbeat_with_an_unknown_license_makes_us_ask),
        cmocka_unit_test(features_degrade_as_the_license_says),
        cmocka_unit_test(deceptions_change_nothing_and_are_counted),
        cmocka_unit_test(repeated_and_older_messages_change_nothing),
        cmocka_unit_test(recorded_messages_do_not_outlive_their_server),
        cmocka_unit_test(a_flood_of_forgeries_costs_few_verifications),
        cmocka_unit_test(strict_pinning_accepts_no_new_server),
        cmocka_unit_test(only_named_servers_count_when_the_license_names_them),
        cmocka_unit_test(another_customers_license_does_not_displace_a_live_one),
        cmocka_unit_test(an_older_license_is_refused_also_after_a_restart),
        cmocka_unit_test(a_revocation_stays_in_force_after_a_restart),
        cmocka_unit_test(pinned_keys_survive_and_the_state_is_a_json_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
