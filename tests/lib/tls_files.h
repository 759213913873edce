/*
 * The certificates of tests/lib/tls_peers.h as files, for programs that read them.
 */
#ifndef LSYS_TESTS_LIB_TLS_FILES_H
#define LSYS_TESTS_LIB_TLS_FILES_H

#include "tests/lib/folder.h"
#include "tests/lib/tls_peers.h"

struct tls_files {
    char folder[TEST_FOLDER_BYTES];
    char *ca;
    char *stranger; /* another CA */
    char *certificates[TLS_ROLES];
    char *keys[TLS_ROLES];
};

/* Writes all of them into a new folder, keys with mode 0600. */
void tls_files_make(struct tls_files *files, const struct tls_peers *peers);

/* Removes the folder. */
void tls_files_remove(struct tls_files *files);

#endif
