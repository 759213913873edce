/*
 * The version of lsys. It is written in one place: VERSION in the Makefile.
 */
#ifndef LSYS_APP_VERSION_H
#define LSYS_APP_VERSION_H

/* Returns the version, "0.1.0". Static. */
const char *lsys_version(void);

#endif
