#include "app/certificate_keeper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/certificate_authority.h"
#include "app/certificate_files.h"
#include "app/certificate_names.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "loop/timer.h"
#include "rules/backoff.h"
#include "rules/certificate_renewal.h"

/* Waits between attempts that fail. */
#define RETRY_FIRST_MS INT64_C(10000)
#define RETRY_CAP_MS   CERTIFICATE_KEEPER_LOOK_MS

/* No certificate is looked at more often, however short its life. */
#define LOOK_PAUSE_MS 1000

/* One look: what is there, and what is wanted. */
struct look {
    const struct certificate_keeper_wish *wish;
    int64_t now_ms;
    uint32_t chance;
    char *certificate_path;
    char *key_path;
    struct certificate_names names;
    struct certificate_authority *authority;
    struct x509_key *key;
    struct buffer der; /* owns what `certificate` points to */
    struct x509_certificate certificate;
};

static char *join(const char *prefix, const char *ending) {
    size_t size = strlen(prefix) + strlen(ending) + 1;
    char *path = memory_new(size);
    snprintf(path, size, "%s%s", prefix, ending);
    return path;
}

static void look_begin(struct look *look, const struct certificate_keeper_wish *wish,
                       int64_t now_ms, uint32_t chance) {
    *look = (struct look){.wish = wish, .now_ms = now_ms, .chance = chance};
    look->certificate_path = join(wish->prefix, ".pem");
    look->key_path = join(wish->prefix, ".key.pem");
    certificate_names_init(&look->names);
    buffer_init(&look->der, X509_CERTIFICATE_BYTES_MAX);
}

static void look_end(struct look *look) {
    certificate_authority_close(look->authority);
    certificate_names_free(&look->names);
    x509_key_free(look->key);
    buffer_free(&look->der);
    free(look->certificate_path);
    free(look->key_path);
}

/* The key that is there, or a new one. */
static bool get_key(struct look *look, struct status *status) {
    if (access(look->key_path, F_OK) == 0) {
        look->key = certificate_file_read_key(look->key_path, status);
        return look->key != NULL;
    }
    look->key = x509_key_generate();
    return certificate_file_create_key(look->key_path, look->key, status);
}

static int64_t renewal_of(const struct look *look) {
    struct certificate_life life = {look->certificate.not_before_ms,
                                    look->certificate.not_after_ms};
    return certificate_renewal_ms(life, look->chance);
}

/* True when it is time, and a new certificate would live longer than this one. */
static bool is_due(const struct look *look) {
    const struct x509_certificate *issuer = certificate_authority_certificate(look->authority);
    if (!x509_check_period(&look->certificate, look->now_ms, NULL)) return true;
    return look->now_ms >= renewal_of(look) &&
           look->certificate.not_after_ms < issuer->not_after_ms;
}

/* True when the certificate in the file is what is wanted and need not be replaced yet. */
static bool is_good(struct look *look) {
    const struct x509_certificate *found = &look->certificate;
    const struct x509_certificate *issuer = certificate_authority_certificate(look->authority);
    buffer_clear(&look->der);
    return certificate_file_read(look->certificate_path, &look->der, &look->certificate, NULL) &&
           x509_public_key_equal(&found->key, x509_key_public(look->key)) &&
           bytes_equal(found->alt_names, buffer_bytes(&look->names.alt_names)) &&
           found->has_purposes && found->purposes == look->wish->purposes &&
           bytes_equal(found->issuer, issuer->subject) &&
           x509_signature_verify(&found->signature, found->tbs, &issuer->key, NULL) &&
           !is_due(look);
}

static bool issue(struct look *look, struct status *status) {
    struct buffer pem;
    struct certificate_wish wish = {.key = x509_key_public(look->key),
                                    .subject = buffer_bytes(&look->names.subject),
                                    .alt_names = buffer_bytes(&look->names.alt_names),
                                    .purposes = look->wish->purposes,
                                    .life_ms = look->wish->life_ms};
    buffer_init(&pem, CERTIFICATE_FILE_BYTES_MAX);
    bool issued = certificate_authority_issue(look->authority, &wish, look->now_ms, &pem, status) &&
                  file_replace(look->certificate_path, buffer_bytes(&pem), 0644, status);
    buffer_free(&pem);
    if (!issued) return false;
    buffer_clear(&look->der);
    return certificate_file_read(look->certificate_path, &look->der, &look->certificate, status);
}

bool certificate_keeper_look(const struct certificate_keeper_wish *wish, int64_t now_ms,
                             uint32_t chance, bool *changed, int64_t *next_ms,
                             struct status *status) {
    struct look look;
    look_begin(&look, wish, now_ms, chance);
    *changed = false;
    look.authority = certificate_authority_open(wish->folder, status);
    bool done = look.authority &&
                certificate_names_from_texts(wish->names, wish->name_count, &look.names, status) &&
                get_key(&look, status);
    if (done && !is_good(&look)) {
        done = issue(&look, status);
        *changed = done;
    }
    if (done) *next_ms = renewal_of(&look);
    if (done && *next_ms <= now_ms) *next_ms = now_ms + CERTIFICATE_KEEPER_LOOK_MS;
    look_end(&look);
    return done || status_context(status, "certificate %s.pem", wish->prefix);
}

/* ---- on the loop ---- */

struct certificate_keeper {
    struct certificate_keeper_wish wish; /* its texts are owned */
    certificate_keeper_callback *renewed;
    void *context;
    struct timer *timer;
    struct backoff backoff;
    uint32_t chance; /* one for its life: the moment of renewal does not move with each look */
};

static void wait_until(struct certificate_keeper *keeper, int64_t next_ms) {
    int64_t wait_ms = next_ms - clock_wall_ms();
    if (wait_ms > CERTIFICATE_KEEPER_LOOK_MS) wait_ms = CERTIFICATE_KEEPER_LOOK_MS;
    timer_start(keeper->timer, wait_ms < LOOK_PAUSE_MS ? LOOK_PAUSE_MS : wait_ms);
}

static void on_timer(void *context) {
    struct certificate_keeper *keeper = context;
    struct status status = STATUS_INIT;
    bool changed = false;
    int64_t next_ms = 0;
    if (!certificate_keeper_look(&keeper->wish, clock_wall_ms(), keeper->chance, &changed, &next_ms,
                                 &status)) {
        uint64_t random;
        random_bytes(&random, sizeof random);
        log_event(LOG_ERROR, keeper->wish.role, "certificate not renewed", "certificate",
                  keeper->wish.prefix, "code", status_code_name(status.code), "why", status.text,
                  NULL);
        timer_start(keeper->timer, backoff_failed(&keeper->backoff, random));
        return;
    }
    backoff_succeeded(&keeper->backoff);
    wait_until(keeper, next_ms);
    if (!changed) return;
    log_event(LOG_INFO, keeper->wish.role, "certificate renewed", "certificate",
              keeper->wish.prefix, NULL);
    keeper->renewed(keeper->context);
}

/* True when there are a certificate and its key that can be used for now. */
static bool still_counts(const char *prefix, int64_t now_ms) {
    char *certificate_path = join(prefix, ".pem");
    char *key_path = join(prefix, ".key.pem");
    struct x509_identity *identity =
        certificate_files_read_identity(certificate_path, key_path, NULL);
    bool counts = identity && x509_check_period(x509_identity_leaf(identity), now_ms, NULL);
    x509_identity_free(identity);
    free(certificate_path);
    free(key_path);
    return counts;
}

static struct certificate_keeper_wish copy_wish(const struct certificate_keeper_wish *wish) {
    struct certificate_keeper_wish copy = *wish;
    const char **names = memory_new_array(wish->name_count, sizeof *names);
    for (size_t i = 0; i < wish->name_count; i++)
        names[i] = memory_copy_text(wish->names[i]);
    copy.names = names;
    copy.folder = memory_copy_text(wish->folder);
    copy.prefix = memory_copy_text(wish->prefix);
    return copy;
}

struct certificate_keeper *certificate_keeper_start(struct loop *loop,
                                                    const struct certificate_keeper_wish *wish,
                                                    certificate_keeper_callback *renewed,
                                                    void *context, struct status *status) {
    uint32_t chance;
    bool changed = false;
    int64_t now_ms = clock_wall_ms();
    int64_t next_ms = now_ms + RETRY_FIRST_MS;
    struct status problem = STATUS_INIT;
    random_bytes(&chance, sizeof chance);
    if (!certificate_keeper_look(wish, now_ms, chance, &changed, &next_ms, &problem)) {
        if (!still_counts(wish->prefix, now_ms)) {
            status_fail(status, problem.code, "%s", problem.text);
            return NULL;
        }
        log_event(LOG_WARNING, wish->role, "certificate not renewed, the old one still counts",
                  "certificate", wish->prefix, "why", problem.text, NULL);
    }
    struct certificate_keeper *keeper = memory_new(sizeof *keeper);
    keeper->wish = copy_wish(wish);
    keeper->renewed = renewed;
    keeper->context = context;
    keeper->chance = chance;
    backoff_init(&keeper->backoff, RETRY_FIRST_MS, RETRY_CAP_MS);
    keeper->timer = timer_open(loop, on_timer, keeper);
    timer_unref(keeper->timer);
    wait_until(keeper, next_ms);
    return keeper;
}

void certificate_keeper_stop(struct certificate_keeper *keeper) {
    if (!keeper) return;
    timer_close(keeper->timer);
    for (size_t i = 0; i < keeper->wish.name_count; i++)
        free((void *)keeper->wish.names[i]);
    free((void *)keeper->wish.names);
    free((void *)keeper->wish.folder);
    free((void *)keeper->wish.prefix);
    free(keeper);
}
