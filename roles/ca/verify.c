/* lsys ca verify: would lsys believe this certificate? The same judgement as in a TLS handshake. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/certificate_files.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "codec/pem.h"
#include "roles/ca/actions.h"

/* --ca names the folder of a CA, or a file with one or more CA certificates. */
static struct x509_trust *read_trust(const char *path, struct status *status) {
    struct stat information;
    bool is_folder = stat(path, &information) == 0 && S_ISDIR(information.st_mode);
    char *file = is_folder ? file_join(path, CERTIFICATE_AUTHORITY_FILE) : memory_copy_text(path);
    struct x509_trust *trust = certificate_file_read_trust(file, status);
    free(file);
    return trust;
}

/* Finds the certificates of a text, leaf first, and decodes them one after the other into
 * `ders`. */
static bool read_chain(struct bytes text, struct buffer *ders, struct bytes chain[X509_CHAIN_MAX],
                       size_t *count, struct status *status) {
    size_t ends[X509_CHAIN_MAX];
    struct pem_reader reader;
    struct buffer der;
    struct status problem = STATUS_INIT;
    char label[PEM_LABEL_BYTES];
    *count = 0;
    pem_reader_init(&reader, text);
    buffer_init(&der, X509_CERTIFICATE_BYTES_MAX);
    while (pem_read(&reader, label, &der, &problem)) {
        if (strcmp(label, PEM_CERTIFICATE) != 0) continue;
        if (*count == X509_CHAIN_MAX) {
            status_fail(&problem, STATUS_TOO_LARGE, "more than %d certificates", X509_CHAIN_MAX);
            break;
        }
        buffer_append(ders, der.data, der.length);
        ends[(*count)++] = ders->length;
    }
    buffer_wipe(&der);
    if (!status_is_ok(&problem)) return status_fail(status, problem.code, "%s", problem.text);
    if (!buffer_check(ders, "the chain", status)) return false;
    for (size_t i = 0; i < *count; i++) {
        size_t begin = i ? ends[i - 1] : 0;
        chain[i] = bytes_of(ders->data + begin, ends[i] - begin);
    }
    return true;
}

static bool judge(const struct options *options, const struct x509_trust *trust, struct bytes text,
                  struct x509_verdict *verdict, struct buffer *ders, struct status *status) {
    struct bytes chain[X509_CHAIN_MAX] = {{0}};
    size_t count;
    bool as_client = options_boolean(options, "client");
    struct x509_policy policy = {.trust = trust,
                                 .purpose = as_client ? X509_PURPOSE_CLIENT : X509_PURPOSE_SERVER,
                                 .host = options_text(options, "host")};
    int64_t at_ms =
        options_is_given(options, "at") ? options_time_ms(options, "at") : clock_wall_ms();
    return read_chain(text, ders, chain, &count, status) &&
           x509_chain_verify(&policy, chain, count, at_ms, verdict, status);
}

bool ca_verify(const struct options *options, struct status *status) {
    struct x509_verdict verdict = {0};
    struct buffer text, ders;
    char subject[X509_NAME_TEXT_BYTES], end[CA_TIME_BYTES];
    const char *path = options_argument(options, 1);
    const char *authority =
        ca_need(options, "ca", "a CA's folder, or a file of CA certificates", status);
    struct x509_trust *trust = authority ? read_trust(authority, status) : NULL;
    if (!trust) return false;
    buffer_init(&text, CERTIFICATE_FILE_BYTES_MAX);
    buffer_init(&ders, X509_CHAIN_MAX * X509_CERTIFICATE_BYTES_MAX);
    bool verified = file_read(path, &text, status);
    if (verified && !judge(options, trust, buffer_bytes(&text), &verdict, &ders, status))
        verified = status_context(status, "%s", path);
    if (verified) {
        x509_name_format(verdict.leaf.subject, subject);
        ca_format_time(verdict.leaf.not_after_ms, end);
        printf("%s  trusted: %s until %s\n", path, subject, end);
    }
    buffer_wipe(&text);
    buffer_free(&ders);
    x509_trust_free(trust);
    return verified;
}
