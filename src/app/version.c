#include "app/version.h"

const char *lsys_version(void) {
    return LSYS_VERSION;
}
