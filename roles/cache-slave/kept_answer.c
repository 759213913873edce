#include "roles/cache-slave/kept_answer.h"

#include <stdlib.h>
#include <string.h>

#include "app/role_http.h"
#include "base/memory.h"
#include "codec/json_writer.h"
#include "roles/cache-slave/answer_subject.h"
#include "roles/cache-slave/answers.h"

struct kept_answer {
    struct answer_subject subject;        /* its license may be gone: never looked at */
    char token_sha256[SHA256_TEXT_BYTES]; /* of that license; "": none */
    struct buffer text;                   /* empty: nothing is kept */
    struct json_writer json;              /* where it stands behind the text */
    struct buffer answer;                 /* the last one */
};

static const char *digest_of(const struct license *license) {
    return license ? license->token_sha256 : "";
}

static bool is_same(const struct kept_answer *kept, const struct answer_subject *subject) {
    const struct answer_subject *before = &kept->subject;
    return before->licensed == subject->licensed && before->state == subject->state &&
           before->basis == subject->basis && before->status == subject->status &&
           before->license_status == subject->license_status &&
           before->confirmed_at_ms == subject->confirmed_at_ms &&
           strcmp(kept->token_sha256, digest_of(subject->license)) == 0;
}

static void keep(struct kept_answer *kept, const struct answer_subject *subject) {
    kept->subject = *subject;
    kept->subject.license = NULL;
    memcpy(kept->token_sha256, digest_of(subject->license),
           strlen(digest_of(subject->license)) + 1);
    buffer_clear(&kept->text);
    json_writer_init(&kept->json, &kept->text);
    json_writer_begin_object(&kept->json);
    answer_subject_write(subject, &kept->json);
    answer_subject_write_license(subject, &kept->json);
}

struct kept_answer *kept_answer_open(void) {
    struct kept_answer *kept = memory_new(sizeof *kept);
    buffer_init(&kept->text, ROLE_HTTP_ANSWER_BYTES);
    buffer_init(&kept->answer, ROLE_HTTP_ANSWER_BYTES);
    return kept;
}

void kept_answer_close(struct kept_answer *kept) {
    if (!kept) return;
    buffer_free(&kept->text);
    buffer_free(&kept->answer);
    free(kept);
}

const struct buffer *kept_answer_write(struct kept_answer *kept, const struct cache_slave *slave,
                                       const struct slave_view *view) {
    struct answer_subject subject = answer_subject_of(slave, view);
    struct json_writer json;
    if (kept->text.length == 0 || !is_same(kept, &subject)) keep(kept, &subject);
    if (kept->text.failed) return &kept->text;
    buffer_clear(&kept->answer);
    json_writer_go_on(&json, &kept->json, &kept->answer);
    slave_answer_end(slave, view, &json);
    return &kept->answer;
}
