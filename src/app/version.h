#ifndef APP_VERSION_H
#define APP_VERSION_H

/* The version of lsys. It is written in one place: VERSION in the Makefile. */

/* Returns the version, "0.1.0". Static. */
const char *lsys_version(void);

#endif
