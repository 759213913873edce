#include "tests/lib/folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assertion.h"

/* Descriptors that nftw may hold open. */
#define DESCRIPTORS 16

void test_folder_make(char path[TEST_FOLDER_BYTES]) {
    const char *parent = getenv("TMPDIR");
    snprintf(path, TEST_FOLDER_BYTES, "%s/lsys-unit-XXXXXX", parent == NULL ? "/tmp" : parent);
    ASSERT(mkdtemp(path) != NULL);
}

static int remove_one(const char *path, const struct stat *information, int kind,
                      struct FTW *position) {
    (void)information;
    (void)kind;
    (void)position;
    return remove(path);
}

void test_folder_remove(const char *path) {
    nftw(path, remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}
