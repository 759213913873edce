/*
 * NATS tokens: those that npm nats-jwt 0.0.9 wrote are read as it meant them; ours survive the way
 * there and back; whoever signs, expires or is revoked as he should not is refused.
 */
#include "tests/lib/unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base64url.h"
#include "verifier/nats_jwt.h"

/* clang-format off */
#define OPERATOR_TOKEN \
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJhdWQiOiJOQVRTIiwibmFtZSI6InZlbmRvc" \
    "iIsInN1YiI6Ik9BQjJDQjU3NlBIQkJQUTVPRE9SUloyTFlDTVdQWkdXR0NOMktESzdEWE9JTVpBU0tVWTNRW" \
    "lZUIiwibmF0cyI6eyJzaWduaW5nX2tleXMiOlsiT0I0M0tWUk9SN1RGSjZLQVBDWVJGMkZKUk9UWkFINEZIT" \
    "FRKTFBXWDREUlpDQzVOQVNMR0lUMjUiXSwic3lzdGVtX2FjY291bnQiOiJBQUFOQVdRNUQyUkZDT0xOS1Y1U" \
    "FhWQ1lSTTZHM0dPMzVPTFM3M0lRVU1TV0YyUkczVE9QVkpLRCIsInR5cGUiOiJvcGVyYXRvciIsInZlcnNpb" \
    "24iOjJ9LCJpc3MiOiJPQUIyQ0I1NzZQSEJCUFE1T0RPUlJaMkxZQ01XUFpHV0dDTjJLREs3RFhPSU1aQVNLV" \
    "VkzUVpWVCIsImlhdCI6MTc5NTE4NjgyMCwianRpIjoiQWhPNjR2dzZaUEh6VlJjTDd4K2ZRRFVvYW1Oa2ZSV" \
    "UlLWXJhaDhaQkMvd3VpTFNsNGZnUXEyRFVHeEFyN3VyRGxwbGszV1JmeEJhQXQwVUxialJSRmc9PSJ9.BQw7" \
    "j4x_9J8OlHZOlwP-N84Y2qDJ68thGXM7ityt2wgYEPZjO1YesscupNkSuD6JPihIsZN_M6SwBb29No9ECQ"

#define ACCOUNT_TOKEN \
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJhdWQiOiJOQVRTIiwibmFtZSI6InNpdGUtN" \
    "yIsInN1YiI6IkFCQjQzUUJEMklXVjdIUVFQVU5BTkUyRlBVMjVEVUlPVzdKQlk0UVJTTDJXNlhQRUFaUzVHQ" \
    "URKIiwibmF0cyI6eyJsaW1pdHMiOnsic3VicyI6LTEsImRhdGEiOi0xLCJwYXlsb2FkIjotMSwiaW1wb3J0c" \
    "yI6LTEsImV4cG9ydHMiOi0xLCJ3aWxkY2FyZHMiOnRydWUsImNvbm4iOjEwLCJsZWFmIjotMX0sInNpZ25pb" \
    "mdfa2V5cyI6WyJBQkVCNVhUWEZXUVZQQk9KNFdOQVFZUUJYREI3VFFZSENLUEQ3UldYNk5GS0pYN05MQUtPS" \
    "zdMWSIseyJrZXkiOiJBQklaVERHUDM3NzVRUE1YRVJFUVFHR0tFS1VYVUFZTkRDNVNWSExVTTJIWEZPQTRIN" \
    "lNZUkFFSSIsInJvbGUiOiJyZWFkZXIiLCJraW5kIjoidXNlcl9zY29wZSIsInRlbXBsYXRlIjp7ImRhdGEiO" \
    "i0xLCJwYXlsb2FkIjotMSwic3VicyI6LTEsInNyYyI6W10sInRpbWVzIjpbXSwibG9jYWxlIjoiIiwicHViI" \
    "jp7ImFsbG93IjpbXSwiZGVueSI6WyI-Il19LCJzdWIiOnsiYWxsb3ciOlsibGljZW5zZS4-Il0sImRlbnkiO" \
    "ltdfSwicmVzcCI6eyJtYXgiOjAsInR0bCI6MH0sImJlYXJlcl90b2tlbiI6ZmFsc2UsImFsbG93ZWRfY29ub" \
    "mVjdGlvbl90eXBlcyI6W119fV0sInJldm9jYXRpb25zIjp7IlVDVktIN1dVV0RZVVhJVFU3S1NZRzdEWVYzQ" \
    "U81SDQyV1hGR05PTDNJSUEzUTVQV1ZDTE1VUTZIIjoxNzAwMDAwMDAwfSwidHlwZSI6ImFjY291bnQiLCJ2Z" \
    "XJzaW9uIjoyfSwiaXNzIjoiT0I0M0tWUk9SN1RGSjZLQVBDWVJGMkZKUk9UWkFINEZITFRKTFBXWDREUlpDQ" \
    "zVOQVNMR0lUMjUiLCJpYXQiOjE3OTUxODY4MjAsImp0aSI6IkU4Sm1lajFHaUtQeDlqUVVRSU8xcjFRanM3R" \
    "VlBdFJIUWJGMWlGcFIwUzlaQWpCNGV5TVBYN0FIOVh1Qlg1QThveFgzMThtcUoyQVROSThNa09kamp3PT0if" \
    "Q.Rwn-6i8OxvbK78Lne6bQ9LPg_Arw_H6IbQBkdRRtqXdcZ0BgmLwWAZmNlIGGk6elY6Tu4wHMVdh5KJH67J" \
    "GZAA"

#define USER_TOKEN \
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJleHAiOjE5MDAwMDAwMDAsIm5iZiI6MTcwM" \
    "DAwMDAwMCwiYXVkIjoiTkFUUyIsIm5hbWUiOiJhcHAiLCJzdWIiOiJVREVaNEtaWDMySlFBTFBXUU1US1BCS" \
    "0pIVEtLVVNENURKQzdVSUlYVklJRkFTRVNIUDNZREJRTSIsIm5hdHMiOnsiZGF0YSI6LTEsInBheWxvYWQiO" \
    "jIwNDgsInN1YnMiOi0xLCJpc3N1ZXJfYWNjb3VudCI6IkFCQjQzUUJEMklXVjdIUVFQVU5BTkUyRlBVMjVEV" \
    "UlPVzdKQlk0UVJTTDJXNlhQRUFaUzVHQURKIiwicHViIjp7ImFsbG93IjpbImEuPiJdLCJkZW55IjpbImEuY" \
    "iJdfSwic3ViIjp7ImFsbG93IjpbIl9JTkJPWC4-Il0sImRlbnkiOltdfSwicmVzcCI6eyJtYXgiOjMsInR0b" \
    "CI6MjAwMDAwMDAwMH0sImFsbG93ZWRfY29ubmVjdGlvbl90eXBlcyI6WyJTVEFOREFSRCIsIldFQlNPQ0tFV" \
    "CJdLCJiZWFyZXJfdG9rZW4iOnRydWUsInR5cGUiOiJ1c2VyIiwidmVyc2lvbiI6Mn0sImlzcyI6IkFCRUI1W" \
    "FRYRldRVlBCT0o0V05BUVlRQlhEQjdUUVlIQ0tQRDdSV1g2TkZLSlg3TkxBS09LN0xZIiwiaWF0IjoxNzk1M" \
    "Tg2ODIwLCJqdGkiOiJ3dHl4TnVuaC9rSks2Ym4vZ0NnNmxMRVhVa1VsMUo5bnV4M2FQVEtZYmh1bHBzZW1VM" \
    "XRic2xEVVVXRzFHaGJJc0xuTCtIYzBuSFVaeGFGY2F3U2xKQT09In0.xi-haUgnUkUBf48RFLz5bFoZ2i8FH" \
    "CicUKJsjBdPvE8Y38LdCAfBe8ph1qDm301jj02HpJiLapuXB29OigW-Dw"

#define SCOPED_USER_TOKEN \
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJhdWQiOiJOQVRTIiwibmFtZSI6InNjb3BlZ" \
    "CIsInN1YiI6IlVDVktIN1dVV0RZVVhJVFU3S1NZRzdEWVYzQU81SDQyV1hGR05PTDNJSUEzUTVQV1ZDTE1VU" \
    "TZIIiwibmF0cyI6eyJpc3N1ZXJfYWNjb3VudCI6IkFCQjQzUUJEMklXVjdIUVFQVU5BTkUyRlBVMjVEVUlPV" \
    "zdKQlk0UVJTTDJXNlhQRUFaUzVHQURKIiwidHlwZSI6InVzZXIiLCJ2ZXJzaW9uIjoyfSwiaXNzIjoiQUJJW" \
    "lRER1AzNzc1UVBNWEVSRVFRR0dLRUtVWFVBWU5EQzVTVkhMVU0ySFhGT0E0SDZTWVJBRUkiLCJpYXQiOjE3O" \
    "TUxODY4MjAsImp0aSI6InlMQWJoYlQvZEVSZDJlck1PU0kwWHdYNExieEVUN1R0dVROejJNVm0xZXg4T0JWd" \
    "nhMN0o4QUJEZVJ1Qkh4Zlg5TzVMajh4aHpJOUdiYnZ3NDhIWVRBPT0ifQ.7jWqkjf6ZbQDyXZcNKbEwyB6-f" \
    "CDoRck25Zccn9iflL10A8YArY2AO2KIDsDVprSzMITd0dtsPeNANfpnJZjDg"

#define OPERATOR_KEY        "OAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3QZVT"
#define OPERATOR_SIGNING    "OB43KVROR7TFJ6KAPCYRF2FJROTZAH4FHLTJLPWX4DRZCC5NASLGIT25"
#define SYSTEM_ACCOUNT      "AAANAWQ5D2RFCOLNKV5PXVCYRM6G3GO35OLS73IQUMSWF2RG3TOPVJKD"
#define ACCOUNT_KEY         "ABB43QBD2IWV7HQQPUNANE2FPU25DUIOW7JBY4QRSL2W6XPEAZS5GADJ"
#define ACCOUNT_SIGNING     "ABEB5XTXFWQVPBOJ4WNAQYQBXDB7TQYHCKPD7RWX6NFKJX7NLAKOK7LY"
#define ACCOUNT_SCOPED      "ABIZTDGP3775QPMXEREQQGGKEKUXUAYNDC5SVHLUM2HXFOA4H6SYRAEI"
#define USER_KEY            "UDEZ4KZX32JQALPWQMTKPBKJHTKKUSD5DJC7UIIXVIIFASESHP3YDBQM"
#define REVOKED_USER_KEY    "UCVKH7WUWDYUXITU7KSYG7DYV3AO5H42WXFGNOL3IIA3Q5PWVCLMUQ6H"
/* clang-format on */

/* Between the nbf and the exp of USER_TOKEN. */
#define NOW_S INT64_C(1795200000)

/* ---- making keys and tokens ---- */

struct key {
    char seed[NKEY_SEED_TEXT_BYTES];
    char public_key[NKEY_PUBLIC_TEXT_BYTES];
};

/* The key whose seed is `first`, `first` + 1 ... as those of the vectors. */
static struct key make_key(enum nkey_kind kind, uint8_t first) {
    struct key key;
    uint8_t seed[NKEY_KEY_BYTES];
    for (size_t i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)(first + i);
    nkey_encode_seed(kind, seed, key.seed);
    assert_true(nkey_public_of_seed(bytes_of_text(key.seed), key.public_key, NULL));
    return key;
}

/* Signs any claims as a token, also wrong ones. */
static char *sign_raw(const char *header, const char *claims, const char *seed) {
    struct buffer token;
    uint8_t signature[SIGNATURE_BYTES];
    buffer_init(&token, NATS_JWT_BYTES_MAX * 2);
    base64url_append(&token, bytes_of_text(header));
    buffer_append(&token, ".", 1);
    base64url_append(&token, bytes_of_text(claims));
    assert_true(nkey_sign(bytes_of_text(seed), buffer_bytes(&token), signature, NULL));
    buffer_append(&token, ".", 1);
    base64url_append(&token, bytes_of(signature, sizeof signature));
    char *text = buffer_take_text(&token);
    return text;
}

/* The tokens of the vectors, read. */
struct chain {
    struct nats_operator operator;
    struct nats_account account;
    struct nats_user user;
};

static int set_up_chain(void **state) {
    struct chain *chain = calloc(1, sizeof *chain);
    assert_true(nats_operator_read(bytes_of_text(OPERATOR_TOKEN), &chain->operator, NULL));
    assert_true(nats_account_read(bytes_of_text(ACCOUNT_TOKEN), &chain->account, NULL));
    assert_true(nats_user_read(bytes_of_text(USER_TOKEN), &chain->user, NULL));
    *state = chain;
    return 0;
}

static int tear_down_chain(void **state) {
    struct chain *chain = *state;
    nats_operator_free(&chain->operator);
    nats_account_free(&chain->account);
    nats_user_free(&chain->user);
    free(chain);
    return 0;
}

/* ---- foreign tokens ---- */

static void an_operator_is_read(void **state) {
    const struct nats_operator *operator= &((struct chain *)*state)->operator;
    assert_string_equal(operator->jwt.name, "vendor");
    assert_string_equal(operator->jwt.subject, OPERATOR_KEY);
    assert_string_equal(operator->jwt.issuer, OPERATOR_KEY);
    assert_string_equal(operator->system_account, SYSTEM_ACCOUNT);
    assert_int_equal(operator->signing_keys.count, 1);
    assert_true(nats_texts_have(&operator->signing_keys, OPERATOR_SIGNING));
    assert_false(operator->strict_signing_keys);
    assert_true(nats_operator_check(operator, NOW_S, NULL));
}

static void an_account_is_read(void **state) {
    const struct nats_account *account = &((struct chain *)*state)->account;
    assert_string_equal(account->jwt.subject, ACCOUNT_KEY);
    assert_int_equal(account->limits.connections, 10);
    assert_int_equal(account->limits.subscriptions, NATS_NO_LIMIT);
    assert_int_equal(account->limits.disk_storage_bytes, 0);
    assert_int_equal(account->signing_key_count, 2);
    assert_string_equal(account->signing_keys[0].key, ACCOUNT_SIGNING);
    assert_false(account->signing_keys[0].is_scoped);
    assert_string_equal(account->signing_keys[1].key, ACCOUNT_SCOPED);
    assert_true(account->signing_keys[1].is_scoped);
    assert_string_equal(account->signing_keys[1].role, "reader");
    assert_string_equal(account->signing_keys[1].template.subscribe_allow.items[0], "license.>");
    assert_int_equal(account->revocations.count, 1);
    assert_true(nats_account_has_revoked(account, REVOKED_USER_KEY, 1700000000));
    assert_false(nats_account_has_revoked(account, REVOKED_USER_KEY, 1700000001));
    assert_false(nats_account_has_revoked(account, USER_KEY, 1700000000));
}

static void a_user_is_read(void **state) {
    const struct nats_user *user = &((struct chain *)*state)->user;
    assert_string_equal(user->jwt.subject, USER_KEY);
    assert_string_equal(nats_user_account(user), ACCOUNT_KEY);
    assert_int_equal(user->jwt.expires_at_s, 1900000000);
    assert_int_equal(user->jwt.not_before_s, 1700000000);
    assert_int_equal(user->rights.payload_bytes, 2048);
    assert_string_equal(user->rights.publish_allow.items[0], "a.>");
    assert_string_equal(user->rights.publish_deny.items[0], "a.b");
    assert_string_equal(user->rights.subscribe_allow.items[0], "_INBOX.>");
    assert_true(user->rights.allow_responses);
    assert_int_equal(user->rights.responses_max, 3);
    assert_int_equal(user->rights.response_ttl_ns, 2000000000);
    assert_int_equal(user->rights.connection_types,
                     NATS_CONNECTION_STANDARD | NATS_CONNECTION_WEBSOCKET);
    assert_true(user->rights.bearer_token);
}

static void the_chain_holds(void **state) {
    const struct chain *chain = *state;
    assert_true(nats_account_check(&chain->account, &chain->operator, NOW_S, NULL));
    assert_true(nats_user_check(&chain->user, &chain->account, &chain->operator, NOW_S, NULL));
    assert_ptr_equal(nats_user_rights(&chain->user, &chain->account), &chain->user.rights);
}

static void a_scoped_key_gives_its_rights(void **state) {
    const struct chain *chain = *state;
    struct nats_user user;
    assert_true(nats_user_read(bytes_of_text(SCOPED_USER_TOKEN), &user, NULL));
    assert_true(nats_user_check(&user, &chain->account, &chain->operator, NOW_S, NULL));
    const struct nats_rights *rights = nats_user_rights(&user, &chain->account);
    assert_string_equal(rights->publish_deny.items[0], ">");

    struct status status = STATUS_INIT;
    user.rights.subscriptions = NATS_NO_LIMIT;
    assert_false(nats_user_check(&user, &chain->account, &chain->operator, NOW_S, &status));
    assert_int_equal(status.code, STATUS_BAD_CLAIM);
    nats_user_free(&user);
}

/* ---- who may sign, and when ---- */

static enum status_code judge_user(const struct chain *chain, int64_t now_s) {
    struct status status = STATUS_INIT;
    bool good = nats_user_check(&chain->user, &chain->account, &chain->operator, now_s, &status);
    assert_int_equal(good, status.code == STATUS_OK);
    return status.code;
}

static enum status_code judge_account(const struct chain *chain, int64_t now_s) {
    struct status status = STATUS_INIT;
    bool good = nats_account_check(&chain->account, &chain->operator, now_s, &status);
    assert_int_equal(good, status.code == STATUS_OK);
    return status.code;
}

static void times_are_kept(void **state) {
    struct chain *chain = *state;
    assert_int_equal(judge_user(chain, 1699999999), STATUS_NOT_YET_VALID);
    assert_int_equal(judge_user(chain, 1700000000), STATUS_OK);
    assert_int_equal(judge_user(chain, 1899999999), STATUS_OK);
    assert_int_equal(judge_user(chain, 1900000000), STATUS_EXPIRED);
    chain->account.jwt.expires_at_s = NOW_S;
    assert_int_equal(judge_account(chain, NOW_S), STATUS_EXPIRED);
    chain->operator.jwt.not_before_s = NOW_S + 1;
    assert_false(nats_operator_check(&chain->operator, NOW_S, NULL));
}

static void other_issuers_are_refused(void **state) {
    struct chain *chain = *state;
    struct key stranger = make_key(NKEY_OPERATOR, 77);
    struct key account = make_key(NKEY_ACCOUNT, 78);
    strcpy(chain->account.jwt.issuer, stranger.public_key);
    assert_int_equal(judge_account(chain, NOW_S), STATUS_UNKNOWN_ISSUER);
    strcpy(chain->user.jwt.issuer, account.public_key);
    assert_int_equal(judge_user(chain, NOW_S), STATUS_UNKNOWN_ISSUER);
    /* Signed by the account's key, but it says to belong to another one. */
    strcpy(chain->user.jwt.issuer, ACCOUNT_SIGNING);
    strcpy(chain->user.issuer_account, account.public_key);
    assert_int_equal(judge_user(chain, NOW_S), STATUS_UNKNOWN_ISSUER);
    /* Without issuer_account a signing key stands for itself. */
    chain->user.issuer_account[0] = '\0';
    assert_int_equal(judge_user(chain, NOW_S), STATUS_UNKNOWN_ISSUER);
}

static void strict_operators_want_signing_keys(void **state) {
    struct chain *chain = *state;
    strcpy(chain->account.jwt.issuer, OPERATOR_KEY);
    strcpy(chain->user.jwt.issuer, ACCOUNT_KEY);
    assert_int_equal(judge_account(chain, NOW_S), STATUS_OK);
    assert_int_equal(judge_user(chain, NOW_S), STATUS_OK);
    chain->operator.strict_signing_keys = true;
    assert_int_equal(judge_account(chain, NOW_S), STATUS_UNKNOWN_ISSUER);
    assert_int_equal(judge_user(chain, NOW_S), STATUS_UNKNOWN_ISSUER);
}

static void revocations_count_by_time_of_issue(void **state) {
    struct chain *chain = *state;
    int64_t issued_at_s = chain->user.jwt.issued_at_s;
    assert_true(nats_account_revoke(&chain->account, USER_KEY, issued_at_s - 1, NULL));
    assert_int_equal(judge_user(chain, NOW_S), STATUS_OK);
    assert_true(nats_account_revoke(&chain->account, USER_KEY, issued_at_s, NULL));
    assert_int_equal(judge_user(chain, NOW_S), STATUS_REVOKED);
    assert_int_equal(chain->account.revocations.count, 2);
    /* An earlier time takes nothing back. */
    assert_true(nats_account_revoke(&chain->account, USER_KEY, 1, NULL));
    assert_int_equal(judge_user(chain, NOW_S), STATUS_REVOKED);
}

static void a_star_revokes_everybody(void **state) {
    struct chain *chain = *state;
    assert_true(nats_account_revoke(&chain->account, "*", chain->user.jwt.issued_at_s, NULL));
    assert_int_equal(judge_user(chain, NOW_S), STATUS_REVOKED);
}

/* ---- hostile tokens ---- */

#define HEADER "{\"typ\":\"JWT\",\"alg\":\"ed25519-nkey\"}"
#define BODY   "\"nats\":{\"type\":\"user\",\"version\":2}"
#define NAMES  "\"iss\":\"" ACCOUNT_KEY "\",\"sub\":\"" USER_KEY "\","

static void wrong_forms_have_their_codes(void **state) {
    (void)state;
    static const struct {
        const char *header;
        const char *claims;
        enum status_code code;
    } rows[] = {
        {HEADER, "{" NAMES BODY "}", STATUS_OK},
        {"{\"typ\":\"jwt\",\"alg\":\"ed25519-nkey\"}", "{" NAMES BODY "}", STATUS_WRONG_TYPE},
        {"{\"typ\":\"JWT\",\"alg\":\"none\"}", "{" NAMES BODY "}", STATUS_WRONG_ALGORITHM},
        {"{\"typ\":\"JWT\",\"alg\":\"ed25519\"}", "{" NAMES BODY "}", STATUS_WRONG_ALGORITHM},
        {"{\"typ\":\"JWT\",\"alg\":\"ed25519-nkey\",\"crit\":[\"b64\"]}", "{" NAMES BODY "}",
         STATUS_UNKNOWN_CRITICAL},
        {"{\"typ\":\"JWT\",\"typ\":\"JWT\",\"alg\":\"ed25519-nkey\"}", "{" NAMES BODY "}",
         STATUS_DUPLICATE_MEMBER},
        {"[]", "{" NAMES BODY "}", STATUS_BAD_JSON},
        {HEADER, "[]", STATUS_BAD_JSON},
        {HEADER, "{" NAMES BODY "} x", STATUS_BAD_JSON},
        {HEADER, "{" NAMES NAMES BODY "}", STATUS_DUPLICATE_MEMBER},
        {HEADER, "{" NAMES "\"nats\":7}", STATUS_WRONG_TYPE},
        {HEADER, "{" NAMES "\"nats\":{\"type\":\"account\",\"version\":2}}", STATUS_WRONG_TYPE},
        {HEADER, "{" NAMES "\"nats\":{\"type\":\"user\",\"version\":1}}", STATUS_BAD_CLAIM},
        {HEADER, "{\"iss\":\"" USER_KEY "\",\"sub\":\"" USER_KEY "\"," BODY "}", STATUS_BAD_CLAIM},
        {HEADER, "{\"iss\":\"" ACCOUNT_KEY "\",\"sub\":\"U\"," BODY "}", STATUS_BAD_CLAIM},
        {HEADER, "{\"iss\":\"" ACCOUNT_SIGNING "\",\"sub\":\"" USER_KEY "\"," BODY "}",
         STATUS_BAD_SIGNATURE},
        {HEADER, "{" NAMES "\"exp\":-1," BODY "}", STATUS_BAD_CLAIM},
        {HEADER, "{" NAMES "\"exp\":\"never\"," BODY "}", STATUS_BAD_CLAIM},
        {HEADER, "{" NAMES "\"iat\":1.5," BODY "}", STATUS_BAD_CLAIM},
        {HEADER, "{" NAMES "\"name\":\"a\\u001b[2J\"," BODY "}", STATUS_BAD_CLAIM},
        {HEADER, "{" NAMES "\"nats\":{\"type\":\"user\",\"version\":2,\"subs\":-2}}",
         STATUS_BAD_CLAIM},
        {HEADER, "{" NAMES "\"nats\":{\"type\":\"user\",\"version\":2,\"pub\":[\"a\"]}}",
         STATUS_BAD_CLAIM},
        {HEADER, "{" NAMES "\"nats\":{\"type\":\"user\",\"version\":2,\"sub\":{\"deny\":\"a\"}}}",
         STATUS_BAD_CLAIM},
        {HEADER, "{" NAMES "\"nats\":{\"type\":\"user\",\"version\":2,\"sub\":{\"deny\":[7]}}}",
         STATUS_BAD_CLAIM},
        {HEADER, "{" NAMES "\"nats\":{\"type\":\"user\",\"version\":2,\"bearer_token\":1}}",
         STATUS_BAD_CLAIM},
        {HEADER, "{" NAMES "\"nats\":{\"type\":\"user\",\"version\":2,\"issuer_account\":\"A\"}}",
         STATUS_BAD_CLAIM},
    };
    struct key account = make_key(NKEY_ACCOUNT, 2);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct nats_user user;
        struct status status = STATUS_INIT;
        char *token = sign_raw(rows[i].header, rows[i].claims, account.seed);
        bool read = nats_user_read(bytes_of_text(token), &user, &status);
        if (status.code != rows[i].code)
            fail_msg("row %zu (%s): %s %s", i, rows[i].claims, status_code_name(status.code),
                     status.text);
        assert_int_equal(read, rows[i].code == STATUS_OK);
        if (read) nats_user_free(&user);
        free(token);
    }
}

/* No byte of a token may be another one. */
static void every_changed_character_is_noticed(void **state) {
    (void)state;
    char token[] = USER_TOKEN;
    struct nats_user user;
    for (size_t i = 0; i < sizeof token - 1; i++) {
        char right = token[i];
        token[i] = right == 'A' ? 'B' : 'A';
        assert_false(nats_user_read(bytes_of_text(token), &user, NULL));
        token[i] = right;
    }
    assert_true(nats_user_read(bytes_of_text(token), &user, NULL));
    nats_user_free(&user);
}

static void cut_and_padded_tokens_are_refused(void **state) {
    (void)state;
    static const char *const rows[] = {"",
                                       ".",
                                       "..",
                                       "...",
                                       "a.b.c",
                                       USER_TOKEN "=",
                                       USER_TOKEN ".",
                                       USER_TOKEN "\n",
                                       " " USER_TOKEN,
                                       USER_TOKEN "AA"};
    struct nats_user user;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_false(nats_user_read(bytes_of_text(rows[i]), &user, NULL));
    for (size_t length = 0; length < strlen(USER_TOKEN); length++)
        assert_false(nats_user_read(bytes_of(USER_TOKEN, length), &user, NULL));
}

/* ---- ours ---- */

static void an_account_survives_the_way_there_and_back(void **state) {
    const struct chain *chain = *state;
    struct key operator= make_key(NKEY_OPERATOR, 1);
    struct nats_account account = chain->account, again;
    struct buffer token;
    buffer_init(&token, NATS_JWT_BYTES_MAX);
    assert_true(nats_account_sign(&account, bytes_of_text(operator.seed), &token, NULL));
    assert_true(nats_account_read(buffer_bytes(&token), &again, NULL));
    assert_string_equal(again.jwt.issuer, OPERATOR_SIGNING);
    assert_int_equal(strlen(again.jwt.id), 52);
    assert_memory_equal(&again.limits, &account.limits, sizeof again.limits);
    assert_int_equal(again.signing_key_count, 2);
    assert_string_equal(again.signing_keys[1].template.publish_deny.items[0], ">");
    assert_true(nats_account_has_revoked(&again, REVOKED_USER_KEY, 1700000000));
    assert_true(nats_account_check(&again, &chain->operator, NOW_S, NULL));
    nats_account_free(&again);
    buffer_free(&token);
}

static void a_user_survives_the_way_there_and_back(void **state) {
    struct chain *chain = *state;
    struct key signing = make_key(NKEY_ACCOUNT, 3);
    struct nats_user again;
    struct buffer token;
    buffer_init(&token, NATS_JWT_BYTES_MAX);
    assert_true(nats_user_sign(&chain->user, bytes_of_text(signing.seed), &token, NULL));
    assert_true(nats_user_read(buffer_bytes(&token), &again, NULL));
    assert_true(nats_user_check(&again, &chain->account, &chain->operator, NOW_S, NULL));
    assert_string_equal(again.jwt.name, "app");
    assert_int_equal(again.rights.responses_max, 3);
    assert_int_equal(again.rights.connection_types, chain->user.rights.connection_types);
    assert_true(again.rights.bearer_token);
    nats_user_free(&again);
    buffer_free(&token);
}

static void an_operator_survives_the_way_there_and_back(void **state) {
    struct chain *chain = *state;
    struct key operator= make_key(NKEY_OPERATOR, 0);
    struct nats_operator again;
    struct buffer token;
    buffer_init(&token, NATS_JWT_BYTES_MAX);
    chain->operator.strict_signing_keys = true;
    assert_true(nats_operator_sign(&chain->operator, bytes_of_text(operator.seed), &token, NULL));
    assert_true(nats_operator_read(buffer_bytes(&token), &again, NULL));
    assert_true(again.strict_signing_keys);
    assert_string_equal(again.system_account, SYSTEM_ACCOUNT);
    nats_operator_free(&again);
    buffer_free(&token);
}

static void only_the_right_kind_of_seed_signs(void **state) {
    struct chain *chain = *state;
    struct key user = make_key(NKEY_USER, 5), operator= make_key(NKEY_OPERATOR, 0);
    struct status status = STATUS_INIT;
    struct buffer token;
    buffer_init(&token, NATS_JWT_BYTES_MAX);
    assert_false(nats_user_sign(&chain->user, bytes_of_text(user.seed), &token, &status));
    assert_int_equal(status.code, STATUS_MALFORMED);
    assert_false(nats_user_sign(&chain->user, bytes_of_text(operator.seed), &token, NULL));
    assert_false(nats_account_sign(&chain->account, bytes_of_text(user.seed), &token, NULL));
    assert_false(nats_account_sign(&chain->account, bytes_of_text("SA"), &token, NULL));
    assert_int_equal(token.length, 0);
}

/* What a token does not name is 0: nats-server's rule, which surprises. */
static void a_missing_limit_is_zero(void **state) {
    (void)state;
    struct key operator= make_key(NKEY_OPERATOR, 0);
    struct nats_account account;
    char *token = sign_raw(HEADER,
                           "{\"iss\":\"" OPERATOR_KEY "\",\"sub\":\"" ACCOUNT_KEY
                           "\",\"nats\":{\"type\":\"account\",\"version\":2}}",
                           operator.seed);
    assert_true(nats_account_read(bytes_of_text(token), &account, NULL));
    assert_int_equal(account.limits.connections, 0);
    assert_false(account.limits.wildcard_exports);
    nats_account_free(&account);
    free(token);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_operator_is_read, set_up_chain, tear_down_chain),
        cmocka_unit_test_setup_teardown(an_account_is_read, set_up_chain, tear_down_chain),
        cmocka_unit_test_setup_teardown(a_user_is_read, set_up_chain, tear_down_chain),
        cmocka_unit_test_setup_teardown(the_chain_holds, set_up_chain, tear_down_chain),
        cmocka_unit_test_setup_teardown(a_scoped_key_gives_its_rights, set_up_chain,
                                        tear_down_chain),
        cmocka_unit_test_setup_teardown(times_are_kept, set_up_chain, tear_down_chain),
        cmocka_unit_test_setup_teardown(other_issuers_are_refused, set_up_chain, tear_down_chain),
        cmocka_unit_test_setup_teardown(strict_operators_want_signing_keys, set_up_chain,
                                        tear_down_chain),
        cmocka_unit_test_setup_teardown(revocations_count_by_time_of_issue, set_up_chain,
                                        tear_down_chain),
        cmocka_unit_test_setup_teardown(a_star_revokes_everybody, set_up_chain, tear_down_chain),
        cmocka_unit_test(wrong_forms_have_their_codes),
        cmocka_unit_test(every_changed_character_is_noticed),
        cmocka_unit_test(cut_and_padded_tokens_are_refused),
        cmocka_unit_test_setup_teardown(an_account_survives_the_way_there_and_back, set_up_chain,
                                        tear_down_chain),
        cmocka_unit_test_setup_teardown(a_user_survives_the_way_there_and_back, set_up_chain,
                                        tear_down_chain),
        cmocka_unit_test_setup_teardown(an_operator_survives_the_way_there_and_back, set_up_chain,
                                        tear_down_chain),
        cmocka_unit_test_setup_teardown(only_the_right_kind_of_seed_signs, set_up_chain,
                                        tear_down_chain),
        cmocka_unit_test(a_missing_limit_is_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
