/*
 * A folder of a test's own, gone afterwards with all that is in it.
 */
#ifndef LSYS_TESTS_LIB_FOLDER_H
#define LSYS_TESTS_LIB_FOLDER_H

/* "/tmp/lsys-unit-XXXXXX" with room for another $TMPDIR. */
#define TEST_FOLDER_BYTES 256

/* Makes an empty folder and writes its path. Ends the test when that fails. */
void test_folder_make(char path[TEST_FOLDER_BYTES]);

/* Removes a folder and everything in it. */
void test_folder_remove(const char *path);

#endif
