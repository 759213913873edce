/*
 * What every unit test includes first: cmocka, and the standard headers that cmocka wants before
 * it.
 */
#ifndef LSYS_TESTS_LIB_UNIT_H
#define LSYS_TESTS_LIB_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
