# lsys: one static binary from src/ and roles/, linked with the archives that third_party/fetch brings.
#
#   make            ./lsys                            make asan        build/asan/lsys (ASan, UBSan, host libc)
#   make check      unit tests (TEST=test_x for one)  make fuzz        libFuzzer targets in build/fuzz
#   make lint       format, static checks, floors     make fuzz-run    all, SECONDS=n each, or check
#   make bench      compares with peers               make liblsys.a   the embeddable verifier
#   make install    PREFIX=/usr/local, DESTDIR=       make clean       removes what was built, keeps downloads
#
# Three builds of the same sources live side by side: build/static (shipped), build/asan (sanitizers, also the unit
# tests) and build/fuzz (clang). New .c files are found by themselves. ./build.sh installs the tools this needs.

VERSION = 0.1.0
PREFIX  = /usr/local
SECONDS = 30

SOURCES := $(sort $(shell find src roles -name '*.c' 2>/dev/null))
WEB     := $(sort $(wildcard roles/*/web/*))
UNITS   := $(sort $(wildcard tests/unit/test_*.c))
FUZZERS := $(sort $(wildcard tests/fuzz/fuzz_*.c))

# What liblsys.a is made of: the verifier and the floors below it. It does no I/O of its own.
LIBLSYS_SOURCES = $(filter src/base/% src/codec/% src/verifier/%,$(SOURCES))

# ---- flags ----

ARCH     := $(shell $(CC) -print-multiarch)
SYSROOT   = third_party/sysroot
ARCHIVES  = third_party/archives
STAMPS    = $(SYSROOT)/.stamp $(ARCHIVES)/.stamp third_party/licenses/.stamp
LIBRARIES = -L$(ARCHIVES)/usr/lib/$(ARCH) -lnats_static -lprotobuf-c -luv -lsqlite3 -lbearssl -lsodium -lllhttp \
            -ljansson -linih -lm -lpthread

INCLUDES = -Isrc -I. -isystem $(ARCHIVES)/usr/include
# Truncation is what snprintf is asked for where text is for people.
WARNINGS = -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
           -Wno-format-truncation -Werror
COMMON   = -std=gnu11 -D_GNU_SOURCE -g $(WARNINGS) $(INCLUDES)
# The prefix map keeps the place of the checkout out of the binary: two builds give the same bytes wherever they run.
OUTPUT   = -MMD -MP "-ffile-prefix-map=$(CURDIR)=."
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

STATIC_CFLAGS  = $(COMMON) -O2 --sysroot=$(SYSROOT) -isystem $(SYSROOT)/usr/include \
                 -fPIE -fstack-protector-strong -fstack-clash-protection -D_FORTIFY_SOURCE=3 \
                 -ffunction-sections -fdata-sections
# -B: gcc itself would look for libc.a and crt1.o in the host's folders before the sysroot's.
STATIC_LDFLAGS = --sysroot=$(SYSROOT) -B$(SYSROOT)/usr/lib/$(ARCH)/ -static-pie -Wl,-z,relro,-z,now,-z,noexecstack \
                 -Wl,--gc-sections,--build-id=sha1,-Map=build/static/lsys.map
ASAN_CFLAGS    = $(COMMON) -O1 $(SANITIZE)
FUZZ_CC        = clang
FUZZ_CFLAGS    = $(filter-out -W%,$(COMMON)) -O1 $(SANITIZE) -fsanitize=fuzzer-no-link

# ---- the shipped binary ----

.PHONY: all check asan fuzz fuzz-run bench lint install clean FORCE
.DELETE_ON_ERROR:
all: lsys

# build/static/lsys keeps the symbols, for a debugger; its build id is the shipped one's.
lsys: build/static/lsys
	@echo "strip   $@"
	@strip --strip-all -o $@ $<

GENERATED = build/generated/web_assets.c build/generated/third_party.c
objects   = $(patsubst %.c,build/$(1)/%.o,$(SOURCES) $(GENERATED))

# A static glibc warns that getaddrinfo would load the host's NSS modules, which main() forbids by configuration: what
# the linker says is shown only when it fails.
build/static/lsys: $(call objects,static)
	@echo "link    $@"
	@$(CC) $(STATIC_LDFLAGS) -o $@ $^ $(LIBRARIES) 2>build/static/link.log || { cat build/static/link.log >&2; exit 1; }

build/static/%.o: %.c Makefile $(STAMPS)
	@echo "cc      $*.c"
	@mkdir -p $(@D)
	@$(CC) $(STATIC_CFLAGS) $(CFLAGS) $(OUTPUT) -c -o $@ $<

build/%/src/app/version.o: CFLAGS += -DLSYS_VERSION='"$(VERSION)"'

# Folders are prerequisites too, so that a removed page leaves the table.
build/generated/web_assets.c: src/app/embed $(WEB) $(wildcard roles roles/*/web)
	@mkdir -p $(@D)
	@src/app/embed web $(WEB) >$@

build/generated/third_party.c: src/app/embed third_party/packages.lock $(STAMPS)
	@mkdir -p $(@D)
	@src/app/embed licenses third_party >$@

# Asked every time; it touches a stamp only if it unpacked something.
$(STAMPS) &: FORCE
	@third_party/fetch sysroot archives licenses

# ---- sanitizers and unit tests: the host's C library, since sanitizers cannot be static ----

asan: build/asan/lsys

build/asan/lsys: $(call objects,asan) build/asan/tests/lib/isoc23.o
	@echo "link    $@"
	@$(CC) $(SANITIZE) -o $@ $^ $(LIBRARIES)

build/asan/%.o: %.c Makefile $(ARCHIVES)/.stamp
	@echo "cc      $*.c (asan)"
	@mkdir -p $(@D)
	@$(CC) $(ASAN_CFLAGS) $(CFLAGS) $(OUTPUT) -c -o $@ $<

# All of lsys but its main(), and what tests share: a test is linked with what it uses of it. (A group, since nats.c
# and src/bus want symbols of each other.)
TEST_LIB = $(patsubst %.c,%.o,$(sort $(wildcard tests/lib/*.c)))

build/asan/lsys.a: $(filter-out %/src/main.o,$(call objects,asan)) $(addprefix build/asan/,$(TEST_LIB))
	@rm -f $@
	@ar rcsD $@ $^

build/asan/tests/unit/%: build/asan/tests/unit/%.o build/asan/lsys.a
	@echo "link    $@"
	@$(CC) $(SANITIZE) -o $@ $< -Wl,--start-group $(word 2,$^) $(LIBRARIES) -Wl,--end-group -lcmocka

# Tests of the NATS client run against our own broker, too.
check: $(patsubst %.c,build/asan/%,$(if $(TEST),tests/unit/$(TEST).c,$(UNITS))) | build/asan/lsys
	@tests/run_unit $^

# ---- fuzzing ----

fuzz: $(patsubst %.c,build/fuzz/%,$(FUZZERS))

build/fuzz/%.o: %.c Makefile $(ARCHIVES)/.stamp
	@echo "cc      $*.c (fuzz)"
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(FUZZ_CFLAGS) $(CFLAGS) $(OUTPUT) -c -o $@ $<

build/fuzz/lsys.a: $(filter-out %/src/main.o,$(call objects,fuzz)) $(addprefix build/fuzz/,$(TEST_LIB))
	@rm -f $@
	@ar rcsD $@ $^

build/fuzz/tests/fuzz/%: build/fuzz/tests/fuzz/%.o build/fuzz/lsys.a
	@echo "link    $@"
	@$(FUZZ_CC) $(SANITIZE) -fsanitize=fuzzer -o $@ $< -Wl,--start-group $(word 2,$^) $(LIBRARIES) -Wl,--end-group

fuzz-run: fuzz
	@tests/run_fuzz $(SECONDS) $(patsubst %.c,build/fuzz/%,$(FUZZERS))

# ---- the embeddable verifier, compiled for the host that links it ----

# One object that holds the library, what it uses of the floors below and of the archives, and shows only the names of
# its header: a program may link its own jansson or libsodium beside it.
liblsys.a: build/embed/lsys.o
	@echo "archive $@"
	@rm -f $@
	@ar rcsD $@ $<

EMBED_API = $(patsubst %.c,build/embed/%.o,$(filter src/verifier/embed/%,$(LIBLSYS_SOURCES)))

build/embed/lsys.o: $(EMBED_API) build/embed/floors.a
	@ld -r -o $@ --start-group $^ -L$(ARCHIVES)/usr/lib/$(ARCH) -lbearssl -lsodium -ljansson --end-group
	@objcopy --wildcard --keep-global-symbol='lsys_*' $@

build/embed/floors.a: $(filter-out $(EMBED_API),$(patsubst %.c,build/embed/%.o,$(LIBLSYS_SOURCES))) \
                      build/embed/tests/lib/isoc23.o
	@rm -f $@
	@ar rcsD $@ $^

build/embed/%.o: %.c Makefile $(ARCHIVES)/.stamp
	@echo "cc      $*.c (embed)"
	@mkdir -p $(@D)
	@$(CC) $(COMMON) -O2 -fPIC -fstack-protector-strong -D_FORTIFY_SOURCE=2 $(CFLAGS) $(OUTPUT) -c -o $@ $<

# The C example, linked as a customer would: with the header, the archive and nothing else.
build/embed/example: tests/embed/example.c liblsys.a
	@$(CC) -std=c99 -Wall -Wextra -pedantic -Isrc -o $@ $^ -lm

# ---- the rest ----

bench: lsys
	@tests/bench/run

# What a bench needs of the inside of lsys.
build/bench/fill_shelf build/bench/crypto_lsys: build/bench/%: build/static/tests/bench/%.o \
                                                $(filter-out %/src/main.o,$(call objects,static))
	@echo "link    $@"
	@mkdir -p $(@D)
	@$(CC) $(filter-out -Wl%,$(STATIC_LDFLAGS)) -o $@ $^ $(LIBRARIES) 2>/dev/null

lint:
	@tests/lint '$(COMMON)'

install: lsys
	install -D -m 755 lsys "$(DESTDIR)$(PREFIX)/bin/lsys"

clean:
	rm -rf build lsys liblsys.a

.PRECIOUS: build/asan/%.o build/fuzz/%.o
-include $(shell find build -name '*.d' 2>/dev/null)
