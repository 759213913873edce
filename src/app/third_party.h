/*
 * What is linked into the binary and was written by others: for `lsys version` and `lsys version
 * --licenses`.
 *
 * The table is generated at build time by src/app/embed from third_party/packages.lock and from the
 * copyright file in each package, in the order of the lock. Nothing of it is in the repository, so
 * it is always about what was linked.
 */
#ifndef LSYS_APP_THIRD_PARTY_H
#define LSYS_APP_THIRD_PARTY_H

#include <stddef.h>

struct third_party_package {
    const char *name;           /* the Debian package, "libuv1-dev" */
    const char *version;        /* the version that was unpacked, "1.50.0-2" */
    const char *license;        /* SPDX expression */
    const char *why;            /* what lsys uses it for */
    const char *copyright_text; /* the package's copyright file, UTF-8, terminated by NUL */
};

extern const struct third_party_package third_party_packages[];
extern const size_t third_party_packages_count;

/* The full text of a licence that copyright texts only name, as
 * /usr/share/common-licenses/<name>. */
struct third_party_license {
    const char *name; /* "Apache-2.0", "LGPL-2.1" */
    const char *text; /* terminated by NUL */
};

extern const struct third_party_license third_party_licenses[];
extern const size_t third_party_licenses_count;

#endif
