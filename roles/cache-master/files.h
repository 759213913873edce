/*
 * License files that somebody names: a file, or a folder whose files are all meant.
 */
#ifndef LSYS_ROLES_CACHE_MASTER_FILES_H
#define LSYS_ROLES_CACHE_MASTER_FILES_H

/* Calls `visit(context, path)` for the file, or for each plain file of the folder in the order of
 * their names; hidden files and folders in it are left alone. What is not there is visited too:
 * whoever reads it says so. */
void license_files_each(const char *path, void (*visit)(void *context, const char *path),
                        void *context);

#endif
