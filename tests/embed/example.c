/*
 * The C example of liblsys, as a product would do it: read two files, ask the library, act on the
 * verdict.
 *
 *     cc -o example example.c liblsys.a -lm
 *     ./example LICENSE JWKS [FEATURE]
 *
 * Exits with 0 when the license (and the feature) is granted, 1 when not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "verifier/embed/lsys.h"

#define FILE_BYTES_MAX (512 * 1024)

static struct lsys_bytes read_file(const char *path) {
    struct lsys_bytes bytes = {NULL, 0};
    FILE *file = fopen(path, "rb");
    char *data = file ? malloc(FILE_BYTES_MAX) : NULL;
    if (data) {
        bytes.data = data;
        bytes.length = fread(data, 1, FILE_BYTES_MAX, file);
    }
    if (file) fclose(file);
    return bytes;
}

static int show(const struct lsys_license *license, const char *feature) {
    double limit = 0;
    const char *text = "";
    enum lsys_feature kind;

    printf("edition %s (%s) %s\n", lsys_license_edition(license), lsys_license_code(license),
           lsys_license_message(license));
    if (lsys_license_verdict(license) == LSYS_REFUSED) return 1;
    printf("license %s for %s\n", lsys_license_id(license), lsys_license_customer(license));
    if (!feature) return 0;

    kind = lsys_license_feature(license, feature, &limit, &text);
    if (kind == LSYS_FEATURE_NUMBER)
        printf("%s: %g\n", feature, limit);
    else if (kind == LSYS_FEATURE_TEXT)
        printf("%s: %s\n", feature, text);
    else
        printf("%s: %s\n", feature, kind == LSYS_FEATURE_FLAG ? "granted" : "not granted");
    return kind == LSYS_FEATURE_NONE;
}

int main(int argc, char **argv) {
    struct lsys_question question = {0};
    struct lsys_license *license;
    int exit_code;

    if (argc < 3) {
        fprintf(stderr, "usage: %s LICENSE JWKS [FEATURE]\n", argv[0]);
        return 2;
    }
    question.license = read_file(argv[1]);
    question.keys = read_file(argv[2]);
    question.now_ms = (long long)time(NULL) * 1000;

    license = lsys_check(&question);
    exit_code = show(license, argc > 3 ? argv[3] : NULL);
    lsys_license_free(license);
    free((void *)question.license.data);
    free((void *)question.keys.data);
    return exit_code;
}
