/* The linked-in web pages: the table is what bsearch and HTTP rely on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/third_party.h"
#include "app/version.h"
#include "app/web_assets.h"

static void table_is_sorted_and_every_row_can_be_found(void **state) {
    (void)state;
    for (size_t i = 0; i < web_assets_count; i++) {
        const struct web_asset *asset = &web_assets[i];
        assert_ptr_equal(web_asset_find(asset->path), asset);
        assert_true(i == 0 || strcmp(web_assets[i - 1].path, asset->path) < 0);
        assert_non_null(strchr(asset->content_type, '/'));
        assert_int_equal(strlen(asset->etag), 34);
        assert_int_equal(asset->etag[0], '"');
        assert_int_equal(asset->etag[33], '"');
    }
}

static void unknown_paths_are_not_found(void **state) {
    (void)state;
    assert_null(web_asset_find(""));
    assert_null(web_asset_find("up/no-such-page.html"));
    assert_null(web_asset_find("../README.md"));
}

static void every_linked_package_has_its_copyright(void **state) {
    (void)state;
    assert_true(third_party_packages_count >= 11);
    for (size_t i = 0; i < third_party_packages_count; i++) {
        const struct third_party_package *package = &third_party_packages[i];
        assert_true(strlen(package->version) > 0);
        assert_true(strlen(package->license) > 0);
        assert_true(strlen(package->why) > 0);
        assert_true(strlen(package->copyright_text) > 500);
    }
    assert_true(third_party_licenses_count >= 2);
    for (size_t i = 0; i < third_party_licenses_count; i++) {
        assert_true(strlen(third_party_licenses[i].text) > 2000);
    }
}

static void version_has_three_numbers(void **state) {
    (void)state;
    const char *version = lsys_version();
    assert_int_equal(strspn(version, "0123456789."), strlen(version));
    assert_non_null(strchr(strchr(version, '.') + 1, '.'));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_sorted_and_every_row_can_be_found),
        cmocka_unit_test(unknown_paths_are_not_found),
        cmocka_unit_test(every_linked_package_has_its_copyright),
        cmocka_unit_test(version_has_three_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
