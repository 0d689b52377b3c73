# The front door: `make help` says what there is. The build itself is CMake's.
SHELL := /bin/sh
.DEFAULT_GOAL := all
.SUFFIXES:

PREFIX  ?= /usr/local
DESTDIR ?=
MINUTES ?= 5
JOBS    ?= $(shell nproc 2>/dev/null || echo 2)
# Many tests wait more than they work: so many at a time.
TESTS   ?= $(shell expr $(JOBS) + 2)
PRESETS := gcc clang asan tsan coverage fuzz fuzz-afl

# configure-and-build, by preset; ninja looks after everything that changes later.
define build
	@mkdir -p $(2)
	@test -f $(2)/build.ninja || cmake --preset $(1) >$(2)/configure.log 2>&1 || \
		{ cat $(2)/configure.log >&2; exit 1; }
	@cmake --build --preset $(1) --parallel $(JOBS) $(3)
endef

##@ Two commands that do everything
.PHONY: demo check
demo: setup ## a simulated network of 5,000 addresses on loopback: crawl it, report, compare with the truth
	$(call build,release,build,--target peerwalk)
	@tools/demo build/peerwalk
check: ## build, and run every test
	@tools/setup check
	$(call build,release,build)
	@ctest --preset release --parallel $(TESTS) $(CTEST_FLAGS)

##@ Building
.PHONY: all setup install uninstall clean
all: setup ## build the program: build/peerwalk (the default)
	$(call build,release,build)
setup: ## install the Debian packages that the build needs (when some are missing)
	@tools/setup build
install: all ## install to PREFIX (/usr/local), below DESTDIR if given
	@DESTDIR="$(DESTDIR)" cmake --install build --prefix "$(PREFIX)"
uninstall: ## remove what `make install` installed last
	@test -f build/install_manifest.txt || { echo "nothing was installed from here" >&2; exit 1; }
	@while read -r file; do rm -f "$$file" && echo "removed $$file"; done \
		<build/install_manifest.txt
clean: ## remove all build folders
	@rm -rf build $(PRESETS:%=build-%) web/dist

##@ More checks
.PHONY: lint gcc clang asan tsan interop page fuzz fuzz-afl faults bench bench-short bench-serve coverage ci
lint: ## layout, folder rules, purity, static analysis
	@tools/setup lint
	$(call build,release,build)
	@tools/lint build
gcc clang: ## tests as this compiler builds them, warnings being errors
	@tools/setup lint
	$(call build,$@,build-$@)
	@ctest --preset $@ --parallel $(TESTS)
asan: ## tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@tools/setup check
	$(call build,asan,build-asan)
	@ctest --preset asan --parallel $(TESTS)
tsan: ## tests under ThreadSanitizer
	@tools/setup check
	$(call build,tsan,build-tsan)
	@ctest --preset tsan --parallel $(TESTS)
interop: all ## crawl real, independent peers in a private network namespace
	@tools/setup interop
	@tests/interop/run build/peerwalk
page: ## build the page of `peerwalk serve`, and test it in Chromium
	@tools/setup page
	@mkdir -p build
	@tools/build-page build/page_files.c on
	$(call build,release,build)
	@tests/web/run build/peerwalk
fuzz: ## fuzz decoders, sessions and nodes for MINUTES (5) in all; with EACH=1 of each target
	@tools/setup lint
	$(call build,fuzz,build-fuzz)
	@tools/fuzz $(if $(EACH),--each) build-fuzz $(MINUTES) $(TARGETS)
fuzz-afl: ## the same under AFL++
	@tools/setup fuzz
	$(call build,fuzz-afl,build-fuzz-afl)
	@tools/fuzz --afl $(if $(EACH),--each) build-fuzz-afl $(MINUTES) $(TARGETS)
faults: all ## every allocation and system call fails in turn, and 200 kills: the long forms of these tests
	@cd build && PEERWALK_FAULTS=all tests/faults/alloc_faults
	@cd build && PEERWALK_FAULTS=all tests/faults/fault_sweep "$$PWD/peerwalk" \
		"$$PWD/tests/faults/libfault_shim.so"
	@KILLS=200 tests/e2e/test_kill.sh build/peerwalk . build
	@KILLS=50 tests/e2e/test_kill_watch.sh build/peerwalk . build
bench: all ## benchmarks, each as a ratio to a floor measured in the same run
	@cmake --build build --target bench
bench-short: all ## two minutes of them; fails where a ratio has become worse by half
	@cmake --build build --target bench-short
bench-serve: all ## how long readers of a database of a million peers wait: takes ten minutes, 6 GB
	@cmake --build build --target bench-serve
coverage: ## which lines the tests run: a summary per folder
	@tools/setup check
	$(call build,coverage,build-coverage)
	@ctest --preset coverage --parallel $(TESTS) >/dev/null || echo "coverage: some tests failed" >&2
	@tools/coverage build-coverage
ci: ## everything that has to pass before a change goes in
	@.ci/run

.PHONY: help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z -]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
