#include "app/third_party.h"
#include "app/version.h"

#include <stdio.h>

int main(void) {
    printf("lsys %s\n", lsys_version());
    for (size_t i = 0; i < third_party_packages_count; i++) {
        printf("%s %s (%s)\n", third_party_packages[i].name, third_party_packages[i].version,
               third_party_packages[i].license);
    }
    return 0;
}
